"""How the weights of a model are stored: as float32, in half precision, or most of them as whole numbers of 8 bits.

In: a configuration and float arrays, or the arrays of a file. Out: the arrays to store, or the float32 numbers that
they stand for. With `int8` every embedding table, and in an LSTM every matrix of the recurrent layers, is whole numbers
from -127 to 127 times a step, which stands beside them as `NAME.step`: one a table, and one a row of a matrix. All else
stays float32.

The steps are chosen so that the runtime's integer kernel loses nothing more. The tables share the step in which the
kernel counts x (but for that of characters, which are not in x), so each embedding is exact in it. In a row of a matrix
no two neighbors are together beyond 128: some processors add the products of such a pair in 16 bits, and 255 * 128 is
the most that fits (ADR 0023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gatewise.model.config import Config
from gatewise.model.context import CONTEXT
from gatewise.model.features import CHARACTERS, features_of
from gatewise.model.language_model_shapes import SUFFIXES, layer_name
from gatewise.model.parameters import Shape, input_size, recurrent_matrices

STEP = ".step"
MOST = 127  # the largest whole number that is stored
MOST_OF_A_PAIR = 128
BOUNDS = 2  # further numbers of an integer layer's input, and further units of its directions (ADR 0023)

Array = npt.NDArray[np.generic]
Float32s = npt.NDArray[np.float32]


def stored(config: Config, arrays: Mapping[str, Float32s], reach: float = 1.0) -> dict[str, Array]:
    """The arrays as a file holds them, in the numbers that the configuration names.

    With `reach` below 1 the steps of int8 tables are so much smaller, and what lies beyond 127 of them is cut: all
    others are rounded less.
    """
    numbers = config.archive.numbers
    if numbers != "int8":
        return {name: array.astype(np.dtype(numbers)) for name, array in arrays.items()}
    found: dict[str, Array] = {name: array.astype(np.float32) for name, array in arrays.items()}
    bound = reach * input_bound(config, arrays)
    for name in table_names(config):
        of_table = bound if name in _tables_of_x(config) else float(np.abs(arrays[name]).max(initial=0.0)) or 1.0
        found |= _in_steps(name, found[name], np.full(1, of_table / MOST, dtype=np.float32))
    for name in integer_matrices(config):
        found |= _in_steps(name, found[name], _row_steps(arrays[name]))
    return found


def widened(arrays: Mapping[str, Array]) -> dict[str, Float32s]:
    """The float32 numbers that stored arrays stand for, under the names of the parameters."""
    found = {}
    for name, array in arrays.items():
        if name.endswith(STEP):
            continue
        found[name] = array.astype(np.float32)
        if name + STEP in arrays:
            found[name] *= arrays[name + STEP].astype(np.float32)[:, None]
    return found


def stored_shapes(config: Config, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shapes of the arrays in the file, from those of the parameters."""
    if config.archive.numbers != "int8":
        return dict(shapes)
    steps = dict.fromkeys(table_names(config), 1) | {name: shapes[name][0] for name in integer_matrices(config)}
    return {**shapes, **{name + STEP: (count,) for name, count in steps.items()}}


def runs_on_integers(config: Config) -> bool:
    """Whether the recurrent layers of the runtime's graph count in whole numbers; for the LSTM onnxruntime can."""
    return config.archive.numbers == "int8" and config.encoder.kind == "lstm"


def graph_input_size(config: Config) -> int:
    """The length of the graph's output `x`, which ends in its bounds where layers run on whole numbers."""
    return input_size(config) + (BOUNDS if runs_on_integers(config) else 0)


def is_integer(config: Config, name: str) -> bool:
    """Whether the array of this name is stored as whole numbers."""
    return config.archive.numbers == "int8" and name in (*table_names(config), *integer_matrices(config))


def table_names(config: Config) -> list[str]:
    """The embedding tables."""
    return [feature.weight for feature in features_of(config.features)]


def integer_matrices(config: Config) -> list[str]:
    """The matrices that are stored as whole numbers."""
    if not runs_on_integers(config):
        return []
    context = SUFFIXES if config.features.language_model_hidden else ()
    kinds = ("weight_ih", "weight_hh")
    return [*recurrent_matrices(config), *(layer_name(kind, suffix) for suffix in context for kind in kinds)]


def step_of_x(config: Config, arrays: Mapping[str, Array]) -> float:
    """The step that the tables of x share, from arrays as they are stored."""
    return float(np.asarray(arrays[_tables_of_x(config)[0] + STEP], dtype=np.float32)[0])


def input_bound(config: Config, arrays: Mapping[str, Float32s]) -> float:
    """What no number of x is beyond: the largest in the tables, and 1 for the networks inside words and the language
    model, which end in a tanh."""
    features = config.features
    networks = 1.0 if features.characters != "none" or features.language_model_hidden else 0.0
    of_tables = (float(np.abs(arrays[name]).max(initial=0.0)) for name in _tables_of_x(config))
    return max(networks, *of_tables) or 1.0


def _tables_of_x(config: Config) -> list[str]:
    """The tables whose rows are parts of x; those of characters are read by networks of their own."""
    return [feature.weight for feature in features_of(config.features) if feature.name not in (CHARACTERS, CONTEXT)]


def _in_steps(name: str, array: Array, steps: Float32s) -> dict[str, Array]:
    counts = np.clip(np.rint(array.astype(np.float32) / steps[:, None]), -MOST, MOST)
    return {name: counts.astype(np.int8), name + STEP: steps.astype(np.float32)}


def _row_steps(matrix: Float32s) -> Float32s:
    """A step for each row (rows,), so small that none is beyond 127 and no pair of neighbors beyond 128."""
    sizes = np.abs(matrix)
    neighbors = (sizes[:, 1:] + sizes[:, :-1]).max(axis=1, initial=0.0)
    # one is taken off, since rounding may add a half to each of a pair
    steps = np.maximum(sizes.max(axis=1) / MOST, neighbors / (MOST_OF_A_PAIR - 1))
    found: Float32s = np.where(steps > 0, steps, 1).astype(np.float32)
    return found
