"""Several layers, in one or both directions: each layer reads the output of the layer below.

In: x (time, input_size), the weights of each layer, start states. Out: one frozen `Layer` a layer.
The output of a layer with both directions is [forward, reverse] (Graves & Schmidhuber 2005; PyTorch's order). With
residual connections each layer from the second on adds what it read to its states (He et al. 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from gatewise.errors import ShapeError
from gatewise.lstm.activations import Activations
from gatewise.lstm.cell import LSTMState, LSTMWeights
from gatewise.lstm.rnn import RNNPass, RNNWeights, run_rnn
from gatewise.lstm.sequence import LSTMPass, run_lstm
from gatewise.lstm.shapes import Array, expect_shape, read_only

T = TypeVar("T")
WeightsT = TypeVar("WeightsT")
StartT = TypeVar("StartT")
PassT = TypeVar("PassT", LSTMPass, RNNPass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directions(Generic[T]):
    """One thing for each direction of a layer: weights, or start states. A layer in one direction has no reverse."""

    forward: T
    reverse: T | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Generic[PassT]):
    """The passes of one layer; `output` (time, hidden or 2*hidden) is what the next layer reads.

    `carried`, of the same shape, is what a residual connection adds to the states; None without one.
    """

    forward: PassT
    reverse: PassT | None = None
    carried: Array | None = None

    @property
    def states(self) -> Array:
        """[forward.h, reverse.h], or forward.h alone."""
        if self.reverse is None:
            return self.forward.h
        return np.concatenate([self.forward.h, self.reverse.h], axis=1)  # (time, 2*hidden)

    @property
    def output(self) -> Array:
        """The states, and what is carried past them."""
        return self.states if self.carried is None else self.states + self.carried


def run_layers(
    x: ArrayLike,
    layers: Sequence[Directions[LSTMWeights]],
    *,
    start_states: Sequence[Directions[LSTMState] | None] | None = None,
    activations: Activations | None = None,
    residual: bool = False,
) -> tuple[Layer[LSTMPass], ...]:
    """LSTM layers from the bottom up; a layer has both directions when its weights have a reverse.

    `start_states` holds one entry a layer; None, for a layer or for all, means zeros. With `residual` every layer from
    the second on adds what it read to its states; ShapeError where they differ in size.
    """

    def run(x: ArrayLike, weights: LSTMWeights, start: LSTMState | None, reverse: bool) -> LSTMPass:
        return run_lstm(x, weights, start=start, reverse=reverse, activations=activations)

    return _stack(x, layers, start_states, run, residual)


def run_rnn_layers(
    x: ArrayLike,
    layers: Sequence[Directions[RNNWeights]],
    *,
    start_states: Sequence[Directions[Array] | None] | None = None,
    activation: str = "tanh",
    residual: bool = False,
) -> tuple[Layer[RNNPass], ...]:
    """RNN layers from the bottom up, as `run_layers` does it for the LSTM; a start state is h (hidden,)."""

    def run(x: ArrayLike, weights: RNNWeights, start: Array | None, reverse: bool) -> RNNPass:
        return run_rnn(x, weights, start=start, reverse=reverse, activation=activation)

    return _stack(x, layers, start_states, run, residual)


def _stack(
    x: ArrayLike,
    layers: Sequence[Directions[WeightsT]],
    start_states: Sequence[Directions[StartT] | None] | None,
    run: Callable[[ArrayLike, WeightsT, StartT | None, bool], PassT],
    residual: bool,
) -> tuple[Layer[PassT], ...]:
    starts = [None] * len(layers) if start_states is None else start_states
    if not layers or len(starts) != len(layers):
        raise ShapeError(
            f"expected at least one layer and one start state a layer, found {len(layers)} layers "
            f"and {len(starts)} start states"
        )
    done: list[Layer[PassT]] = []
    for weights, start in zip(layers, starts, strict=True):
        below = done[-1].output if done else x
        start_reverse = None if start is None else start.reverse
        layer = Layer(
            forward=run(below, weights.forward, None if start is None else start.forward, False),
            reverse=None if weights.reverse is None else run(below, weights.reverse, start_reverse, True),
        )
        if residual and done:
            carried = done[-1].output  # (time, hidden or 2*hidden)
            expect_shape("states of a residual layer", layer.states, carried.shape, "(time, size of the layer below)")
            layer = replace(layer, carried=read_only(carried))
        done.append(layer)
    return tuple(done)
