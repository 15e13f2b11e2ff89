"""The border of this room: arrays come in as anyone made them, and go on with a known shape and float type.

In: arrays and the shape the equations need. Out: float arrays, or a ShapeError that says what was expected and found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatewise.errors import ShapeError

Array = NDArray[np.floating]


def expect_shape(name: str, array: Array, shape: tuple[int, ...], meaning: str) -> None:
    """Raise ShapeError unless `array` has exactly this shape; `meaning` says it in words: `(hidden,)`."""
    if np.shape(array) != shape:
        raise ShapeError(f"{name}: expected shape {shape}, that is {meaning}, found {np.shape(array)}")


def expect_matrix(name: str, array: Array, meaning: str) -> None:
    """Raise ShapeError unless `array` has two axes, neither of them empty."""
    if np.ndim(array) != 2 or 0 in np.shape(array):
        raise ShapeError(f"{name}: expected a matrix {meaning}, found shape {np.shape(array)}")


def sequence_input(x: ArrayLike, input_size: int) -> Array:
    """`x` as a read-only float array (time, input_size); its float type stays, whole numbers become float64."""
    array = np.asarray(x)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.ndim != 2 or array.shape[1] != input_size:
        raise ShapeError(f"x: expected shape (time, {input_size}), found {array.shape}; one row is one token")
    return read_only(array.view())


def state_line(start: Array, time: int, *, reverse: bool) -> tuple[Array, Array]:
    """Room for the states of `time` steps, in token order, and the same states as each step saw them before it.

    Both are views of one array (time + 1, hidden) that holds the start state at the end where reading begins.
    """
    line = np.empty((time + 1, len(start)), dtype=start.dtype)
    line[time if reverse else 0] = start
    return (line[:-1], line[1:]) if reverse else (line[1:], line[:-1])


def reading_order(time: int, *, reverse: bool) -> range:
    """The tokens in the order in which a direction reads them."""
    return range(time - 1, -1, -1) if reverse else range(time)


def read_only(array: Array) -> Array:
    """The same array, closed for writing: a record of a pass must not change."""
    array.setflags(write=False)
    return array
