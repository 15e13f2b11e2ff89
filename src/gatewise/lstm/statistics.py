"""What the gates of an LSTM do over many tokens: how often they stand nearly closed or open, and how long memory lasts.

In: `LSTMPass`es of one direction of one layer. Out: `GateStatistics`. A gate is saturated where its value is below 0.1
or above 0.9 (Karpathy, Johnson and Li 2015, Visualizing and Understanding Recurrent Networks, section 4.2). What a cell
held is multiplied by the forget gate at each token that is read after it, so the product of n forget gates in a row is
the part of a memory that is left n tokens later (the same product as in `lstm/ledger.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.errors import ShapeError
from gatewise.lstm.sequence import LSTMPass
from gatewise.lstm.shapes import Array, read_only

GATES = ("i", "f", "o")
CLOSED_BELOW, OPEN_ABOVE = 0.1, 0.9
TENTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStatistics:
    """Over all units and tokens of some passes, all in [0, 1].

    `closed`, `open`, `mean`: by gate (`i`, `f`, `o`) the share of values below 0.1, the share above 0.9, the mean.
    `memory` (distances + 1,): entry n is the mean product of n forget gates in a row, over all units and every place
    that has n later tokens, in the order of reading; entry 0 is 1. It ends where no sentence is long enough.
    `longest` (distances + 1,) is the same for the tenth of the units, at least one, of which most is left at n.
    """

    tokens: int
    closed: Mapping[str, float]
    open: Mapping[str, float]
    mean: Mapping[str, float]
    memory: Array
    longest: Array


def gate_statistics(passes: Sequence[LSTMPass], *, distances: int = 40) -> GateStatistics:
    """The statistics of one direction of one layer over several sentences.

    Raises ShapeError when there is no token at all.
    """
    tokens = sum(map(len, passes))
    if not tokens:
        raise ShapeError("gate statistics: expected at least one token, found none")
    left = _left_by_unit(passes, distances)  # (distances + 1, hidden), or fewer rows
    values = {gate: np.concatenate([getattr(one, gate) for one in passes]) for gate in GATES}  # (tokens, hidden) each
    return GateStatistics(
        tokens=tokens,
        closed={gate: float(np.mean(array < CLOSED_BELOW)) for gate, array in values.items()},
        open={gate: float(np.mean(array > OPEN_ABOVE)) for gate, array in values.items()},
        mean={gate: float(np.mean(array, dtype=np.float64)) for gate, array in values.items()},
        memory=read_only(left.mean(axis=1)),
        longest=read_only(np.sort(left, axis=1)[:, -math.ceil(left.shape[1] / TENTH) :].mean(axis=1)),
    )


def _left_by_unit(passes: Sequence[LSTMPass], distances: int) -> Array:
    totals, places = np.zeros((distances + 1, passes[0].hidden)), np.zeros(distances + 1)
    totals[0] = places[0] = 1.0
    for one in passes:
        # the first token that is read finds the start state alone, no token's memory
        f = one.f[:-1] if one.reverse else one.f[1:]
        product = np.ones_like(f)
        for n in range(1, min(distances, len(f)) + 1):
            product = product[: len(f) - n + 1] * f[n - 1 :]  # row k: ∏ of the n gates from k on
            totals[n] += product.sum(axis=0, dtype=np.float64)
            places[n] += len(product)
    reached = int(np.count_nonzero(places))
    return totals[:reached] / places[:reached, None]
