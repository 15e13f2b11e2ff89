"""Activations: exact at the edges, named when unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gatewise.errors import ConfigError
from gatewise.lstm import LSTMWeights, gate_activation, run_lstm, sigmoid, step, value_activation


def test_sigmoid_is_exact_for_large_and_small():
    found = sigmoid(np.array([-1000.0, -90.0, -1.5, 0.0, 1.5, 90.0, 1000.0]))
    assert found[0] == 0
    assert found[3] == 0.5
    assert found[-1] == found[-2] == 1
    assert math.isclose(found[1], math.exp(-90), rel_tol=1e-13)
    assert math.isclose(found[2], 1 / (1 + math.exp(1.5)), rel_tol=1e-15)
    assert sigmoid(np.array([-1000, 0, 1000], np.float32)).dtype == np.float32


def test_step_counts_zero_as_closed():
    np.testing.assert_array_equal(step(np.array([-1000.0, -1e-300, 0.0, 1e-300, 1000.0])), [0, 0, 0, 1, 1])


@pytest.mark.parametrize("scale", [-1000.0, 1000.0])
def test_pre_activations_of_a_thousand(scale):
    weights = LSTMWeights(weight_ih=np.full((8, 1), scale), weight_hh=np.zeros((8, 2)))
    found = run_lstm([[1.0], [1.0], [1.0]], weights)
    assert np.isfinite(found.values).all()
    expected = [[1, 1], [2, 2], [3, 3]] if scale > 0 else np.zeros((3, 2))
    np.testing.assert_array_equal(found.c, expected)


def test_unknown_names_list_the_known_ones_and_the_nearest():
    with pytest.raises(ConfigError) as error:
        gate_activation("sigmoyd")
    assert str(error.value) == (
        "gate activation: expected one of sigmoid, step, found 'sigmoyd'; did you mean 'sigmoid'?"
    )
    with pytest.raises(ConfigError, match="expected one of tanh, identity, found 'tahn'; did you mean 'tanh'"):
        value_activation("tahn")
