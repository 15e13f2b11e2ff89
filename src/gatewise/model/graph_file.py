"""model.onnx as far as gatewise writes it: bytes in, a frozen `Graph` out, and nothing else is understood.

Each message of ONNX has here the fields that are read, and those that are refused: graphs inside nodes, functions,
sparse arrays, numbers that are not plain bytes. Arrays stay in the bytes they came in, and each is as long as its shape
says; those that stand in the file of the weights are known by their place there, and no other file is named. Source:
onnx.proto of ONNX 1.16 to 1.20, IR versions up to 13.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.model.archive_files import WEIGHTS_FILE
from gatewise.model.protobuf import DamagedError, Field, ForeignError, Message, parse_message

# ONNX's number of a kind of numbers → NumPy's; kinds that are not here are refused.
NUMBER_TYPES: Mapping[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    3: np.dtype("i1"),
    7: np.dtype("<i8"),
    10: np.dtype("<f2"),
}

_REMARKS = "remarks of another program"


def _many(name: str, kind: str, message: Message | None = None) -> Field:
    return Field(name=name, kind=kind, many=True, message=message)


def _one(name: str, kind: str, message: Message | None = None) -> Field:
    return Field(name=name, kind=kind, message=message)


# The numbers of fields that `shared_arrays` and `graph_part` write anew, and what stands in them.
GRAPH_FIELD = 7  # of a model
NODE_FIELD, INITIALIZER_FIELD, OUTPUT_FIELD = 1, 5, 12  # of a graph
PLACE_FIELDS = {"raw": 9, "external_data": 13, "data_location": 14}
EXTERNAL = 1  # the data_location of an array in another file
LOCATION = "location"

_PLACE_ENTRY = Message(name="place", fields={1: _one("key", "text"), 2: _one("value", "text")})
TENSOR = Message(
    name="tensor",
    fields={
        1: _many("dims", "int"),
        2: _one("data_type", "int"),
        8: _one("name", "text"),
        PLACE_FIELDS["raw"]: _one("raw", "bytes"),
        PLACE_FIELDS["external_data"]: _many("external_data", "message", _PLACE_ENTRY),
        PLACE_FIELDS["data_location"]: _one("data_location", "int"),
    },
    foreign={
        **dict.fromkeys((3, 4, 5, 6, 7, 10, 11), "numbers that are not plain bytes"),
        **dict.fromkeys((12, 16), _REMARKS),
    },
)
_ATTRIBUTE = Message(
    name="attribute",
    fields={
        1: _one("name", "text"),
        2: _one("f", "float"),
        3: _one("i", "int"),
        4: _one("s", "text"),
        7: _many("floats", "float"),
        8: _many("ints", "int"),
        9: _many("strings", "text"),
        20: _one("type", "int"),
    },
    foreign={
        **dict.fromkeys((5, 10, 22, 23), "an array inside a node"),
        **dict.fromkeys((6, 11), "a graph inside a node"),
        **dict.fromkeys((14, 15), "a type inside a node"),
        13: _REMARKS,
        21: "a function's attribute",
    },
)
NODE = Message(
    name="node",
    fields={
        1: _many("input", "text"),
        2: _many("output", "text"),
        3: _one("name", "text"),
        4: _one("op_type", "text"),
        5: _many("attribute", "message", _ATTRIBUTE),
        7: _one("domain", "text"),
    },
    foreign={6: _REMARKS, 8: "an overloaded function", 9: _REMARKS, 10: "devices"},
)
_DIMENSION = Message(
    name="dimension", fields={1: _one("value", "int"), 2: _one("symbol", "text")}, foreign={3: _REMARKS}
)
_SHAPE = Message(name="shape", fields={1: _many("dim", "message", _DIMENSION)})
_ARRAY_TYPE = Message(name="type", fields={1: _one("elem_type", "int"), 2: _one("shape", "message", _SHAPE)})
_TYPE = Message(
    name="type",
    fields={1: _one("tensor", "message", _ARRAY_TYPE)},
    foreign={**dict.fromkeys((4, 5, 7, 8, 9), "values that are no arrays"), 6: _REMARKS},
)
VALUE = Message(
    name="value",
    fields={1: _one("name", "text"), 2: _one("type", "message", _TYPE)},
    foreign=dict.fromkeys((3, 4), _REMARKS),
)
_GRAPH = Message(
    name="graph",
    fields={
        NODE_FIELD: _many("node", "message", NODE),
        2: _one("name", "text"),
        INITIALIZER_FIELD: _many("initializer", "message", TENSOR),
        11: _many("input", "message", VALUE),
        OUTPUT_FIELD: _many("output", "message", VALUE),
    },
    foreign={
        13: "shapes of values inside",
        14: "quantization remarks",
        15: "sparse arrays",
        **dict.fromkeys((10, 16), _REMARKS),
    },
)
_OPSET = Message(name="operator set", fields={1: _one("domain", "text"), 2: _one("version", "int")})
_MODEL = Message(
    name="model",
    fields={
        1: _one("ir_version", "int"),
        2: _one("producer_name", "text"),
        GRAPH_FIELD: _one("graph", "message", _GRAPH),
        8: _many("opset_import", "message", _OPSET),
    },
    foreign={
        **dict.fromkeys((3, 4, 5, 6, 14), _REMARKS),
        20: "training steps",
        25: "functions",
        26: "devices",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`operator` is its domain ("" for ONNX's own) and its name; an input or output that is left out is ""."""

    operator: tuple[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedArray:
    """An array in the file of the weights: its kind of numbers and shape, and its bytes there, from `offset` on."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """`constants` by name, not copied, `placed` those that stand in the file of the weights; `outputs` by name, with
    the last entry of their declared shape."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, npt.NDArray[Any]]
    placed: Mapping[str, PlacedArray]
    inputs: tuple[str, ...]
    outputs: Mapping[str, int | str | None]


def parse_graph(content: bytes) -> Graph:
    """The graph in the bytes of a file.

    Raises DamagedError where that is no ONNX, ForeignError where it is but holds what gatewise never writes.
    """
    graph = parse_message(memoryview(content), _MODEL).get("graph")
    if graph is None:
        raise DamagedError("no graph in it")
    found = dict(map(_constant, graph["initializer"]))
    if len(found) != len(graph["initializer"]):
        raise DamagedError("two constants of one name")
    return Graph(
        nodes=tuple(map(_node, graph["node"])),
        constants={name: array for name, array in found.items() if not isinstance(array, PlacedArray)},
        placed={name: array for name, array in found.items() if isinstance(array, PlacedArray)},
        inputs=tuple(entry.get("name", "") for entry in graph["input"]),
        outputs={entry.get("name", ""): _last_dimension(entry) for entry in graph["output"]},
    )


def _constant(tensor: Mapping[str, Any]) -> tuple[str, npt.NDArray[Any] | PlacedArray]:
    name, kind, dims = tensor.get("name", ""), tensor.get("data_type", 0), tensor["dims"]
    if kind not in NUMBER_TYPES:
        raise ForeignError(f"{name} with numbers of kind {kind}")
    dtype, raw, place = NUMBER_TYPES[kind], tensor.get("raw", b""), _place(tensor)
    offset, length = place or (0, len(raw))
    if min(dims, default=1) < 1 or len(dims) > 8 or math.prod(dims) * dtype.itemsize != length:
        raise DamagedError(f"{name} of shape {tuple(dims)} in {length:,} bytes")
    if place:
        return name, PlacedArray(dtype=dtype, shape=tuple(dims), offset=offset, length=length)
    return name, np.frombuffer(raw, dtype=dtype).reshape(dims)


def _place(tensor: Mapping[str, Any]) -> tuple[int, int] | None:
    """Offset and length in the file of the weights; None where the numbers stand here."""
    entries = [(entry.get("key"), entry.get("value", "")) for entry in tensor["external_data"]]
    if not entries and "data_location" not in tensor:
        return None
    if tensor.get("data_location") != EXTERNAL or "raw" in tensor:
        raise ForeignError("an array in two places or in none")
    said = dict(entries)
    if len(entries) != len(said) or said.keys() != {LOCATION, "offset", "length"} or said[LOCATION] != WEIGHTS_FILE:
        raise ForeignError(f"weights outside the folder's {WEIGHTS_FILE}")
    if not all(said[key].isascii() and said[key].isdigit() and len(said[key]) < 16 for key in ("offset", "length")):
        raise DamagedError("an array whose place is no number")
    return int(said["offset"]), int(said["length"])


def _node(node: Mapping[str, Any]) -> Node:
    attributes = dict(map(_attribute, node["attribute"]))
    if len(attributes) != len(node["attribute"]):
        raise DamagedError("two attributes of one name")
    return Node(
        operator=(node.get("domain", ""), node.get("op_type", "")),
        inputs=tuple(node["input"]),
        outputs=tuple(node["output"]),
        attributes=attributes,
    )


def _attribute(attribute: Mapping[str, Any]) -> tuple[str, Any]:
    single = [attribute[key] for key in ("f", "i", "s") if key in attribute]
    several = [attribute[key] for key in ("floats", "ints", "strings") if attribute[key]]
    if len(single) + len(several) != 1:
        raise DamagedError(f"attribute {attribute.get('name', '')} with {len(single) + len(several)} values")
    return attribute.get("name", ""), single[0] if single else tuple(several[0])


def _last_dimension(value: Mapping[str, Any]) -> int | str | None:
    dims = value.get("type", {}).get("tensor", {}).get("shape", {}).get("dim", [])
    last = dims[-1] if dims else {}
    return last.get("value", last.get("symbol"))
