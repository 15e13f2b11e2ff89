"""Dropout on vectors over time: anew at each step, or the same units at every step of a sentence (Gal 2016).

In: (time, batch, size). Out: the same with some values zero and the others larger, so that the mean stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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
        kept = random_mask(x.shape[1:] if self.variational else x.shape, 1 - self.rate, x.device)
        return x * kept.to(x.dtype).div_(1 - self.rate)


def random_mask(shape: Sequence[int], rate: float, device: torch.device) -> Tensor:
    """True with the probability `rate`, to 1/65536, drawn from torch's current generator.

    On the CPU drawing is most of dropout's cost, and 16 bits are enough for a decision: four for one random number.
    """
    if device.type != "cpu":
        return torch.rand(shape, device=device) < rate
    count = math.prod(shape)
    drawn = torch.empty((count + 3) // 4, dtype=torch.int64).random_(torch.iinfo(torch.int64).min, None)
    return (drawn.view(torch.int16)[:count] < min(round(rate * 65536) - 32768, 32767)).view(shape)
