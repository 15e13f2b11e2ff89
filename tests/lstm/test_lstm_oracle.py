"""NumPy against the same equations in plain Python floats, with random asymmetric weights and start states."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gatewise.lstm import (
    Activations,
    LSTMState,
    LSTMWeights,
    NeuronWeights,
    RNNWeights,
    lstm_step,
    run_lstm,
    run_neuron,
    run_rnn,
)

Vector = list[float]
Matrix = list[Vector]


def plain_sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def affine(matrix: Matrix, vector: Vector) -> Vector:
    return [math.fsum(weight * value for weight, value in zip(row, vector, strict=True)) for row in matrix]


def add(*vectors: Vector) -> Vector:
    return [math.fsum(values) for values in zip(*vectors, strict=True)]


def plain_neuron(x: Matrix, weight: Matrix, bias: Vector) -> Matrix:
    return [[math.tanh(pre) for pre in add(affine(weight, row), bias)] for row in x]


def plain_rnn(x: Matrix, weight_ih: Matrix, weight_hh: Matrix, bias: Vector, h: Vector) -> Matrix:
    outputs = []
    for row in x:
        h = [math.tanh(pre) for pre in add(affine(weight_ih, row), affine(weight_hh, h), bias)]
        outputs.append(h)
    return outputs


def plain_lstm(
    x: Matrix, weight_ih: Matrix, weight_hh: Matrix, bias: Vector, h: Vector, c: Vector
) -> tuple[Matrix, Matrix]:
    """h and c of every step."""
    size, outputs, memories = len(h), [], []
    for row in x:
        pre = add(affine(weight_ih, row), affine(weight_hh, h), bias)
        i = [plain_sigmoid(z) for z in pre[:size]]
        f = [plain_sigmoid(z) for z in pre[size : 2 * size]]
        g = [math.tanh(z) for z in pre[2 * size : 3 * size]]
        o = [plain_sigmoid(z) for z in pre[3 * size :]]
        c = [f[u] * c[u] + i[u] * g[u] for u in range(size)]
        h = [o[u] * math.tanh(c[u]) for u in range(size)]
        outputs.append(h)
        memories.append(c)
    return outputs, memories


def lstm_case(seed: int = 0, time: int = 6, size: int = 3, hidden: int = 4):
    rng = np.random.default_rng(seed)
    weights = LSTMWeights(
        weight_ih=rng.normal(size=(4 * hidden, size)),
        weight_hh=rng.normal(size=(4 * hidden, hidden)),
        bias_ih=rng.normal(size=4 * hidden),
        bias_hh=rng.normal(size=4 * hidden),
    )
    start = LSTMState(h=rng.normal(size=hidden), c=rng.normal(size=hidden))
    return rng.normal(size=(time, size)), weights, start


def oracle(x, weights, start):
    bias = (weights.bias_ih + weights.bias_hh).tolist()
    return plain_lstm(
        x.tolist(), weights.weight_ih.tolist(), weights.weight_hh.tolist(), bias, start.h.tolist(), start.c.tolist()
    )


def test_neuron():
    rng = np.random.default_rng(1)
    x, weight, bias = rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)
    found = run_neuron(x, NeuronWeights(weight_ih=weight, bias_ih=bias))
    np.testing.assert_allclose(found.h, plain_neuron(x.tolist(), weight.tolist(), bias.tolist()), atol=1e-14)


@pytest.mark.parametrize("reverse", [False, True])
def test_rnn(reverse):
    rng = np.random.default_rng(2)
    x, start = rng.normal(size=(5, 3)), rng.normal(size=2)
    w_ih, w_hh, b_ih, b_hh = (rng.normal(size=shape) for shape in ((2, 3), (2, 2), (2,), (2,)))
    weights = RNNWeights(weight_ih=w_ih, weight_hh=w_hh, bias_ih=b_ih, bias_hh=b_hh)
    found = run_rnn(x, weights, start=start, reverse=reverse)
    order = slice(None, None, -1 if reverse else 1)
    expected = plain_rnn(x[order].tolist(), w_ih.tolist(), w_hh.tolist(), (b_ih + b_hh).tolist(), start.tolist())
    np.testing.assert_allclose(found.h[order], expected, atol=1e-14)
    np.testing.assert_array_equal(found.h_prev[order][0], start)
    np.testing.assert_array_equal(found.h_prev[order][1:], found.h[order][:-1])


@pytest.mark.parametrize("reverse", [False, True])
def test_lstm(reverse):
    x, weights, start = lstm_case()
    found = run_lstm(x, weights, start=start, reverse=reverse)
    order = slice(None, None, -1 if reverse else 1)
    h, c = oracle(x[order], weights, start)
    np.testing.assert_allclose(found.h[order], h, atol=1e-14)
    np.testing.assert_allclose(found.c[order], c, atol=1e-14)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_pass_records_quantities_that_satisfy_the_equations(reverse):
    x, weights, start = lstm_case(3)
    p = run_lstm(x, weights, start=start, reverse=reverse)
    order = slice(None, None, -1 if reverse else 1)
    for state, before, first in ((p.h, p.h_prev, start.h), (p.c, p.c_prev, start.c)):
        np.testing.assert_array_equal(before[order][0], first)
        np.testing.assert_array_equal(before[order][1:], state[order][:-1])
    np.testing.assert_allclose(p.f * p.c_prev + p.i * p.g, p.c, atol=1e-15)
    np.testing.assert_allclose(p.o * p.c_activated, p.h, atol=1e-15)
    np.testing.assert_allclose(np.tanh(p.pre_g), p.g, atol=1e-15)
    for pre, value in ((p.pre_i, p.i), (p.pre_f, p.f), (p.pre_o, p.o)):
        np.testing.assert_allclose(1 / (1 + np.exp(-pre)), value, atol=1e-15)
    joint = np.concatenate([weights.weight_ih, weights.weight_hh], axis=1)
    pre = np.concatenate([p.x, p.h_prev], axis=1) @ joint.T + weights.bias_ih + weights.bias_hh
    np.testing.assert_allclose(pre, p.pre, atol=1e-13)


def test_steps_one_by_one_are_the_sequence():
    x, weights, state = lstm_case(4)
    whole = run_lstm(x, weights, start=state)
    for t, row in enumerate(x):
        state = lstm_step(row, state, weights)
        np.testing.assert_allclose(state.h, whole.h[t], atol=1e-14)
        np.testing.assert_allclose(state.c, whole.c[t], atol=1e-14)


def test_step_and_identity_activations():
    x, weights, start = lstm_case(5)
    p = run_lstm(x, weights, start=start, activations=Activations(gate="step", candidate="identity", output="identity"))
    for pre, value in ((p.pre_i, p.i), (p.pre_f, p.f), (p.pre_o, p.o)):
        np.testing.assert_array_equal(value, np.where(pre > 0, 1.0, 0.0))
    np.testing.assert_array_equal(p.g, p.pre_g)
    np.testing.assert_array_equal(p.h, p.o * p.c)


def test_a_pass_cannot_be_written_to_and_leaves_its_input_alone():
    x, weights, start = lstm_case(6)
    before = x.copy()
    p = run_lstm(x, weights, start=start)
    for array in (p.x, p.pre, p.values, p.c, p.c_prev, p.h, p.h_prev, p.i, p.start.h):
        assert not array.flags.writeable
    assert x.flags.writeable
    np.testing.assert_array_equal(x, before)
