"""The native Viterbi beside the enumeration of all paths, and beside NumPy's, from which it differs in nothing."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gatewise.crf import CRFScores, forward_backward, viterbi
from gatewise.native.library import VARIABLE, native_kernel

pytestmark = pytest.mark.skipif(
    native_kernel() is None, reason="no native kernel for this processor, or none was built"
)


def make_scores(num_tags: int, generator: np.random.Generator, *, whole: bool, legal: float) -> CRFScores:
    """Random ones; whole numbers of few values make ties."""

    def some(*shape: int) -> npt.NDArray[Any]:
        values = generator.integers(-1, 2, shape) if whole else generator.normal(0, 2, shape)
        return np.where(generator.random(shape) < legal, values, -np.inf).astype(np.float32)

    return CRFScores(
        transitions=some(num_tags, num_tags), start_transitions=some(num_tags), end_transitions=some(num_tags)
    )


def make_emissions(time: int, batch: int, num_tags: int, generator: np.random.Generator, *, whole: bool) -> Any:
    shape = (time, batch, num_tags)
    return (generator.integers(-1, 2, shape) if whole else generator.normal(0, 3, shape)).astype(np.float32)


@pytest.mark.parametrize("num_tags", [1, 2, 4])
@pytest.mark.parametrize("seed", range(6))
def test_no_path_is_better(num_tags: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = make_scores(num_tags, generator, whole=False, legal=1.0)
    emissions = make_emissions(5, 4, num_tags, generator, whole=False)
    lengths = np.array([5, 1, 4, 2])
    found = viterbi(emissions, lengths, scores).tags
    for column, length in enumerate(lengths):

        def score(path: tuple[int, ...], column: int = column) -> float:
            moves = sum(float(scores.transitions[a, b]) for a, b in pairwise(path))
            emitted = sum(float(emissions[t, column, tag]) for t, tag in enumerate(path))
            return moves + emitted + float(scores.start_transitions[path[0]] + scores.end_transitions[path[-1]])

        best = max(product(range(num_tags), repeat=int(length)), key=score)
        assert tuple(found[:length, column].tolist()) == best


@pytest.mark.parametrize("num_tags", [1, 3, 15, 16, 17, 33, 64])
@pytest.mark.parametrize("whole", [False, True], ids=["numbers", "ties"])
@pytest.mark.parametrize("legal", [1.0, 0.7])
def test_it_is_numpys(monkeypatch: pytest.MonkeyPatch, num_tags: int, whole: bool, legal: float) -> None:
    generator = np.random.default_rng(num_tags)
    scores = make_scores(num_tags, generator, whole=whole, legal=legal)
    for batch, time in ((1, 1), (1, 40), (13, 50), (40, 7)):
        emissions = make_emissions(time, batch, num_tags, generator, whole=whole)
        if legal < 1:
            emissions[generator.random(emissions.shape) < 0.1] = -np.inf  # steered from outside; often no path is left
        lengths = generator.integers(1, time + 1, batch)
        lengths[0] = time
        monkeypatch.delenv(VARIABLE, raising=False)
        found = viterbi(emissions, lengths, scores)
        monkeypatch.setenv(VARIABLE, "onnxruntime")
        wanted = viterbi(emissions, lengths, scores)
        np.testing.assert_array_equal(found.tags, wanted.tags)
        np.testing.assert_array_equal(found.scores, wanted.scores)


def test_a_long_sentence_is_decoded_as_exactly_as_a_short_one() -> None:
    """Scores that grow: without the leveling float32 would run out of digits."""
    generator = np.random.default_rng(8)
    scores = make_scores(5, generator, whole=False, legal=1.0)
    emissions = make_emissions(60_000, 1, 5, generator, whole=False) + np.float32(300)
    found = viterbi(emissions, np.array([60_000]), scores).tags
    wanted = viterbi(emissions.astype(np.float64), np.array([60_000]), scores).tags  # NumPy's, in float64
    assert (found == wanted).mean() > 0.9999


def test_other_scores_are_seen() -> None:
    generator = np.random.default_rng(4)
    scores = make_scores(9, generator, whole=False, legal=1.0)
    emissions, lengths = make_emissions(30, 6, 9, generator, whole=False), np.full(6, 30)
    turned = CRFScores(
        transitions=scores.transitions.T,
        start_transitions=scores.start_transitions,
        end_transitions=scores.end_transitions,
    )
    found = viterbi(emissions, lengths, scores).tags
    assert (found != viterbi(emissions, lengths, turned).tags).any()
    assert (found[-1] != viterbi(emissions, np.full(6, 29), scores).tags[-1]).any()


@pytest.mark.parametrize("num_tags", [1, 3, 8, 9, 16, 17, 64])
@pytest.mark.parametrize("time", [1, 2, 30])
def test_both_passes_are_numpys(monkeypatch: pytest.MonkeyPatch, num_tags: int, time: int) -> None:
    generator = np.random.default_rng(num_tags + time)
    scores = make_scores(num_tags, generator, whole=False, legal=1.0)
    emissions, lengths = make_emissions(time, 1, num_tags, generator, whole=False), np.array([time])
    monkeypatch.delenv(VARIABLE, raising=False)
    found = forward_backward(emissions, lengths, scores)
    monkeypatch.setenv(VARIABLE, "onnxruntime")
    wanted = forward_backward(emissions, lengths, scores)
    np.testing.assert_allclose(found.marginals, wanted.marginals, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(found.log_partition, wanted.log_partition, rtol=1e-13)
    np.testing.assert_allclose(found.marginals.sum(axis=2), 1, rtol=1e-12)


def test_sums_over_all_paths_are_those_of_the_enumeration() -> None:
    generator = np.random.default_rng(11)
    scores = make_scores(3, generator, whole=False, legal=0.8)
    emissions = make_emissions(4, 1, 3, generator, whole=False).astype(np.float64)
    total, at_step_1 = 0.0, np.zeros(3)
    for path in product(range(3), repeat=4):
        moves = sum(float(scores.transitions[a, b]) for a, b in pairwise(path))
        emitted = sum(float(emissions[t, 0, tag]) for t, tag in enumerate(path))
        edges = float(scores.start_transitions[path[0]]) + float(scores.end_transitions[path[-1]])
        weight = np.exp(moves + emitted + edges)
        total += weight
        at_step_1[path[1]] += weight
    found = forward_backward(emissions, np.array([4]), scores)
    assert total > 0
    np.testing.assert_allclose(found.log_partition, np.log(total), rtol=1e-12)
    np.testing.assert_allclose(found.marginals[1, 0], at_step_1 / total, rtol=1e-11, atol=1e-14)
