"""A character language model in the runtime's graph: its states at the tokens, as parts of x.

In: a graph, the configuration, the stored arrays, the vectors of characters. Out: (time, batch, size) of a direction.
The LSTM runs over the characters with the lengths of the sentences, so that padding reaches no state; in a model on
whole numbers it does so on whole numbers, too. Source: the ONNX operator specification, LSTM-14, GatherND-13.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from gatewise.model.config import Config
from gatewise.model.context import CHARACTERS_READ, CONTEXT, FIRST, LAST, PARTS
from gatewise.model.features import ContextFeature
from gatewise.model.language_model_shapes import SUFFIXES, projection_name
from gatewise.model.numbers import MOST, STEP, runs_on_integers
from gatewise.training.export_layers import Direction, bounds, float_direction, input_limit, integer_direction
from gatewise.training.graph import Arrays, Graph

PLACES = (LAST, FIRST)  # where the states of each direction are read
_DIRECTIONS = {part: (suffix, places) for part, suffix, places in zip(PARTS, SUFFIXES, PLACES, strict=True)}


def language_states(graph: Graph, config: Config, arrays: Arrays, feature: ContextFeature, embedded: str) -> str:
    """The part of x of one direction, from the vectors of the characters (characters, batch, dim)."""
    part = feature.parts[0]
    suffix, places = _DIRECTIONS[part]
    one = Direction("language_model", 0, suffix, _lengths(graph, part))
    if runs_on_integers(config):
        limit = input_limit(MOST * float(np.asarray(arrays[feature.weight + STEP])[0]))
        edges = bounds(graph, f"{part}.bounds", limit, CONTEXT)
        layer_input = graph.add("Concat", [embedded, edges], f"{part}.input", axis=2)
        bounded = integer_direction(graph, arrays, one, layer_input)
        states = _units_alone(graph, part, bounded, config.features.language_model_hidden)
    else:
        states = float_direction(graph, arrays, one, embedded)  # (characters, batch, hidden)
    return _projected(graph, arrays, suffix, part, _at(graph, part, states, places))


def _lengths(graph: Graph, part: str) -> str:
    """How many characters each sentence has, as recurrent operators want it: (batch,) of 32 bits."""
    axis = graph.constant(f"{part}.first_axis", np.array([0]))
    flat = graph.add("Squeeze", [CHARACTERS_READ, axis], f"{part}.counts")
    return graph.add("Cast", [flat], f"{part}.lengths", to=TensorProto.INT32)


def _units_alone(graph: Graph, part: str, states: str, hidden: int) -> str:
    """The states without the further units of an integer layer."""
    edges = {"start": 0, "stop": hidden, "axis": 2}
    names = [graph.constant(f"{part}.units.{name}", np.array([value])) for name, value in edges.items()]
    return graph.add("Slice", [states, *names], f"{part}.units")


def _at(graph: Graph, part: str, states: str, places: str) -> str:
    """The states at the places (time, batch) of the tokens: (time, batch, hidden)."""
    by_sentence = graph.add("Transpose", [states], f"{part}.by_sentence", perm=[1, 0, 2])
    turned = graph.add("Transpose", [places], f"{part}.places", perm=[1, 0])
    axis = graph.constant(f"{part}.last_axis", np.array([2]))
    rows = graph.add("Unsqueeze", [turned, axis], f"{part}.rows_of_tokens")  # (batch, time, 1)
    read = graph.add("GatherND", [by_sentence, rows], f"{part}.read", batch_dims=1)  # (batch, time, hidden)
    return graph.add("Transpose", [read], f"{part}.states", perm=[1, 0, 2])


def _projected(graph: Graph, arrays: Arrays, suffix: str, part: str, states: str) -> str:
    """What the trained layer makes of the states, where there is one."""
    weight, bias = projection_name("weight", suffix), projection_name("bias", suffix)
    if weight not in arrays:
        return states
    factor = graph.widened(weight, np.asarray(arrays[weight]).T)  # (hidden, size)
    product = graph.add("MatMul", [states, factor], f"{part}.product")
    total = graph.add("Add", [product, graph.widened(bias, np.asarray(arrays[bias]))], f"{part}.sum")
    return graph.add("Tanh", [total], f"{part}.projected")
