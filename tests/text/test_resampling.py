"""Intervals and p values against exact enumeration, by their coverage, and against plain fractions."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.errors import ShapeError
from gatewise.text.metrics import Counts
from gatewise.text.resampling import bootstrap_difference, bootstrap_interval, randomization_test


def f1(rows: list[Counts]) -> Fraction:
    total = sum(c.gold + c.predicted for c in rows)
    return Fraction(2 * sum(c.correct for c in rows), total) if total else Fraction(0)


def random_pair(rng: random.Random, sentences: int) -> tuple[list[Counts], list[Counts]]:
    """Two outputs for the same gold spans; they differ in some sentences."""
    a, b = [], []
    for _ in range(sentences):
        gold = rng.randint(0, 5)
        rows = []
        for skill in (0.6, 0.8):
            predicted = rng.randint(0, 5)
            correct = sum(rng.random() < skill for _ in range(min(gold, predicted)))
            rows.append(Counts(gold=gold, predicted=predicted, correct=correct))
        a.append(rows[0])
        b.append(rows[1] if rng.random() < 0.8 else rows[0])
    return a, b


def exact_p(a: list[Counts], b: list[Counts]) -> Fraction:
    """The share of all 2^n ways to change places whose difference is at least as large as the observed one."""
    observed = abs(f1(b) - f1(a))
    ways = list(product((False, True), repeat=len(a)))
    large = 0
    for way in ways:
        x = [pair[swap] for pair, swap in zip(zip(a, b, strict=True), way, strict=True)]
        y = [pair[not swap] for pair, swap in zip(zip(a, b, strict=True), way, strict=True)]
        large += abs(f1(y) - f1(x)) >= observed
    return Fraction(large, len(ways))


@pytest.mark.parametrize("seed", range(8))
def test_p_values_are_those_of_all_sign_flips(seed: int) -> None:
    a, b = random_pair(random.Random(seed), 8)
    rounds = 8000
    exact = float(exact_p(a, b))
    found = randomization_test(a, b, seed=seed, rounds=rounds)
    error = (exact * (1 - exact) / rounds) ** 0.5  # of a share of `rounds`
    assert found.p_value == pytest.approx(exact, abs=4.5 * error + 1 / rounds)
    assert found.difference == pytest.approx(float(f1(b) - f1(a)))


def test_one_is_added_to_both_sides() -> None:
    a = [Counts(gold=2, predicted=2, correct=0)] * 40
    b = [Counts(gold=2, predicted=2, correct=2)] * 40
    assert randomization_test(a, b, seed=1, rounds=99).p_value == 1 / 100  # no round comes near, and p is not 0
    assert randomization_test(a, a, seed=1, rounds=99).p_value == 1.0
    assert randomization_test([], [], seed=1, rounds=9).p_value == 1.0


def test_ties_count_as_large() -> None:
    """One sentence differs: both ways are as large as the observed difference, so nothing can be concluded."""
    same = Counts(gold=3, predicted=3, correct=2)
    a = [same, same, Counts(gold=1, predicted=1, correct=0)]
    b = [same, same, Counts(gold=1, predicted=1, correct=1)]
    assert randomization_test(a, b, seed=3, rounds=500).p_value == 1.0


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_changing_the_outputs_changes_the_sign_alone(seed: int, sentences: int) -> None:
    a, b = random_pair(random.Random(seed), sentences)
    one, other = (randomization_test(x, y, seed=seed, rounds=50) for x, y in ((a, b), (b, a)))
    assert one.difference == -other.difference
    assert one.p_value == other.p_value


def test_p_values_are_uniform_where_there_is_no_difference() -> None:
    small = 0
    for seed in range(200):
        rng = random.Random(seed)
        rows = [random_pair(rng, 1) for _ in range(60)]
        pairs = [(a[0], b[0]) if rng.random() < 0.5 else (b[0], a[0]) for a, b in rows]  # who is A is a coin's choice
        test = randomization_test([x for x, _ in pairs], [y for _, y in pairs], seed=seed, rounds=199)
        small += test.p_value <= 0.1
    assert 8 <= small <= 34  # 20 expected; binomial(200, 0.1) leaves this range once in 1000 times


def test_intervals_are_those_of_all_resamples() -> None:
    counts, _ = random_pair(random.Random(5), 5)
    every = sorted(float(f1(list(rows))) for rows in product(counts, repeat=5))
    found = bootstrap_interval(counts, seed=2, resamples=20_000)
    assert found is not None
    below, above = (sum(v < end for v in every) / len(every) for end in (found.low, found.high))
    at_low, at_high = (sum(v <= end for v in every) / len(every) for end in (found.low, found.high))
    assert below - 0.005 <= 0.025 <= at_low + 0.005
    assert above - 0.005 <= 0.975 <= at_high + 0.005


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held, runs = 0, 150
    for seed in range(runs):
        rng = random.Random(seed)
        counts = []
        for _ in range(120):
            skill = rng.choice((0.6, 0.9, 1.0))  # sentences are easy or hard: single spans are not independent
            counts.append(Counts(gold=4, predicted=4, correct=sum(rng.random() < skill for _ in range(4))))
        found = bootstrap_interval(counts, seed=seed, resamples=200, level=0.9)
        assert found is not None
        held += found.low <= (0.6 + 0.9 + 1.0) / 3 <= found.high
    assert 120 <= held <= 147  # 135 expected


def test_the_difference_is_resampled_in_pairs() -> None:
    """B finds one span more in every sentence: the scores vary, their difference does not."""
    rng = random.Random(4)
    a = [Counts(gold=5, predicted=5, correct=rng.randint(0, 4)) for _ in range(50)]
    b = [Counts(gold=5, predicted=5, correct=c.correct + 1) for c in a]
    found, alone = bootstrap_difference(a, b, seed=0), bootstrap_interval(a, seed=0)
    assert found is not None
    assert alone is not None
    assert (found.low, found.high) == (pytest.approx(0.2), pytest.approx(0.2))
    assert alone.high - alone.low > 0.05


def test_the_seed_decides_and_nothing_else() -> None:
    a, b = random_pair(random.Random(7), 30)
    state = random.getstate()
    for function in (bootstrap_interval, lambda rows, seed: bootstrap_difference(rows, b, seed=seed)):
        assert function(a, seed=1) == function(a, seed=1) != function(a, seed=2)
    assert randomization_test(a, b, seed=1) == randomization_test(a, b, seed=1)
    assert random.getstate() == state  # the global generator is not touched


def test_accuracy_is_f1_of_equal_counts() -> None:
    counts = [Counts(gold=4, predicted=4, correct=3), Counts(gold=6, predicted=6, correct=6)]
    found = bootstrap_interval(counts, seed=0, resamples=100)
    assert found is not None
    assert (found.low, found.high) == (3 / 4, 1.0)


def test_nothing_to_resample() -> None:
    assert bootstrap_interval([], seed=0) is None
    assert bootstrap_difference([], [], seed=0) is None
    empty = bootstrap_interval([Counts(gold=0, predicted=0, correct=0)], seed=0)
    assert empty is not None
    assert (empty.low, empty.high) == (0.0, 0.0)


def test_wrong_arguments_are_named() -> None:
    one = [Counts(gold=1, predicted=1, correct=1)]
    with pytest.raises(ShapeError, match="expected at least one resample, found 0"):
        bootstrap_interval(one, seed=0, resamples=0)
    with pytest.raises(ShapeError, match=r"expected a confidence level between 0 and 1, found 95; 0\.95 is usual"):
        bootstrap_interval(one, seed=0, level=95)
    for function in (bootstrap_difference, randomization_test):
        with pytest.raises(ShapeError, match="expected two outputs for the same sentences, found 1 and 2"):
            function(one, one * 2, seed=0)
