"""The passes over time for a sentence that is alone: as few calls of NumPy a step as there can be.

In: the columns of a `Lattice` of one sentence, and scores. Out: what `viterbi` and `forward_backward` compute for a
batch, by the same sums in the same order where tags depend on them. Beside one sentence the loop inside a call is so
short that only the number of calls counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gatewise.crf.scores import CRFScores, Floats, Weights

Ints = npt.NDArray[np.intp]
Float64s = npt.NDArray[np.float64]

MOST_SUMS = 1 << 20  # numbers that `best_path` keeps; a longer sentence is decoded as a batch is


def is_short(time: int, num_tags: int) -> bool:
    return time * num_tags * num_tags <= MOST_SUMS


def best_path(values: Floats, scores: CRFScores, level_every: int) -> Ints:
    """The best path, (time,), of `values` (time, num_tags); `scores` are of their type.

    Every `level_every` steps the best score so far is taken off.
    """
    time, num_tags = values.shape
    sums = np.empty((time - 1, num_tags, num_tags), dtype=values.dtype)  # [t, from, to]: into t + 1
    best = scores.start_transitions + values[0]
    for t, (into, value) in enumerate(zip(sums, values[1:], strict=True), start=1):
        np.add(best[:, None], scores.transitions, out=into)
        best = np.maximum.reduce(into, axis=0)
        best += value
        if t % level_every == 0:
            peak = best.max()
            best -= peak if np.isfinite(peak) else 0
    tags = np.empty(time, dtype=np.intp)
    tag = tags[-1] = (best + scores.end_transitions).argmax()
    for t in range(time - 2, -1, -1):
        tag = tags[t] = sums[t, :, tag].argmax()
    return tags


def alphas(odds: Float64s, weights: Weights) -> tuple[Float64s, Float64s]:
    """alpha (time, num_tags), each step divided by its sum, and these sums (time,); arguments as in `forward_backward`,
    `odds` (time, num_tags)."""
    alpha, scale = np.empty_like(odds), np.empty(len(odds))
    into, ones = weights.turned, np.ones(odds.shape[1])
    scale[0] = odds[0].dot(ones)
    before = np.divide(odds[0], scale[0], out=alpha[0])
    for t in range(1, len(odds)):
        now = np.dot(into, before, out=alpha[t])
        now *= odds[t]
        scale[t] = total = now.dot(ones)
        now /= total
        before = now
    return alpha, scale


def betas(odds: Float64s, weights: Weights, scale: Float64s) -> Float64s:
    """beta (time, num_tags), each step divided by what alpha was divided by."""
    beta = np.empty_like(odds)
    beta[-1] = weights.end_transitions
    ratios = odds / scale[:, None]
    for t in range(len(odds) - 2, -1, -1):
        np.dot(weights.transitions, ratios[t + 1] * beta[t + 1], out=beta[t])
    return beta
