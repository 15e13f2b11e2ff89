"""Rows of ids, end to end in one array: what sentences of several lengths are looked up by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from gatewise.text.vocabulary import PADDING_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """`values` (all,) int64, the first `lengths[0]` of them are row 0, and so on; `lengths` (rows,)."""

    values: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    def padded(self) -> npt.NDArray[np.int64]:
        """Each row as a column, filled up with the id of the padding: (longest, rows)."""
        longest = int(self.lengths.max())
        if int(self.lengths.min()) == longest:
            return np.ascontiguousarray(self.values.reshape(-1, longest).T)
        ids = np.full((len(self.lengths), longest), PADDING_ID, dtype=np.int64)
        ids[np.arange(longest) < self.lengths[:, None]] = self.values
        return np.ascontiguousarray(ids.T)

    def to_lists(self) -> list[list[int]]:
        """Each row as a list."""
        edges = np.cumsum(self.lengths).tolist()
        values = self.values.tolist()
        return [values[end - length : end] for end, length in zip(edges, self.lengths.tolist(), strict=True)]


def rows_of(rows: Iterable[Iterable[int]], lengths: Iterable[int]) -> Rows:
    """Rows of so many ids each."""
    counted = np.fromiter(lengths, dtype=np.int64)
    values = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=int(counted.sum()))
    return Rows(values=values, lengths=counted)
