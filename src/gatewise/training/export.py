"""The runtime's graph: the trained weights as ONNX, so that tagging needs no torch.

In: the configuration and the arrays of the archive. Out: the bytes of model.onnx. Inputs are `tokens` (time, batch),
`lengths` (batch,), and what the model has of: `bigrams` (time + 1, batch), `form_of` (time, batch), and a distinct form
a column `characters` (longest, forms) with `spelling_lengths` (forms,), `shapes` (1, forms), `prefixes` and `suffixes`
(affix_length, forms). Outputs are `x`, what the first layer reads, (time, batch, input_size), and `emissions` (time,
batch, num_tags), with `emissions.NAME` for each further head. ONNX orders the LSTM's gates i|o|f|c; ours, and
PyTorch's, are i|f|g|o. Source: the ONNX operator specification, LSTM-14, RNN-14 and Conv-11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from gatewise.model.config import Config
from gatewise.model.features import (
    CHARACTERS,
    FORM_OF,
    SPELLING_LENGTHS,
    SentenceFeature,
    features_of,
    graph_inputs,
)
from gatewise.model.heads import MAIN_HEAD, emissions_name, weights_prefix
from gatewise.model.parameters import CHARACTER_WIDTH, directions, input_size

OPSET = 17
IR_VERSION = 8

Arrays = Mapping[str, npt.NDArray[np.floating]]


class _Graph:
    """Nodes and constants in the order they are added; constants in float16 are widened in the graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], output: str, *, skipped: int = 0, **attributes: Any) -> str:
        """A node and its output; `skipped` outputs before it are not asked for."""
        self.nodes.append(helper.make_node(operator, inputs, [""] * skipped + [output], name=output, **attributes))
        return output

    def constant(self, name: str, array: npt.NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def widened(self, name: str, array: npt.NDArray[np.generic]) -> str:
        stored = self.constant(name, array)
        return stored if array.dtype != np.float16 else self.add("Cast", [stored], f"{name}.wide", to=TensorProto.FLOAT)


def onnx_graph(config: Config, arrays: Arrays) -> bytes:
    """The whole tagger up to its heads' emissions, serialized. `arrays` are float32 or float16, all of one kind."""
    graph = _Graph()
    layer_input = _embed(graph, config, arrays)
    for layer in range(config.encoder.layers):
        states = _recurrent(graph, config, arrays, layer, layer_input)
        is_residual = config.encoder.residual and layer > 0
        layer_input = graph.add("Add", [states, layer_input], f"residual_l{layer}") if is_residual else states
    heads = [_emit(graph, arrays, name, layer_input) for name in (MAIN_HEAD, *config.heads)]
    inputs = [
        helper.make_tensor_value_info(name, *_INPUTS[name]) for name in [*graph_inputs(config.features), "lengths"]
    ]
    outputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", "batch", input_size(config)]),
        *heads,
    ]
    made = helper.make_graph(graph.nodes, "gatewise_tagger", inputs, outputs, graph.constants)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="gatewise"
    )
    onnx.checker.check_model(model, full_check=True)
    serialized: bytes = model.SerializeToString()
    return serialized


_INPUTS: dict[str, tuple[int, list[str | int]]] = {
    "tokens": (TensorProto.INT64, ["time", "batch"]),
    "bigrams": (TensorProto.INT64, ["edges", "batch"]),
    "characters": (TensorProto.INT64, ["longest", "forms"]),
    "shapes": (TensorProto.INT64, [1, "forms"]),
    "prefixes": (TensorProto.INT64, ["affixes", "forms"]),
    "suffixes": (TensorProto.INT64, ["affixes", "forms"]),
    "form_of": (TensorProto.INT64, ["time", "batch"]),
    "spelling_lengths": (TensorProto.INT32, ["forms"]),
    "lengths": (TensorProto.INT32, ["batch"]),
}


def _emit(graph: _Graph, arrays: Arrays, head: str, states: str) -> onnx.ValueInfoProto:
    """The emissions of a head, as an output of the graph."""
    prefix, output = weights_prefix(head), emissions_name(head)
    weight, bias = (np.asarray(arrays[f"{prefix}emission.{kind}"]) for kind in ("weight", "bias"))
    factor = graph.widened(f"{prefix}emission.weight", weight.T)  # (states, num_tags)
    summand = graph.widened(f"{prefix}emission.bias", bias)
    product = graph.add("MatMul", [states, factor], f"{prefix}emission_product")
    graph.add("Add", [product, summand], output)
    return helper.make_tensor_value_info(output, TensorProto.FLOAT, ["time", "batch", len(bias)])


def _embed(graph: _Graph, config: Config, arrays: Arrays) -> str:
    """x, named `x`: the parts of each feature, see `model.features`."""
    parts: list[str] = []
    of_forms: list[str] = []
    spell = _spelling_lstm if config.features.characters == "lstm" else _spelling_cnn
    for feature in features_of(config.features):
        embedded = _look_up(graph, feature.weight, arrays, feature.name)
        if isinstance(feature, SentenceFeature):
            parts += _shifted(graph, feature, embedded)
        elif feature.name == CHARACTERS:
            of_forms.append(spell(graph, embedded, arrays))
        else:
            of_forms.append(_flattened(graph, embedded, feature.part_size * len(feature.parts), feature.name))
    if of_forms:
        joined = graph.add("Concat", of_forms, "forms.vectors", axis=1)  # (forms, size)
        parts.append(graph.add("Gather", [joined, FORM_OF], "forms.of_tokens"))
    return graph.add("Concat", parts, "x", axis=2) if len(parts) > 1 else graph.add("Identity", parts, "x")


