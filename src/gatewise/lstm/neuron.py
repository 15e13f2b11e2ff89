"""One layer of neurons without recurrence, h_t = f(W x_t + b): every token is looked at alone.

In: x (time, input_size) and weights. Out: a frozen `NeuronPass`. It is the article's neuron A, where the story starts.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from gatewise.lstm.activations import value_activation
from gatewise.lstm.shapes import Array, expect_matrix, expect_shape, read_only, sequence_input


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronWeights:
    """weight_ih (hidden, input_size) and bias_ih (hidden,) or None; ShapeError when they do not fit."""

    weight_ih: Array
    bias_ih: Array | None = None

    def __post_init__(self) -> None:
        expect_matrix("weight_ih", self.weight_ih, "(hidden, input_size)")
        if self.bias_ih is not None:
            expect_shape("bias_ih", self.bias_ih, (self.hidden,), "(hidden,)")

    @property
    def hidden(self) -> int:
        """Number of units."""
        return int(self.weight_ih.shape[0])

    @property
    def input_size(self) -> int:
        """Length of one input vector."""
        return int(self.weight_ih.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronPass:
    """Every number of one pass: x (time, input_size), pre and h (time, hidden)."""

    x: Array
    pre: Array
    h: Array


def run_neuron(x: ArrayLike, weights: NeuronWeights, *, activation: str = "tanh") -> NeuronPass:
    """Pass over a sequence; there is nothing to carry from step to step, so all steps are one product."""
    x = sequence_input(x, weights.input_size)
    pre = x @ weights.weight_ih.astype(x.dtype, copy=False).T  # (time, hidden)
    if weights.bias_ih is not None:
        pre += weights.bias_ih
    h = value_activation(activation)(pre)  # (time, hidden)
    return NeuronPass(x=x, pre=read_only(pre), h=read_only(h))
