"""Whether a file may be run as the graph of a model, decided before onnxruntime sees it (ADR 0025).

In: the bytes of model.onnx, the weights beside it, and what the rest of the model asks of it (`Signature`). Out: the
arrays that the graph takes from the weights, or a ModelError. A graph passes when it holds nothing that gatewise does
not write (`graph_file`), has only the operators of `graph_shapes`, takes and gives what the model says, and no value in
it is larger than such a model needs, for a few tokens and for very many: what it costs in memory is known before it
runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from gatewise.errors import ModelError
from gatewise.model.config import Config
from gatewise.model.context import CHARACTERS_READ, CONTEXT, FIRST, LAST
from gatewise.model.features import CHARACTERS, FORM_OF, SPELLING_LENGTHS, graph_inputs
from gatewise.model.graph_file import Graph, parse_graph
from gatewise.model.graph_shapes import Shape, shapes_of, size_of
from gatewise.model.heads import emissions_name
from gatewise.model.lexicon import LEXICON
from gatewise.model.numbers import BOUNDS, STEP, Array, graph_input_size
from gatewise.model.parameters import directions
from gatewise.model.protobuf import DamagedError, ForeignError
from gatewise.model.shared_arrays import StoredPlace, places_in
from gatewise.model.weights import read_stored
from gatewise.model.word_sets import SET_INPUTS, SHARES

# What a graph is judged by: time, batch, longest form or word set, forms or sets, characters of the longest sentence.
# What grows faster than the text fails at the second.
Scale: TypeAlias = tuple[int, int, int, int, int]
SCALES: tuple[Scale, ...] = ((2, 3, 7, 5, 11), (1_000_003, 1_009, 101, 1_000_033, 3_000_017))
SPARE = 4  # so many times what the configuration adds up to


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a model asks of its graph: `inputs` by name, `outputs` with the size of their last axis.

    `widest`: the most numbers a place that any value needs; `nodes`: the most nodes.
    """

    config: Config
    inputs: tuple[str, ...]
    outputs: Mapping[str, int]
    widest: int
    nodes: int


def signature_of(config: Config, num_tags: Mapping[str, int]) -> Signature:
    """Of a configuration and the number of tags of each head."""
    outputs = {"x": graph_input_size(config)} | {emissions_name(name): size for name, size in num_tags.items()}
    states, features = (config.encoder.hidden + BOUNDS) * len(directions(config)), config.features
    inside_words = features.character_dim + 2 * features.character_hidden + features.character_filters
    inside_words += features.lexicon_dim if features.lexicon else 0
    in_context = 2 * (features.language_model_embedding + features.language_model_hidden + 2 * BOUNDS)
    in_language_model = 8 if features.language_model_hidden else 0
    return Signature(
        config=config,
        inputs=(*graph_inputs(features), "lengths"),
        outputs=outputs,
        widest=SPARE * (sum(outputs.values()) + states + inside_words + in_context),
        nodes=SPARE * (16 + 4 * config.encoder.layers + 2 * len(config.heads) + in_language_model),
    )


def check_graph(path: Path, content: bytes, signature: Signature, weights: Path) -> dict[str, Array]:
    """The arrays of the file `weights` that the graph takes from there, by name.

    Raises ModelError unless this is a graph that gatewise writes for such a model.
    """
    try:
        parsed = parse_graph(content)
        taken = _taken(parsed, weights)
        graph = replace(parsed, constants={**parsed.constants, **taken}, placed={})
        _check_numbers(graph)
        _check_names(path, graph, signature)
        for scale in SCALES:
            _check_sizes(graph, signature, scale)
        return taken
    except DamagedError as error:
        raise ModelError(f"{path}: expected an ONNX graph, found a damaged file ({error}); copy it again") from error
    except ForeignError as error:
        raise ModelError(
            f"{path}: expected a graph that gatewise wrote, found {error}; do not use it, get the model again from "
            "where it was made"
        ) from error


