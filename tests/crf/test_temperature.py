"""The fitted temperature: known ones are recovered, and no other makes the gold tags likelier."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from gatewise.crf import CRFScores, LabeledBatch, fit_temperature, restricted
from gatewise.crf.temperature import HIGHEST, LOWEST
from gatewise.model.archive import legality_of
from gatewise.text.schemes import find_problem

LABELS = ("O", "B-A", "I-A", "E-A", "S-A")


def random_scores(rng: np.random.Generator) -> CRFScores:
    n = len(LABELS)
    raw = CRFScores(
        transitions=rng.normal(size=(n, n)), start_transitions=rng.normal(size=n), end_transitions=rng.normal(size=n)
    )
    return restricted(raw, legality_of(LABELS, "BIOES"))


def legal_paths(length: int) -> list[tuple[int, ...]]:
    every = itertools.product(range(len(LABELS)), repeat=length)
    return [path for path in every if not find_problem([LABELS[tag] for tag in path], "BIOES")]


def score(path: tuple[int, ...], emissions: np.ndarray, scores: CRFScores) -> float:
    total = float(scores.start_transitions[path[0]]) + float(scores.end_transitions[path[-1]])
    total += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
    return total + sum(float(scores.transitions[a, b]) for a, b in itertools.pairwise(path))


def drawn(rng: np.random.Generator, scores: CRFScores, temperature: float, count: int) -> LabeledBatch:
    """Sentences whose gold tags are drawn from the distribution at this temperature, by enumerating all paths."""
    lengths = rng.integers(1, 5, count)
    emissions = rng.normal(size=(4, count, len(LABELS))) * 3
    tags = np.zeros((4, count), dtype=int)
    paths = {length: legal_paths(length) for length in range(1, 5)}
    for b, length in enumerate(lengths):
        logits = np.array([score(path, emissions[:, b], scores) / temperature for path in paths[length]])
        chances = np.exp(logits - logits.max())
        tags[:length, b] = paths[length][rng.choice(len(chances), p=chances / chances.sum())]
    return LabeledBatch(emissions=emissions, lengths=lengths, tags=tags)


def loss(batch: LabeledBatch, scores: CRFScores, temperature: float) -> float:
    """The mean negative log probability of the gold tags, in plain floats."""
    total = 0.0
    for b, length in enumerate(batch.lengths):
        emissions = batch.emissions[:, b]
        logits = [score(path, emissions, scores) / temperature for path in legal_paths(length)]
        peak = max(logits)
        gold = score(tuple(batch.tags[:length, b].tolist()), emissions, scores) / temperature
        total += peak + math.log(math.fsum(math.exp(value - peak) for value in logits)) - gold
    return total / len(batch.lengths)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    rng = np.random.default_rng(3)
    scores = random_scores(rng)
    found = fit_temperature([drawn(rng, scores, temperature, 1500), drawn(rng, scores, temperature, 1500)], scores)
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert (found.sentences, found.left_out) == (3000, 0)
    assert found.after <= found.before


def test_no_other_temperature_is_better() -> None:
    rng = np.random.default_rng(4)
    scores = random_scores(rng)
    batch = drawn(rng, scores, 1.7, 60)
    found = fit_temperature([batch], scores)
    assert found.before == pytest.approx(loss(batch, scores, 1.0))
    assert found.after == pytest.approx(loss(batch, scores, found.temperature))
    for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2):
        assert loss(batch, scores, found.temperature * factor) > found.after


def test_gold_tags_that_cannot_be_said_are_left_out() -> None:
    rng = np.random.default_rng(5)
    scores = random_scores(rng)
    batch = drawn(rng, scores, 1.3, 40)
    illegal = LabeledBatch(emissions=batch.emissions[:, :3], lengths=np.array([2, 2, 2]), tags=np.full((4, 3), 2))
    with_them, without = fit_temperature([batch, illegal], scores), fit_temperature([batch], scores)
    assert (with_them.sentences, with_them.left_out) == (40, 3)
    assert with_them.temperature == without.temperature
    nothing = fit_temperature([illegal], scores)
    assert (nothing.temperature, nothing.sentences, nothing.left_out) == (1.0, 0, 3)
    assert fit_temperature([], scores).temperature == 1.0


def test_tags_that_are_always_or_never_the_best_lead_to_the_limits() -> None:
    scores = CRFScores(transitions=np.zeros((2, 2)), start_transitions=np.zeros(2), end_transitions=np.zeros(2))
    emissions = np.tile(np.array([2.0, 0.0]), (3, 5, 1))
    for tag, limit in ((0, LOWEST), (1, HIGHEST)):
        batch = LabeledBatch(emissions=emissions, lengths=np.full(5, 3), tags=np.full((3, 5), tag))
        assert fit_temperature([batch], scores).temperature == pytest.approx(limit, rel=1e-3)
