"""Gate statistics against plain floats, one value at a time, and against known gates."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from gatewise.errors import ShapeError
from gatewise.lstm import LSTMPass, LSTMWeights, gate_statistics, memory_ledger, run_lstm

HIDDEN, INPUT = 3, 2


def passes(*, reverse: bool, lengths: tuple[int, ...] = (5, 1, 8, 2), spread: float = 3.0) -> list[LSTMPass]:
    """Sentences of ragged lengths through random, asymmetric weights that are large enough to saturate."""
    random = np.random.default_rng(7)
    weights = LSTMWeights(
        weight_ih=random.normal(scale=spread, size=(4 * HIDDEN, INPUT)),
        weight_hh=random.normal(scale=spread, size=(4 * HIDDEN, HIDDEN)),
        bias_ih=random.normal(size=4 * HIDDEN),
    )
    return [run_lstm(random.normal(size=(length, INPUT)), weights, reverse=reverse) for length in lengths]


@pytest.mark.parametrize("reverse", [False, True])
def test_shares_and_means_are_those_of_plain_floats(reverse: bool) -> None:
    runs = passes(reverse=reverse)
    found = gate_statistics(runs)
    assert found.tokens == 16
    for number, gate in ((0, "i"), (1, "f"), (3, "o")):
        flat = [
            float(run.values[t][number * HIDDEN + unit])
            for run in runs
            for t in range(len(run))
            for unit in range(HIDDEN)
        ]
        closed, opened = sum(value < 0.1 for value in flat), sum(value > 0.9 for value in flat)
        assert 0 < closed < len(flat)
        assert 0 < opened < len(flat)
        assert found.closed[gate] == pytest.approx(closed / len(flat), abs=1e-12)
        assert found.open[gate] == pytest.approx(opened / len(flat), abs=1e-12)
        assert found.mean[gate] == pytest.approx(sum(flat) / len(flat), abs=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("distances", [3, 40])
def test_memory_is_the_mean_product_over_every_place(reverse: bool, distances: int) -> None:
    runs = passes(reverse=reverse)
    found = gate_statistics(runs, distances=distances)
    expected, longest = [1.0], [1.0]
    for n in range(1, distances + 1):
        products: list[list[float]] = [[] for _ in range(HIDDEN)]
        for run in runs:
            order = list(range(len(run)))[:: -1 if reverse else 1]
            for unit in range(HIDDEN):
                for place in range(len(order) - n):  # written at order[place], read n tokens later
                    later = order[place + 1 : place + n + 1]
                    products[unit].append(prod(float(run.values[t][HIDDEN + unit]) for t in later))
        if products[0]:
            expected.append(sum(map(sum, products)) / sum(map(len, products)))
            longest.append(max(sum(of_unit) / len(of_unit) for of_unit in products))  # a tenth of 3 units: one
    assert len(expected) == min(distances, 7) + 1
    assert found.memory == pytest.approx(expected, abs=1e-12)
    assert found.longest == pytest.approx(longest, abs=1e-12)


def test_the_longest_tenth_of_many_units() -> None:
    """Forget gates that stand still at 1/26 … 25/26, in no order: a tenth of 25 units is three."""
    forget = np.random.default_rng(3).permutation(np.arange(1, 26) / 26)
    bias = np.concatenate([np.zeros(25), np.log(forget / (1 - forget)), np.zeros(50)])
    weights = LSTMWeights(weight_ih=np.zeros((100, 1)), weight_hh=np.zeros((100, 25)), bias_ih=bias)
    found = gate_statistics([run_lstm(np.zeros((4, 1)), weights)])
    for n in (1, 2, 3):
        assert found.longest[n] == pytest.approx(sum((k / 26) ** n for k in (23, 24, 25)) / 3)


@pytest.mark.parametrize("reverse", [False, True])
def test_memory_is_what_the_ledger_says_is_left(reverse: bool) -> None:
    [run] = passes(reverse=reverse, lengths=(6,), spread=1.0)
    ledger = memory_ledger(run)
    written = run.i * run.g
    for n in (1, 4):
        pairs = [(t, t + n if reverse else t - n) for t in range(6) if 0 <= (t + n if reverse else t - n) < 6]
        left = [ledger.shares[t, s] / written[s] for t, s in pairs]
        assert gate_statistics([run]).memory[n] == pytest.approx(np.mean(left), rel=1e-9)


def test_gates_that_stand_still() -> None:
    """Without inputs and recurrence every gate is the sigmoid of its bias: i 0.05, f 0.95, o 0.5."""
    bias = np.repeat([np.log(0.05 / 0.95), np.log(0.95 / 0.05), 0.3, 0.0], HIDDEN)
    weights = LSTMWeights(
        weight_ih=np.zeros((4 * HIDDEN, INPUT)), weight_hh=np.zeros((4 * HIDDEN, HIDDEN)), bias_ih=bias
    )
    found = gate_statistics([run_lstm(np.ones((4, INPUT)), weights)])
    assert (found.closed, found.open) == ({"i": 1.0, "f": 0.0, "o": 0.0}, {"i": 0.0, "f": 1.0, "o": 0.0})
    assert found.mean == pytest.approx({"i": 0.05, "f": 0.95, "o": 0.5})
    assert found.memory == pytest.approx([1.0, 0.95, 0.95**2, 0.95**3])


def test_no_token_is_refused() -> None:
    with pytest.raises(ShapeError, match="gate statistics: expected at least one token, found none"):
        gate_statistics([])
    with pytest.raises(ShapeError, match="found none"):
        gate_statistics(passes(reverse=False, lengths=(0,)))


def test_one_token_has_no_later_one() -> None:
    assert gate_statistics(passes(reverse=False, lengths=(1,))).memory.tolist() == [1.0]
