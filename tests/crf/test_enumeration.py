"""Viterbi, partition function and marginals against the enumeration of every path, in plain floats."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest

from gatewise.crf import (
    CRFScores,
    Legality,
    forward_backward,
    legal_only,
    restricted,
    stretch_probability,
    viterbi,
)

NUM_TAGS = 4


def random_scores(rng: np.random.Generator) -> CRFScores:
    return CRFScores(
        transitions=rng.normal(size=(NUM_TAGS, NUM_TAGS)) * 2,
        start_transitions=rng.normal(size=NUM_TAGS),
        end_transitions=rng.normal(size=NUM_TAGS),
    )


def random_legality(rng: np.random.Generator) -> Legality:
    allowed = rng.random((NUM_TAGS, NUM_TAGS)) < 0.6
    allowed[0, 0] = True  # at least one path is legal at any length
    start, end = rng.random(NUM_TAGS) < 0.6, rng.random(NUM_TAGS) < 0.6
    start[0] = end[0] = True
    return Legality(allowed=allowed, start=start, end=end)


def paths_with_scores(emissions: np.ndarray, scores: CRFScores) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every path of one sentence with its score; plain Python, nothing shared with what is tested."""
    for path in itertools.product(range(NUM_TAGS), repeat=len(emissions)):
        score = float(scores.start_transitions[path[0]]) + float(scores.end_transitions[path[-1]])
        for t, tag in enumerate(path):
            score += float(emissions[t, tag])
            if t:
                score += float(scores.transitions[path[t - 1], tag])
        yield path, score


def ragged(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([5, 1, 3, 2, 4])
    emissions = rng.normal(size=(5, len(lengths), NUM_TAGS)) * 3
    emissions[np.arange(5)[:, None] >= lengths] = 1e6  # padding must not be looked at
    return emissions, lengths


@pytest.mark.parametrize("seed", range(8))
def test_all_three_equal_enumeration_on_ragged_lengths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = random_scores(rng)
    if seed % 2:
        scores = restricted(scores, random_legality(rng))
    emissions, lengths = ragged(rng)
    best, sums = viterbi(emissions, lengths, scores), forward_backward(emissions, lengths, scores)
    for b, length in enumerate(lengths):
        paths = list(paths_with_scores(emissions[:length, b], scores))
        total = sum(math.exp(score) for _, score in paths)
        top_path, top_score = max(paths, key=lambda entry: entry[1])
        assert tuple(best.tags[:length, b]) == top_path
        assert best.scores[b] == pytest.approx(top_score, abs=1e-12)
        assert sums.log_partition[b] == pytest.approx(math.log(total), abs=1e-12)
        for t in range(length):
            for tag in range(NUM_TAGS):
                share = sum(math.exp(score) for path, score in paths if path[t] == tag) / total
                assert sums.marginals[t, b, tag] == pytest.approx(share, abs=1e-12)
        assert not sums.marginals[length:, b].any()


@pytest.mark.parametrize("seed", range(4))
def test_probability_of_a_stretch_equals_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = restricted(random_scores(rng), random_legality(rng))
    emissions, lengths = ragged(rng)
    sums = forward_backward(emissions, lengths, scores)
    for start, tags in ((0, (0, 0)), (1, (2,)), (1, (0, 3, 1)), (3, (1, 0))):
        paths = list(paths_with_scores(emissions[:5, 0], scores))
        total = sum(math.exp(score) for _, score in paths)
        wanted = sum(math.exp(s) for path, s in paths if path[start : start + len(tags)] == tags) / total
        got = stretch_probability(sums, emissions, scores, sentence=0, start=start, tags=tags)
        assert got == pytest.approx(wanted, abs=1e-12)


def test_transposed_transitions_are_noticed() -> None:
    rng = np.random.default_rng(5)
    scores = random_scores(rng)
    transposed = CRFScores(
        transitions=scores.transitions.T,
        start_transitions=scores.start_transitions,
        end_transitions=scores.end_transitions,
    )
    emissions, lengths = ragged(rng)
    right, wrong = (forward_backward(emissions, lengths, s) for s in (scores, transposed))
    assert not np.allclose(right.log_partition[[0, 2, 3, 4]], wrong.log_partition[[0, 2, 3, 4]], atol=1e-3)
    assert not np.allclose(right.marginals, wrong.marginals, atol=1e-3)


def test_scores_a_thousand_apart_neither_overflow_nor_vanish() -> None:
    legality = Legality(
        allowed=np.array([[False, False], [True, True]]),  # tag 0 is a dead end, though it scores far higher
        start=np.array([True, True]),
        end=np.array([False, True]),
    )
    emissions = np.array([[1000.0, -1000.0], [1000.0, -1000.0], [0.0, 0.0]])[:, None, :]
    lengths = np.array([3])
    scores = legal_only(legality)
    assert viterbi(emissions, lengths, scores).tags[:, 0].tolist() == [1, 1, 1]
    sums = forward_backward(emissions, lengths, scores)
    assert sums.log_partition[0] == pytest.approx(-2000.0)
    assert sums.marginals[:, 0, 1].tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_wrong_shapes_are_refused_in_a_sentence() -> None:
    with pytest.raises(Exception, match=r"transitions: expected shape \(3, 3\), found \(3, 2\)"):
        CRFScores(transitions=np.zeros((3, 2)), start_transitions=np.zeros(3), end_transitions=np.zeros(3))
