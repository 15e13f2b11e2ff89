"""Shapes, float types, the empty sequence, and what a wrong shape is told."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.errors import ShapeError
from gatewise.lstm import (
    Directions,
    LSTMState,
    LSTMWeights,
    NeuronWeights,
    RNNWeights,
    run_layers,
    run_lstm,
    run_neuron,
    run_rnn,
    run_rnn_layers,
)

LSTM = LSTMWeights(weight_ih=np.ones((8, 3)), weight_hh=np.ones((8, 2)), bias_ih=np.ones(8))
RNN = RNNWeights(weight_ih=np.ones((2, 3)), weight_hh=np.ones((2, 2)), bias_hh=np.ones(2))


@pytest.mark.parametrize("reverse", [False, True])
def test_the_empty_sequence_gives_empty_arrays(reverse):
    x = np.zeros((0, 3))
    found = run_lstm(x, LSTM, reverse=reverse)
    assert found.h.shape == found.c.shape == found.i.shape == found.h_prev.shape == (0, 2)
    assert run_rnn(x, RNN, reverse=reverse).h.shape == (0, 2)
    assert run_neuron(x, NeuronWeights(weight_ih=np.ones((2, 3)))).h.shape == (0, 2)
    both = run_layers(x, [Directions(forward=LSTM, reverse=LSTM)])
    assert both[0].output.shape == (0, 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_float_type_is_that_of_the_input(dtype):
    x = np.ones((4, 3), dtype)
    found = run_lstm(x, LSTM)
    arrays = (found.x, found.pre, found.values, found.c, found.c_activated, found.h, found.h_prev, found.start.h)
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert run_rnn(x, RNN).h.dtype == dtype
    assert run_neuron(x, NeuronWeights(weight_ih=np.ones((2, 3)))).h.dtype == dtype


def test_whole_numbers_become_float64():
    assert run_lstm([[1, 2, 3]], LSTM).h.dtype == np.float64


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: LSTMWeights(weight_ih=np.ones((8, 3)), weight_hh=np.ones((8, 3))),
            r"weight_hh: expected shape \(12, 3\), that is \(4\*hidden, hidden\), found \(8, 3\)",
        ),
        (
            lambda: LSTMWeights(weight_ih=np.ones((9, 3)), weight_hh=np.ones((8, 2))),
            r"weight_ih: expected shape \(8, 3\).*found \(9, 3\)",
        ),
        (
            lambda: LSTMWeights(weight_ih=np.ones((8, 3)), weight_hh=np.ones((8, 2)), bias_hh=np.ones(2)),
            r"bias_hh: expected shape \(8,\), that is \(4\*hidden,\), found \(2,\)",
        ),
        (lambda: LSTMWeights(weight_ih=np.ones(8), weight_hh=np.ones((8, 2))), "weight_ih: expected a matrix"),
        (
            lambda: RNNWeights(weight_ih=np.ones((2, 3)), weight_hh=np.ones((3, 2))),
            r"weight_hh: expected shape \(2, 2\)",
        ),
        (lambda: NeuronWeights(weight_ih=np.ones((2, 3)), bias_ih=np.ones(3)), r"bias_ih: expected shape \(2,\)"),
        (lambda: run_lstm(np.ones((4, 2)), LSTM), r"x: expected shape \(time, 3\), found \(4, 2\)"),
        (lambda: run_lstm(np.ones(3), LSTM), r"x: expected shape \(time, 3\), found \(3,\)"),
        (
            lambda: run_lstm(np.ones((4, 3)), LSTM, start=LSTMState(h=np.ones(2), c=np.ones(3))),
            r"start c: expected shape \(2,\), that is \(hidden,\), found \(3,\)",
        ),
        (lambda: run_rnn(np.ones((4, 3)), RNN, start=np.ones(1)), r"start h: expected shape \(2,\)"),
        (lambda: run_layers(np.ones((4, 3)), []), "expected at least one layer"),
        (lambda: run_layers(np.ones((4, 3)), [Directions(forward=LSTM)] * 2), r"x: expected shape \(time, 3\)"),
        (
            lambda: run_rnn_layers(np.ones((4, 3)), [Directions(forward=RNN)], start_states=[]),
            "found 1 layers and 0 start states",
        ),
    ],
)
def test_wrong_shapes_are_told_what_was_expected_and_found(make, sentence):
    with pytest.raises(ShapeError, match=sentence):
        make()
