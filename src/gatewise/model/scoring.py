"""Scores of a tagger, whatever its task: spans (and words) for span schemes, accuracy for plain tags.

In: gold and predicted tags, or gold and predicted words of a text. Out: one `Scores`, whose `main` number is what
training selects by and what a card shows first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatewise.text.metrics import AccuracyScores, Counts, SpanScores, span_scores, tag_accuracy, word_scores
from gatewise.text.schemes import spans_from_tags
from gatewise.text.sentence import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Either `spans` or `accuracy` is there; `words` (segmentation, labels ignored) comes with joint tasks."""

    spans: SpanScores | None = None
    accuracy: AccuracyScores | None = None
    words: Counts | None = None

    @property
    def main(self) -> float:
        """Span F1 over all labels, or tag accuracy, in [0, 1]."""
        if self.spans is not None:
            return self.spans.overall.f1
        return self.accuracy.accuracy if self.accuracy is not None else 0.0

    @property
    def main_name(self) -> str:
        """What `main` is called."""
        return "F1" if self.spans is not None else "accuracy"

    @property
    def per_label(self) -> dict[str, Counts]:
        """Counts of each label, or of each plain tag."""
        found = self.spans or self.accuracy
        return found.per_label if found else {}

    def to_dict(self) -> dict[str, Any]:
        """Every count and fraction, for JSON."""
        report: dict[str, Any] = {self.main_name: self.main}
        if self.spans is not None:
            report["overall"] = _counts(self.spans.overall)
        if self.accuracy is not None:
            report |= {"correct": self.accuracy.correct, "total": self.accuracy.total}
        if self.words is not None:
            report["words"] = _counts(self.words)
        return report | {"labels": {label: _counts(counts) for label, counts in self.per_label.items()}}


def score_tags(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: str) -> Scores:
    """Compare tags of the same tokens."""
    if scheme == "plain":
        return Scores(accuracy=tag_accuracy(gold, predicted))
    spans = span_scores(
        (spans_from_tags(tags, scheme) for tags in gold), (spans_from_tags(tags, scheme) for tags in predicted)
    )
    return Scores(spans=spans)


def score_words(gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> Scores:
    """Compare labeled words of the same texts: jointly with their labels, and as segmentation alone."""
    return Scores(spans=span_scores(gold, predicted), words=word_scores(gold, predicted))


def _counts(counts: Counts) -> dict[str, float]:
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "gold": counts.gold,
        "predicted": counts.predicted,
        "correct": counts.correct,
    }
