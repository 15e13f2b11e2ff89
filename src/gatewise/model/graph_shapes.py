"""The operators that a graph may have, and the shape that comes out of each: what a graph costs, known before it runs.

In: a `Graph` and the shapes of its inputs. Out: the shape of every value. `OPERATORS` is the list of what is allowed,
with each operator's attributes; to let the exporter use another operator, add it there. Source: the ONNX operator
specification, opset 17.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.model.graph_file import NUMBER_TYPES, Graph, Node
from gatewise.model.protobuf import ForeignError

Shape: TypeAlias = tuple[int, ...]
INT32 = 6  # ONNX's number for what lengths are counted in; no constant is of this kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A node with what is known of its inputs: `shapes`, and `values` of those that are constants or made of shapes."""

    node: Node
    shapes: tuple[Shape, ...]  # () for an input that is left out
    values: tuple[npt.NDArray[Any] | None, ...]

    def numbers(self, index: int) -> list[int]:
        """The whole numbers of an input, which must be known."""
        value = self.values[index]
        if value is None or value.dtype != np.int64:
            raise ForeignError(f"{_name(self.node)} with sizes that are not fixed")
        return [int(number) for number in value.ravel()]

    def attribute(self, name: str, default: Any = None) -> Any:
        return self.node.attributes.get(name, default)


Rule: TypeAlias = Callable[[Call], Shape]


def _same(call: Call) -> Shape:
    return call.shapes[0]


