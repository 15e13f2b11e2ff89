"""The native Viterbi beside the enumeration of all paths, and beside NumPy's, from which it differs in nothing."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gatewise.crf import CRFScores, viterbi
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