def _taken(graph: Graph, weights: Path) -> dict[str, Array]:
    """The arrays that the graph says stand in the file of the weights, which must be there just as it says."""
    if not graph.placed:
        return {}
    places = places_in(weights)
    for name, array in graph.placed.items():
        if places.get(name) != StoredPlace(offset=array.offset, length=array.length):
            raise DamagedError(f"{name} at another place than it has in {weights.name}")
    stored = read_stored(weights, lambda name: name in graph.placed or name + STEP in graph.placed)
    taken: dict[str, Array] = {}
    for name, placed in graph.placed.items():
        if stored[name].dtype != placed.dtype or stored[name].nbytes != placed.length:
            raise DamagedError(f"{name} in another kind of numbers than in {weights.name}")
        taken[name] = stored[name].reshape(placed.shape)
    return taken


def _check_numbers(graph: Graph) -> None:
    """Weights are finite; a number alone may be the least there is, before which a maximum begins."""
    for name, array in graph.constants.items():
        if array.dtype.kind == "f" and (np.isnan(array).any() or (array.size > 1 and np.isinf(array).any())):
            raise DamagedError(f"{name} with numbers that are not finite")


def _check_names(path: Path, graph: Graph, signature: Signature) -> None:
    """The graph must ask for what the runtime gives, and answer in the sizes that the rest of the model has."""
    if sorted(graph.inputs) == sorted(signature.inputs) and dict(graph.outputs) == dict(signature.outputs):
        return
    raise ModelError(
        f"{path}: expected inputs {', '.join(signature.inputs)} and outputs {_sizes(signature.outputs)}, found"
        f" {', '.join(graph.inputs)} and {_sizes(graph.outputs)}; this is the graph of another model, copy the"
        " whole folder again"
    )


def _check_sizes(graph: Graph, signature: Signature, scale: Scale) -> None:
    """No value is larger than such a model needs; the weights that are only widened are as large as they are."""
    if len(graph.nodes) > signature.nodes:
        raise ForeignError(f"{len(graph.nodes):,} nodes, where such a model has at most {signature.nodes:,}")
    time, batch, longest, forms, characters = scale
    inputs = _input_shapes(signature.config, scale)
    if shared := inputs.keys() & graph.constants.keys():
        raise ForeignError(f"a constant in the place of the input {min(shared)}")
    shapes = shapes_of(graph, {name: inputs[name] for name in graph.inputs})
    most = signature.widest * (time * batch + longest * forms + (characters * batch if CONTEXT in graph.inputs else 0))
    widened = _widened(graph)
    for name, shape in shapes.items():
        if name not in widened and size_of(shape) > most:
            raise ForeignError(f"{name} of shape {shape} for {time * batch:,} tokens")
    for name, size in signature.outputs.items():
        if shapes.get(name) != (time, batch, size):
            raise ForeignError(f"the output {name} in another shape than (time, batch, {size})")


def _widened(graph: Graph) -> set[str]:
    """Constants that a Cast widens, each once."""
    casts = [n for n in graph.nodes if n.operator == ("", "Cast") and n.inputs[0] in graph.constants]
    if len({node.inputs for node in casts}) != len(casts):
        raise ForeignError("a constant that is widened twice")
    return {node.outputs[0] for node in casts}


def _input_shapes(config: Config, scale: Scale) -> dict[str, Shape]:
    time, batch, longest, forms, characters = scale
    return {
        "tokens": (time, batch),
        "bigrams": (time + 1, batch),
        CHARACTERS: (longest, forms),
        "shapes": (1, forms),
        "prefixes": (config.features.affix_length, forms),
        "suffixes": (config.features.affix_length, forms),
        CONTEXT: (characters, batch),
        FIRST: (time, batch),
        LAST: (time, batch),
        CHARACTERS_READ: (1, batch),
        FORM_OF: (time, batch),
        SPELLING_LENGTHS: (forms,),
        LEXICON: (longest, forms),
        SHARES: (longest, forms),
        **dict.fromkeys(SET_INPUTS, (time, batch)),
        "lengths": (batch,),
    }


def _sizes(outputs: Mapping[str, object]) -> str:
    return ", ".join(f"{name} ({size})" for name, size in outputs.items())
