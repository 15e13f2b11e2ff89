"""The memory ledger: which token still lives in a cell, and how much.

In: an `LSTMPass`. Out: exact shares of c. Unrolling c_t = f_t * c_{t-1} + i_t * g_t gives

    c_t = sum over s ≤ t of (∏_{s<k≤t} f_k) * i_s * g_s  +  (∏_{k≤t} f_k) * c_start

(Gers et al. 2000 for the forget gate; the sum is plain algebra). In a reverse pass the sources are later tokens:
s ≥ t, and the product runs over t ≤ k < s. The shares are signed and add up to c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatewise.errors import ShapeError
from gatewise.lstm.sequence import LSTMPass
from gatewise.lstm.shapes import Array, read_only

MAX_ENTRIES = 2**27  # a whole ledger of float64 may take 1 GiB


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """The memory after token t: sources (time, hidden), one row a token, and the start state's part (hidden,)."""

    t: int
    sources: Array
    start: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLedger:
    """The memory after every token: shares (time, source, hidden), and the start state's part (time, hidden).

    `shares.sum(axis=1) + start` is c.
    """

    shares: Array
    start: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryHeld:
    """Who the memory after token t comes from, in parts of 1: `tokens` (time,) and the start state.

    The part of a source is the sum of its absolute shares over the units, divided by that sum over all sources
    and the start state; so `tokens.sum() + start` is 1, or everything is 0 where all shares are 0. Shares of
    opposite sign do not cancel: a source that pushes one unit up and another down counts with both.
    """

    t: int
    tokens: Array
    start: float


def ledger_at(lstm_pass: LSTMPass, t: int) -> LedgerEntry:
    """The sources of the memory after token t (counted from 0); takes time and room for time * hidden numbers."""
    time = len(lstm_pass)
    if not 0 <= t < time:
        raise ShapeError(f"token index: expected 0 to {time - 1} for {time} tokens, found {t}")
    read = slice(t, None) if lstm_pass.reverse else slice(t, None, -1)  # from t back to where reading began
    f, i, g = lstm_pass.f[read], lstm_pass.i[read], lstm_pass.g[read]
    kept = np.ones_like(f)  # row n: what the n gates nearest to t let through
    np.cumprod(f[:-1], axis=0, out=kept[1:])
    sources = np.zeros_like(lstm_pass.c)  # (time, hidden)
    sources[read] = kept * i * g
    start = kept[-1] * f[-1] * lstm_pass.start.c  # (hidden,)
    return LedgerEntry(t=t, sources=read_only(sources), start=read_only(start))


def memory_ledger(lstm_pass: LSTMPass) -> MemoryLedger:
    """The ledger of every token at once; ShapeError where it would not fit in memory: ask `ledger_at` there."""
    time, hidden = lstm_pass.c.shape
    if time * time * hidden > MAX_ENTRIES:
        raise ShapeError(
            f"memory ledger: expected at most {MAX_ENTRIES:,} shares at once, found {time:,} * {time:,} * {hidden:,}; "
            "ask for one token at a time with ledger_at(lstm_pass, t)"
        )
    shares = np.zeros((time, time, hidden), dtype=lstm_pass.c.dtype)  # entry [t, s, u]: share of s in c[t, u]
    start = np.zeros_like(lstm_pass.c)  # (time, hidden)
    for t in range(time):
        entry = ledger_at(lstm_pass, t)
        shares[t], start[t] = entry.sources, entry.start
    return MemoryLedger(shares=read_only(shares), start=read_only(start))


def memory_held(lstm_pass: LSTMPass, t: int) -> MemoryHeld:
    """The ledger of token t, summed over the units and brought to a total of 1."""
    entry = ledger_at(lstm_pass, t)
    tokens = np.abs(entry.sources).sum(axis=1)  # (time,)
    start = np.abs(entry.start).sum()
    total = tokens.sum() + start
    if total > 0:
        tokens, start = tokens / total, start / total
    return MemoryHeld(t=t, tokens=read_only(tokens), start=float(start))
