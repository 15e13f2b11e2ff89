"""An embedding table whose rows are trained where a batch reads them, so that its size costs no time.

In: ids of any shape. Out: their vectors. While training, the rows that a batch reads are a small tensor of their own,
which is what gradients flow to; `training/optimizer.py` puts them back. Rows that no batch reads stay as they are (the
lazy Adam of sparse embeddings, as torch.optim.SparseAdam has it), and so do those that are frozen.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError


class RowGradient(NamedTuple):
    """What a batch changes of a table: `ids` (rows,), each once and rising; `gradient` (rows, dim)."""

    ids: Tensor
    gradient: Tensor


class Table(nn.Module):
    """(count, dim) vectors; `weight` takes no gradient itself. `frozen` (count,) marks rows that are never trained."""

    frozen: Tensor | None

    def __init__(self, count: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, dim), requires_grad=False)
        self.register_buffer("frozen", None, persistent=False)
        self._read: tuple[Tensor, Tensor] | None = None  # ids (rows,) and their vectors (rows, dim), of this step

    def forward(self, ids: Tensor) -> Tensor:
        """The vectors of `ids` (…): (…, dim). While training, a table is read once a step."""
        if not self.training:
            return nn.functional.embedding(ids, self.weight)
        if self._read is not None:
            raise TrainingError("an embedding table was read twice in one step; join the ids and read them at once")
        unique, places = torch.unique(ids, return_inverse=True)
        self._read = unique, self.weight[unique].requires_grad_()
        return nn.functional.embedding(places, self._read[1])

    def freeze(self, ids: Tensor) -> None:
        """Keep these rows as they are from now on."""
        mask = torch.zeros(len(self.weight), dtype=torch.bool, device=self.weight.device)
        self.frozen = mask.index_fill_(0, ids.to(mask.device), True)

    def take_gradient(self) -> RowGradient | None:
        """The gradient of the rows that were read since the last call, without frozen ones, None if nothing was read;
        then the table is read anew."""
        read, self._read = self._read, None
        if read is None or read[1].grad is None:
            return None
        ids, gradient = read[0], read[1].grad
        if self.frozen is not None:
            trained = ~self.frozen[ids]
            ids, gradient = ids[trained], gradient[trained]
        return RowGradient(ids, gradient)
