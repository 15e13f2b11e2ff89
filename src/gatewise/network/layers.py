"""The layers of a network file: weights by gate, as people write them, become PyTorch's blocks i|f|g|o.

In: the value of `layers` as `tomllib` gives it. Out: weights and start states, one entry a layer, and the size of the
output.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gatewise.lstm import Directions, LSTMState, LSTMWeights, NeuronWeights, RNNWeights
from gatewise.lstm.shapes import Array
from gatewise.network import check
from gatewise.network.check import Place
from gatewise.network.passes import AnyWeights

GATES = ("input", "forget", "candidate", "output")  # the order of the blocks i|f|g|o
WRITTEN = ("forget", "input", "candidate", "output")  # the order in which people write them, the article's
LINEAR = {"neuron": ("x", "bias"), "rnn": ("x", "h", "bias"), "lstm": ("x", "h", "bias")}
STATES = {"neuron": (), "rnn": ("h",), "lstm": ("h", "c")}

Linear = tuple[Array, Array, Array | None]  # x (hidden, input), h (hidden, hidden) and bias (hidden,)
Layers = tuple[tuple[Directions[AnyWeights], ...], tuple[Directions[LSTMState], ...], int]


def read_layers(value: Any, place: Place, kind: str, input_size: int) -> Layers:
    """Weights and starts of each layer, and the length of an output vector; each layer reads the one below."""
    if not isinstance(value, list) or not value:
        place.fail(f"expected at least one layer, found {check.found(value)}; write [[layers]] and [layers.forward]")
    weights: list[Directions[AnyWeights]] = []
    starts: list[Directions[LSTMState]] = []
    for position, entry in enumerate(value, start=1):
        here = place.item(position)
        directions = ("forward",) if kind == "neuron" else ("forward", "reverse")
        blocks = check.table(entry, here, directions, required=("forward",))
        read = {name: _direction(block, here.at(name), kind, input_size) for name, block in sorted(blocks.items())}
        forward, reverse = read["forward"], read.get("reverse")
        weights.append(Directions(forward=forward[0], reverse=reverse[0] if reverse else None))
        starts.append(Directions(forward=forward[1], reverse=reverse[1] if reverse else None))
        input_size = sum(block.hidden for block, _ in read.values())
    return tuple(weights), tuple(starts), input_size


def _direction(value: Any, place: Place, kind: str, input_size: int) -> tuple[AnyWeights, LSTMState]:
    start_key = ("start",) if STATES[kind] else ()
    if kind == "lstm":
        entries = check.table(value, place, (*WRITTEN, "start"), required=WRITTEN)
        weights: AnyWeights = _lstm(entries, place, input_size)
    else:
        required = [key for key in LINEAR[kind] if key != "bias"]
        entries = check.table(value, place, (*LINEAR[kind], *start_key), required=required)
        linear = {key: entry for key, entry in entries.items() if key != "start"}
        x, h, bias = _linear(linear, place, kind, None, input_size)
        weights = (
            NeuronWeights(weight_ih=x, bias_ih=bias)
            if kind == "neuron"
            else RNNWeights(weight_ih=x, weight_hh=h, bias_ih=bias)
        )
    return weights, _start(entries.get("start", {}), place.at("start"), STATES[kind], weights.hidden)


def _lstm(entries: dict[str, Any], place: Place, input_size: int) -> LSTMWeights:
    read: dict[str, Linear] = {}
    for gate in WRITTEN:
        hidden = len(read["forget"][0]) if read else None  # the first gate says how many units there are
        read[gate] = _linear(entries[gate], place.at(gate), "lstm", hidden, input_size)
    blocks = [read[gate] for gate in GATES]
    biases = [np.zeros(len(x)) if bias is None else bias for x, _, bias in blocks]
    has_bias = any(bias is not None for _, _, bias in blocks)
    return LSTMWeights(
        weight_ih=np.concatenate([x for x, _, _ in blocks]),  # (4*hidden, input_size), blocks i|f|g|o
        weight_hh=np.concatenate([h for _, h, _ in blocks]),  # (4*hidden, hidden), blocks i|f|g|o
        bias_ih=np.concatenate(biases) if has_bias else None,  # (4*hidden,), blocks i|f|g|o
    )


def _linear(value: Any, place: Place, kind: str, hidden: int | None, input_size: int) -> Linear:
    """The weights of one linear layer; the number of units is `hidden`, or what x says when that is None."""
    required = [key for key in LINEAR[kind] if key != "bias"]
    entries = check.table(value, place, LINEAR[kind], required=required)
    x = np.array(check.matrix(entries["x"], place.at("x"), hidden, input_size, "units × inputs"))
    units = len(x)
    h = np.zeros((units, units))
    if "h" in LINEAR[kind]:
        h = np.array(check.matrix(entries["h"], place.at("h"), units, units, "units × units"))
    bias = entries.get("bias")
    if bias is not None:
        bias = np.array(check.vector(bias, place.at("bias"), units, "one a unit"))
    return x, h, bias


def _start(value: Any, place: Place, states: tuple[str, ...], hidden: int) -> LSTMState:
    entries = check.table(value, place, states)
    zeros = [0.0] * hidden
    start = {"h": np.zeros(0), "c": np.zeros(0)}
    for state in states:
        start[state] = np.array(check.vector(entries.get(state, zeros), place.at(state), hidden, "one a unit"))
    return LSTMState(h=start["h"], c=start["c"])
