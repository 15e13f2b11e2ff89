"""Fitting a temperature: the one number that all scores are divided by, so that probabilities mean what they say.

In: emissions and gold tags of held-out sentences, and the CRF's scores. Out: the temperature under which the gold tags
are most likely. It changes no tag, only how sure the model is. Pure NumPy; the search needs nothing but the function.
Source: Guo, Pleiss, Sun and Weinberger 2017; here for whole tag sequences, emissions and transitions alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf.forward_backward import sum_paths
from gatewise.crf.lattice import Lattice, lattice
from gatewise.crf.scores import CRFScores, Floats
from gatewise.crf.viterbi import path_scores

LOWEST, HIGHEST = 0.05, 20.0  # a fit at one of these has no optimum inside: the data say too little
TOLERANCE = 1e-4  # of the temperature's logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class LabeledBatch:
    """Held-out sentences, padded: emissions (time, batch, num_tags), lengths (batch,), gold tags (time, batch)."""

    emissions: Floats
    lengths: npt.NDArray[np.integer]
    tags: npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureFit:
    """The temperature, and the mean negative log probability of a sentence's gold tags before (at 1) and after.

    `sentences` were used; `left_out` have gold tags that the model cannot say, so no temperature makes them likely.
    """

    temperature: float
    before: float
    after: float
    sentences: int
    left_out: int


def fit_temperature(batches: Sequence[LabeledBatch], scores: CRFScores) -> TemperatureFit:
    """The temperature from LOWEST to HIGHEST that minimizes the negative log-likelihood of the gold tags.

    In 1 / temperature the log-likelihood is concave, so there is one optimum. Without a sentence to fit it is 1.
    """
    prepared = []
    used = left_out = 0
    for batch in batches:
        laid_out = lattice(batch.emissions, batch.lengths)
        tags = batch.tags[:, laid_out.order].astype(np.intp)
        gold = path_scores(laid_out, scores, np.where(laid_out.inside, tags, 0))
        possible = np.isfinite(gold)
        prepared.append((laid_out, gold, possible))
        used += int(possible.sum())
        left_out += int((~possible).sum())
    if not used:
        return TemperatureFit(temperature=1.0, before=math.nan, after=math.nan, sentences=0, left_out=left_out)

    def loss(log_temperature: float) -> float:
        factor = math.exp(-log_temperature)
        return sum(_loss(*entry, scores, factor) for entry in prepared) / used

    found = _minimum(loss, math.log(LOWEST), math.log(HIGHEST))
    return TemperatureFit(
        temperature=math.exp(found), before=loss(0.0), after=loss(found), sentences=used, left_out=left_out
    )


def _loss(
    batch: Lattice, gold: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_], scores: CRFScores, factor: float
) -> float:
    totals = sum_paths(batch.scaled(factor), scores.scaled(factor)).log_partition
    return float((totals - factor * gold)[possible].sum())


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest: golden section search (Kiefer 1953)."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > TOLERANCE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
