"""A graph of ONNX operators while it is put together: nodes and constants, in the order they are added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Arrays = Mapping[str, npt.NDArray[np.generic]]


class Graph:
    """Nodes and constants; constants in float16 are widened in the graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], output: str, *, skipped: int = 0, **attributes: Any) -> str:
        """A node and its output; `skipped` outputs before it are not asked for."""
        self.nodes.append(helper.make_node(operator, inputs, [""] * skipped + [output], name=output, **attributes))
        return output

    def constant(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """A constant and its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def widened(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """A constant that is float32 for whoever reads it."""
        stored = self.constant(name, array)
        return stored if array.dtype != np.float16 else self.add("Cast", [stored], f"{name}.wide", to=TensorProto.FLOAT)
