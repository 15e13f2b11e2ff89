"""The recurrent layers of an int8 model on the native kernel (`lstm.c`), beside onnxruntime's.

In: the stored arrays of a model, `model.numbers` says how; x (time, batch, input_size), or the ids by which it is
looked up, and the lengths of a batch. Out: the emissions of heads. Here weights are packed and memory is laid out;
everything that is computed is computed there.

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

from gatewise.native.library import Batch, Direction, Head, Kernel, Output, Part, aligned, pointer

Float32s = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

UNITS, WIDTH, GATES, MOST, RAISED = 16, 64, 4, 127, 128  # as in lstm.c
MOST_REST = 4  # so many tags behind whole blocks are cheaper one at a time than as a block


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

    def counted(self, x: Float32s) -> Counts:
        """x (time, batch, input_size) as the first layer reads it; it may have more numbers than are read."""
        x = np.ascontiguousarray(x)
        time, batch, width = x.shape
        counts = self._counts_of_x(time, batch)
        self._kernel.functions.gatewise_counts(
            pointer(x), time * batch, self._input_size, width, self._step_of_x, pointer(counts), counts.shape[2]
        )
        return counts

    def looked_up(self, parts: Sequence[tuple[Counts, Ids]]) -> Counts:
        """The same of an x whose parts stand in tables, side by side: for each, the table, counts raised by 128
        (ids, width), and the ids (time, batch).

        Raises IndexError for an id that a table does not have.
        """
        time, batch = parts[0][1].shape
        arguments, ids = (Part * len(parts))(), [np.ascontiguousarray(of_part, dtype=np.int64) for _, of_part in parts]
        for number, (table, _) in enumerate(parts):
            most, least = int(ids[number].max(initial=0)), int(ids[number].min(initial=0))
            if most >= len(table) or least < 0:
                raise IndexError(f"id {least if least < 0 else most} in a table of {len(table):,} rows")
            arguments[number] = Part(pointer(table), pointer(ids[number]), table.shape[1])
        counts = self._counts_of_x(time, batch)
        self._kernel.functions.gatewise_look_up(arguments, len(parts), time * batch, pointer(counts), counts.shape[2])
        return counts

    def emissions(
        self, counts_of_x: Counts, lengths: npt.NDArray[np.int32], heads: Sequence[PackedHead]
    ) -> list[Float32s]:
        """Of each head, (time, batch, num_tags), 0 at padding."""
        lengths = np.ascontiguousarray(lengths, dtype=np.int32)
        columns = np.argsort(-lengths, kind="stable").astype(np.int32)
        shape = counts_of_x.shape[:2]
        of, counts = Batch(pointer(lengths), pointer(columns), *shape), counts_of_x
        found = [np.zeros((*shape, head.num_tags), dtype=np.float32) for head in heads]
        for layer, above in zip(self._layers[:-1], self._layers[1:], strict=True):
            read, counts = counts, np.zeros((*shape, WIDTH * above[0].input_tiles), dtype=np.uint8)
            for place, direction in enumerate(layer):
                to_above = pointer(counts, place * direction.width)
                self._run(direction, of, read, Output(to_above, None, counts.shape[2], 0))
        for number, direction in enumerate(self._layers[-1]):
            arguments = (Head * len(heads))(
                *(head.argument(number, into) for head, into in zip(heads, found, strict=True))
            )
            self._run(direction, of, counts, Output(None, ctypes.addressof(arguments), 0, len(heads)))
        return found

    def head(self, weight: Float32s, bias: Float32s) -> PackedHead:
        """A head of the last layer: `weight` (num_tags, directions * hidden), `bias` (num_tags,)."""
        directions, width = len(self._layers[-1]), self._layers[-1][0].width
        num_tags = len(bias)
        rest = num_tags % UNITS if num_tags > UNITS and num_tags % UNITS <= MOST_REST else 0
        blocked = num_tags - rest
        spread = np.zeros((directions * width, num_tags), dtype=np.float32)
        spread[self._places] = weight.T
        by_direction = np.split(spread, directions)
        return PackedHead(
            weights=tuple(aligned(_filled_up(rows[:, :blocked])) for rows in by_direction),
            rest=tuple(aligned(rows[:, blocked:].T) for rows in by_direction),
            bias=aligned(np.append(_filled_up(bias[:blocked]), bias[blocked:])),
            num_tags=num_tags,
        )

    @property
    def _input_size(self) -> int:
        return self._layers[0][0].input_size

    def _counts_of_x(self, time: int, batch: int) -> Counts:
        return np.empty((time, batch, WIDTH * self._layers[0][0].input_tiles), dtype=np.uint8)

    def _run(self, direction: _Packed, of: Batch, counts: Counts, out: Output) -> None:
        if self._kernel.functions.gatewise_lstm(
            ctypes.byref(direction.as_argument),
            ctypes.byref(of),
            pointer(counts),
            ctypes.byref(out),
            self._kernel.with_tiles,
        ):
            raise MemoryError(f"an LSTM over {of.time:,} steps of {of.batch:,} sentences")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedHead:
    """A head as the kernel reads it: of each direction `weights` (width, 16 * blocks) and those of the tags behind the
    last block, `rest` (tags, width); `bias` of both."""

    weights: tuple[Float32s, ...]
    rest: tuple[Float32s, ...]
    bias: Float32s
    num_tags: int

    def argument(self, direction: int, emissions: Float32s) -> Head:
        """For one direction; the first begins with the bias."""
        weights, rest = self.weights[direction], self.rest[direction]
        bias = None if direction else pointer(self.bias)
        blocks = weights.shape[1] // UNITS
        return Head(pointer(weights), pointer(rest), bias, pointer(emissions), self.num_tags, blocks, len(rest))


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
        "less_ih": _by_block(-RAISED * weights.counts_ih.sum(axis=1, dtype=np.int32)),
        "less_hh": _by_block(-RAISED * weights.counts_hh.sum(axis=1, dtype=np.int32)),
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


def _filled_up(values: Float32s) -> Float32s:
    """The last axis filled up to whole blocks, with 0."""
    room = -values.shape[-1] % UNITS
    return np.pad(values, [*[(0, 0)] * (values.ndim - 1), (0, room)])


def _whole(size: int, of: int) -> int:
    return -(-size // of)
