"""The passes of a CRF on the native kernel (`paths.c`): the best path of each sentence of a batch, and both passes over
one.

The best path is found by the same sums as in `crf/viterbi.py`, in the same order, and so has the same tags, ties
included.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gatewise.native.library import Kernel, PathScores, aligned, pointer

Array = npt.NDArray[Any]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

UNITS = 16  # as in kernel.h


class PackedScores(NamedTuple):
    """Scores of paths as the kernel reads them; `arrays` keeps what the argument points to."""

    arrays: tuple[Float32s, ...]
    as_argument: PathScores


def packed_scores(*, transitions: Array, start: Array, end: Array) -> PackedScores:
    """`transitions` [from, to], `start` and `end` (num_tags,)."""
    blocks = -(-len(start) // UNITS)
    arrays = tuple(_filled_up(rows, UNITS * blocks) for rows in (transitions, transitions.T, start[None], end[None]))
    return PackedScores(arrays, PathScores(*map(pointer, arrays), len(start), blocks))


def best_paths(
    kernel: Kernel, emissions: Float32s, order: Ints, lengths: Ints, scores: PackedScores, level_every: int
) -> Ints:
    """The best path of each column, (time, columns), 0 at padding; `emissions` (time, batch, num_tags), of which column
    c is number order[c] of the batch, `lengths` (columns,) its length."""
    time, batch, num_tags = emissions.shape
    values = np.ascontiguousarray(emissions)
    places, sizes = (np.ascontiguousarray(numbers, dtype=np.int64) for numbers in (order, lengths))
    tags = np.zeros((time, len(sizes)), dtype=np.int64)
    arrays: tuple[Array, ...] = (values, places, sizes)
    if kernel.functions.gatewise_best_paths(
        ctypes.byref(scores.as_argument), *map(pointer, arrays), batch, len(sizes), level_every, pointer(tags)
    ):
        raise MemoryError(f"the best path over {time:,} steps and {num_tags:,} tags")
    return tags.astype(np.intp, copy=False)


def passes(
    kernel: Kernel, odds: Float64s, transitions: Float64s, turned: Float64s, ends: Float64s
) -> tuple[Float64s, Float64s, Float64s]:
    """alpha and beta (time, num_tags), each step of both divided by the third, (time,), the sums of alpha's.

    `odds` (time, num_tags), `transitions` [from, to], `turned` [to, from] and `ends` are exponentials of scores.
    """
    time, num_tags = odds.shape
    odds = np.ascontiguousarray(odds)
    alpha, beta, scale = np.empty_like(odds), np.empty_like(odds), np.empty(time + num_tags)  # with room to work in
    arrays = (transitions, turned, ends, alpha, beta, scale)
    kernel.functions.gatewise_passes(pointer(odds), time, num_tags, *map(pointer, arrays))
    return alpha, beta, scale[:time]


def _filled_up(rows: Array, width: int) -> Float32s:
    """Minus infinity behind each row."""
    found = np.full((len(rows), width), -np.inf, dtype=np.float32)
    found[:, : rows.shape[1]] = rows
    return aligned(found)
