"""What a trace says of each token, in a handful of numbers: the quantities that the explainer lays out.

In: a `Trace`. Out: one `TokenReading` a token: tag and strongest rival with their probabilities, how open the gates
stand on average, whose memory is held (the ledger of `lstm/`), and the units that speak loudest for the chosen tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gatewise.lstm import GateOpenness, LSTMPass, MemoryShare, RNNPass, gate_openness, largest_shares
from gatewise.runtime.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReading:
    """One unit's part in the lead of the chosen tag over its rival: `contribution = weight * (h + carried)`.

    `carried` is what a residual connection adds to h from the layer below, 0 without one. `weight` is the unit's
    emission weight for the tag minus that for the rival. `cell` has i, f, g, o, c of the unit; it is empty for an RNN,
    which has none.
    """

    direction: str
    unit: int
    weight: float
    h: float
    carried: float
    contribution: float
    cell: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReading:
    """One token. `lead` is the emission of the tag minus that of the rival: the sum of all units' contributions and
    `bias_lead`. `openness` and `memory` have one entry a direction of the last layer, none for an RNN."""

    tag: str
    probability: float
    rival: str
    rival_probability: float
    lead: float
    bias_lead: float
    openness: Mapping[str, GateOpenness]
    memory: Mapping[str, tuple[MemoryShare, ...]]
    units: tuple[UnitReading, ...]


def read_trace(trace: Trace, *, units: int = 3, sources: int = 3) -> tuple[TokenReading, ...]:
    """The reading of each token, with its `units` strongest units and, a direction, its `sources` largest shares."""
    return tuple(_read_token(trace, t, units, sources) for t in range(len(trace)))


def _read_token(trace: Trace, t: int, units: int, sources: int) -> TokenReading:
    tag = trace.labels.index(trace.tags[t])
    others = trace.marginals[t].copy()
    others[tag] = -1.0
    rival = int(others.argmax()) if len(others) > 1 else tag
    weights = trace.emission_weight[tag] - trace.emission_weight[rival]  # (states,)
    passes = _passes(trace)
    gated = {name: one for name, one in passes.items() if isinstance(one, LSTMPass)}
    return TokenReading(
        tag=trace.labels[tag],
        probability=float(trace.marginals[t, tag]),
        rival=trace.labels[rival],
        rival_probability=float(trace.marginals[t, rival]),
        lead=float(trace.emissions[t, tag] - trace.emissions[t, rival]),
        bias_lead=float(trace.emission_bias[tag] - trace.emission_bias[rival]),
        openness={name: gate_openness(one, t) for name, one in gated.items()},
        memory={name: largest_shares(one, t, sources) for name, one in gated.items()},
        units=_strongest_units(passes, trace.layers[-1].carried, weights, t, units),
    )


def _passes(trace: Trace) -> dict[str, LSTMPass | RNNPass]:
    """The last layer's directions, in the order of its output."""
    top = trace.layers[-1]
    both = {"forward": top.forward, "reverse": top.reverse}
    return {name: one for name, one in both.items() if one is not None}


def _strongest_units(
    passes: Mapping[str, LSTMPass | RNNPass], carried: np.ndarray | None, weights: np.ndarray, t: int, units: int
) -> tuple[UnitReading, ...]:
    """The units with the largest contributions for the tag, largest first."""
    names = list(passes)
    hidden = len(weights) // len(names)
    states = np.concatenate([passes[name].h[t] for name in names])  # (states,)
    past = np.zeros_like(states) if carried is None else carried[t]  # (states,)
    contributions = weights * (states + past)
    found = []
    for position in np.argsort(-contributions, kind="stable")[:units]:
        direction, unit = names[position // hidden], int(position % hidden)
        one = passes[direction]
        cell = {}
        if isinstance(one, LSTMPass):
            cell = {name: float(getattr(one, name)[t, unit]) for name in "ifgoc"}
        found.append(
            UnitReading(
                direction=direction,
                unit=unit,
                weight=float(weights[position]),
                h=float(states[position]),
                carried=float(past[position]),
                contribution=float(contributions[position]),
                cell=cell,
            )
        )
    return tuple(found)
