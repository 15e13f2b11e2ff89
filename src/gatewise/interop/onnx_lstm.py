"""The operator LSTM of ONNX: its weights, and which LSTM reads which.

In: nodes and stored arrays. Out: the LSTM under PyTorch's names. ONNX keeps W (directions, 4*hidden, input), R
(directions, 4*hidden, hidden) and B (directions, 8*hidden), which is the bias of the input and then that of the hidden
state, all in blocks i|o|f|c. Peepholes, clipping, coupled gates, other activations and a lone reverse direction are
refused. Source: the ONNX operator specification, LSTM-22.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from gatewise.errors import InteropError
from gatewise.interop.imported import (
    ImportedLSTM,
    MappedTensor,
    choose,
    listed,
    order_change,
    reordered,
    widened,
)
from gatewise.interop.onnx_graph import LSTMNode, lstm_chains, start_rows
from gatewise.lstm.shapes import Array

if TYPE_CHECKING:
    from gatewise.training.foreign_onnx import ForeignGraph

ORDER = "iofg"  # ONNX calls g c


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a direction of a node goes."""

    node: LSTMNode
    direction: int
    suffix: str
    where: str


def lstm_of_graph(graph: ForeignGraph, prefix: str | None, where: str) -> ImportedLSTM:
    """The LSTM in a graph; `prefix` is the name of its first node where there are several."""
    chains = lstm_chains(graph, where)
    if not chains:
        found = sorted({node.operator for node in graph.nodes})
        raise InteropError(f"{where}: expected the operator LSTM, found {listed(found)}")
    _, nodes = choose(chains, prefix, where, "chain of LSTM nodes")
    mapping: list[MappedTensor] = []
    remarks: list[str] = []
    for number, node in enumerate(nodes):
        starts, remark = start_rows(graph, node, where)
        remarks += [remark] if remark else []
        for direction in range(node.directions):
            suffix = f"_l{number}{'_reverse' if direction else ''}"
            place = _Place(node=node, direction=direction, suffix=suffix, where=where)
            mapping += _weights(graph, place)
            mapping += _starts(starts, place)
    return ImportedLSTM(
        framework="ONNX", place=" ".join(node.name for node in nodes), mapping=tuple(mapping), remarks=tuple(remarks)
    )


def _weights(graph: ForeignGraph, place: _Place) -> Iterator[MappedTensor]:
    node, rows = place.node, 4 * place.node.hidden
    for name, target, width in ((node.w, "weight_ih", None), (node.r, "weight_hh", node.hidden)):
        array = _stored(graph, name, place)
        if array.ndim != 3 or array.shape[:2] != (node.directions, rows) or width not in (None, array.shape[2]):
            wanted = f"({node.directions}, {rows}, {width or 'input'})"
            raise InteropError(f"{place.where}: {name}: expected shape {wanted}, found {array.shape}")
        yield _mapped(array, array[place.direction], name, target, place)
    if node.b:
        array = _stored(graph, node.b, place)
        if array.shape != (node.directions, 2 * rows):
            wanted = f"({node.directions}, {2 * rows})"
            raise InteropError(f"{place.where}: {node.b}: expected shape {wanted}, found {array.shape}")
        halves = np.split(array[place.direction], 2)
        for part, half, target in zip(("first half", "second half"), halves, ("bias_ih", "bias_hh"), strict=True):
            yield _mapped(array, half, node.b, target, place, part=f", {part}")


def _mapped(whole: Array, part_of: Array, name: str, target: str, place: _Place, *, part: str = "") -> MappedTensor:
    array, change = widened(part_of, name, place.where)
    return MappedTensor(
        source=f"{name}[{place.direction}]",
        source_shape=whole.shape,
        target=target + place.suffix,
        array=reordered(array, ORDER),
        change=order_change(ORDER, candidate="c") + part + change,
    )


def _starts(starts: dict[str, tuple[str, Array]], place: _Place) -> Iterator[MappedTensor]:
    """The start states of the direction, where they are stored and not zeros."""
    for target, (name, rows) in starts.items():
        array, change = widened(rows[place.direction], name, place.where)
        yield MappedTensor(
            source=f"{name}[{place.direction}]",
            source_shape=rows.shape,
            target=target + place.suffix,
            array=array,
            change="as it was" + change,
        )


def _stored(graph: ForeignGraph, name: str, place: _Place) -> Array:
    if name not in graph.stored:
        raise InteropError(
            f"{place.where}: LSTM {place.node.name!r}: expected stored weights {name!r}, found that the graph computes"
            " them or takes them as an input; fold its constants first"
        )
    return cast(Array, graph.array(name))
