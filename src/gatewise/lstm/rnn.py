"""The recurrent network, h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) (Elman 1990; PyTorch's nn.RNN).

In: x (time, input_size), weights, a start state h. Out: a frozen `RNNPass`, in token order, time first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gatewise.lstm.activations import value_activation
from gatewise.lstm.shapes import (
    Array,
    expect_matrix,
    expect_shape,
    read_only,
    reading_order,
    sequence_input,
    state_line,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RNNWeights:
    """PyTorch's names: weight_ih (hidden, input_size), weight_hh (hidden, hidden), biases (hidden,) or None."""

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None = None
    bias_hh: Array | None = None

    def __post_init__(self) -> None:
        expect_matrix("weight_ih", self.weight_ih, "(hidden, input_size)")
        expect_shape("weight_hh", self.weight_hh, (self.hidden, self.hidden), "(hidden, hidden)")
        for name, bias in (("bias_ih", self.bias_ih), ("bias_hh", self.bias_hh)):
            if bias is not None:
                expect_shape(name, bias, (self.hidden,), "(hidden,)")

    @property
    def hidden(self) -> int:
        """Number of units."""
        return int(self.weight_ih.shape[0])

    @property
    def input_size(self) -> int:
        """Length of one input vector."""
        return int(self.weight_ih.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class RNNPass:
    """Every number of one direction over a sequence, in token order: x (time, input_size), the rest (time, hidden).

    `h_prev` is the state that the step saw: of the token before, or of the token after in a reverse pass.
    """

    x: Array
    pre: Array
    h: Array
    h_prev: Array
    start: Array
    reverse: bool


def run_rnn(
    x: ArrayLike,
    weights: RNNWeights,
    *,
    start: Array | None = None,
    reverse: bool = False,
    activation: str = "tanh",
) -> RNNPass:
    """Pass over a sequence in one direction; `start` is h (hidden,), zeros when None."""
    x = sequence_input(x, weights.input_size)
    squash = value_activation(activation)
    start = np.zeros(weights.hidden, x.dtype) if start is None else np.array(start, x.dtype)
    expect_shape("start h", start, (weights.hidden,), "(hidden,)")
    pre = x @ weights.weight_ih.astype(x.dtype, copy=False).T  # (time, hidden)
    for bias in (weights.bias_ih, weights.bias_hh):
        if bias is not None:
            pre += bias
    weight_hh = weights.weight_hh.astype(x.dtype, copy=False)
    h, h_prev = state_line(start, len(x), reverse=reverse)  # (time, hidden) each
    for t in reading_order(len(x), reverse=reverse):
        pre[t] += weight_hh @ h_prev[t]
        h[t] = squash(pre[t])
    return RNNPass(
        x=x, pre=read_only(pre), h=read_only(h), h_prev=read_only(h_prev), start=read_only(start), reverse=reverse
    )
