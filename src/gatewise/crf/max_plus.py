"""One step of Viterbi's recursion for a whole batch, over the legal transitions alone.

In: `best` (num_tags, batch), the best score of a path that ends in each tag. Out: the same one step later, before its
emission. Under BIOES most transitions are illegal: whatever may follow a closed span follows all of them (one dense
block), and an inside or an end follows two tags only (gathered, row by row).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf.scores import Floats

Ints = npt.NDArray[np.intp]

FEW = 4  # tags with at most so many predecessors are gathered
MOST_BLOCKS = 4  # more different sets of predecessors than this are not worth telling apart
NARROW = 8  # below so many sentences a step is all overhead, and one dense block has the least


@dataclass(frozen=True, slots=True)
class _Block:
    """Tags that are reached from the tags `sources`, (sources, 1) when all from the same, or (sources, targets)."""

    sources: Ints
    targets: Ints
    weights: Floats  # (sources, targets, 1): their transition scores


class MaxPlus:
    """The step `new[to] = max over from of best[from] + transitions[from, to]`; scratch space is kept between steps."""

    def __init__(self, transitions: Floats, batch: int) -> None:
        self._num_tags = len(transitions)
        self._blocks = _blocks(transitions) if batch >= NARROW else [_dense(transitions)]
        self._batch = batch
        largest = max(block.weights.size for block in self._blocks)
        self._sums = np.empty(largest * batch, dtype=transitions.dtype)
        self._gathered = np.empty(self._num_tags * batch, dtype=transitions.dtype)

    def step(self, best: Floats, out: Floats) -> None:
        """`best` and `out` (num_tags, n) with n at most the batch; every entry of `out` is written."""
        width = best.shape[1]
        for block in self._blocks:
            count, targets = len(block.sources), len(block.targets)
            sums = self._sums[: count * targets * width].reshape(count, targets, width)
            if block.sources.shape[1] > 1:
                np.take(best, block.sources, axis=0, out=sums, mode="clip")  # every index is in range
                sums += block.weights
            elif count == self._num_tags:
                np.add(best[:, None], block.weights, out=sums)
            else:
                rows = self._gathered[: count * width].reshape(count, 1, width)
                np.take(best, block.sources, axis=0, out=rows, mode="clip")
                np.add(rows, block.weights, out=sums)
            if targets == self._num_tags:
                np.maximum.reduce(sums, axis=0, out=out)
            else:
                out[block.targets] = np.maximum.reduce(sums, axis=0)


def _blocks(transitions: Floats) -> list[_Block]:
    legal = transitions > -np.inf  # (from, to)
    counts = legal.sum(axis=0)
    few = np.flatnonzero(counts <= FEW)
    many = np.flatnonzero(counts > FEW)
    sets, which = np.unique(legal[:, many], axis=1, return_inverse=True)
    if sets.shape[1] > MOST_BLOCKS:
        return [_dense(transitions)]
    found = [
        _block(transitions, np.flatnonzero(sets[:, number])[:, None], many[which.ravel() == number])
        for number in range(sets.shape[1])
    ]
    if few.size:
        most = max(1, int(counts[few].max()))
        # legal ones first; what fills up a column is illegal, so its transition keeps it out
        found.append(_block(transitions, np.argsort(~legal[:, few], axis=0, kind="stable")[:most], few))
    return found


def _dense(transitions: Floats) -> _Block:
    every = np.arange(len(transitions))
    return _block(transitions, every[:, None], every)


def _block(transitions: Floats, sources: Ints, targets: Ints) -> _Block:
    weights = np.ascontiguousarray(transitions[sources, targets])[:, :, None]
    return _Block(sources, targets, weights)
