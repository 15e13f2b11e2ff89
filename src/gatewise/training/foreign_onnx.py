"""ONNX files that others wrote, as plain nodes and arrays.

In: the path of a model. Out: its nodes in their order, with their attributes as Python values, and the arrays that it
stores, read when they are asked for; external data are looked for beside the model and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.errors import InteropError, MissingExtraError

LARGEST = 2**31  # bytes, the limit of the format itself; weights beyond it stand in files of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignNode:
    """One node; an input that is left out is empty."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignGraph:
    """The nodes of the main graph, the names of its inputs, and the tensors that it stores, by name."""

    nodes: tuple[ForeignNode, ...]
    inputs: frozenset[str]
    stored: Mapping[str, Any]
    folder: Path

    def array(self, name: str) -> npt.NDArray[np.generic]:
        """One stored tensor."""
        return self.unpacked(self.stored[name], name)

    def unpacked(self, tensor: Any, name: str) -> npt.NDArray[np.generic]:
        """The numbers of a tensor, which may be an attribute of a node; `name` is for messages."""
        from onnx import TensorProto, external_data_helper, numpy_helper

        try:
            if tensor.data_location == TensorProto.EXTERNAL:
                external_data_helper.load_external_data_for_tensor(tensor, str(self.folder))
                tensor.data_location = TensorProto.DEFAULT
            array: npt.NDArray[np.generic] = numpy_helper.to_array(tensor)
        except Exception as error:  # its checks of paths and sizes raise various kinds
            reason = " ".join(str(error).split())[:120]
            raise InteropError(f"{self.folder}: tensor {name!r}: expected its data, found none ({reason})") from error
        return array


def read_graph(path: Path) -> ForeignGraph:
    """The main graph of an ONNX file."""
    try:
        import onnx
        from onnx import AttributeProto, helper
    except ImportError as error:
        raise MissingExtraError(
            f'reading {path} needs onnx ({error.name} is missing): pip install "gatewise[import]"'
        ) from error
    if path.stat().st_size > LARGEST:
        raise InteropError(f"{path}: expected at most {LARGEST:,} bytes, found more; keep the weights as external data")
    try:
        graph = onnx.load_model_from_string(path.read_bytes()).graph
    except Exception as error:  # protobuf's own kinds, which the package onnx does not name
        raise InteropError(f"{path}: expected an ONNX model, found a damaged file ({error}); copy it again") from error
    stored = {_text(tensor.name): tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        plain = {_text(one.name): one for one in node.attribute if one.type != AttributeProto.GRAPH}
        operator, domain, outputs = _text(node.op_type), _text(node.domain), tuple(map(_text, node.output))
        if operator == "Constant" and "value" in plain and outputs:
            stored[outputs[0]] = plain["value"].t
        nodes.append(
            ForeignNode(
                name=_text(node.name),
                operator=operator if domain in ("", "ai.onnx") else f"{domain}.{operator}",
                inputs=tuple(map(_text, node.input)),
                outputs=outputs,
                attributes={name: _value(helper.get_attribute_value(one)) for name, one in plain.items()},
            )
        )
    if not nodes:
        raise InteropError(f"{path}: expected an ONNX model, found none that has nodes; is the file whole?")
    return ForeignGraph(
        nodes=tuple(nodes),
        inputs=frozenset(_text(entry.name) for entry in graph.input) - stored.keys(),
        stored=stored,
        folder=path.parent,
    )


def _text(value: str | bytes) -> str:
    """A field of text; protobuf hands out bytes where it is no UTF-8."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value


def _value(value: Any) -> Any:
    """Bytes as text, repeated fields as lists."""
    if isinstance(value, bytes):
        return _text(value)
    return [_value(entry) for entry in value] if isinstance(value, list | tuple) else value
