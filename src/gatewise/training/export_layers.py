"""The recurrent layers of the runtime's graph: float weights for the operators LSTM and RNN, or integers for the
integer kernel of onnxruntime, whose scales are held still.

In: a graph, the stored arrays, a layer's input (time, batch, size). Out: its states, (time, batch, hidden) for each
direction. ONNX orders the LSTM's gates i|o|f|c; ours, and PyTorch's, are i|f|g|o. Source: the ONNX operator
specification, LSTM-14 and RNN-14; onnxruntime's DynamicQuantizeLSTM.

DynamicQuantizeLSTM counts its input in steps of (largest - smallest) / 255 of the whole batch, and so its states at
each step of time. Left like that, a sentence's numbers would depend on what else is in the batch. So the input gets two
more numbers, the bounds of what it can be, and each direction two more units, whose gates are open and whose candidates
are 1 and -1: after t steps they are at tanh(t) and -tanh(t), which no unit can pass. The steps are then the same
whatever the batch holds (ADR 0023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gatewise.model.config import Config
from gatewise.model.numbers import BOUNDS, MOST, STEP
from gatewise.model.parameters import directions
from gatewise.training.graph import Arrays, Graph

OPEN = 30.0  # before a sigmoid or a tanh: 1 in float32
INTEGER_DOMAIN = "com.microsoft"

_Array = npt.NDArray[Any]


def float_layer(graph: Graph, config: Config, arrays: Arrays, layer: int, layer_input: str) -> list[str]:
    """A layer on float weights."""
    kind = config.encoder.kind
    return [
        float_direction(graph, arrays, Direction("encoder", layer, suffix, "lengths"), layer_input, kind=kind)
        for suffix in directions(config)
    ]


def integer_layer(graph: Graph, config: Config, arrays: Arrays, layer: int, layer_input: str) -> list[str]:
    """An LSTM layer on whole numbers; `layer_input` ends in its bounds, and so do the states of each direction."""
    return [
        integer_direction(graph, arrays, Direction("encoder", layer, suffix, "lengths"), layer_input)
        for suffix in directions(config)
    ]


class Direction(NamedTuple):
    """One direction of a layer: the prefix of its weights, the layer's number, the direction's suffix, and the name of
    how long each column is."""

    prefix: str
    layer: int
    suffix: str
    lengths: str

    @property
    def place(self) -> str:
        return f"_l{self.layer}{self.suffix}"

    @property
    def states(self) -> str:
        """The name of what comes out."""
        return f"{'' if self.prefix == 'encoder' else self.prefix + '.'}states{self.place}"

    @property
    def order(self) -> str:
        return "reverse" if self.suffix else "forward"


def float_direction(graph: Graph, arrays: Arrays, one: Direction, layer_input: str, *, kind: str = "lstm") -> str:
    """The states (time, batch, hidden) of an LSTM or RNN on float weights."""
    reorder = to_onnx_order if kind == "lstm" else np.asarray
    weights = stacked(graph, arrays, one.prefix, one.layer, (one.suffix,), reorder)
    node = graph.add(
        kind.upper(),
        [layer_input, *weights, one.lengths],
        f"{one.states}.all",
        hidden_size=arrays[f"{one.prefix}.weight_hh{one.place}"].shape[1],
        direction=one.order,
    )
    return _alone(graph, node, one.states)


def integer_direction(graph: Graph, arrays: Arrays, one: Direction, layer_input: str) -> str:
    """The states (time, batch, hidden + BOUNDS) of an LSTM on whole numbers; `layer_input` ends in its bounds."""
    matrices, scales = [], []
    for kind, of_states in (("weight_ih", one.layer > 0), ("weight_hh", False)):
        name = f"{one.prefix}.{kind}{one.place}"
        counts, steps = _integer_weights(arrays, name, of_states=of_states)
        zeros = np.zeros(steps.shape, dtype=np.int8)
        matrices.append(graph.constant(name, counts[None]))  # (1, columns, 4*hidden)
        scales.append(graph.constant(name + STEP, steps[None]))  # (1, 4*hidden)
        scales.append(graph.constant(f"{name}.zero", zeros[None]))
    bias = graph.constant(f"{one.prefix}.bias{one.place}", _with_open_units(arrays, one)[None])
    node = graph.add(
        "DynamicQuantizeLSTM",
        [layer_input, *matrices, bias, one.lengths, "", "", "", *scales],
        f"{one.states}.all",
        domain=INTEGER_DOMAIN,
        hidden_size=arrays[f"{one.prefix}.weight_hh{one.place}"].shape[1] + BOUNDS,
        direction=one.order,
    )
    return _alone(graph, node, one.states)


def _alone(graph: Graph, node: str, name: str) -> str:
    """The states of a node that has one direction, (time, 1, batch, hidden), without that axis. Each direction has a
    node of its own: what reads both then need not reorder them."""
    return graph.add("Squeeze", [node, graph.constant(f"{name}.axis", np.array([1]))], name)


def bounds(graph: Graph, name: str, largest: float, ids: str = "tokens") -> str:
    """`largest` and `-largest` at each of the ids, tokens or others: (time, batch, 2)."""
    zero = graph.constant(f"{name}.zero", np.array(0))
    nowhere = graph.add("Mul", [ids, zero], f"{name}.ids")
    return graph.add("Gather", [graph.constant(f"{name}.table", _row([largest, -largest])), nowhere], name)


def input_limit(bound: float) -> float:
    """The bounds of an input, so that its 255 steps are of the size in which the tables are stored."""
    return bound / MOST * 255 / 2


def without_bounds(weight: _Array, hidden: int) -> _Array:
    """A matrix of columns for states, (rows, directions * hidden), with columns of 0 for the further units."""
    blocks = weight.reshape(len(weight), -1, hidden)
    padded = np.pad(blocks, ((0, 0), (0, 0), (0, BOUNDS)))
    found: _Array = padded.reshape(len(weight), -1)
    return found


def stacked(
    graph: Graph, arrays: Arrays, prefix: str, layer: int, suffixes: tuple[str, ...], reorder: Callable[[Any], Any]
) -> list[str]:
    """The weights of a layer, its directions one after the other, as the operators LSTM and RNN take them."""
    blocks: dict[str, list[_Array]] = {"weight_ih": [], "weight_hh": [], "bias": []}
    for suffix in suffixes:
        named = {
            kind: reorder(np.asarray(arrays[f"{prefix}.{kind}_l{layer}{suffix}"]))
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        blocks["weight_ih"].append(named["weight_ih"])
        blocks["weight_hh"].append(named["weight_hh"])
        blocks["bias"].append(np.concatenate([named["bias_ih"], named["bias_hh"]]))
    place = f"_l{layer}{suffixes[0] if len(suffixes) == 1 else ''}"
    return [graph.widened(f"{prefix}.{kind}{place}", np.stack(parts)) for kind, parts in blocks.items()]


def to_onnx_order(array: _Array) -> _Array:
    """Blocks i|f|g|o to i|o|f|c."""
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])


def _integer_weights(arrays: Arrays, name: str, *, of_states: bool) -> tuple[_Array, _Array]:
    """The counts (columns, 4*hidden) and steps (4*hidden,) of a matrix in ONNX's order.

    The rows of the further units and the columns that read bounds are 0; a matrix that reads the states of a layer has
    such columns for the further units of each direction, too.
    """
    counts = to_onnx_order(np.asarray(arrays[name]))
    steps = to_onnx_order(np.asarray(arrays[name + STEP]))
    hidden = len(steps) // 4
    if of_states:
        counts = without_bounds(counts, hidden)
    rows = np.pad(counts.reshape(4, hidden, -1), ((0, 0), (0, BOUNDS), (0, 0))).reshape(4 * (hidden + BOUNDS), -1)
    row_steps = np.pad(steps.reshape(4, hidden), ((0, 0), (0, BOUNDS)), constant_values=1).reshape(-1)
    return np.pad(rows, ((0, 0), (0, BOUNDS))).T, row_steps.astype(np.float32)


def _with_open_units(arrays: Arrays, one: Direction) -> _Array:
    """Both biases in ONNX's order, (8*hidden,); the further units' gates stand open, their candidates at 1 and -1."""
    found = []
    for kind in ("bias_ih", "bias_hh"):
        blocks = to_onnx_order(np.asarray(arrays[f"{one.prefix}.{kind}{one.place}"], dtype=np.float32)).reshape(4, -1)
        further = np.zeros((4, BOUNDS), dtype=np.float32)
        if kind == "bias_ih":
            further[:3] = OPEN
            further[3] = OPEN, -OPEN
        found.append(np.concatenate([blocks, further], axis=1).reshape(-1))
    return np.concatenate(found)


def _row(values: list[float]) -> _Array:
    return np.array([values], dtype=np.float32)
