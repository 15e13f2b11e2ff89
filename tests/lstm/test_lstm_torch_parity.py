"""NumPy against torch's nn.LSTM and nn.RNN in float64, and mutations that the comparison must catch."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from gatewise.lstm import Directions, LSTMState, LSTMWeights, RNNWeights, run_layers, run_rnn_layers

pytestmark = pytest.mark.torch

LENGTHS = (7, 1, 4)
SIZE, HIDDEN = 3, 4
CASES = [(layers, both, bias) for layers in (1, 2, 3) for both in (False, True) for bias in (False, True)]


class Case:
    """A torch module with random weights and start states, and its outputs on a padded packed batch."""

    def __init__(self, kind: str, layers: int, both: bool, bias: bool, seed: int = 0):
        torch = pytest.importorskip("torch")
        self.layers, self.both, self.kind = layers, both, kind
        generator = torch.Generator().manual_seed(seed)
        module = getattr(torch.nn, kind)(SIZE, HIDDEN, layers, bias=bias, bidirectional=both).double()
        for parameter in module.parameters():
            parameter.data.normal_(generator=generator)
        rows = layers * (2 if both else 1)
        self.h0, self.c0 = (
            torch.randn(rows, len(LENGTHS), HIDDEN, dtype=torch.float64, generator=generator) for _ in "hc"
        )
        self.sentences = [torch.randn(n, SIZE, dtype=torch.float64, generator=generator) for n in LENGTHS]
        packed = torch.nn.utils.rnn.pack_sequence(self.sentences, enforce_sorted=False)
        with torch.no_grad():
            found, last = module(packed, (self.h0, self.c0) if kind == "LSTM" else self.h0)
        padded, _ = torch.nn.utils.rnn.pad_packed_sequence(found)
        self.expected = [padded[:n, b].numpy() for b, n in enumerate(LENGTHS)]
        self.last_c = last[1].numpy() if kind == "LSTM" else None
        self.state = {name: value.numpy() for name, value in module.state_dict().items()}

    def weights(self, layer: int, suffix: str):
        made = LSTMWeights if self.kind == "LSTM" else RNNWeights
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return made(**{name: self.state.get(f"{name}_l{layer}{suffix}") for name in names})

    def layer_weights(self):
        return [
            Directions(forward=self.weights(k, ""), reverse=self.weights(k, "_reverse") if self.both else None)
            for k in range(self.layers)
        ]

    def starts(self, sentence: int):
        def state(row: int):
            h, c = self.h0[row, sentence].numpy(), self.c0[row, sentence].numpy()
            return LSTMState(h=h, c=c) if self.kind == "LSTM" else h

        if self.both:
            return [Directions(forward=state(2 * k), reverse=state(2 * k + 1)) for k in range(self.layers)]
        return [Directions(forward=state(k)) for k in range(self.layers)]

    def gap(self, weights=None, starts=None) -> float:
        """The widest gap between NumPy, each sentence alone, and torch, all in one batch."""
        run = run_layers if self.kind == "LSTM" else run_rnn_layers
        weights = self.layer_weights() if weights is None else weights
        gaps = []
        for b, x in enumerate(self.sentences):
            layers = run(x.numpy(), weights, start_states=(starts or self.starts)(b))
            gaps.append(np.abs(layers[-1].output - self.expected[b]).max())
        return max(gaps)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
@pytest.mark.parametrize(("layers", "both", "bias"), CASES)
def test_parity(kind, layers, both, bias):
    assert Case(kind, layers, both, bias).gap() < 1e-10


def test_the_last_memory_is_torchs():
    case = Case("LSTM", 1, True, True)
    for b, x in enumerate(case.sentences):
        (layer,) = run_layers(x.numpy(), case.layer_weights(), start_states=case.starts(b))
        np.testing.assert_allclose(layer.forward.c[-1], case.last_c[0, b], atol=1e-10)
        np.testing.assert_allclose(layer.reverse.c[0], case.last_c[1, b], atol=1e-10)


def test_float32_stays_near():
    case = Case("LSTM", 2, True, True)
    for b, x in enumerate(case.sentences):
        found = run_layers(x.numpy().astype(np.float32), case.layer_weights(), start_states=case.starts(b))[-1].output
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, case.expected[b], atol=1e-5)


MUTATIONS = [order for order in permutations(range(4)) if order != (0, 1, 2, 3)]


@pytest.mark.parametrize("order", MUTATIONS, ids=lambda order: "".join("ifgo"[block] for block in order))
def test_permuted_gate_blocks_are_noticed(order):
    case = Case("LSTM", 1, False, True)
    (right,) = case.layer_weights()
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    permuted = {
        name: np.concatenate([np.split(getattr(right.forward, name), 4)[block] for block in order]) for name in names
    }
    assert case.gap(weights=[Directions(forward=LSTMWeights(**permuted))]) > 1e-3


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_swapped_directions_are_noticed(kind):
    case = Case(kind, 1, True, True)
    (right,) = case.layer_weights()
    assert case.gap(weights=[replace(right, forward=right.reverse, reverse=right.forward)]) > 1e-3


def test_swapped_start_states_are_noticed():
    case = Case("LSTM", 1, False, True)

    def swapped(sentence: int):
        (right,) = case.starts(sentence)
        return [Directions(forward=LSTMState(h=right.forward.c, c=right.forward.h))]

    assert case.gap(starts=swapped) > 1e-3


def test_a_missing_bias_is_noticed():
    case = Case("LSTM", 1, False, True)
    (right,) = case.layer_weights()
    assert case.gap(weights=[Directions(forward=replace(right.forward, bias_hh=None))]) > 1e-3
