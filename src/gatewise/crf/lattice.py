"""Emissions laid out for passes over time: a step is one contiguous block, and its columns are sentences.

In: emissions (time, batch, num_tags) of sentences that are padded at their ends. Out: a `Lattice`, whose columns are
sentences, the shortest first, so that those still running at a step are the last columns, and padding is never worked
on. Passes of NumPy read its `values`, (time, num_tags, batch), which are laid out when they are first asked for; the
native kernel reads the emissions as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gatewise.crf.scores import Floats

Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Values = TypeVar("Values", bound=np.generic)


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """A batch, ready for the passes: column c is sentence `order[c]` of the batch as it came."""

    emissions: Floats  # (time, batch, num_tags), float32 or float64, as they came; anything at padding
    lengths: Ints  # (batch,), ascending, each at least 1
    order: Ints  # (batch,)
    first: Ints  # (time,): the columns from first[t] on have a token at time t

    @cached_property
    def inside(self) -> Bools:
        """True at a token, false at padding, (time, batch)."""
        found: Bools = np.arange(len(self.emissions))[:, None] < self.lengths
        return found

    @cached_property
    def values(self) -> Floats:
        """The emissions of the columns, (time, num_tags, batch), 0 at padding."""
        columns = self.emissions if (self.order[1:] > self.order[:-1]).all() else self.emissions[:, self.order]
        values = np.ascontiguousarray(columns.transpose(0, 2, 1))
        if self.lengths[0] < len(values):  # what stands at padding may be anything, and is not to raise an alarm
            values = values.copy() if np.shares_memory(values, self.emissions) else values
            values.transpose(0, 2, 1)[~self.inside] = 0
        return values

    def restored(self, by_column: npt.NDArray[Values]) -> npt.NDArray[Values]:
        """An array whose last axis is columns, with the sentences in the order they came in."""
        found = np.empty_like(by_column)
        found[..., self.order] = by_column
        return found

    def scaled(self, factor: float) -> Lattice:
        """The same with every emission times a factor above 0."""
        with np.errstate(all="ignore"):  # at padding
            return replace(self, emissions=self.emissions * np.asarray(factor, dtype=self.emissions.dtype))

    def taken(self, tags: Ints) -> Floats:
        """The emission of one tag at each place, (time, batch); `tags` (time, batch)."""
        found: Floats = self.emissions[np.arange(len(self.emissions))[:, None], self.order, tags]
        return found


def lattice(emissions: Floats, lengths: npt.NDArray[np.integer]) -> Lattice:
    """Lay out a batch; `emissions` (time, batch, num_tags), `lengths` (batch,), each from 1 to time."""
    given = np.asarray(lengths, dtype=np.intp)
    order = np.arange(len(given)) if (given[1:] >= given[:-1]).all() else np.argsort(given, kind="stable")
    dtype: Any = np.float64 if emissions.dtype == np.float64 else np.float32
    return Lattice(
        emissions=np.asarray(emissions, dtype=dtype),
        lengths=given[order],
        order=order,
        first=np.searchsorted(given[order], np.arange(len(emissions)), side="right"),
    )
