"""Emissions laid out for passes over time: a step is one contiguous block, and its columns are sentences.

In: emissions (time, batch, num_tags) of sentences that are padded at their ends. Out: a `Lattice`: (time, num_tags,
batch), the shortest sentence in the first column, so that those still running at a step are the last columns, and
padding is never worked on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gatewise.crf.scores import Floats

Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Values = TypeVar("Values", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """A batch, ready for the passes: column c is sentence `order[c]` of the batch as it came."""

    values: Floats  # (time, num_tags, batch), float32 or float64; 0 at padding
    lengths: Ints  # (batch,), ascending, each at least 1
    order: Ints  # (batch,)
    first: Ints  # (time,): the columns from first[t] on have a token at time t

    inside: Bools = field(init=False, repr=False)  # (time, batch): true at a token, false at padding

    def __post_init__(self) -> None:
        object.__setattr__(self, "inside", np.arange(len(self.values))[:, None] < self.lengths)

    def restored(self, by_column: npt.NDArray[Values]) -> npt.NDArray[Values]:
        """An array whose last axis is columns, with the sentences in the order they came in."""
        found = np.empty_like(by_column)
        found[..., self.order] = by_column
        return found

    def scaled(self, factor: float) -> Lattice:
        """The same with every emission times a factor above 0."""
        return replace(self, values=self.values * np.asarray(factor, dtype=self.values.dtype))

    def taken(self, tags: Ints) -> Floats:
        """The emission of one tag at each place, (time, batch); `tags` (time, batch)."""
        time, _, batch = self.values.shape
        found: Floats = self.values[np.arange(time)[:, None], tags, np.arange(batch)]
        return found


def lattice(emissions: Floats, lengths: npt.NDArray[np.integer]) -> Lattice:
    """Lay out a batch; `emissions` (time, batch, num_tags), `lengths` (batch,), each from 1 to time."""
    given = np.asarray(lengths, dtype=np.intp)
    order = np.arange(len(given)) if (given[1:] >= given[:-1]).all() else np.argsort(given, kind="stable")
    sorted_lengths = given[order]
    dtype: Any = np.float64 if emissions.dtype == np.float64 else np.float32
    columns = emissions if order[0] == 0 and (order[1:] > order[:-1]).all() else emissions[:, order]
    values = np.ascontiguousarray(columns.transpose(0, 2, 1), dtype=dtype)
    if sorted_lengths[0] < len(values):  # what stands at padding may be anything, and is not to raise an alarm
        values = values.copy() if np.shares_memory(values, emissions) else values
        values.transpose(0, 2, 1)[np.arange(len(values))[:, None] >= sorted_lengths] = 0
    first = np.searchsorted(sorted_lengths, np.arange(len(values)), side="right")
    return Lattice(values=values, lengths=sorted_lengths, order=order, first=first)
