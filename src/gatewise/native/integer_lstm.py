"""The recurrent layers of an int8 model on the native kernel (`kernel.c`), beside onnxruntime's.

In: the stored arrays of a model, `model.numbers` says how; x (time, batch, input_size) and the lengths of a batch. Out:
the states of the last layer, and the emissions of a head. Here weights are packed and memory is laid out; everything
that is computed is computed there.

Unlike onnxruntime's kernel (ADR 0023) this one takes its steps from nowhere but the model: x is counted in the step of
its tables, a state in 127ths. So there are no bounds in x and no further units.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.native.library import Batch, Direction, Kernel, Output, aligned, pointer

Float32s = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]

UNITS, WIDTH, GATES, MOST, RAISED = 16, 64, 4, 127, 128  # as in kernel.c


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerWeights:
    """Of one direction, PyTorch's order i|f|g|o: `counts_ih` (4*hidden, input_size) and `counts_hh` (4*hidden, hidden)
    int8, the step of each row, and the sum of both biases, (4*hidden,)."""

    counts_ih: Array
    steps_ih: Array
    counts_hh: Array
    steps_hh: Array
    bias: Array

    @property
    def hidden(self) -> int:
        size: int = self.counts_hh.shape[1]
        return size


class IntegerLSTM:
    """Layers of directions, packed. `step_of_x`: x is counted in it, and nothing of x is beyond 127 of them."""

    def __init__(self, kernel: Kernel, layers: Sequence[Sequence[IntegerWeights]], step_of_x: float) -> None:
        self._kernel = kernel
        self._step_of_x = step_of_x
        self._layers: list[list[_Packed]] = []
        step, places = step_of_x, np.arange(layers[0][0].counts_ih.shape[1])
        for layer in layers:
            self._layers.append([_packed(weights, places, step, reverse=n == 1) for n, weights in enumerate(layer)])
            # what the next layer reads: the directions side by side, each filled up to whole blocks
            hidden = layer[0].hidden
            starts = UNITS * _whole(hidden, UNITS) * np.arange(len(layer))
            places, step = (starts[:, None] + np.arange(hidden)).ravel(), 1 / MOST
        self._places = places

    def states(self, x: Float32s, lengths: npt.NDArray[np.int32]) -> Float32s:
        """Of the last layer: (time, batch, width), the directions side by side, each filled up to blocks of 16; 0 at
        padding. `x` may have more numbers than the layers read."""
        lengths = np.ascontiguousarray(lengths, dtype=np.int32)
        columns = np.argsort(-lengths, kind="stable").astype(np.int32)
        of = Batch(pointer(lengths), pointer(columns), *x.shape[:2])
        counts = self._counted(np.ascontiguousarray(x))
        for layer, above in zip(self._layers, [*self._layers[1:], None], strict=True):
            shape = (*x.shape[:2], WIDTH * above[0].input_tiles if above else 0)
            states, counts = self._run(layer, of, counts, np.zeros(shape, dtype=np.uint8))
        return states

    def _counted(self, x: Float32s) -> Counts:
        """x as the first layer reads it."""
        time, batch, width = x.shape
        read = self._layers[0][0]
        counts = np.empty((time, batch, WIDTH * read.input_tiles), dtype=np.uint8)
        self._kernel.functions.gatewise_counts(
            pointer(x), time * batch, read.input_size, width, self._step_of_x, pointer(counts), counts.shape[2]
        )
        return counts

    def _run(self, layer: list[_Packed], of: Batch, counts: Counts, above: Counts) -> tuple[Float32s, Counts]:
        """The states of a layer, and `above` with their counts, where it has room for them."""
        width = layer[0].width
        states = np.empty((*counts.shape[:2], width * len(layer)), dtype=np.float32)
        for place, direction in enumerate(layer):
            to_above = pointer(above, place * width) if above.size else None
            out = Output(pointer(states, place * width), to_above, states.shape[2], above.shape[2])
            failed = self._kernel.functions.gatewise_lstm(
                ctypes.byref(direction.as_argument),
                ctypes.byref(of),
                pointer(counts),
                ctypes.byref(out),
                self._kernel.with_tiles,
            )
            if failed:
                raise MemoryError(f"an LSTM over {of.time:,} steps of {of.batch:,} sentences")
        return states, above

    def emitter(self, weight: Float32s, bias: Float32s) -> Emitter:
        """That of a head: `weight` (num_tags, directions * hidden), `bias` (num_tags,)."""
        width = len(self._layers[-1]) * self._layers[-1][0].width
        return Emitter(self._kernel, weight, bias, self._places, width)


class Emitter:
    """The emissions of a head, from the states as `IntegerLSTM.states` gives them."""

    def __init__(self, kernel: Kernel, weight: Float32s, bias: Float32s, places: Array, width: int) -> None:
        self._kernel = kernel
        self._num_tags = len(bias)
        padded = UNITS * _whole(len(bias), UNITS)
        self._weight = np.zeros((width, padded), dtype=np.float32)
        self._weight[places, : len(bias)] = weight.T
        self._bias = np.zeros(padded, dtype=np.float32)
        self._bias[: len(bias)] = bias

    def emissions(self, states: Float32s) -> Float32s:
        """(time, batch, num_tags)."""
        time, batch, width = states.shape
        found = np.empty((time, batch, self._num_tags), dtype=np.float32)
        self._kernel.functions.gatewise_emissions(
            pointer(states),
            time * batch,
            width,
            pointer(self._weight),
            pointer(self._bias),
            len(self._bias) // UNITS,
            self._num_tags,
            pointer(found),
        )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """A direction as the kernel reads it; `arrays` keeps what the argument points to."""

    input_size: int
    input_tiles: int
    width: int  # hidden, filled up to blocks
    as_argument: Direction
    arrays: Mapping[str, Array]


def _packed(weights: IntegerWeights, places: Array, step: float, *, reverse: bool) -> _Packed:
    """`places`: where each column of counts_ih stands in a row of the input, which is counted in `step`."""
    blocks = _whole(weights.hidden, UNITS)
    size = int(places[-1]) + 1
    spread = np.zeros((len(weights.counts_ih), size), dtype=np.int8)
    spread[:, places] = weights.counts_ih
    arrays = {
        "weight_ih": _tiles(spread),
        "weight_hh": _tiles(weights.counts_hh),
        "step_ih": _by_block(weights.steps_ih * np.float32(step)),
        "step_hh": _by_block(weights.steps_hh * np.float32(1 / MOST)),
        "bias": _by_block(weights.bias),
        "raised_ih": _by_block(RAISED * weights.counts_ih.sum(axis=1, dtype=np.int32)),
        "raised_hh": _by_block(RAISED * weights.counts_hh.sum(axis=1, dtype=np.int32)),
    }
    input_tiles, state_tiles = _whole(size, WIDTH), _whole(weights.hidden, WIDTH)
    argument = Direction(*map(pointer, arrays.values()), blocks, input_tiles, state_tiles, reverse)
    return _Packed(input_size=size, input_tiles=input_tiles, width=UNITS * blocks, as_argument=argument, arrays=arrays)


def _tiles(counts: Array) -> Array:
    """(4*hidden, columns) as (blocks, 4, tiles, 16, 64): a row of a tile holds four columns of each of 16 units."""
    hidden, columns = len(counts) // GATES, counts.shape[1]
    blocks, tiles = _whole(hidden, UNITS), _whole(columns, WIDTH)
    wide = np.zeros((GATES, blocks * UNITS, tiles * WIDTH), dtype=np.int8)
    wide[:, :hidden, :columns] = counts.reshape(GATES, hidden, columns)
    parts = wide.reshape(GATES, blocks, UNITS, tiles, WIDTH // 4, 4)
    return aligned(parts.transpose(1, 0, 3, 4, 2, 5))


def _by_block(values: Array) -> Array:
    """(4*hidden,) as (blocks, 4, 16), filled up with 0."""
    hidden = len(values) // GATES
    wide = np.zeros((GATES, _whole(hidden, UNITS) * UNITS), dtype=values.dtype)
    wide[:, :hidden] = values.reshape(GATES, hidden)
    return aligned(wide.reshape(GATES, -1, UNITS).transpose(1, 0, 2))


def _whole(size: int, of: int) -> int:
    return -(-size // of)
