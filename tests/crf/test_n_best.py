"""The n best paths against all paths, sorted: ties, forbidden transitions, fewer paths than asked for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.crf import CRFScores, Legality, n_best, restricted, viterbi


def all_paths(emissions: np.ndarray, scores: CRFScores) -> list[tuple[float, tuple[int, ...]]]:
    """Every legal path with its score, best first, equal ones by their tags from the last to the first."""
    found = []
    for path in itertools.product(range(scores.num_tags), repeat=len(emissions)):
        score = float(scores.start_transitions[path[0]])
        for t, tag in enumerate(path):
            score += float(scores.transitions[path[t - 1], tag]) if t else 0.0
            score += float(emissions[t, tag])
        score += float(scores.end_transitions[path[-1]])
        if score > -np.inf:
            found.append((score, path))
    return sorted(found, key=lambda entry: (-entry[0], entry[1][::-1]))


@given(
    seed=st.integers(0, 2**32 - 1),
    num_tags=st.integers(1, 4),
    time=st.integers(1, 5),
    n=st.sampled_from([1, 2, 5, 17, 2000]),
    whole=st.booleans(),
    legal=st.sampled_from([0.3, 0.7, 1.0]),
)
def test_equal_to_all_paths_sorted(seed: int, num_tags: int, time: int, n: int, whole: bool, legal: float) -> None:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:  # whole numbers tie, and add up without rounding
        return rng.integers(-1, 2, shape).astype(np.float64) if whole else rng.normal(size=shape) * 3

    scores = restricted(
        CRFScores(
            transitions=draw(num_tags, num_tags), start_transitions=draw(num_tags), end_transitions=draw(num_tags)
        ),
        Legality(
            allowed=rng.random((num_tags, num_tags)) < legal,
            start=rng.random(num_tags) < legal,
            end=rng.random(num_tags) < legal,
        ),
    )
    emissions = draw(time, num_tags)
    emissions[rng.random(emissions.shape) > legal] = -np.inf
    wanted = all_paths(emissions, scores)[:n]
    got = n_best(emissions, scores, n)
    assert [tuple(path) for path in got.tags.tolist()] == [path for _, path in wanted]
    assert got.scores == pytest.approx([score for score, _ in wanted], abs=1e-12)


def test_the_first_is_viterbi_s_on_a_long_sentence_and_none_comes_twice() -> None:
    rng = np.random.default_rng(1)
    scores = CRFScores(
        transitions=rng.normal(size=(9, 9)), start_transitions=rng.normal(size=9), end_transitions=rng.normal(size=9)
    )
    emissions = rng.normal(size=(500, 9)) * 2
    got = n_best(emissions, scores, 30)
    assert got.tags[0].tolist() == viterbi(emissions[:, None], np.array([500]), scores).tags[:, 0].tolist()
    assert len({tuple(path) for path in got.tags.tolist()}) == 30
    assert (np.diff(got.scores) <= 0).all()
