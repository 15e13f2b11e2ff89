"""The memory ledger adds up to the memory, in both directions, for any gates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.errors import ShapeError
from gatewise.lstm import Activations, LSTMState, LSTMWeights, ledger_at, memory_held, memory_ledger, run_lstm


def random_pass(seed, time, hidden, *, reverse=False, gate="sigmoid", scale=1.0):
    rng = np.random.default_rng(seed)
    weights = LSTMWeights(
        weight_ih=rng.normal(size=(4 * hidden, 3)) * scale,
        weight_hh=rng.normal(size=(4 * hidden, hidden)) * scale,
        bias_ih=rng.normal(size=4 * hidden),
    )
    start = LSTMState(h=rng.normal(size=hidden), c=rng.normal(size=hidden))
    x = rng.normal(size=(time, 3))
    return run_lstm(x, weights, start=start, reverse=reverse, activations=Activations(gate=gate))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    time=st.integers(0, 9),
    hidden=st.integers(1, 4),
    reverse=st.booleans(),
    gate=st.sampled_from(["sigmoid", "step"]),
    scale=st.sampled_from([0.1, 1.0, 30.0, 1000.0]),
)
def test_shares_add_up_to_the_memory(seed, time, hidden, reverse, gate, scale):
    p = random_pass(seed, time, hidden, reverse=reverse, gate=gate, scale=scale)
    ledger = memory_ledger(p)
    assert ledger.shares.shape == (time, time, hidden)
    np.testing.assert_allclose(ledger.shares.sum(axis=1) + ledger.start, p.c, rtol=1e-12, atol=1e-12)
    for t in range(time):
        unread = ledger.shares[t, :t] if reverse else ledger.shares[t, t + 1 :]
        assert not unread.any()


@pytest.mark.parametrize("reverse", [False, True])
def test_every_share_is_the_product_of_the_forget_gates_between(reverse):
    p = random_pass(7, 5, 2, reverse=reverse)
    shares = memory_ledger(p).shares
    for t in range(5):
        for s in range(5):
            between = range(t, s) if reverse else range(s + 1, t + 1)
            for u in range(2):
                seen = s >= t if reverse else s <= t
                expected = math.prod(p.f[k, u] for k in between) * p.i[s, u] * p.g[s, u] if seen else 0
                assert shares[t, s, u] == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("reverse", [False, True])
def test_memory_held_is_parts_of_one(reverse):
    p = random_pass(8, 6, 3, reverse=reverse)
    for t in range(6):
        held = memory_held(p, t)
        entry = ledger_at(p, t)
        assert held.tokens.sum() + held.start == pytest.approx(1)
        total = np.abs(entry.sources).sum() + np.abs(entry.start).sum()
        np.testing.assert_allclose(held.tokens, np.abs(entry.sources).sum(axis=1) / total)


def test_an_empty_memory_is_held_by_nobody():
    p = run_lstm(np.ones((2, 1)), LSTMWeights(weight_ih=np.zeros((4, 1)), weight_hh=np.zeros((4, 1))))
    held = memory_held(p, 1)
    assert not held.tokens.any()
    assert held.start == 0


def test_a_long_sequence_is_asked_token_by_token():
    p = random_pass(9, 2000, 40, scale=0.5)
    entry = ledger_at(p, 1999)
    np.testing.assert_allclose(entry.sources.sum(axis=0) + entry.start, p.c[1999], atol=1e-10)
    with pytest.raises(ShapeError, match=r"found 2,000 \* 2,000 \* 40; ask for one token at a time with ledger_at"):
        memory_ledger(p)


def test_a_token_that_is_not_there():
    with pytest.raises(ShapeError, match="expected 0 to 2 for 3 tokens, found 3"):
        ledger_at(random_pass(1, 3, 1), 3)
