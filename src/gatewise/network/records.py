"""What a pass of a hand-written network leaves behind: frozen records, every operand of every formula in them.

In: made by `gatewise.network.run`. Out: read by `gatewise.explain`, which lays them out and computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatewise.display import ShownAsPage

if TYPE_CHECKING:
    from gatewise.lstm.shapes import Array
    from gatewise.network.network import Network, Tag
    from gatewise.network.passes import AnyPass

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One product of a dot product: weight · value."""

    weight: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearUnit:
    """One column of a linear layer: the sum of `terms` and the biases is `pre`, and after the activation `value`.

    `operands` are what the weights are multiplied by; all units of a step share them, all steps of a run the weights,
    which are read-only. PyTorch's LSTM has two biases.
    """

    weights: Array = field(repr=False, compare=False)  # (input_size + hidden,)
    operands: Vector
    bias: float | None
    bias_hh: float | None = None
    pre: float
    value: float

    @property
    def terms(self) -> tuple[Term, ...]:
        """The products of the sum."""
        return tuple(
            Term(weight=weight, value=value) for weight, value in zip(self.weights.tolist(), self.operands, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One token in one direction of one layer; `t` counts tokens from 1.

    `linear` holds the units of each linear layer: f, i, g, o of an LSTM, in this order; h of an RNN or a neuron.
    `h_prev` and `c_prev` are what the step saw; they are empty where the network has no such state. `c_activated` is
    c after the output activation.
    """

    t: int
    token: str
    x: Vector
    h_prev: Vector
    c_prev: Vector
    linear: Mapping[str, tuple[LinearUnit, ...]]
    c: Vector
    c_activated: Vector
    h: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionRun:
    """The steps of one direction of one layer (counted from 1), in token order; a reverse one read the last first.

    `arrays` is the pass that the steps were taken from.
    """

    layer: int
    reverse: bool
    units: int
    start_h: Vector
    start_c: Vector
    steps: tuple[Step, ...]
    arrays: AnyPass = field(repr=False, compare=False)

    @property
    def reading_order(self) -> tuple[Step, ...]:
        """The steps in the order in which they were computed."""
        return self.steps[::-1] if self.reverse else self.steps


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRun:
    """One layer; `reverse` is None where it reads in one direction alone."""

    forward: DirectionRun
    reverse: DirectionRun | None

    @property
    def directions(self) -> tuple[DirectionRun, ...]:
        """The directions there are, forward first."""
        return (self.forward,) if self.reverse is None else (self.forward, self.reverse)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRun(ShownAsPage):
    """Every number of one pass.

    `output_vectors` and `tags` hold one entry a token; a tag is None where the file has none.
    `gates` is the gate activation that was used, None for a network without gates.
    """

    network: Network
    gates: str | None
    tokens: tuple[str, ...]
    layers: tuple[LayerRun, ...]
    output_vectors: tuple[Vector, ...]
    tags: tuple[Tag | None, ...]

    @property
    def is_simple(self) -> bool:
        """One layer that reads in one direction."""
        return len(self.layers) == 1 and self.layers[0].reverse is None

    @property
    def inputs(self) -> tuple[Vector, ...]:
        """The vectors that the lowest layer read, one a token."""
        return tuple(step.x for step in self.layers[0].forward.steps)

    @property
    def directions(self) -> tuple[DirectionRun, ...]:
        """All directions of all layers, from the bottom up, forward first."""
        return tuple(direction for layer in self.layers for direction in layer.directions)

    @property
    def outputs(self) -> list[float] | list[list[float]]:
        """The outputs to read: one number a token for a network of one output, else one list a token.

        They are rounded to 12 decimals, and whole numbers are int; `output_vectors` has them exactly.
        """
        rows = [[readable(value) for value in vector] for vector in self.output_vectors]
        return [row[0] for row in rows] if all(len(row) == 1 for row in rows) else rows


def readable(value: float) -> float:
    """Rounded to 12 decimals; int where that is whole."""
    rounded = round(value, 12)
    return int(rounded) if rounded == int(rounded) else rounded
