"""Whether 0.9 means 0.9: how often what a model is so sure of is right.

In: probabilities and whether each was right. Out: reliability tables in equal bins, and the expected calibration error.
Source: Guo, Pleiss, Sun and Weinberger 2017, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """What was said with a probability from `low` to `high` (the last bin holds 1 too); means are None when empty."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """A reliability table."""

    bins: tuple[Bin, ...]

    @property
    def count(self) -> int:
        return sum(entry.count for entry in self.bins)

    @property
    def expected_error(self) -> float:
        """The expected calibration error: the distance of accuracy and confidence, the mean over all probabilities."""
        return self._mean([abs((e.accuracy or 0) - (e.confidence or 0)) for e in self.bins])

    @property
    def confidence(self) -> float:
        """The mean probability."""
        return self._mean([e.confidence or 0 for e in self.bins])

    @property
    def accuracy(self) -> float:
        """The share that was right."""
        return self._mean([e.accuracy or 0 for e in self.bins])

    def _mean(self, of_bins: Sequence[float]) -> float:
        weighted = sum(entry.count * value for entry, value in zip(self.bins, of_bins, strict=True))
        return weighted / self.count if self.count else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "confidence": self.confidence,
            "accuracy": self.accuracy,
            "expected_calibration_error": self.expected_error,
            "bins": [asdict(entry) for entry in self.bins],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The table of the tag at each token, and of the spans that were found (None for plain tags)."""

    temperature: float
    tokens: Reliability
    spans: Reliability | None

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        spans = None if self.spans is None else self.spans.to_dict()
        return {"temperature": self.temperature, "tokens": self.tokens.to_dict(), "spans": spans}


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationChange:
    """What a fitted temperature changes on a split: `before` is at temperature 1, `after` at the model's."""

    before: Calibration
    after: Calibration

    @property
    def tables(self) -> dict[str, tuple[Reliability, Reliability]]:
        """The tables before and after, by what they judge: tags, and spans where the model marks them."""
        found = {"tags": (self.before.tokens, self.after.tokens)}
        if self.before.spans is not None and self.after.spans is not None:
            found["spans"] = (self.before.spans, self.after.spans)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {"before": self.before.to_dict(), "after": self.after.to_dict()}


def reliability(confidences: Sequence[float], right: Sequence[bool], *, bins: int = BINS) -> Reliability:
    """The table of probabilities from 0 to 1 and of whether each was right."""
    sums = [0.0] * bins
    hits = [0] * bins
    counts = [0] * bins
    for confidence, hit in zip(confidences, right, strict=True):
        number = min(bins - 1, int(confidence * bins))
        counts[number] += 1
        sums[number] += confidence
        hits[number] += hit
    return Reliability(
        bins=tuple(
            Bin(
                low=number / bins,
                high=(number + 1) / bins,
                count=count,
                confidence=sums[number] / count if count else None,
                accuracy=hits[number] / count if count else None,
            )
            for number, count in enumerate(counts)
        )
    )
