"""Where two runs of one network part, and why: the first step at which c or h differ, and the gates that do it.

In: two runs over the same tokens, with different gate activations. Out: a frozen `Comparison`, from which
`gatewise.explain` makes a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose

from gatewise.errors import NetworkError
from gatewise.network.records import DirectionRun, NetworkRun, Step

# a saturated sigmoid is 1e-34 away from 0 or 1: that is no difference anyone should be told of
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDifference:
    """One gate of one unit (counted from 1) that two runs answer differently; `pre` is what the first run's gate saw.

    The second run's pre-activation is the same, but for less than 1e-9.
    """

    gate: str
    unit: int
    pre: float
    first: float
    second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """The first step, in its reading order, at which c or h of one direction of one layer differ, with both its steps.

    `gates` holds the gates that differ, of the units whose c or h differ.
    """

    layer: int
    reverse: bool
    gates: tuple[GateDifference, ...]
    first: Step
    second: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """A token (counted from 1) whose output differs; its tags may."""

    t: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs side by side.

    `partings` holds at most one entry a direction, of the lowest layer where c or h differ by more than 1e-9.
    """

    first: NetworkRun
    second: NetworkRun
    partings: tuple[Parting, ...]
    outputs: tuple[OutputDifference, ...]


def compare_runs(first: NetworkRun, second: NetworkRun) -> Comparison:
    """Compare two runs of one network over the same tokens; NetworkError when they are not that.

    >>> from gatewise.network import read_network
    >>> network = read_network("article")
    >>> parting = compare_runs(network.run(gates="step"), network.run(gates="sigmoid")).partings[0]
    >>> parting.first.t, parting.gates[0].gate, parting.gates[0].pre, parting.gates[0].first, parting.gates[0].second
    (4, 'f', 0.0, 0.0, 0.5)
    """
    if first.network is not second.network or first.tokens != second.tokens:
        raise NetworkError(
            "comparison: expected two runs of one network over the same tokens; run it twice with other gates"
        )
    partings: tuple[Parting, ...] = ()
    for one, other in zip(first.layers, second.layers, strict=True):
        found = (_parting(a, b) for a, b in zip(one.directions, other.directions, strict=True))
        partings = tuple(parting for parting in found if parting is not None)
        if partings:
            break
    vectors = zip(first.tokens, first.output_vectors, second.output_vectors, strict=True)
    outputs = tuple(
        OutputDifference(t=t, token=token)
        for t, (token, a, b) in enumerate(vectors, start=1)
        if not all(map(_same, a, b))
    )
    return Comparison(first=first, second=second, partings=partings, outputs=outputs)


def _same(a: float, b: float) -> bool:
    return isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _parting(first: DirectionRun, second: DirectionRun) -> Parting | None:
    for one, other in zip(first.reading_order, second.reading_order, strict=True):
        units = [
            n
            for n in range(len(one.h))
            if not _same(one.h[n], other.h[n]) or (one.c and not _same(one.c[n], other.c[n]))
        ]
        gates = tuple(
            GateDifference(gate=gate, unit=n + 1, pre=one.linear[gate][n].pre, first=a, second=b)
            for n in units
            for gate in one.linear
            if not _same(a := one.linear[gate][n].value, b := other.linear[gate][n].value)
        )
        if gates:
            return Parting(layer=first.layer, reverse=first.reverse, gates=gates, first=one, second=other)
    return None