def _broadcast(call: Call) -> Shape:
    rank = max(map(len, call.shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in call.shapes]
    sizes = [{size for size in axis if size != 1} or {1} for axis in zip(*padded, strict=True)]
    _expect(all(len(axis) == 1 for axis in sizes), call)
    return tuple(axis.pop() for axis in sizes)


def _cast(call: Call) -> Shape:
    _expect(call.attribute("to") in (*NUMBER_TYPES, INT32), call)
    return call.shapes[0]


def _concat(call: Call) -> Shape:
    first, axis = call.shapes[0], _axis(call, call.attribute("axis"))
    _expect(all(s[:axis] + s[axis + 1 :] == first[:axis] + first[axis + 1 :] for s in call.shapes), call)
    return (*first[:axis], sum(shape[axis] for shape in call.shapes), *first[axis + 1 :])


def _conv(call: Call) -> Shape:
    (batch, channels, length), (filters, depth, width) = call.shapes[:2]
    before, after = call.attribute("pads")
    _expect(depth == channels and min(before, after) >= 0 and max(before, after) < width, call)
    return batch, filters, length + before + after - width + 1


def _gather(call: Call) -> Shape:
    data, indices = call.shapes
    return indices + data[1:]


def _gather_nd(call: Call) -> Shape:
    """Rows by their places along the axis after the first, which is that of the batch."""
    (batch, _, *row), (same, count, one) = call.shapes
    _expect(call.attribute("batch_dims") == 1 and batch == same and one == 1, call)
    return (batch, count, *row)


def _matmul(call: Call) -> Shape:
    left, (rows, columns) = call.shapes
    _expect(left[-1] == rows, call)
    return (*left[:-1], columns)


def _integer_lstm(call: Call) -> Shape:
    (time, batch, _), (directions, _, gates), (_, hidden, _) = call.shapes[:3]
    _expect(call.attribute("hidden_size") == hidden and gates == 4 * hidden, call)
    return time, directions, batch, hidden


def _range(call: Call) -> Shape:
    start, stop, step = (call.numbers(index)[0] for index in range(3))
    _expect(start == 0 and step == 1, call)
    return (max(stop, 0),)


def _recurrent(call: Call) -> Shape:
    (time, batch, _), (directions, _, _), (_, _, hidden) = call.shapes[:3]
    _expect(call.attribute("hidden_size") == hidden, call)
    return time, directions, batch, hidden


def _reduce(call: Call) -> Shape:
    (axis,) = call.attribute("axes")
    _expect(call.attribute("keepdims") == 0, call)
    return call.shapes[0][: _axis(call, axis)] + call.shapes[0][axis + 1 :]


def _reduce_sum(call: Call) -> Shape:
    (axis,) = call.numbers(1)
    _expect(call.attribute("keepdims") == 0, call)
    return call.shapes[0][: _axis(call, axis)] + call.shapes[0][axis + 1 :]


def _reshape(call: Call) -> Shape:
    shape, wanted = call.shapes[0], call.numbers(1)
    made = tuple(size or shape[axis] for axis, size in enumerate(wanted))
    _expect(min(wanted) >= 0 and size_of(made) == size_of(shape), call)
    return made


def _shape(call: Call) -> Shape:
    return (len(call.shapes[0]),)


def _slice(call: Call) -> Shape:
    (start,), (stop,), (axis,) = (call.numbers(index) for index in (1, 2, 3))
    _expect(len(call.shapes) == 4, call)
    found = list(call.shapes[0])
    found[_axis(call, axis)] = len(range(*slice(start, stop).indices(found[axis])))
    return tuple(found)


def _squeeze(call: Call) -> Shape:
    (axis,) = call.numbers(1)
    _expect(call.shapes[0][_axis(call, axis)] == 1, call)
    return call.shapes[0][:axis] + call.shapes[0][axis + 1 :]


def _transpose(call: Call) -> Shape:
    order = call.attribute("perm")
    _expect(sorted(order) == list(range(len(call.shapes[0]))), call)
    return tuple(call.shapes[0][axis] for axis in order)


def _unsqueeze(call: Call) -> Shape:
    (axis,) = call.numbers(1)
    _expect(0 <= axis <= len(call.shapes[0]), call)
    return (*call.shapes[0][:axis], 1, *call.shapes[0][axis:])


# Domain and name of an operator → the shape of its first output, and the attributes that it may have.
OPERATORS: Mapping[tuple[str, str], tuple[Rule, frozenset[str]]] = {
    ("", "Add"): (_broadcast, frozenset()),
    ("", "Cast"): (_cast, frozenset({"to"})),
    ("", "Concat"): (_concat, frozenset({"axis"})),
    ("", "Conv"): (_conv, frozenset({"pads"})),
    ("", "Gather"): (_gather, frozenset()),
    ("", "GatherND"): (_gather_nd, frozenset({"batch_dims"})),
    ("", "Identity"): (_same, frozenset()),
    ("", "LSTM"): (_recurrent, frozenset({"hidden_size", "direction"})),
    ("", "Less"): (_broadcast, frozenset()),
    ("", "MatMul"): (_matmul, frozenset()),
    ("", "Mul"): (_broadcast, frozenset()),
    ("", "RNN"): (_recurrent, frozenset({"hidden_size", "direction"})),
    ("", "Range"): (_range, frozenset()),
    ("", "ReduceMax"): (_reduce, frozenset({"axes", "keepdims"})),
    ("", "ReduceSum"): (_reduce_sum, frozenset({"keepdims"})),
    ("", "Reshape"): (_reshape, frozenset()),
    ("", "Shape"): (_shape, frozenset()),
    ("", "Slice"): (_slice, frozenset()),
    ("", "Squeeze"): (_squeeze, frozenset()),
    ("", "Tanh"): (_same, frozenset()),
    ("", "Transpose"): (_transpose, frozenset({"perm"})),
    ("", "Unsqueeze"): (_unsqueeze, frozenset()),
    ("", "Where"): (_broadcast, frozenset()),
    ("com.microsoft", "DynamicQuantizeLSTM"): (_integer_lstm, frozenset({"hidden_size", "direction"})),
}


def size_of(shape: Shape) -> int:
    """How many numbers an array of this shape has."""
    size = 1
    for entry in shape:
        size *= entry
    return size


def shapes_of(graph: Graph, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shape of every value that nodes make, in their order.

    Raises ForeignError for an operator that is not allowed, and for a node that nothing can be said of.
    """
    shapes = {**inputs, **{name: array.shape for name, array in graph.constants.items()}, "": ()}
    values: dict[str, npt.NDArray[Any]] = dict(graph.constants)
    made: dict[str, Shape] = {}
    for node in graph.nodes:
        rule, attributes = _operator(node)
        if not shapes.keys() >= set(node.inputs) or shapes.keys() & set(node.outputs) - {""} or not node.outputs:
            raise ForeignError(f"{_name(node)} with inputs or outputs of other names than expected")
        if graph.constants.keys() >= set(node.inputs) and node.operator != ("", "Cast"):
            raise ForeignError(f"{_name(node)} of constants alone")
        if not node.attributes.keys() <= attributes:
            raise ForeignError(f"{_name(node)} with the attributes {', '.join(node.attributes)}")
        call = Call(
            node=node,
            shapes=tuple(shapes[name] for name in node.inputs),
            values=tuple(values.get(name) for name in node.inputs),
        )
        try:
            made |= _outputs(call, rule)
            value = _known(call)
        except (ValueError, TypeError, IndexError) as error:  # sizes that no such operator takes
            raise ForeignError(f"{_name(node)} with inputs that do not fit") from error
        shapes |= made
        if value is not None:
            values[node.outputs[0]] = value
    return made


def _operator(node: Node) -> tuple[Rule, frozenset[str]]:
    if node.operator not in OPERATORS:
        raise ForeignError(f"the operator {'.'.join(filter(None, node.operator))}")
    return OPERATORS[node.operator]


def _outputs(call: Call, rule: Rule) -> dict[str, Shape]:
    """Recurrent layers have further outputs, the last states: (directions, batch, hidden)."""
    first = rule(call)
    further = (first[1:],) * 2 if rule is _recurrent else ()
    _expect(len(call.node.outputs) <= 1 + len(further), call)
    return {name: shape for name, shape in zip(call.node.outputs, (first, *further), strict=False) if name}


def _known(call: Call) -> npt.NDArray[Any] | None:
    """What a node gives, where that is a size: a shape, or an entry of one."""
    if call.node.operator == ("", "Shape"):
        return np.array(call.shapes[0], dtype=np.int64)
    if call.node.operator == ("", "Gather") and call.values[0] is not None and call.values[1] is not None:
        return np.asarray(call.values[0][call.values[1]])
    return None


def _axis(call: Call, axis: Any) -> int:
    """The number of an axis of the first input."""
    _expect(type(axis) is int and 0 <= axis < len(call.shapes[0]), call)
    found: int = axis
    return found


def _expect(fits: bool, call: Call) -> None:
    if not fits:
        raise ForeignError(f"{_name(call.node)} with inputs that do not fit")


def _name(node: Node) -> str:
    return f"{node.operator[1]} ({(node.outputs or ('',))[0]})"
