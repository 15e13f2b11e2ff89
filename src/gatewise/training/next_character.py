"""The network of a character language model: which character comes next, for one direction.

In: ids (time, lanes) and the states before them. Out: how surprising the ids that follow are, and the states after.
What comes out of the LSTM is an adaptive softmax (Grave et al. 2017): most of the time would go into thousands of rare
characters otherwise.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

CUTOFFS = (500, 2_000)  # ids from which on characters are rarer, and worth fewer numbers
SHRINKING = 4.0  # so many times fewer for each
FORGET_BIAS = 1.0

States = tuple[Tensor, Tensor]


class NextCharacter(nn.Module):
    """Embedding, LSTM, and the softmax over the next character; `size` is the number of ids."""

    def __init__(self, size: int, *, hidden: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, dim)
        self.lstm = nn.LSTM(dim, hidden)
        cutoffs = [cutoff for cutoff in CUTOFFS if 2 * cutoff <= size]
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(hidden, size, cutoffs, SHRINKING) if cutoffs else None
        self.linear = None if cutoffs else nn.Linear(hidden, size)
        with torch.no_grad():
            self.embedding.weight.normal_(0.0, 1.0 / math.sqrt(dim))
            forget = self.lstm.get_parameter("bias_ih_l0")[hidden : 2 * hidden]  # second of i|f|g|o
            forget.fill_(FORGET_BIAS)

    def forward(self, ids: Tensor, following: Tensor, states: States) -> tuple[Tensor, States]:
        """The mean surprise, in nats, of the ids that follow, and the last states; ids are (time, lanes)."""
        h, after = self.lstm(self.embedding(ids), states)
        h, targets = h.flatten(0, 1), following.flatten()
        if self.softmax is not None:
            loss: Tensor = self.softmax(h, targets).loss
        else:
            assert self.linear is not None
            loss = nn.functional.cross_entropy(self.linear(h), targets)
        return loss, (after[0].detach(), after[1].detach())

    def start(self, lanes: int) -> States:
        """Zeros."""
        return tuple(torch.zeros(1, lanes, self.lstm.hidden_size) for _ in range(2))  # type: ignore[return-value]
