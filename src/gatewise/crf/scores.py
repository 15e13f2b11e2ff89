"""The scores of a linear-chain CRF, with the forbidden transitions already at minus infinity.

In: raw transition scores and a table of what the tag scheme allows. Out: a frozen `CRFScores`, which the decoders
trust. A softmax output is the same thing with every allowed transition at 0, so that both kinds are decoded by
the same code and both can only ever say legal tag sequences.
Source: Lafferty, McCallum and Pereira 2001; start and end scores as in pytorch-crf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.errors import ShapeError
from gatewise.native.paths import PackedScores, packed_scores

Floats: TypeAlias = npt.NDArray[np.floating]
Bools: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The exponentials of scores, in float64: of the transitions less `shift`, `transitions[from, to]`, of the end
    transitions less `end_peak`, so that both are at most 1; `apart` is from the lowest legal transition to the highest.
    `turned` are the transitions [to, from].
    """

    transitions: npt.NDArray[np.float64]
    turned: npt.NDArray[np.float64]
    end_transitions: npt.NDArray[np.float64]
    shift: float
    end_peak: float
    apart: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CRFScores:
    """`transitions[from, to]`, `start_transitions[tag]` and `end_transitions[tag]`; minus infinity is forbidden."""

    transitions: Floats  # (num_tags, num_tags)
    start_transitions: Floats  # (num_tags,)
    end_transitions: Floats  # (num_tags,)
    _weights: list[Weights] = field(init=False, repr=False, compare=False, default_factory=list)
    _packed: list[PackedScores] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        num_tags = len(self.start_transitions)
        for name, array, shape in (
            ("transitions", self.transitions, (num_tags, num_tags)),
            ("start_transitions", self.start_transitions, (num_tags,)),
            ("end_transitions", self.end_transitions, (num_tags,)),
        ):
            if array.shape != shape:
                raise ShapeError(f"{name}: expected shape {shape}, found {array.shape}")

    @property
    def num_tags(self) -> int:
        return len(self.start_transitions)

    @property
    def weights(self) -> Weights:
        """What sums over paths are made of; computed once."""
        if not self._weights:
            self._weights.append(_weights_of(self))
        return self._weights[0]

    @property
    def packed(self) -> PackedScores:
        """For the native kernel, in float32; made once."""
        if not self._packed:
            made = packed_scores(transitions=self.transitions, start=self.start_transitions, end=self.end_transitions)
            self._packed.append(made)
        return self._packed[0]

    def scaled(self, factor: float) -> CRFScores:
        """Every score times a factor above 0, in float64; what is forbidden stays so."""
        wide = self.astype(np.dtype(np.float64))
        return CRFScores(
            transitions=wide.transitions * factor,
            start_transitions=wide.start_transitions * factor,
            end_transitions=wide.end_transitions * factor,
        )

    def astype(self, dtype: np.dtype[Any]) -> CRFScores:
        """The same scores in another floating type; this object where they have it already."""
        if all(a.dtype == dtype for a in (self.transitions, self.start_transitions, self.end_transitions)):
            return self
        return CRFScores(
            transitions=self.transitions.astype(dtype),
            start_transitions=self.start_transitions.astype(dtype),
            end_transitions=self.end_transitions.astype(dtype),
        )


def _weights_of(scores: CRFScores) -> Weights:
    finite = scores.transitions[np.isfinite(scores.transitions)]
    shift = float(finite.max()) if finite.size else 0.0
    end_peak = float(scores.end_transitions.max())
    end_peak = end_peak if np.isfinite(end_peak) else 0.0
    transitions = np.exp(scores.transitions.astype(np.float64) - shift)
    return Weights(
        transitions=transitions,
        turned=np.ascontiguousarray(transitions.T),
        end_transitions=np.exp(scores.end_transitions.astype(np.float64) - end_peak),
        shift=shift,
        end_peak=end_peak,
        apart=shift - float(finite.min()) if finite.size else 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Legality:
    """What a tag scheme allows: true where a tag may follow (`allowed[from, to]`), start or end a sentence."""

    allowed: Bools  # (num_tags, num_tags)
    start: Bools  # (num_tags,)
    end: Bools  # (num_tags,)


def restricted(scores: CRFScores, legality: Legality) -> CRFScores:
    """The same scores with minus infinity wherever `legality` says no."""
    return CRFScores(
        transitions=np.where(legality.allowed, scores.transitions, -np.inf),
        start_transitions=np.where(legality.start, scores.start_transitions, -np.inf),
        end_transitions=np.where(legality.end, scores.end_transitions, -np.inf),
    )


def legal_only(legality: Legality) -> CRFScores:
    """Scores that only tell legal from illegal: what a softmax output is decoded with."""
    num_tags = len(legality.start)
    return restricted(
        CRFScores(
            transitions=np.zeros((num_tags, num_tags)),
            start_transitions=np.zeros(num_tags),
            end_transitions=np.zeros(num_tags),
        ),
        legality,
    )
