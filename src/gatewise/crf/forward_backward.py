"""Sums over every path of a linear-chain CRF: partition function, marginals, probability of a stretch of tags.

In: emissions, time first, padded, and lengths. Out: log_alpha, log_beta and what follows from them, in float64.
Source: the forward-backward algorithm, Rabiner 1989; for CRFs Sutton and McCallum 2012, section 4.1.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf.scores import CRFScores, Floats

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSums:
    """Everything that forward-backward knows of a batch.

    `log_alpha[t, b, k]` sums the paths that end in tag k at time t, its emission included; `log_beta[t, b, k]` sums
    what can follow it, its emission excluded. `marginals[t, b, k]` is the probability of tag k there; 0 at padding.
    """

    log_alpha: Float64s  # (time, batch, num_tags)
    log_beta: Float64s  # (time, batch, num_tags)
    log_partition: Float64s  # (batch,)
    marginals: Float64s  # (time, batch, num_tags)


def forward_backward(emissions: Floats, lengths: npt.NDArray[np.integer], scores: CRFScores) -> PathSums:
    """Run both passes; `emissions` (time, batch, num_tags), `lengths` (batch,), each from 1 to time."""
    wide = emissions.astype(np.float64)
    product = _LogProduct(scores.transitions.astype(np.float64))
    log_alpha = _alphas(wide, lengths, scores, product)
    log_partition = _logsumexp(log_alpha[-1] + scores.end_transitions)  # past its end a sentence keeps its last alpha
    log_beta = _betas(wide, lengths, scores, product)
    inside = np.arange(len(wide))[:, None] < lengths  # (time, batch)
    marginals = np.exp(log_alpha + log_beta - log_partition[:, None])
    marginals[~inside] = 0.0
    return PathSums(log_alpha=log_alpha, log_beta=log_beta, log_partition=log_partition, marginals=marginals)


def stretch_probability(
    sums: PathSums, emissions: Floats, scores: CRFScores, *, sentence: int, start: int, tags: Sequence[int]
) -> float:
    """The probability that the tags from `start` on are exactly `tags`, whatever stands before and after."""
    position = start
    log_score = sums.log_alpha[position, sentence, tags[0]]
    for before, tag in itertools.pairwise(tags):
        position += 1
        log_score = log_score + scores.transitions[before, tag] + float(emissions[position, sentence, tag])
    log_score = log_score + sums.log_beta[position, sentence, tags[-1]]
    return float(np.exp(log_score - sums.log_partition[sentence]))


# exp(-VALUES_APART - TRANSITIONS_APART) is still a normal float64: what lies closer than this cannot be lost
VALUES_APART, TRANSITIONS_APART = 500.0, 200.0


class _LogProduct:
    """`log(exp(a) @ exp(transitions))` and its transpose: one matrix product, term by term where that loses paths."""

    def __init__(self, transitions: Float64s) -> None:
        finite = transitions[np.isfinite(transitions)]
        self._shift = float(finite.max()) if finite.size else 0.0
        self._wide_apart = bool(finite.size) and self._shift - float(finite.min()) > TRANSITIONS_APART
        self._transitions = transitions
        self._weights = np.exp(transitions - self._shift)  # (from, to), at most 1

    def onward(self, log_values: Float64s) -> Float64s:
        """(batch, from) -> (batch, to)."""
        return self._multiply(log_values, self._transitions, self._weights)

    def backward(self, log_values: Float64s) -> Float64s:
        """(batch, to) -> (batch, from)."""
        return self._multiply(log_values, self._transitions.T, self._weights.T)

    def _multiply(self, log_values: Float64s, transitions: Float64s, weights: Float64s) -> Float64s:
        peak = _finite_peak(log_values, axis=-1)
        below: Float64s = log_values - peak
        if self._wide_apart or ((below < -VALUES_APART) & (below > -np.inf)).any():
            return _logsumexp(log_values[:, :, None] + transitions, axis=1)
        with np.errstate(divide="ignore"):  # log 0 is minus infinity, and that is what a forbidden tag scores
            product: Float64s = np.log(np.exp(below) @ weights) + (peak + self._shift)
        return product


def _alphas(emissions: Float64s, lengths: npt.NDArray[np.integer], scores: CRFScores, product: _LogProduct) -> Float64s:
    log_alpha = np.empty_like(emissions)
    log_alpha[0] = scores.start_transitions + emissions[0]
    for t in range(1, len(emissions)):
        reached = product.onward(log_alpha[t - 1]) + emissions[t]
        log_alpha[t] = np.where((t < lengths)[:, None], reached, log_alpha[t - 1])
    return log_alpha


def _betas(emissions: Float64s, lengths: npt.NDArray[np.integer], scores: CRFScores, product: _LogProduct) -> Float64s:
    log_beta = np.empty_like(emissions)
    log_beta[-1] = scores.end_transitions
    for t in range(len(emissions) - 1, 0, -1):
        left = product.backward(log_beta[t] + emissions[t])
        log_beta[t - 1] = np.where((t < lengths)[:, None], left, log_beta[t])
    return log_beta


def _logsumexp(values: Float64s, axis: int = -1) -> Float64s:
    peak = _finite_peak(values, axis=axis)
    with np.errstate(divide="ignore"):
        total: Float64s = np.log(np.exp(values - peak).sum(axis=axis)) + np.squeeze(peak, axis=axis)
    return total


def _finite_peak(values: Float64s, axis: int) -> Float64s:
    """The maximum along an axis, kept as an axis; 0 where nothing is finite, so that it can be subtracted."""
    peak = values.max(axis=axis, keepdims=True)
    return np.where(np.isfinite(peak), peak, 0.0)
