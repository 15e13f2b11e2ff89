"""An output head in torch: from the states of the encoder to the emissions of one set of tags, and the scores between.

In: states (time, batch, states). Out: emissions (time, batch, num_tags). The main head and further ones are alike; a
softmax head is one whose transitions are 0 and stay so.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gatewise.crf import Legality
from gatewise.training.crf import PathScores


class OutputHead(nn.Module):
    """One head. `kind`: crf or softmax; `legality` says which transitions its scheme has; `loss_weight` how much its
    loss counts."""

    legal_transitions: Tensor
    legal_start: Tensor
    legal_end: Tensor

    def __init__(self, states: int, legality: Legality, *, kind: str, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        num_tags = len(legality.start)
        self.emission = nn.Linear(states, num_tags)
        self.has_crf = kind == "crf"
        self.transitions = nn.Parameter(torch.zeros(num_tags, num_tags), requires_grad=self.has_crf)
        self.start_transitions = nn.Parameter(torch.zeros(num_tags), requires_grad=self.has_crf)
        self.end_transitions = nn.Parameter(torch.zeros(num_tags), requires_grad=self.has_crf)
        self.register_buffer("legal_transitions", torch.from_numpy(legality.allowed), persistent=False)
        self.register_buffer("legal_start", torch.from_numpy(legality.start), persistent=False)
        self.register_buffer("legal_end", torch.from_numpy(legality.end), persistent=False)

    def forward(self, states: Tensor) -> Tensor:
        emissions: Tensor = self.emission(states)
        return emissions

    def crf_scores(self) -> PathScores:
        """The scores with minus infinity where the scheme forbids."""
        forbidden = -math.inf
        return PathScores(
            transitions=self.transitions.masked_fill(~self.legal_transitions, forbidden),
            start=self.start_transitions.masked_fill(~self.legal_start, forbidden),
            end=self.end_transitions.masked_fill(~self.legal_end, forbidden),
        )

    def initialize(self) -> None:
        """Random start from torch's current generator: Glorot weights, everything else 0."""
        with torch.no_grad():
            nn.init.xavier_uniform_(self.emission.weight)
            for array in (self.emission.bias, self.transitions, self.start_transitions, self.end_transitions):
                array.zero_()

    def arrays(self) -> dict[str, Tensor]:
        """Every weight under its name in the archive, without the head's."""
        named = {"emission.weight": self.emission.weight, "emission.bias": self.emission.bias}
        if self.has_crf:
            named |= {
                "crf.transitions": self.transitions,
                "crf.start_transitions": self.start_transitions,
                "crf.end_transitions": self.end_transitions,
            }
        return named
