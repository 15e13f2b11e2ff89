"""The runtime's graph: the trained weights as ONNX, so that tagging needs no torch.

In: the configuration and the arrays of the archive. Out: the bytes of model.onnx. Inputs are `tokens` (time, batch),
`lengths` (batch,), and what the model has of: `bigrams` (time + 1, batch), `form_of` (time, batch), and a distinct form
a column `characters` (longest, forms) with `spelling_lengths` (forms,), `shapes` (1, forms), `prefixes` and `suffixes`
(affix_length, forms); word sets: `lexicon_B` and its sisters (time, batch), `lexicon` and `lexicon_shares` (words,
sets). Outputs are `x`, what the first layer reads, (time, batch, input_size), and `emissions` (time,
batch, num_tags), with `emissions.NAME` for each further head. Layers: `training.export_layers`. Source: the ONNX
operator specification, Gather-13 to Conv-11.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from gatewise.model.config import Config
from gatewise.model.features import (
    CHARACTERS,
    FORM_OF,
    SPELLING_LENGTHS,
    ContextFeature,
    SentenceFeature,
    SetFeature,
    features_of,
    graph_inputs,
)
from gatewise.model.heads import MAIN_HEAD, emissions_name, weights_prefix
from gatewise.model.lexicon import LEXICON
from gatewise.model.numbers import BOUNDS, MOST, STEP, graph_input_size, runs_on_integers, step_of_x
from gatewise.model.parameters import CHARACTER_WIDTH
from gatewise.model.word_sets import SET_INPUTS, SHARES
from gatewise.training.export_language_states import language_states
from gatewise.training.export_layers import (
    INTEGER_DOMAIN,
    bounds,
    float_layer,
    input_limit,
    integer_layer,
    stacked,
    to_onnx_order,
    without_bounds,
)
from gatewise.training.graph import Arrays, Graph

OPSET = 17
IR_VERSION = 8
INTEGER_OPSET = 1


def onnx_graph(config: Config, arrays: Arrays) -> bytes:
    """The whole tagger up to its heads' emissions, serialized; `arrays` as `model.numbers.stored` gives them."""
    graph = Graph()
    states, width = _encode(graph, config, arrays)
    heads = [_emit(graph, config, arrays, name, states, width) for name in (MAIN_HEAD, *config.heads)]
    inputs = [
        helper.make_tensor_value_info(name, *_INPUTS[name]) for name in [*graph_inputs(config.features), "lengths"]
    ]
    outputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["time", "batch", graph_input_size(config)]),
        *heads,
    ]
    made = helper.make_graph(graph.nodes, "gatewise_tagger", inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", OPSET)]
    if runs_on_integers(config):
        opsets.append(helper.make_opsetid(INTEGER_DOMAIN, INTEGER_OPSET))
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION, producer_name="gatewise")
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
    "language_model": (TensorProto.INT64, ["read", "batch"]),
    "language_model_first": (TensorProto.INT64, ["time", "batch"]),
    "language_model_last": (TensorProto.INT64, ["time", "batch"]),
    "language_model_lengths": (TensorProto.INT64, [1, "batch"]),
    "form_of": (TensorProto.INT64, ["time", "batch"]),
    "spelling_lengths": (TensorProto.INT32, ["forms"]),
    LEXICON: (TensorProto.INT64, ["words", "sets"]),
    SHARES: (TensorProto.FLOAT, ["words", "sets"]),
    **{name: (TensorProto.INT64, ["time", "batch"]) for name in SET_INPUTS},
    "lengths": (TensorProto.INT32, ["batch"]),
}


def _encode(graph: Graph, config: Config, arrays: Arrays) -> tuple[list[str], int]:
    """The states of the last layer, each direction's (time, batch, hidden), and hidden; an integer layer has its bounds
    in them. With residuals they are one, (time, batch, directions * hidden): the sum is of whole layers."""
    encoder, integer = config.encoder, runs_on_integers(config)
    add_layer = integer_layer if integer else float_layer
    limit = input_limit(MOST * step_of_x(config, arrays)) if integer else 0.0
    parts, states, before = _embed(graph, config, arrays), [""], ""
    for layer in range(encoder.layers):
        if integer:
            parts = [*parts, bounds(graph, f"bounds_l{layer}", limit)]
        layer_input = _joined(graph, parts, "x" if layer == 0 else f"input_l{layer}")
        states = add_layer(graph, config, arrays, layer, layer_input)
        if encoder.residual and encoder.layers > 1:
            output = _joined(graph, states, f"output_l{layer}")
            before = graph.add("Add", [output, before], f"residual_l{layer}") if before else output
            states = [before]
        parts, limit = states, float(layer + 1 if encoder.residual else 1)
    return states, encoder.hidden + (BOUNDS if integer else 0)


