"""The best path of a linear-chain CRF (Viterbi 1967), for a batch of sentences at once.

In: emissions, time first, padded; the length of each sentence. Out: the best tag at every real position and the
score of the whole path. Padding is never looked at. Sums are in the type of the emissions, and every so often what all
paths of a sentence have in common is taken off, so that a long sentence is decoded as exactly as a short one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf.lattice import Ints, Lattice, lattice
from gatewise.crf.max_plus import MaxPlus
from gatewise.crf.one_sentence import best_path, is_short
from gatewise.crf.scores import CRFScores, Floats
from gatewise.native.library import native_kernel
from gatewise.native.paths import best_paths

LEVEL_EVERY = 16  # steps after which the best score so far is taken off


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPaths:
    """The best path of each sentence of a batch; entries of `tags` at padding are 0 and mean nothing.

    A sentence that has no legal path has the score minus infinity, and its tags mean nothing.
    """

    tags: Ints  # (time, batch)
    scores: npt.NDArray[np.float64]  # (batch,)


def viterbi(emissions: Floats, lengths: npt.NDArray[np.integer], scores: CRFScores) -> BestPaths:
    """The best legal path of every sentence; of equal ones, the one with the smaller tag number, last tag first.

    `emissions` is (time, batch, num_tags), `lengths` (batch,), each at least 1 and at most time.
    """
    laid_out = lattice(emissions, lengths)
    tags = best_tags(laid_out, scores)
    return BestPaths(tags=laid_out.restored(tags), scores=laid_out.restored(path_scores(laid_out, scores, tags)))


def best_tags(batch: Lattice, scores: CRFScores) -> Ints:
    """The best path of each column, (time, batch); by the native kernel where there is one, with the same result."""
    if batch.emissions.dtype == np.float32 and (kernel := native_kernel()):
        return best_paths(kernel, batch.emissions, batch.order, batch.lengths, scores.packed, LEVEL_EVERY)
    scores = scores.astype(batch.values.dtype)
    time, num_tags, width = batch.values.shape
    if width == 1 and is_short(time, num_tags):
        return best_path(batch.values[:, :, 0], scores, LEVEL_EVERY)[:, None]
    best = np.empty((time, num_tags, width), dtype=batch.values.dtype)  # best score of a path that ends in the tag
    np.add(batch.values[0], scores.start_transitions[:, None], out=best[0])
    product = MaxPlus(scores.transitions, width)
    for t in range(1, time):
        running = slice(batch.first[t], None)
        now = best[t, :, running]
        product.step(best[t - 1, :, running], out=now)
        now += batch.values[t, :, running]
        if t % LEVEL_EVERY == 0:
            peak = now.max(axis=0)
            now -= np.where(np.isfinite(peak), peak, 0)
    return _follow(best, batch, scores)


def path_scores(batch: Lattice, scores: CRFScores, tags: Ints) -> npt.NDArray[np.float64]:
    """The score of one path a column, (batch,), added up in float64; minus infinity for an illegal one."""
    parts = batch.taken(tags).astype(np.float64)  # (time, batch)
    parts[0] += scores.start_transitions[tags[0]]
    parts[1:] += scores.transitions[tags[:-1], tags[1:]]
    last = tags[batch.lengths - 1, np.arange(len(batch.lengths))]
    total: npt.NDArray[np.float64] = np.where(batch.inside, parts, 0).sum(axis=0) + scores.end_transitions[last]
    return total


def _follow(best: Floats, batch: Lattice, scores: CRFScores) -> Ints:
    """Walk from the last tag of each sentence to its first; where each came from is found by adding up once more."""
    time, _, width = best.shape
    into = np.ascontiguousarray(scores.transitions.T)  # (to, from): the maximum runs along memory
    tags = np.zeros((time, width), dtype=np.intp)
    running = width  # columns from here on have their tag at t + 1
    for t in range(time - 1, -1, -1):
        first = int(batch.first[t])
        if running < width:
            came_from = best[t, :, running:].T + into[tags[t + 1, running:]]  # (n, from)
            tags[t, running:] = came_from.argmax(axis=1)
        if first < running:
            final = best[t, :, first:running] + scores.end_transitions[:, None]
            tags[t, first:running] = final.argmax(axis=0)
        running = first
    return tags
