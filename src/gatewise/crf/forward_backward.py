"""Sums over every path of a linear-chain CRF: partition function, marginals, the probability of a path step by step.

In: emissions, time first, padded, and lengths. Out: probabilities in float64. Both passes run in probability space,
scaled at every step: one matrix product a step. What this could lose is known afterwards, see `_is_safe`; those
sentences are done again in log space.
Source: the scaled forward-backward algorithm, Rabiner 1989, section V.A; for CRFs Sutton and McCallum 2012, 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf import one_sentence
from gatewise.crf.lattice import Ints, Lattice, lattice
from gatewise.crf.log_space import Float64s, LogSums, log_sums
from gatewise.crf.scores import CRFScores, Floats, Weights
from gatewise.native.library import native_kernel
from gatewise.native.paths import passes

ONE_THREAD, NARROWEST = 1 << 18, 8  # multiplications up to which OpenBLAS takes one thread; fewest columns at a time
SMALLEST_SCALE, LARGEST_RATIO = 1e-100, 1e150  # see _is_safe
TRANSITIONS_APART = 500.0  # nats between two transition scores; beyond, the lower one would vanish beside the higher


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSums:
    """`marginals[t, b, k]` is the probability of tag k there, 0 at padding; `log_partition[b]` sums all legal paths.

    A sentence that has no legal path has the log partition minus infinity and marginals of 0.
    """

    log_partition: Float64s  # (batch,)
    marginals: Float64s  # (time, batch, num_tags)


def forward_backward(emissions: Floats, lengths: npt.NDArray[np.integer], scores: CRFScores) -> PathSums:
    """Run both passes; `emissions` (time, batch, num_tags), `lengths` (batch,), each from 1 to time."""
    laid_out = lattice(emissions, lengths)
    sums = sum_paths(laid_out, scores)
    return PathSums(
        log_partition=laid_out.restored(sums.log_partition),
        marginals=np.ascontiguousarray(laid_out.restored(sums.marginals()).transpose(0, 2, 1)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scaled:
    """Both passes, scaled: `alpha` and `beta` up to a factor a step and sentence, `odds` the exponentials of the
    emissions, up to such a factor too; `scale` is what alpha was divided by, `total` the sum of alpha times beta."""

    alpha: Float64s  # (time, num_tags, batch)
    beta: Float64s  # (time, num_tags, batch)
    odds: Float64s  # (time, num_tags, batch)
    scale: Float64s  # (time, batch)
    total: Float64s  # (batch,)
    weights: Float64s  # (from, to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What forward-backward knows of a lattice, its columns in the lattice's order.

    Along one path the tags are a Markov chain, so the probability of any stretch of it is a product: the marginal of
    its first tag, and each next tag given the one before (`moves`).
    """

    batch: Lattice
    scores: CRFScores
    log_partition: Float64s  # (batch,)
    _scaled: _Scaled
    _unsafe: Ints  # the columns that were done in log space
    _exact: LogSums | None

    def marginals(self) -> Float64s:
        """The probability of each tag at each place, (time, num_tags, batch); 0 at padding."""
        with np.errstate(all="ignore"):
            found: Float64s = self._scaled.alpha * self._scaled.beta
            found /= self._scaled.total
        found.transpose(0, 2, 1)[~self.batch.inside] = 0.0
        if self._exact is not None:
            found[:, :, self._unsafe] = self._exact.marginals()
        return found

    def tag_probabilities(self, tags: Ints) -> Float64s:
        """The marginal of one tag at each place, (time, batch); `tags` (time, batch)."""
        time, width = tags.shape
        place = np.arange(time)[:, None], tags, np.arange(width)
        with np.errstate(all="ignore"):
            found: Float64s = self._scaled.alpha[place] * self._scaled.beta[place] / self._scaled.total
        found[~self.batch.inside] = 0.0
        if self._exact is not None:
            exact = self._exact.marginals()
            found[:, self._unsafe] = exact[place[0], tags[:, self._unsafe], np.arange(len(self._unsafe))]
        return found

    def moves(self, before: Ints, after: Ints) -> Float64s:
        """P(tag t+1 is after[t], given that tag t is before[t]), (time - 1, batch); 0 at padding."""
        time, width = self.batch.inside.shape
        t, column, of = np.arange(1, time)[:, None], np.arange(width), self._scaled
        with np.errstate(all="ignore"):  # sentences that were not safe are put right below
            ahead = of.weights[before, after] * of.odds[t, after, column] * of.beta[t, after, column]
            behind = of.scale[1:] * of.beta[t - 1, before, column]
            found: Float64s = ahead / behind
        found[~self.batch.inside[1:] | (behind == 0)] = 0.0  # given what cannot be, nothing is
        if self._exact is not None:
            found[:, self._unsafe] = self._moves_in_log_space(before[:, self._unsafe], after[:, self._unsafe])
        return found

    def transition_counts(self, column: int) -> Float64s:
        """How often a sentence goes from one tag to another, [from, to], in the mean over all its paths: the sum over
        its steps of the marginals of two tags in a row, (num_tags, num_tags)."""
        of, length = self._scaled, int(self.batch.lengths[column])
        if self._exact is not None and (at := np.flatnonzero(self._unsafe == column)).size:
            values = self.batch.values[:length, :, column]
            return self._exact.transition_counts(int(at[0]), values, self.scores)
        ahead = of.odds[1:length, :, column] * of.beta[1:length, :, column]  # (time - 1, num_tags)
        ahead /= of.scale[1:length, column, None] * of.total[column]
        counts: Float64s = of.alpha[: length - 1, :, column].T @ ahead * of.weights
        return counts

    def _moves_in_log_space(self, before: Ints, after: Ints) -> Float64s:
        assert self._exact is not None
        log_beta = self._exact.log_beta
        t, column = np.arange(1, len(log_beta))[:, None], np.arange(len(self._unsafe))
        behind = log_beta[t - 1, before, column]
        ahead = self.scores.transitions[before, after] + self.batch.values[t, after, self._unsafe]
        with np.errstate(invalid="ignore"):
            found: Float64s = np.exp(ahead.astype(np.float64) + log_beta[t, after, column] - behind)
        found[~self.batch.inside[1:, self._unsafe] | (behind == -np.inf)] = 0.0
        return found