def _joined(graph: Graph, parts: list[str], name: str) -> str:
    return graph.add("Concat", parts, name, axis=2) if len(parts) > 1 else graph.add("Identity", parts, name)


def _emit(
    graph: Graph, config: Config, arrays: Arrays, head: str, states: list[str], width: int
) -> onnx.ValueInfoProto:
    """The emissions of a head, as an output of the graph: the sum of all states times their weights."""
    prefix, output = weights_prefix(head), emissions_name(head)
    weight, bias = (np.asarray(arrays[f"{prefix}emission.{kind}"]) for kind in ("weight", "bias"))
    if width > config.encoder.hidden:
        weight = without_bounds(weight, config.encoder.hidden)
    total = graph.widened(f"{prefix}emission.bias", bias)
    for number, (of_states, part) in enumerate(zip(states, np.split(weight.T, len(states)), strict=True)):
        factor = graph.widened(f"{prefix}emission.weight_{number}", part)  # (hidden, num_tags)
        product = graph.add("MatMul", [of_states, factor], f"{prefix}emission.product_{number}")
        last = number == len(states) - 1
        total = graph.add("Add", [product, total], output if last else f"{prefix}emission.sum_{number}")
    return helper.make_tensor_value_info(output, TensorProto.FLOAT, ["time", "batch", len(bias)])


def _embed(graph: Graph, config: Config, arrays: Arrays) -> list[str]:
    """The parts of x, each (time, batch, part_size): those of every feature, see `model.features`."""
    parts: list[str] = []
    of_forms: list[str] = []
    spell = _spelling_lstm if config.features.characters == "lstm" else _spelling_cnn
    for feature in features_of(config.features):
        place = feature.parts[0] if isinstance(feature, ContextFeature) else feature.name
        embedded = _look_up(graph, feature.weight, arrays, feature.name, place)
        if isinstance(feature, ContextFeature):
            parts.append(language_states(graph, config, arrays, feature, embedded))
        elif isinstance(feature, SentenceFeature):
            parts += _shifted(graph, feature, embedded)
        elif isinstance(feature, SetFeature):
            parts += _means(graph, feature, embedded)
        elif feature.name == CHARACTERS:
            of_forms.append(spell(graph, embedded, arrays))
        else:
            of_forms.append(_flattened(graph, embedded, feature.part_size * len(feature.parts), feature.name))
    if of_forms:
        joined = graph.add("Concat", of_forms, "forms.vectors", axis=1)  # (forms, size)
        parts.append(graph.add("Gather", [joined, FORM_OF], "forms.of_tokens"))
    return parts


def _shifted(graph: Graph, feature: SentenceFeature, embedded: str) -> list[str]:
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


def _means(graph: Graph, feature: SetFeature, embedded: str) -> list[str]:
    """The mean of each word set, (sets, part_size), and then those of the tokens."""
    column = graph.constant(f"{feature.name}.column", np.array([2]))
    shares = graph.add("Unsqueeze", [SHARES, column], f"{feature.name}.column_of_shares")
    weighted = graph.add("Mul", [embedded, shares], f"{feature.name}.weighted")  # (longest, sets, part_size)
    rows = graph.constant(f"{feature.name}.rows_of_sets", np.array([0]))
    means = graph.add("ReduceSum", [weighted, rows], f"{feature.name}.means", keepdims=0)
    return [graph.add("Gather", [means, part], f"{part}.vectors") for part in feature.parts]


def _flattened(graph: Graph, vectors: str, size: int, name: str) -> str:
    """(parts, forms, part_size) as (forms, parts * part_size)."""
    swapped = graph.add("Transpose", [vectors], f"{name}.swapped", perm=[1, 0, 2])
    return graph.add("Reshape", [swapped, graph.constant(f"{name}.shape", np.array([0, size]))], f"{name}.flat")


def _spelling_lstm(graph: Graph, embedded: str, arrays: Arrays) -> str:
    """The last states of both directions: (forms, 2*hidden)."""
    weights = stacked(graph, arrays, "character_lstm", 0, ("", "_reverse"), to_onnx_order)
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


def _spelling_cnn(graph: Graph, embedded: str, arrays: Arrays) -> str:
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


def _look_up(graph: Graph, name: str, arrays: Arrays, ids: str, place: str) -> str:
    """Rows of an embedding; the few rows are widened, not the table. `place` begins the names of what is made."""
    table = np.asarray(arrays[name])
    rows = graph.add("Gather", [graph.constant(name, table), ids], f"{place}.rows")
    if table.dtype == np.float32:
        return rows
    wide = graph.add("Cast", [rows], f"{place}.wide", to=TensorProto.FLOAT)
    if name + STEP not in arrays:
        return wide
    return graph.add("Mul", [wide, graph.constant(name + STEP, np.asarray(arrays[name + STEP]))], f"{place}.vectors")
