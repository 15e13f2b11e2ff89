"""Viterbi, partition function and marginals against the enumeration of every path, in plain floats."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.crf import (
    CRFScores,
    Legality,
    best_tags,
    forward_backward,
    lattice,
    legal_only,
    path_scores,
    restricted,
    sum_paths,
    viterbi,
)
from gatewise.crf.log_space import log_sums
from gatewise.model.archive import legality_of

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
    return paths_of(emissions, scores, NUM_TAGS)


def paths_of(emissions: np.ndarray, scores: CRFScores, num_tags: int) -> Iterator[tuple[tuple[int, ...], float]]:
    for path in itertools.product(range(num_tags), repeat=len(emissions)):
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
@pytest.mark.parametrize("spread", [1, 400])  # 400: so far apart that it has to be done in log space
@pytest.mark.parametrize("alone", [False, True])
def test_expected_transitions_equal_enumeration(seed: int, spread: float, alone: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = restricted(random_scores(rng), random_legality(rng))
    emissions, lengths = ragged(rng)
    if alone:
        emissions, lengths = emissions[:3, 2:3], lengths[2:3]
    laid_out = lattice(emissions * spread, lengths)
    sums = sum_paths(laid_out, scores)
    assert alone or (sums._exact is not None) == (spread > 1)
    for column, sentence in enumerate(laid_out.order):
        length = lengths[sentence]
        paths = list(paths_with_scores(emissions[:length, sentence] * spread, scores))
        peak = max(score for _, score in paths)
        wanted = [[0.0] * NUM_TAGS for _ in range(NUM_TAGS)]
        for path, score in paths:
            for before, after in itertools.pairwise(path):
                wanted[before][after] += math.exp(score - peak)
        total = math.fsum(math.exp(score - peak) for _, score in paths)
        counts = sums.transition_counts(column)
        assert counts == pytest.approx(np.array(wanted) / total, abs=1e-9)
        assert counts.sum() == pytest.approx(length - 1, abs=1e-9)
        assert not counts[~np.isfinite(scores.transitions)].any()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [1, 400])  # 400: so far apart that it has to be done in log space
def test_a_path_step_by_step_equals_enumeration(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    scores = restricted(random_scores(rng), random_legality(rng))
    emissions, lengths = ragged(rng)
    laid_out = lattice(emissions * spread, lengths)
    sums = sum_paths(laid_out, scores)
    assert (sums._exact is not None) == (spread > 1)
    width, time = len(lengths), len(emissions)
    on_best_path = rng.random((2, time, width)) < 0.5
    before, after = np.where(on_best_path, best_tags(laid_out, scores), rng.integers(0, NUM_TAGS, (2, time, width)))
    moves, there = sums.moves(before[:-1], after[1:]), sums.tag_probabilities(before)
    seen = 0
    for column, sentence in enumerate(laid_out.order):
        length = lengths[sentence]
        paths = list(paths_with_scores(emissions[:length, sentence] * spread, scores))
        peak = max(score for _, score in paths)
        weighted = [(path, math.exp(score - peak)) for path, score in paths]
        total = math.fsum(weight for _, weight in weighted)
        for t in range(length):
            here = math.fsum(weight for path, weight in weighted if path[t] == before[t, column])
            assert there[t, column] == pytest.approx(here / total, abs=1e-12)
            if t + 1 < length and here > 1e-200:
                pair = (before[t, column], after[t + 1, column])
                both = math.fsum(weight for path, weight in weighted if path[t : t + 2] == pair)
                assert moves[t, column] == pytest.approx(both / here, abs=1e-9)
                seen += both > 0
        assert not moves[length - 1 :, column].any()
    assert seen


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


@pytest.mark.parametrize("width", [3, 40])
@pytest.mark.parametrize("sparse", ["half", "BIOES", "none"])
def test_ties_go_to_the_smaller_tag_number_from_the_last_tag_backwards(width: int, sparse: str) -> None:
    """Whole numbers make many ties; wide batches go through the sparse step, narrow ones through the dense one."""
    rng = np.random.default_rng(width)
    n = 9
    legality = random_legality(rng) if sparse == "half" else None
    if sparse == "BIOES":
        legality = legality_of(("O", *(f"{p}-{x}" for x in "AB" for p in "BIES")), "BIOES")
    if sparse == "half":
        n = NUM_TAGS
    raw = CRFScores(
        transitions=rng.integers(0, 2, (n, n)).astype(np.float32),
        start_transitions=rng.integers(0, 2, n).astype(np.float32),
        end_transitions=rng.integers(0, 2, n).astype(np.float32),
    )
    scores = raw if legality is None else restricted(raw, legality)
    lengths = rng.integers(1, 5, width)
    emissions = rng.integers(0, 2, (4, width, n)).astype(np.float32)
    best = viterbi(emissions, lengths, scores)
    tied = 0
    for b, length in enumerate(lengths):
        paths = list(paths_of(emissions[:length, b], scores, n))
        top = max(score for _, score in paths)
        equal = [path for path, score in paths if score == top]
        assert tuple(best.tags[:length, b]) == min(equal, key=lambda path: path[::-1])
        assert best.scores[b] == top
        tied += len(equal) > 1
    assert tied


def test_float32_and_float64_agree_on_ten_thousand_tokens_and_nothing_vanishes() -> None:
    """Score sums reach 1e5 there, where float32 alone would round to 0.008."""
    rng = np.random.default_rng(0)
    labels = ("O", *(f"{p}-{x}" for x in "ABC" for p in "BIES"))
    n = len(labels)
    raw = CRFScores(
        transitions=rng.normal(size=(n, n)).astype(np.float32),
        start_transitions=rng.normal(size=n).astype(np.float32),
        end_transitions=rng.normal(size=n).astype(np.float32),
    )
    scores = restricted(raw, legality_of(labels, "BIOES"))
    lengths = np.array([10_000, 7, 9_999])
    emissions = (rng.normal(size=(10_000, 3, n)) * 4 + 10).astype(np.float32)
    narrow, wide = viterbi(emissions, lengths, scores), viterbi(emissions.astype(np.float64), lengths, scores)
    assert wide.scores[0] > 1e5
    assert narrow.scores == pytest.approx(wide.scores, rel=1e-9)
    assert (narrow.tags == wide.tags).mean() > 0.9999
    sums = forward_backward(emissions, lengths, scores)
    assert sums.marginals.sum(axis=2)[np.arange(10_000)[:, None] < lengths] == pytest.approx(1, abs=1e-9)
    exact = log_sums(lattice(emissions, lengths), scores)
    assert sums.log_partition[[1, 2, 0]] == pytest.approx(exact.log_partition, rel=1e-12)
    in_log_space = np.exp(exact.log_alpha + exact.log_beta - exact.log_partition)[:, :, [2, 0, 1]].transpose(0, 2, 1)
    assert sums.marginals == pytest.approx(in_log_space, abs=1e-8)  # log space rounds more


@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([0.1, 5, 100, 700, 1e4]), narrow=st.booleans())
def test_scores_however_far_apart(seed: int, spread: float, narrow: bool) -> None:
    """The fast pass or the slow one: both answer as the sums in log space do, forbidden transitions and all."""
    rng = np.random.default_rng(seed)
    scores = restricted(random_scores(rng), random_legality(rng))
    emissions, lengths = ragged(rng)
    emissions *= spread
    emissions[rng.random(emissions.shape) < 0.2] = -np.inf
    emissions[:, :, 0] = np.where(np.isfinite(emissions[:, :, 0]), emissions[:, :, 0], -spread)
    if narrow:
        emissions = emissions.astype(np.float32)
    sums = forward_backward(emissions, lengths, scores)
    for b, length in enumerate(lengths):
        paths = [(p, s) for p, s in paths_with_scores(emissions[:length, b], scores) if s > -math.inf]
        peak = max(score for _, score in paths)
        total = math.fsum(math.exp(score - peak) for _, score in paths)
        assert sums.log_partition[b] == pytest.approx(peak + math.log(total), rel=1e-12, abs=1e-9)
        for t in range(length):
            for tag in range(NUM_TAGS):
                share = math.fsum(math.exp(score - peak) for path, score in paths if path[t] == tag) / total
                assert sums.marginals[t, b, tag] == pytest.approx(share, abs=1e-9)


def test_without_any_legal_path_the_score_is_minus_infinity() -> None:
    nowhere = Legality(
        allowed=np.array([[True, False], [False, False]]), start=np.array([True, True]), end=np.array([False, True])
    )
    scores = legal_only(nowhere)
    emissions, lengths = np.zeros((3, 2, 2), dtype=np.float32), np.array([3, 1])
    assert viterbi(emissions, lengths, scores).scores.tolist() == [-math.inf, 0]
    sums = forward_backward(emissions, lengths, scores)
    assert sums.log_partition.tolist() == [-math.inf, 0]
    assert not sums.marginals[:, 0].any()
    assert sums.marginals[0, 1].tolist() == [0, 1]


def test_path_scores_add_up_one_path() -> None:
    rng = np.random.default_rng(2)
    scores = random_scores(rng)
    emissions, lengths = ragged(rng)
    laid_out = lattice(emissions, lengths)
    tags = rng.integers(0, NUM_TAGS, (5, len(lengths)))
    got = laid_out.restored(path_scores(laid_out, scores, tags))
    for b, length in enumerate(lengths):
        column = list(laid_out.order).index(b)
        wanted = dict(paths_with_scores(emissions[:length, b], scores))
        assert got[b] == pytest.approx(wanted[tuple(tags[:length, column])], abs=1e-12)
    best = best_tags(laid_out, scores)
    assert (laid_out.restored(path_scores(laid_out, scores, best)) >= got).all()
