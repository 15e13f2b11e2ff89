"""Rows of several lengths as one long array, and back to padded columns.

In: rows of ids or of numbers. Out: `Ragged`, of which batches take the rows that they hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gatewise.model.rows import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ragged:
    """Rows of several lengths end to end: `values` (all,), row n from `starts[n]` for `lengths[n]` places."""

    values: Tensor
    starts: Tensor
    lengths: Tensor

    def padded(self, rows: Tensor, fill: int) -> Tensor:
        """The rows asked for as columns, filled up at their ends: (longest, rows)."""
        lengths = self.lengths[rows]
        places = torch.arange(int(lengths.max()), device=rows.device)[:, None]
        found = self.values[(self.starts[rows] + places).clamp_(max=len(self.values) - 1)]
        return torch.where(places < lengths, found if found.is_floating_point() else found.long(), fill)

    def to(self, device: torch.device) -> Ragged:
        """The same on a device."""
        return Ragged(values=self.values.to(device), starts=self.starts.to(device), lengths=self.lengths.to(device))


def ragged(rows: Rows) -> Ragged:
    """Rows of ids as one array of 32 bits each."""
    return Ragged(
        values=torch.from_numpy(rows.values.astype(np.int32)),
        starts=torch.from_numpy(np.cumsum(rows.lengths) - rows.lengths),
        lengths=torch.from_numpy(rows.lengths),
    )
