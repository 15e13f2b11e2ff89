"""The LSTM over a sequence, in one direction.

In: x (time, input_size), weights, a start state. Out: a frozen `LSTMPass` that holds every quantity, time first,
always in token order. A reverse pass reads the last token first (Graves & Schmidhuber 2005).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gatewise.lstm.activations import Activations
from gatewise.lstm.cell import LSTMState, LSTMWeights, cell_functions, lstm_cell
from gatewise.lstm.shapes import Array, expect_shape, read_only, reading_order, sequence_input, state_line


@dataclass(frozen=True, slots=True, kw_only=True)
class LSTMPass:
    """Every number of one direction over a sequence, in token order.

    x (time, input_size); `pre` and `values` (time, 4*hidden) in blocks i|f|g|o, of which `pre_i` … and `i` … are views;
    c, h, `c_activated` (c after the output activation, so that h = o * c_activated) and what the step saw,
    `h_prev` and `c_prev`, are (time, hidden). In a reverse pass the step saw the state of the token after.
    """

    x: Array
    pre: Array
    values: Array
    c: Array
    c_prev: Array
    c_activated: Array
    h: Array
    h_prev: Array
    start: LSTMState
    reverse: bool

    def __len__(self) -> int:
        return len(self.x)

    @property
    def hidden(self) -> int:
        """Number of units."""
        return int(self.h.shape[1])

    def _block(self, array: Array, index: int) -> Array:
        return array[:, index * self.hidden : (index + 1) * self.hidden]  # (time, hidden)

    @property
    def i(self) -> Array:
        """Input gate (time, hidden)."""
        return self._block(self.values, 0)

    @property
    def f(self) -> Array:
        """Forget gate (time, hidden)."""
        return self._block(self.values, 1)

    @property
    def g(self) -> Array:
        """Candidate (time, hidden)."""
        return self._block(self.values, 2)

    @property
    def o(self) -> Array:
        """Output gate (time, hidden)."""
        return self._block(self.values, 3)

    @property
    def pre_i(self) -> Array:
        """Input gate before its activation (time, hidden)."""
        return self._block(self.pre, 0)

    @property
    def pre_f(self) -> Array:
        """Forget gate before its activation (time, hidden)."""
        return self._block(self.pre, 1)

    @property
    def pre_g(self) -> Array:
        """Candidate before its activation (time, hidden)."""
        return self._block(self.pre, 2)

    @property
    def pre_o(self) -> Array:
        """Output gate before its activation (time, hidden)."""
        return self._block(self.pre, 3)


def run_lstm(
    x: ArrayLike,
    weights: LSTMWeights,
    *,
    start: LSTMState | None = None,
    reverse: bool = False,
    activations: Activations | None = None,
) -> LSTMPass:
    """Pass over a sequence in one direction; `start` is zeros when None; the float type is that of `x`.

    >>> import numpy as np
    >>> weights = LSTMWeights(weight_ih=np.ones((8, 3)), weight_hh=np.ones((8, 2)))
    >>> run_lstm(np.ones((5, 3)), weights).h.shape
    (5, 2)
    """
    x = sequence_input(x, weights.input_size)
    functions = cell_functions(activations or Activations())
    start = _start_state(start, weights.hidden, x.dtype)
    # the input's part of all steps is one product; only the recurrent part has to wait for the step before
    pre = x @ weights.weight_ih.astype(x.dtype, copy=False).T  # (time, 4*hidden), blocks i|f|g|o
    for bias in (weights.bias_ih, weights.bias_hh):
        if bias is not None:
            pre += bias
    weight_hh = weights.weight_hh.astype(x.dtype, copy=False)
    values = np.empty_like(pre)  # (time, 4*hidden), blocks i|f|g|o
    h, h_prev = state_line(start.h, len(x), reverse=reverse)  # (time, hidden) each
    c, c_prev = state_line(start.c, len(x), reverse=reverse)  # (time, hidden) each
    c_activated = np.empty_like(c)
    for t in reading_order(len(x), reverse=reverse):
        row = pre[t]  # a view: what is added lands in pre
        row += weight_hh @ h_prev[t]
        values[t], c[t], c_activated[t], h[t] = lstm_cell(row, c_prev[t], functions)
    return LSTMPass(
        x=x,
        pre=read_only(pre),
        values=read_only(values),
        c=read_only(c),
        c_prev=read_only(c_prev),
        c_activated=read_only(c_activated),
        h=read_only(h),
        h_prev=read_only(h_prev),
        start=start,
        reverse=reverse,
    )


def _start_state(start: LSTMState | None, hidden: int, dtype: np.dtype[np.floating]) -> LSTMState:
    if start is None:
        return LSTMState(h=read_only(np.zeros(hidden, dtype)), c=read_only(np.zeros(hidden, dtype)))
    expect_shape("start h", start.h, (hidden,), "(hidden,)")
    expect_shape("start c", start.c, (hidden,), "(hidden,)")
    return LSTMState(h=read_only(np.array(start.h, dtype)), c=read_only(np.array(start.c, dtype)))
