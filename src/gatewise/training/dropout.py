"""Dropout on vectors over time: anew at each step, or the same units at every step of a sentence (Gal 2016).

In: (time, batch, size). Out: the same with some values zero and the others larger, so that the mean stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gatewise.model.config import Config


class Dropout(nn.Module):
    """Takes values away at `rate` while training; `variational`: one draw a sentence and unit, for all of time."""

    def __init__(self, rate: float, *, variational: bool) -> None:
        super().__init__()
        self.rate, self.variational = rate, variational

    @classmethod
    def of(cls, config: Config) -> Dropout:
        """As the configuration says."""
        return cls(config.training.dropout, variational=config.training.variational_dropout)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        shape = x.shape[1:] if self.variational else x.shape
        return x * random_mask(shape, 1 - self.rate, x).mul_(1 / (1 - self.rate))


def random_mask(shape: Sequence[int], rate: float, like: Tensor) -> Tensor:
    """1 with the probability `rate`, to 1/65536, otherwise 0, in the type and on the device of `like`.

    Drawn from torch's current generator. On the CPU drawing is most of dropout's cost: torch's generator gives the seed
    of a faster one, whose 64 bits are enough for four decisions.
    """
    if like.device.type != "cpu":
        return (torch.rand(shape, device=like.device) < rate).to(like.dtype)
    count = math.prod(shape)
    seed = int(torch.empty((), dtype=torch.int64).random_())
    drawn = torch.from_numpy(np.random.SFC64(seed).random_raw((count + 3) // 4).view(np.int16))
    kept = torch.empty(count, dtype=like.dtype)
    return torch.lt(drawn[:count], min(round(rate * 65536) - 32768, 32767), out=kept).view(shape)
