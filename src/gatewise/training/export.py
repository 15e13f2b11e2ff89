"""The runtime's graph: the trained weights as ONNX, so that tagging needs no torch.

In: the configuration and the arrays of the archive. Out: the bytes of model.onnx. Inputs are `tokens` (time, batch),
`bigrams` (time + 1, batch) where the model has them, and `lengths` (batch,); outputs are `x`, what the first layer
reads, (time, batch, input_size), and `emissions` (time, batch, num_tags). ONNX orders the LSTM's gates i|o|f|c;
ours, and PyTorch's, are i|f|g|o. Source: the ONNX operator specification, LSTM-14 and RNN-14.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from gatewise.model.config import Config
from gatewise.model.parameters import directions, input_size

OPSET = 17
IR_VERSION = 8

Arrays = Mapping[str, npt.NDArray[np.floating]]


class _Graph:
    """Nodes and constants in the order they are added; constants in float16 are widened in the graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, array: npt.NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def widened(self, name: str, array: npt.NDArray[np.generic]) -> str:
        stored = self.constant(name, array)
        return stored if array.dtype != np.float16 else self.add("Cast", [stored], f"{name}.wide", to=TensorProto.FLOAT)


def onnx_graph(config: Config, arrays: Arrays) -> bytes:
    """The whole tagger up to its emissions, serialized. `arrays` are float32 or float16, all of one kind."""
    graph = _Graph()
    layer_input = _embed(graph, config, arrays)
    for layer in range(config.encoder.layers):
        layer_input = _recurrent(graph, config, arrays, layer, layer_input)
    weight = graph.widened("emission.weight", np.asarray(arrays["emission.weight"]).T)  # (states, num_tags)
    bias = graph.widened("emission.bias", np.asarray(arrays["emission.bias"]))
    product = graph.add("MatMul", [layer_input, weight], "emission_product")
    graph.add("Add", [product, bias], "emissions")
    num_tags = len(np.asarray(arrays["emission.bias"]))
    inputs = [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["time", "batch"])]
    if config.features.bigram_dim:
        inputs.append(helper.make_tensor_value_info("bigrams", TensorProto.INT64, ["edges", "batch"]))
    inputs.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]))
    outputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", "batch", input_size(config)]),
        helper.make_tensor_value_info("emissions", TensorProto.FLOAT, ["time", "batch", num_tags]),
    ]
    made = helper.make_graph(graph.nodes, "gatewise_tagger", inputs, outputs, graph.constants)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="gatewise"
    )
    onnx.checker.check_model(model, full_check=True)
    serialized: bytes = model.SerializeToString()
    return serialized


def _embed(graph: _Graph, config: Config, arrays: Arrays) -> str:
    """x, named `x`: the vectors of the token, of the bigram it ends, of the bigram it begins."""
    parts = [_look_up(graph, "token_embedding.weight", arrays, "tokens")]
    if config.features.bigram_dim:
        embedded = _look_up(graph, "bigram_embedding.weight", arrays, "bigrams")
        bounds = {name: graph.constant(name, np.array([value])) for name, value in _BOUNDS.items()}
        for output, start, stop in (("bigram_before", "first", "but_last"), ("bigram_after", "second", "very_last")):
            parts.append(graph.add("Slice", [embedded, bounds[start], bounds[stop], bounds["first"]], output))
    return graph.add("Concat", parts, "x", axis=2) if len(parts) > 1 else graph.add("Identity", parts, "x")


_BOUNDS = {"first": 0, "second": 1, "but_last": -1, "very_last": np.iinfo(np.int64).max}  # along the axis "first", time


def _look_up(graph: _Graph, name: str, arrays: Arrays, ids: str) -> str:
    """Rows of an embedding; the few rows are widened, not the table."""
    table = np.asarray(arrays[name])
    rows = graph.add("Gather", [graph.constant(name, table), ids], f"{ids}.rows")
    return rows if table.dtype != np.float16 else graph.add("Cast", [rows], f"{ids}.wide", to=TensorProto.FLOAT)


def _recurrent(graph: _Graph, config: Config, arrays: Arrays, layer: int, layer_input: str) -> str:
    """One layer, its directions side by side: (time, batch, directions * hidden)."""
    encoder = config.encoder
    reorder = _to_onnx_order if encoder.kind == "lstm" else np.asarray
    stacked: dict[str, list[npt.NDArray[np.generic]]] = {"weight_ih": [], "weight_hh": [], "bias": []}
    for suffix in directions(config):
        named = {
            kind: reorder(np.asarray(arrays[f"encoder.{kind}_l{layer}{suffix}"]))
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        stacked["weight_ih"].append(named["weight_ih"])
        stacked["weight_hh"].append(named["weight_hh"])
        stacked["bias"].append(np.concatenate([named["bias_ih"], named["bias_hh"]]))
    inputs = [graph.widened(f"encoder.{kind}_l{layer}", np.stack(blocks)) for kind, blocks in stacked.items()]
    states = graph.add(
        encoder.kind.upper(),
        [layer_input, *inputs, "lengths"],
        f"states_l{layer}",  # (time, directions, batch, hidden)
        hidden_size=encoder.hidden,
        direction="bidirectional" if encoder.bidirectional else "forward",
    )
    swapped = graph.add("Transpose", [states], f"states_l{layer}.swapped", perm=[0, 2, 1, 3])
    shape = graph.constant(f"states_l{layer}.shape", np.array([0, 0, encoder.hidden * len(directions(config))]))
    return graph.add("Reshape", [swapped, shape], f"output_l{layer}")


def _to_onnx_order(array: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Blocks i|f|g|o to i|o|f|c."""
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])
