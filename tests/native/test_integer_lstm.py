"""The native kernel beside the equations in plain float64, one sentence and one step at a time.

The oracle counts x and h as the kernel says it does, and knows nothing of tiles, blocks, orders or batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gatewise.native.integer_lstm import RAISED, IntegerLSTM, IntegerWeights
from gatewise.native.library import Kernel, native_kernel

Array = npt.NDArray[Any]
Layers = list[list[IntegerWeights]]

STEP_OF_X = 0.013
NEAR = 2e-6  # float32 against float64, states at most 1
SHAPES = [  # hidden, input size, layers, directions, batch
    (5, 7, 1, 2, 3),
    (20, 70, 2, 2, 40),
    (33, 16, 3, 1, 17),
    (16, 64, 2, 2, 16),
    (200, 192, 1, 2, 35),
]

pytestmark = pytest.mark.skipif(
    native_kernel() is None, reason="no native kernel for this processor, or none was built"
)


@pytest.fixture(params=["tiles", "without tiles"])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    found = native_kernel()
    assert found is not None
    if request.param == "tiles" and not found.with_tiles:
        pytest.skip("no AMX here")
    return replace(found, with_tiles=request.param == "tiles")


def make_layers(hidden: int, size: int, layers: int, directions: int, seed: int = 3) -> Layers:
    """Asymmetric weights; what adds up stays where the gates are neither open nor shut."""
    generator = np.random.default_rng(seed)

    def one(columns: int) -> IntegerWeights:
        rows = 4 * hidden
        return IntegerWeights(
            counts_ih=generator.integers(-127, 128, (rows, columns)).astype(np.int8),
            steps_ih=(generator.uniform(0.2, 1.8, rows) / math.sqrt(columns) / 60).astype(np.float32),
            counts_hh=generator.integers(-127, 128, (rows, hidden)).astype(np.int8),
            steps_hh=(generator.uniform(0.2, 1.8, rows) / math.sqrt(hidden) / 60).astype(np.float32),
            bias=generator.normal(0.2, 0.7, rows).astype(np.float32),
        )

    sizes = [size] + [directions * hidden] * (layers - 1)
    return [[one(columns) for _ in range(directions)] for columns in sizes]


def make_batch(size: int, batch: int, seed: int = 5) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """x in whole steps, garbage at padding and in two numbers that no layer reads; lengths from 1 to 9."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 10, batch).astype(np.int32)
    lengths[batch // 2] = 9
    x = generator.integers(-127, 128, (9, batch, size + 2)) * STEP_OF_X
    x[np.arange(9)[:, None] >= lengths] = 1e6
    return x.astype(np.float32), lengths


def states_by_hand(layers: Layers, x: Array, length: int) -> list[Array]:
    """The states of each direction of the last layer, (length, hidden), of one sentence x (time, input_size)."""
    counts, step = [np.rint(x[t].astype(float) / STEP_OF_X) for t in range(length)], STEP_OF_X
    for layer in layers:
        found = []
        for number, weights in enumerate(layer):
            order = range(length) if number == 0 else range(length - 1, -1, -1)
            found.append(list(one_direction(weights, counts, step, list(order))))
        states = [np.stack([dict(one)[t] for t in range(length)]) for one in found]
        counts, step = list(np.rint(127 * np.concatenate(states, axis=1))), 1 / 127
    return states


def one_direction(
    weights: IntegerWeights, counts: list[Array], step: float, order: list[int]
) -> Iterator[tuple[int, Array]]:
    hidden = weights.hidden
    h, c = np.zeros(hidden), np.zeros(hidden)
    for t in order:
        of_x = weights.steps_ih.astype(float) * step * (weights.counts_ih.astype(float) @ counts[t])
        of_h = weights.steps_hh.astype(float) / 127 * (weights.counts_hh.astype(float) @ np.rint(127 * h))
        i, f, g, o = (of_x + of_h + weights.bias).reshape(4, hidden)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        yield t, h


def states_of(lstm: IntegerLSTM, layers: Layers, x: Array, lengths: Array) -> Array:
    """The states of the last layer, (time, batch, directions * hidden): the emissions of a head that has a tag for each
    unit and takes it as it is."""
    size = sum(weights.hidden for weights in layers[-1])
    head = lstm.head(np.eye(size, dtype=np.float32), np.zeros(size, dtype=np.float32))
    [found] = lstm.emissions(lstm.counted(x), lengths, [head])
    return found


@pytest.mark.parametrize(("hidden", "size", "depth", "directions", "batch"), SHAPES)
def test_states_are_those_of_the_equations(
    kernel: Kernel, hidden: int, size: int, depth: int, directions: int, batch: int
) -> None:
    layers, (x, lengths) = make_layers(hidden, size, depth, directions), make_batch(size, batch)
    found = states_of(IntegerLSTM(kernel, layers, STEP_OF_X), layers, x, lengths)
    for column in range(0, batch, 1 + batch // 8):
        length = int(lengths[column])
        wanted = np.concatenate(states_by_hand(layers, x[:, column, :size], length), axis=1)
        np.testing.assert_allclose(found[:length, column], wanted, rtol=0, atol=NEAR)
        assert not found[length:, column].any()  # padding is 0


@pytest.mark.parametrize("changed", ["gates", "directions", "steps", "bias"])
def test_other_weights_are_seen(kernel: Kernel, changed: str) -> None:
    layers, (x, lengths) = make_layers(20, 30, 1, 2), make_batch(30, 6)
    [forward, backward] = layers[0]
    other = {
        "gates": [replace(forward, counts_hh=np.roll(forward.counts_hh, 20, axis=0)), backward],
        "directions": [backward, forward],
        "steps": [replace(forward, steps_ih=np.roll(forward.steps_ih, 1)), backward],
        "bias": [forward, replace(backward, bias=np.roll(backward.bias, 1))],
    }[changed]
    found, moved = (
        states_of(IntegerLSTM(kernel, [layer], STEP_OF_X), [layer], x, lengths) for layer in (layers[0], other)
    )
    assert np.abs(found - moved).max() > 1e-2


def test_both_instructions_have_the_same_answers() -> None:
    found = native_kernel()
    assert found is not None
    if not found.with_tiles:
        pytest.skip("no AMX here")
    layers, (x, lengths) = make_layers(200, 192, 2, 2), make_batch(192, 45)
    first, second = (
        states_of(IntegerLSTM(one, layers, STEP_OF_X), layers, x, lengths)
        for one in (found, replace(found, with_tiles=False))
    )
    np.testing.assert_array_equal(first, second)


def test_what_else_is_in_the_batch_moves_nothing(kernel: Kernel) -> None:
    layers, (x, lengths) = make_layers(37, 50, 2, 2), make_batch(50, 70)
    lstm = IntegerLSTM(kernel, layers, STEP_OF_X)
    together = states_of(lstm, layers, x, lengths)
    for column in (0, 1, 33, 69):
        length = int(lengths[column])
        alone = states_of(lstm, layers, x[:length, [column]], lengths[[column]])
        np.testing.assert_array_equal(alone[:, 0], together[:length, column])


def test_x_beyond_its_steps_is_cut(kernel: Kernel) -> None:
    layers = make_layers(8, 5, 1, 2)
    lstm, lengths = IntegerLSTM(kernel, layers, STEP_OF_X), np.array([2], dtype=np.int32)
    far = np.full((2, 1, 5), 900 * STEP_OF_X, dtype=np.float32)
    at_the_edge = np.full_like(far, 127 * STEP_OF_X)
    np.testing.assert_array_equal(states_of(lstm, layers, far, lengths), states_of(lstm, layers, at_the_edge, lengths))


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("num_tags", [1, 3, 16, 17, 20, 21, 31, 33, 48, 64, 65, 81, 100])
def test_emissions_are_states_times_weights(kernel: Kernel, num_tags: int, directions: int) -> None:
    generator = np.random.default_rng(num_tags)
    layers, (x, lengths) = make_layers(21, 9, 1, directions), make_batch(9, 13)
    lstm = IntegerLSTM(kernel, layers, STEP_OF_X)
    weights = [generator.normal(size=(size, 21 * directions)).astype(np.float32) for size in (num_tags, 5)]
    biases = [generator.normal(size=len(weight)).astype(np.float32) for weight in weights]
    heads = [lstm.head(weight, bias) for weight, bias in zip(weights, biases, strict=True)]
    states, there = states_of(lstm, layers, x, lengths).astype(float), np.arange(9)[:, None] < lengths
    for found, weight, bias in zip(lstm.emissions(lstm.counted(x), lengths, heads), weights, biases, strict=True):
        wanted = states @ weight.T.astype(float) + bias
        np.testing.assert_allclose(found[there], wanted[there], rtol=0, atol=1e-5)
        assert not found[~there].any()


def test_x_is_looked_up_as_it_would_be_counted(kernel: Kernel) -> None:
    generator = np.random.default_rng(8)
    lstm = IntegerLSTM(kernel, make_layers(7, 5 + 70 + 5, 1, 2), STEP_OF_X)
    tables = [generator.integers(-127, 128, (rows, width)) for rows, width in ((9, 5), (4, 70))]
    ids = [generator.integers(0, rows, (6, 3)) for rows in (9, 4, 9)]
    parts = [(tables[0], ids[0]), (tables[1], ids[1]), (tables[0], ids[2])]
    x = np.concatenate([table[of_part] for table, of_part in parts], axis=2) * STEP_OF_X
    found = lstm.looked_up([((table + RAISED).astype(np.uint8), of_part) for table, of_part in parts])
    np.testing.assert_array_equal(found[:, :, :80], lstm.counted(x.astype(np.float32))[:, :, :80])


@pytest.mark.parametrize("wrong", [9, -1])
def test_an_id_that_a_table_does_not_have_is_refused(kernel: Kernel, wrong: int) -> None:
    lstm = IntegerLSTM(kernel, make_layers(7, 5, 1, 2), STEP_OF_X)
    with pytest.raises(IndexError, match=rf"^id {wrong} in a table of 9 rows$"):
        lstm.looked_up([(np.full((9, 5), RAISED, dtype=np.uint8), np.array([[3], [wrong]]))])


def test_threads_do_not_meet(kernel: Kernel) -> None:
    layers = make_layers(40, 60, 2, 2)
    lstm = IntegerLSTM(kernel, layers, STEP_OF_X)
    batches = [make_batch(60, 33, seed) for seed in range(12)]
    wanted = [states_of(lstm, layers, *one) for one in batches]
    with ThreadPoolExecutor(4) as threads:
        again = threads.map(lambda batch: states_of(lstm, layers, *batch), batches * 3)
        for found, one in zip(again, wanted * 3, strict=True):
            np.testing.assert_array_equal(found, one)


@pytest.mark.parametrize("length", [1, 15, 16, 17, 70])
def test_a_sentence_that_is_alone_is_read_ahead_with_the_same_result(kernel: Kernel, length: int) -> None:
    generator = np.random.default_rng(length)
    layers = make_layers(20, 70, 2, 2)
    x = (generator.integers(-127, 128, (length, 3, 70)) * STEP_OF_X).astype(np.float32)
    lstm = IntegerLSTM(kernel, layers, STEP_OF_X)
    together = states_of(lstm, layers, x, np.array([length, 1, length], dtype=np.int32))
    alone = states_of(lstm, layers, x[:, [2]], np.array([length], dtype=np.int32))
    np.testing.assert_array_equal(alone[:, 0], together[:, 2])
    wanted = np.concatenate(states_by_hand(layers, x[:, 2], length), axis=1)
    np.testing.assert_allclose(alone[:, 0], wanted, rtol=0, atol=NEAR)
