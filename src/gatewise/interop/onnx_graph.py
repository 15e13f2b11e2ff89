"""The LSTM nodes of an ONNX graph: which are plain LSTMs, which read one another, and where they start.

In: nodes. Out: chains of LSTM nodes by the name of the first, and the start states that the graph stores. Between two
nodes of a chain stands what makes one vector a token of both directions, as exporters write it: Squeeze for one
direction, Transpose and Reshape for two; after anything else a new chain begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from gatewise.errors import InteropError
from gatewise.interop.chains import chained
from gatewise.lstm.shapes import Array

if TYPE_CHECKING:
    from gatewise.training.foreign_onnx import ForeignGraph, ForeignNode

INPUTS = ("x", "w", "r", "b", "sequence_lens", "initial_h", "initial_c", "p")
DEFAULT_ACTIVATIONS = ["sigmoid", "tanh", "tanh"]
SAME_VALUES = ("Expand", "Identity", "Cast", "Slice", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Gather")
MOST_STEPS = 32  # between two nodes, or from a start state to where it comes from


@dataclass(frozen=True, slots=True, kw_only=True)
class LSTMNode:
    """A plain LSTM; `w`, `r`, `b`, `initial_h`, `initial_c` name tensors, empty where there are none."""

    name: str
    x: str
    y: str
    w: str
    r: str
    b: str
    initial_h: str
    initial_c: str
    hidden: int
    directions: int


def lstm_chains(graph: ForeignGraph, where: str) -> dict[str, tuple[LSTMNode, ...]]:
    """Chains of LSTM nodes, each reading all states of the one before, by the name of the first."""
    nodes = [node for node in graph.nodes if node.operator == "LSTM"]
    lstms = {_name(node, number): node for number, node in enumerate(nodes)}
    makers = {output: node for node in graph.nodes for output in node.outputs if output}
    plain = {name: _plain(graph, name, node, where) for name, node in lstms.items()}
    by_output = {one.y: name for name, one in plain.items() if one.y}
    below = {name: _below(graph, one.x, makers, by_output, plain) for name, one in plain.items()}
    return {first: tuple(plain[name] for name in chain) for first, chain in chained(below).items()}


def _name(node: ForeignNode, number: int) -> str:
    return node.name or next(filter(None, node.outputs), f"LSTM_{number}")


def _plain(graph: ForeignGraph, name: str, node: ForeignNode, where: str) -> LSTMNode:
    """The node as a plain LSTM; InteropError for what the equations here do not have."""
    place, found = f"{where}: LSTM {name!r}", node.attributes
    named = dict(zip(INPUTS, node.inputs, strict=False))
    direction = found.get("direction", "forward")
    if direction not in ("forward", "bidirectional"):
        raise InteropError(
            f"{place}: expected the direction forward or bidirectional, found {direction!r}; a lone reverse direction"
            " has no place in a network here"
        )
    directions = 2 if direction == "bidirectional" else 1
    activations = [str(one).lower() for one in found.get("activations", [])]
    if activations not in ([], DEFAULT_ACTIVATIONS * directions):
        raise InteropError(f"{place}: expected the activations Sigmoid, Tanh, Tanh, found {found['activations']}")
    for attribute in ("clip", "input_forget", "layout"):
        if found.get(attribute):
            raise InteropError(f"{place}: expected {attribute} 0, found {found[attribute]}; it is not imported")
    if (peephole := named.get("p")) and (peephole not in graph.stored or np.any(graph.array(peephole))):
        raise InteropError(f"{place}: expected no peepholes, found {peephole!r}; the equations here have none")
    hidden = found.get("hidden_size")
    if not isinstance(hidden, int) or hidden < 1 or not {"x", "w", "r"} <= named.keys():
        raise InteropError(f"{place}: expected hidden_size, X, W and R, found {hidden} and {len(named)} inputs")
    return LSTMNode(
        name=name,
        x=named["x"],
        y=node.outputs[0] if node.outputs else "",
        w=named["w"],
        r=named["r"],
        b=named.get("b", ""),
        initial_h=named.get("initial_h", ""),
        initial_c=named.get("initial_c", ""),
        hidden=hidden,
        directions=directions,
    )


def _below(
    graph: ForeignGraph,
    x: str,
    makers: Mapping[str, ForeignNode],
    by_output: Mapping[str, str],
    lstms: Mapping[str, LSTMNode],
) -> str | None:
    """The LSTM whose states x is, side by side, or None: walks back over what may stand between."""
    steps: list[ForeignNode] = []
    while x not in by_output and x in makers and len(steps) < MOST_STEPS:
        steps.append(makers[x])
        x = steps[-1].inputs[0] if steps[-1].inputs else ""
    if x not in by_output:
        return None
    below = lstms[by_output[x]]
    steps = [node for node in reversed(steps) if node.operator not in ("Identity", "Dropout")]
    flips = [node for node in steps if node.operator == "Transpose" and node.attributes.get("perm") == [1, 0, 2]]
    joining = [node for node in steps if node not in flips]
    if len(flips) % 2 or steps[: len(joining)] != joining:
        return None  # batch and time changed places
    return below.name if _joins(graph, joining, below) else None


def _joins(graph: ForeignGraph, steps: list[ForeignNode], below: LSTMNode) -> bool:
    """Whether the steps make (time, batch, directions * hidden) of (time, directions, batch, hidden)."""
    operators = [node.operator for node in steps]
    if operators == ["Squeeze"] and below.directions == 1:
        return _axes(graph, steps[0]) == [1]
    if operators == ["Transpose", "Reshape"] and steps[0].attributes.get("perm") == [0, 2, 1, 3]:
        shape = _integers(graph, steps[1].inputs[1]) if len(steps[1].inputs) > 1 else []
        return len(shape) == 3 and shape[2] in (-1, below.directions * below.hidden)
    return False


def _axes(graph: ForeignGraph, node: ForeignNode) -> list[int]:
    if "axes" in node.attributes:
        return [int(axis) for axis in node.attributes["axes"]]
    return _integers(graph, node.inputs[1]) if len(node.inputs) > 1 else []


def _integers(graph: ForeignGraph, name: str) -> list[int]:
    return [int(value) for value in graph.array(name).ravel()] if name in graph.stored else []


def start_rows(graph: ForeignGraph, node: LSTMNode, where: str) -> tuple[dict[str, tuple[str, Array]], str]:
    """The stored start states, rows (directions, hidden) by `h0` and `c0`, and a remark on those that are not."""
    makers = {output: one for one in graph.nodes for output in one.outputs if output}
    found: dict[str, tuple[str, Array]] = {}
    given = []
    for target, name in (("h0", node.initial_h), ("c0", node.initial_c)):
        origin, moved = _origin(graph, name, makers)
        if origin in graph.inputs:
            given.append(name)
            continue
        values = _values(graph, origin, makers) if origin else np.zeros(1)
        if values is None:
            raise InteropError(
                f"{where}: LSTM {node.name!r}: expected a start state that is stored or given, found that the graph"
                f" computes {name!r}; only its weights could be kept, so it is not imported"
            )
        if np.any(values):
            found[target] = (origin, _rows(values, node, moved, f"{where}: {origin}"))
    remark = f"LSTM {node.name}: its start states are inputs of the graph, zeros are taken" if given else ""
    return found, remark


def _origin(graph: ForeignGraph, name: str, makers: Mapping[str, ForeignNode]) -> tuple[str, bool]:
    """Where a start state comes from, over steps that make no new values, and whether one of them may move values."""
    moved = False
    for _ in range(MOST_STEPS):
        if name in graph.stored or name not in makers or makers[name].operator not in SAME_VALUES:
            break
        moved = moved or makers[name].operator not in ("Expand", "Identity")
        name = makers[name].inputs[0]
    return name, moved


def _values(graph: ForeignGraph, name: str, makers: Mapping[str, ForeignNode]) -> Array | None:
    """The stored values; the one value, of any shape, of ConstantOfShape; None where they are computed."""
    if name in graph.stored:
        return cast(Array, graph.array(name))
    if name not in makers or makers[name].operator != "ConstantOfShape":
        return None
    value = makers[name].attributes.get("value")  # zero where there is none
    return np.zeros(1, dtype=np.float32) if value is None else cast(Array, graph.unpacked(value, name))


def _rows(values: Array, node: LSTMNode, moved: bool, where: str) -> Array:
    """(directions, hidden) of (directions, batch, hidden), where every sentence starts alike."""
    fits = values.ndim == 3 and values.shape[::2] == (node.directions, node.hidden) and values.shape[1] > 0
    if moved or not fits or np.any(values != values[:, :1]):
        raise InteropError(
            f"{where}: expected one start state for all sentences, ({node.directions}, 1, {node.hidden}), found"
            f" {values.shape}; it is not imported"
        )
    return values[:, 0]
