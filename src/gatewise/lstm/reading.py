"""What a pass says in a handful of numbers: how open its gates stand at a token, and whose memory it holds.

In: an `LSTMPass` and a token. Out: means over the units, and the largest shares of the memory ledger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatewise.lstm.ledger import memory_held
from gatewise.lstm.sequence import LSTMPass


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpenness:
    """The mean of a direction's input, forget and output gates over its units, from 0 (closed) to 1 (open)."""

    i: float
    f: float
    o: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryShare:
    """A token (by its number) and its part, out of 1, of the memory that a direction holds."""

    token: int
    share: float


def gate_openness(one: LSTMPass, t: int) -> GateOpenness:
    """How open the gates stand at token t, counted from 0."""
    return GateOpenness(i=float(one.i[t].mean()), f=float(one.f[t].mean()), o=float(one.o[t].mean()))


def largest_shares(one: LSTMPass, t: int, sources: int) -> tuple[MemoryShare, ...]:
    """The `sources` tokens that most of the memory after token t comes from, largest first; none of them 0."""
    held = memory_held(one, t).tokens  # (time,), parts of 1
    order = np.argsort(-held, kind="stable")[:sources]
    return tuple(MemoryShare(token=int(s), share=float(held[s])) for s in order if held[s] > 0)
