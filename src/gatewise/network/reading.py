"""What a run of a large network says of each token, in a handful of numbers that the explainer lays out.

In: a `DirectionRun`. Out: one `StepReading` a token: how open the gates stand, whose memory is held (the ledger of
`lstm/`), and the units that put out most.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.lstm import GateOpenness, LSTMPass, MemoryShare, gate_openness, largest_shares
from gatewise.network.records import DirectionRun


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReading:
    """One token in one direction of one layer.

    `openness` is None and `memory` empty where the layer has no gates. `units` are the numbers, from 0, of the units
    whose h lies farthest from 0, the farthest first.
    """

    openness: GateOpenness | None
    memory: tuple[MemoryShare, ...]
    units: tuple[int, ...]


def read_direction(direction: DirectionRun, *, units: int = 3, sources: int = 3) -> tuple[StepReading, ...]:
    """The reading of each token, in token order, with its `units` strongest units and its `sources` largest shares."""
    arrays = direction.arrays
    gated = arrays if isinstance(arrays, LSTMPass) else None
    return tuple(
        StepReading(
            openness=None if gated is None else gate_openness(gated, t),
            memory=() if gated is None else largest_shares(gated, t, sources),
            units=_strongest(step.h, units),
        )
        for t, step in enumerate(direction.steps)
    )


def _strongest(h: tuple[float, ...], count: int) -> tuple[int, ...]:
    return tuple(sorted(range(len(h)), key=lambda unit: -abs(h[unit]))[:count])
