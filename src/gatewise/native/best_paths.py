"""The best path of a CRF on the native kernel: the same sums as in `crf/viterbi.py`, in the same order, and so the same
tags, ties included.

In: emissions laid out as a `crf.Lattice` has them, float32. Out: tags.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.native.library import Kernel, PathScores, aligned, pointer

Float32s = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]

UNITS = 16  # as in kernel.c


def best_paths(
    kernel: Kernel,
    emissions: Float32s,
    lengths: Ints,
    *,
    transitions: npt.NDArray[Any],
    start: npt.NDArray[Any],
    end: npt.NDArray[Any],
    level_every: int,
) -> Ints:
    """The best path of each column, (time, batch), 0 at padding; `emissions` (time, num_tags, batch), `transitions`
    [from, to], `start` and `end` (num_tags,)."""
    time, num_tags, batch = emissions.shape
    blocks = -(-num_tags // UNITS)
    arrays = [_filled_up(rows, UNITS * blocks) for rows in (transitions, transitions.T, start[None], end[None])]
    scores = PathScores(*map(pointer, arrays), num_tags, blocks)
    values, sizes = np.ascontiguousarray(emissions), np.ascontiguousarray(lengths, dtype=np.int64)
    tags = np.zeros((time, batch), dtype=np.int64)
    if kernel.functions.gatewise_best_paths(
        ctypes.byref(scores), pointer(values), pointer(sizes), batch, level_every, pointer(tags)
    ):
        raise MemoryError(f"the best path over {time:,} steps and {num_tags:,} tags")
    return tags.astype(np.intp, copy=False)


def _filled_up(rows: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """Minus infinity behind each row."""
    found = np.full((len(rows), width), -np.inf, dtype=np.float32)
    found[:, : rows.shape[1]] = rows
    return aligned(found)
