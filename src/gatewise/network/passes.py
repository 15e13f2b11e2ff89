"""The pass of a hand-written network through `gatewise.lstm`, whatever its kind.

In: x (time, input_size), a `Network`, activations. Out: one `PassLayer` a layer, from the bottom up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gatewise.lstm import (
    Activations,
    Directions,
    LSTMPass,
    LSTMWeights,
    NeuronPass,
    NeuronWeights,
    RNNPass,
    RNNWeights,
    run_layers,
    run_neuron,
    run_rnn_layers,
)
from gatewise.lstm.shapes import Array

if TYPE_CHECKING:
    from gatewise.network.network import Network

AnyPass = NeuronPass | RNNPass | LSTMPass
AnyWeights = NeuronWeights | RNNWeights | LSTMWeights


@dataclass(frozen=True, slots=True, kw_only=True)
class PassLayer:
    """The passes of one layer of any kind, and what the layer puts out, (time, units)."""

    forward: AnyPass
    reverse: AnyPass | None
    output: Array


def pass_layers(x: Array, network: Network, activations: Activations) -> tuple[PassLayer, ...]:
    """Run the layers; that all weights are of the network's kind was checked when the file was read."""
    match network.kind:
        case "neuron":
            return _neuron_layers(x, network, activations.output)
        case "rnn":
            return _rnn_layers(x, network, activations.output)
        case "lstm":
            return _lstm_layers(x, network, activations)


def _lstm_layers(x: Array, network: Network, activations: Activations) -> tuple[PassLayer, ...]:
    weights = cast("Sequence[Directions[LSTMWeights]]", network.weights)
    layers = run_layers(x, weights, start_states=network.starts, activations=activations)
    return tuple(PassLayer(forward=run.forward, reverse=run.reverse, output=run.output) for run in layers)


def _rnn_layers(x: Array, network: Network, activation: str) -> tuple[PassLayer, ...]:
    weights = cast("Sequence[Directions[RNNWeights]]", network.weights)
    starts = [
        Directions(forward=start.forward.h, reverse=None if start.reverse is None else start.reverse.h)
        for start in network.starts
    ]
    layers = run_rnn_layers(x, weights, start_states=starts, activation=activation)
    return tuple(PassLayer(forward=run.forward, reverse=run.reverse, output=run.output) for run in layers)


def _neuron_layers(x: Array, network: Network, activation: str) -> tuple[PassLayer, ...]:
    layers: list[PassLayer] = []
    for weights in cast("Sequence[Directions[NeuronWeights]]", network.weights):
        run = run_neuron(layers[-1].output if layers else x, weights.forward, activation=activation)
        layers.append(PassLayer(forward=run, reverse=None, output=run.h))
    return tuple(layers)
