"""A sentence alone goes through passes of its own; enumeration, and the passes of a batch, say what must come out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from gatewise.crf import CRFScores, forward_backward, one_sentence, viterbi


def random_scores(rng: np.random.Generator, num_tags: int, *, illegal: float) -> CRFScores:
    transitions = np.where(rng.random((num_tags, num_tags)) < illegal, -np.inf, rng.normal(size=(num_tags, num_tags)))
    transitions[1, 1] = 0.5  # one path is legal at any length
    return CRFScores(
        transitions=transitions, start_transitions=rng.normal(size=num_tags), end_transitions=rng.normal(size=num_tags)
    )


def one_path_at_a_time(emissions: np.ndarray, scores: CRFScores) -> dict[tuple[int, ...], float]:
    """The score of every path, in plain floats."""
    found = {}
    for path in itertools.product(range(emissions.shape[1]), repeat=len(emissions)):
        score = float(scores.start_transitions[path[0]]) + float(scores.end_transitions[path[-1]])
        score += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
        score += sum(float(scores.transitions[a, b]) for a, b in itertools.pairwise(path))
        found[path] = score
    return found


@pytest.mark.parametrize(("seed", "time"), [(0, 1), (1, 2), (2, 6), (3, 5), (4, 6)])
def test_a_sentence_alone_equals_enumeration(seed: int, time: int) -> None:
    rng = np.random.default_rng(seed)
    scores = random_scores(rng, 3, illegal=0.3)
    emissions = rng.normal(size=(time, 1, 3)) * 2
    paths = one_path_at_a_time(emissions[:, 0], scores)
    best = viterbi(emissions, np.array([time]), scores)
    assert tuple(best.tags[:, 0].tolist()) == max(paths, key=paths.__getitem__)
    assert best.scores[0] == pytest.approx(max(paths.values()), abs=1e-9)
    total = math.fsum(math.exp(score) for score in paths.values())
    sums = forward_backward(emissions, np.array([time]), scores)
    assert sums.log_partition[0] == pytest.approx(math.log(total), abs=1e-9)
    for t, tag in itertools.product(range(time), range(3)):
        share = math.fsum(math.exp(score) for path, score in paths.items() if path[t] == tag) / total
        assert sums.marginals[t, 0, tag] == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(4))
def test_alone_and_in_a_batch_are_the_same(
    seed: int, dtype: type[np.floating], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(seed)
    scores = random_scores(rng, 7, illegal=0.4)
    time = 71  # longer than what is taken off once, and no multiple of it
    emissions = (rng.normal(size=(time, 12, 7)) * 4).astype(dtype)
    emissions[:, 3] = np.round(emissions[:, 3])  # equal paths, of which one rule chooses
    lengths = rng.integers(2, time + 1, size=12)
    tags = viterbi(emissions, lengths, scores).tags
    marginals = forward_backward(emissions, lengths, scores).marginals
    for column, length in enumerate(lengths):
        one = emissions[:length, column : column + 1]
        alone = viterbi(one, lengths[column : column + 1], scores).tags
        assert alone[:, 0].tolist() == tags[:length, column].tolist()
        found = forward_backward(one, lengths[column : column + 1], scores).marginals
        np.testing.assert_allclose(found[:, 0], marginals[:length, column], rtol=0, atol=1e-12)
        monkeypatch.setattr(one_sentence, "MOST_SUMS", 0)  # a long sentence
        assert viterbi(one, lengths[column : column + 1], scores).tags.tolist() == alone.tolist()
        monkeypatch.undo()


def test_scores_far_apart_are_summed_in_log_space_alone_too() -> None:
    scores = CRFScores(
        transitions=np.array([[0.0, -2000.0], [-1.0, 0.5]]),
        start_transitions=np.array([0.0, -3000.0]),
        end_transitions=np.array([-4000.0, 0.0]),
    )
    emissions = np.array([[[1.0, 0.0]], [[0.0, 2.0]], [[3.0, 0.0]]])
    paths = one_path_at_a_time(emissions[:, 0], scores)
    sums = forward_backward(emissions, np.array([3]), scores)
    top = max(paths.values())
    expected = top + math.log(math.fsum(math.exp(score - top) for score in paths.values()))
    assert sums.log_partition[0] == pytest.approx(expected, abs=1e-9)
    assert tuple(viterbi(emissions, np.array([3]), scores).tags[:, 0].tolist()) == max(paths, key=paths.__getitem__)