def _shifted(graph: _Graph, feature: SentenceFeature, embedded: str) -> list[str]:
    """The parts of a feature that has more keys than tokens: part n of token t is read at n + t."""
    last = len(feature.parts) - 1
    if not last:
        return [embedded]
    zero = graph.constant(f"{feature.name}.time_axis", np.array([0]))
    parts = []
    for number, part in enumerate(feature.parts):
        start = graph.constant(f"{part}.start", np.array([number]))
        stop = graph.constant(f"{part}.stop", np.array([number - last or np.iinfo(np.int64).max]))
        parts.append(graph.add("Slice", [embedded, start, stop, zero], part))
    return parts


def _flattened(graph: _Graph, vectors: str, size: int, name: str) -> str:
    """(parts, forms, part_size) as (forms, parts * part_size)."""
    swapped = graph.add("Transpose", [vectors], f"{name}.swapped", perm=[1, 0, 2])
    return graph.add("Reshape", [swapped, graph.constant(f"{name}.shape", np.array([0, size]))], f"{name}.flat")


def _spelling_lstm(graph: _Graph, embedded: str, arrays: Arrays) -> str:
    """The last states of both directions: (forms, 2*hidden)."""
    weights = _stacked(graph, arrays, "character_lstm", 0, ("", "_reverse"), _to_onnx_order)
    hidden = arrays["character_lstm.weight_hh_l0"].shape[1]
    last = graph.add(
        "LSTM",
        [embedded, *weights, SPELLING_LENGTHS],
        "spelling.last",
        skipped=1,
        hidden_size=hidden,
        direction="bidirectional",
    )  # (directions, forms, hidden)
    return _flattened(graph, last, 2 * hidden, "spelling")


def _spelling_cnn(graph: _Graph, embedded: str, arrays: Arrays) -> str:
    """tanh of each filter's largest value within the word: (forms, filters)."""
    zero, one = graph.constant("spelling.zero", np.array(0)), graph.constant("spelling.one", np.array(1))
    sizes = graph.add("Shape", [CHARACTERS], "spelling.sizes")
    longest = graph.add("Gather", [sizes, zero], "spelling.longest")
    positions = graph.add("Range", [zero, longest, one], "spelling.positions")
    lengths = graph.add("Cast", [SPELLING_LENGTHS], "spelling.lengths", to=TensorProto.INT64)
    last_axis = graph.constant("spelling.last_axis", np.array([1]))
    column = graph.add("Unsqueeze", [lengths, last_axis], "spelling.column")
    inside = graph.add("Less", [positions, column], "spelling.inside")  # (forms, longest)
    inside = graph.add("Unsqueeze", [inside, last_axis], "spelling.mask")  # (forms, 1, longest)
    turned = graph.add("Transpose", [embedded], "spelling.turned", perm=[1, 2, 0])  # (forms, dim, longest)
    nothing = graph.constant("spelling.nothing", np.array(0.0, dtype=np.float32))
    alone = graph.add("Where", [inside, turned, nothing], "spelling.alone")
    weight, bias = (
        graph.widened(f"character_cnn.{kind}", np.asarray(arrays[f"character_cnn.{kind}"]))
        for kind in ("weight", "bias")
    )
    edge = CHARACTER_WIDTH // 2
    values = graph.add("Conv", [alone, weight, bias], "spelling.values", pads=[edge, edge])
    least = graph.constant("spelling.least", np.array(-np.inf, dtype=np.float32))
    kept = graph.add("Where", [inside, values, least], "spelling.kept")  # (forms, filters, longest)
    largest = graph.add("ReduceMax", [kept], "spelling.largest", axes=[2], keepdims=0)
    return graph.add("Tanh", [largest], "spelling.flat")


def _look_up(graph: _Graph, name: str, arrays: Arrays, ids: str) -> str:
    """Rows of an embedding; the few rows are widened, not the table."""
    table = np.asarray(arrays[name])
    rows = graph.add("Gather", [graph.constant(name, table), ids], f"{ids}.rows")
    return rows if table.dtype != np.float16 else graph.add("Cast", [rows], f"{ids}.wide", to=TensorProto.FLOAT)


def _recurrent(graph: _Graph, config: Config, arrays: Arrays, layer: int, layer_input: str) -> str:
    """One layer, its directions side by side: (time, batch, directions * hidden)."""
    encoder = config.encoder
    reorder = _to_onnx_order if encoder.kind == "lstm" else np.asarray
    inputs = _stacked(graph, arrays, "encoder", layer, directions(config), reorder)
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


def _stacked(
    graph: _Graph, arrays: Arrays, prefix: str, layer: int, suffixes: Sequence[str], reorder: Callable[[Any], Any]
) -> list[str]:
    """The weights of a layer, its directions one after the other, as the operators LSTM and RNN take them."""
    stacked: dict[str, list[npt.NDArray[np.generic]]] = {"weight_ih": [], "weight_hh": [], "bias": []}
    for suffix in suffixes:
        named = {
            kind: reorder(np.asarray(arrays[f"{prefix}.{kind}_l{layer}{suffix}"]))
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        stacked["weight_ih"].append(named["weight_ih"])
        stacked["weight_hh"].append(named["weight_hh"])
        stacked["bias"].append(np.concatenate([named["bias_ih"], named["bias_hh"]]))
    return [graph.widened(f"{prefix}.{kind}_l{layer}", np.stack(blocks)) for kind, blocks in stacked.items()]


def _to_onnx_order(array: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Blocks i|f|g|o to i|o|f|c."""
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])