def sum_paths(batch: Lattice, scores: CRFScores) -> Sums:
    """Run both passes over a lattice."""
    peaks, odds = _odds(batch, scores)
    of_scores = scores.weights
    ends = of_scores.end_transitions
    with np.errstate(all="ignore"):  # what goes wrong here is found by _is_safe
        alpha, beta, scale = _passes(batch, odds, of_scores)
        last = alpha[batch.lengths - 1, :, np.arange(len(batch.lengths))]  # (batch, num_tags)
        total = last @ ends
        logs = np.log(scale) + peaks
        logs[1:] += of_scores.shift
        log_partition = np.where(batch.inside, logs, 0.0).sum(axis=0) + np.log(total) + of_scores.end_peak
        safe = _is_safe(total, scale, beta)
    if of_scores.apart > TRANSITIONS_APART:
        safe[:] = False
    unsafe, exact = np.flatnonzero(~safe), None
    if unsafe.size:
        exact = log_sums(_columns(batch, unsafe), scores)
        log_partition[unsafe] = exact.log_partition
    return Sums(
        batch=batch,
        scores=scores,
        log_partition=log_partition,
        _scaled=_Scaled(alpha=alpha, beta=beta, odds=odds, scale=scale, total=total, weights=of_scores.transitions),
        _unsafe=unsafe,
        _exact=exact,
    )


def _is_safe(total: Float64s, scale: Float64s, beta: Float64s) -> npt.NDArray[np.bool_]:
    """Whether nothing that counts was lost, for each sentence.

    What vanishes is below 1e-307. In alpha, which is then divided by its scale and meets a beta of at most max(beta),
    that is at most 1e-307 / 1e-100 * 1e150 = 1e-57 of the total; in beta, which meets an alpha of at most 1, less.
    Overflow gives no number, and so is not safe.
    """
    found: npt.NDArray[np.bool_] = (total > SMALLEST_SCALE) & (scale.min(axis=0) > SMALLEST_SCALE)
    found &= beta.max(axis=0).max(axis=0) < total * LARGEST_RATIO
    return found


