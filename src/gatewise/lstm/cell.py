"""The LSTM cell: weights, state, and one step.

In: one input vector, the state before, the weights. Out: the state after.
Equations: Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000, in the form of
PyTorch's nn.LSTM.

    i  input gate     how much of the candidate is taken in      i = σ(W_i [x, h] + b_i)
    f  forget gate    how much of the memory is kept             f = σ(W_f [x, h] + b_f)
    g  candidate      what there is to take in                   g = tanh(W_g [x, h] + b_g)
    o  output gate    how much of the memory is put out          o = σ(W_o [x, h] + b_o)
    c  cell state     the memory                                 c = f * c_prev + i * g
    h  hidden state   what the step puts out                     h = o * tanh(c)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gatewise.lstm.activations import Activation, Activations, gate_activation, value_activation
from gatewise.lstm.shapes import Array, expect_matrix, expect_shape, sequence_input


@dataclass(frozen=True, slots=True, kw_only=True)
class LSTMWeights:
    """PyTorch's names and block order i|f|g|o: weight_ih (4*hidden, input_size), weight_hh (4*hidden, hidden).

    The biases have shape (4*hidden,) or are None. Raises ShapeError when the shapes do not fit each other.
    """

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None = None
    bias_hh: Array | None = None

    def __post_init__(self) -> None:
        expect_matrix("weight_ih", self.weight_ih, "(4*hidden, input_size)")
        expect_matrix("weight_hh", self.weight_hh, "(4*hidden, hidden)")
        rows = 4 * self.hidden
        expect_shape("weight_hh", self.weight_hh, (rows, self.hidden), "(4*hidden, hidden)")
        expect_shape("weight_ih", self.weight_ih, (rows, self.input_size), "(4*hidden, input_size)")
        for name, bias in (("bias_ih", self.bias_ih), ("bias_hh", self.bias_hh)):
            if bias is not None:
                expect_shape(name, bias, (rows,), "(4*hidden,)")

    @property
    def hidden(self) -> int:
        """Number of units."""
        return int(self.weight_hh.shape[1])

    @property
    def input_size(self) -> int:
        """Length of one input vector."""
        return int(self.weight_ih.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class LSTMState:
    """What one step hands to the next: h and c, both (hidden,)."""

    h: Array
    c: Array


class CellFunctions(NamedTuple):
    """The three activations, looked up once for a pass."""

    gate: Activation
    candidate: Activation
    output: Activation


class CellValues(NamedTuple):
    """What one step makes: values (4*hidden,) in blocks i|f|g|o; c, the activated c, and h (hidden,)."""

    values: Array
    c: Array
    c_activated: Array
    h: Array


def cell_functions(activations: Activations) -> CellFunctions:
    """The functions behind the names; ConfigError for a name that is not known."""
    return CellFunctions(
        gate=gate_activation(activations.gate),
        candidate=value_activation(activations.candidate),
        output=value_activation(activations.output),
    )


def lstm_cell(pre: Array, c_prev: Array, functions: CellFunctions) -> CellValues:
    """The equations, from the pre-activations (4*hidden,) of one step; this is the only place where they stand."""
    candidate = slice(2 * len(c_prev), 3 * len(c_prev))
    values = functions.gate(pre)  # (4*hidden,), blocks i|f|g|o; block g is replaced in the next line
    values[candidate] = functions.candidate(pre[candidate])
    i, f, g, o = values.reshape(4, -1)
    c = f * c_prev + i * g
    c_activated = functions.output(c)
    h = o * c_activated
    return CellValues(values=values, c=c, c_activated=c_activated, h=h)


def lstm_step(
    x: ArrayLike, state: LSTMState, weights: LSTMWeights, activations: Activations | None = None
) -> LSTMState:
    """One step: x (input_size,) and the state before give the state after.

    >>> import numpy as np
    >>> weights = LSTMWeights(weight_ih=np.ones((4, 2)), weight_hh=np.ones((4, 1)))
    >>> lstm_step([1.0, 2.0], LSTMState(h=np.zeros(1), c=np.zeros(1)), weights).c.round(4).tolist()
    [0.9479]
    """
    token = sequence_input(np.atleast_2d(np.asarray(x)), weights.input_size)[0]
    expect_shape("h", state.h, (weights.hidden,), "(hidden,)")
    expect_shape("c", state.c, (weights.hidden,), "(hidden,)")
    pre: Array = weights.weight_ih @ token + weights.weight_hh @ state.h  # (4*hidden,), blocks i|f|g|o
    for bias in (weights.bias_ih, weights.bias_hh):
        if bias is not None:
            pre = pre + bias
    after = lstm_cell(pre, state.c, cell_functions(activations or Activations()))
    return LSTMState(h=after.h, c=after.c)
