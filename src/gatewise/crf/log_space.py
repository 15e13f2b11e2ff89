"""Forward-backward in log space, term by term: slow, and exact whatever the scores.

In: a lattice and scores. Out: log_alpha and log_beta in float64. The fast pass (`forward_backward`) hands over the
sentences whose scores lie so far apart that probabilities would vanish.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf.lattice import Lattice
from gatewise.crf.scores import CRFScores, Floats

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSums:
    """`log_alpha[t, k, b]` sums the paths that end in tag k at time t, its emission included; `log_beta[t, k, b]` sums
    what can follow it, its emission excluded. Padding holds minus infinity."""

    log_alpha: Float64s  # (time, num_tags, batch)
    log_beta: Float64s  # (time, num_tags, batch)
    log_partition: Float64s  # (batch,)

    def marginals(self) -> Float64s:
        """The probability of each tag at each place, (time, num_tags, batch); 0 at padding, or without a legal path."""
        known = np.where(np.isfinite(self.log_partition), self.log_partition, np.inf)
        found: Float64s = np.exp(self.log_alpha + self.log_beta - known)
        return found

    def transition_counts(self, column: int, values: Floats, scores: CRFScores) -> Float64s:
        """The expected number of each transition, (num_tags, num_tags), of a column whose emissions are `values`
        (time, num_tags); 0 without a legal path."""
        found = np.zeros(scores.transitions.shape)
        log_partition = self.log_partition[column]
        if not np.isfinite(log_partition):
            return found
        before, after = self.log_alpha[:, :, column], self.log_beta[: len(values), :, column] + values
        for t in range(1, len(values)):
            found += np.exp(before[t - 1, :, None] + scores.transitions + after[t] - log_partition)
        return found


def log_sums(batch: Lattice, scores: CRFScores) -> LogSums:
    """Run both passes."""
    wide = batch.values.astype(np.float64)
    scores = scores.astype(wide.dtype)
    time, _, width = wide.shape
    log_alpha, log_beta = np.full_like(wide, -np.inf), np.full_like(wide, -np.inf)
    log_alpha[0] = scores.start_transitions[:, None] + wide[0]
    for t in range(1, time):
        on = slice(batch.first[t], None)
        paths = log_alpha[t - 1, :, None, on] + scores.transitions[:, :, None]  # (from, to, n)
        log_alpha[t, :, on] = logsumexp(paths, axis=0) + wide[t, :, on]
    columns = np.arange(width)
    log_beta[batch.lengths - 1, :, columns] = scores.end_transitions
    for t in range(time - 1, 0, -1):
        on = slice(batch.first[t], None)
        follows = log_beta[t, None, :, on] + wide[t, None, :, on] + scores.transitions[:, :, None]
        log_beta[t - 1, :, on] = logsumexp(follows, axis=1)
    last = log_alpha[batch.lengths - 1, :, columns]  # (batch, num_tags)
    log_partition = logsumexp(last + scores.end_transitions, axis=1)
    return LogSums(log_alpha=log_alpha, log_beta=log_beta, log_partition=log_partition)


def logsumexp(values: Float64s, axis: int) -> Float64s:
    """log(sum(exp(values))) along an axis; minus infinity where there is nothing to sum."""
    peak = values.max(axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore"):  # log 0 is minus infinity, and that is what a forbidden tag scores
        total: Float64s = np.log(np.exp(values - peak).sum(axis=axis)) + np.squeeze(peak, axis=axis)
    return total