def _odds(batch: Lattice, scores: CRFScores) -> tuple[Float64s, Float64s]:
    """exp(emission - peak) and the peaks (time, batch); the first step has the start transitions in it."""
    peaks = batch.values.max(axis=1).astype(np.float64)
    first = batch.values[0] + scores.start_transitions.astype(np.float64)[:, None]
    peaks[0] = first.max(axis=0)
    peaks = _finite(peaks)
    odds = np.empty(batch.values.shape)
    np.subtract(batch.values, peaks[:, None], out=odds)
    np.subtract(first, peaks[0], out=odds[0])
    np.exp(odds, out=odds)
    return peaks, odds


def _passes(batch: Lattice, odds: Float64s, weights: Weights) -> tuple[Float64s, Float64s, Float64s]:
    """alpha, beta, and what each step of both was divided by."""
    if odds.shape[2] > 1:
        alpha, scale = _alphas(batch, odds, weights)
        return alpha, _betas(batch, odds, weights, scale), scale
    of_one = odds[:, :, 0]
    if kernel := native_kernel():
        forward, backward, total = passes(kernel, of_one, weights.transitions, weights.turned, weights.end_transitions)
    else:
        forward, total = one_sentence.alphas(of_one, weights)
        backward = one_sentence.betas(of_one, weights, total)
    return forward[:, :, None], backward[:, :, None], total[:, None]


def _alphas(batch: Lattice, odds: Float64s, weights: Weights) -> tuple[Float64s, Float64s]:
    """alpha, each step divided by its sum, and these sums (time, batch), 1 at padding."""
    alpha, scale = np.empty_like(odds), np.ones((len(odds), odds.shape[2]))  # alpha at padding is never read
    np.add.reduce(odds[0], axis=0, out=scale[0])
    np.divide(odds[0], scale[0], out=alpha[0])
    for t in range(1, len(odds)):
        on = slice(batch.first[t], None)
        now, scale_now = alpha[t, :, on], scale[t, on]
        _multiply(weights.turned, alpha[t - 1, :, on], out=now)
        now *= odds[t, :, on]
        np.add.reduce(now, axis=0, out=scale_now)
        now /= scale_now
    return alpha, scale


def _betas(batch: Lattice, odds: Float64s, weights: Weights, scale: Float64s) -> Float64s:
    """beta, each step divided by what alpha was divided by."""
    beta = np.zeros_like(odds)
    width = odds.shape[2]
    running = width
    for t in range(len(odds) - 1, -1, -1):
        first = int(batch.first[t])
        if running < width:
            on = slice(running, None)
            reached = odds[t + 1, :, on] * beta[t + 1, :, on]
            reached /= scale[t + 1, on]
            _multiply(weights.transitions, reached, out=beta[t, :, on])
        beta[t, :, first:running] = weights.end_transitions[:, None]
        running = first
    return beta


def _multiply(weights: Float64s, values: Float64s, out: Float64s) -> None:
    """The matrix product (num_tags, num_tags) @ (num_tags, n), in pieces that OpenBLAS does on the calling thread.

    At this size a second thread is waited for longer than it works, and it takes the core that the next batch is on.
    """
    width = max(NARROWEST, ONE_THREAD // weights.size)
    for start in range(0, values.shape[1], width):
        piece = slice(start, start + width)
        np.matmul(weights, values[:, piece], out=out[:, piece])


def _columns(batch: Lattice, chosen: Ints) -> Lattice:
    """The lattice of some of its columns; `time` stays as it is."""
    lengths = batch.lengths[chosen]
    first = np.searchsorted(lengths, np.arange(len(batch.emissions)), side="right")
    emissions = batch.emissions[:, batch.order[chosen]]
    return Lattice(emissions=emissions, lengths=lengths, order=np.arange(len(chosen)), first=first)


def _finite(values: Float64s) -> Float64s:
    """The values, with 0 where there is none, so that they can be subtracted."""
    return np.where(np.isfinite(values), values, 0.0)
