"""Scores of a tagger, whatever its task: spans (and words) for span schemes, accuracy for plain tags.

In: gold and predicted tags, spans, or words of a text. Out: one `Scores`, whose `main` number is what training selects
by and what a card shows first. `docs/scores.md` defines every number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gatewise.text.confusion import KINDS, ErrorCounts, error_counts
from gatewise.text.metrics import (
    AccuracyScores,
    Average,
    Counts,
    Recall,
    SpanScores,
    TrainingRecall,
    sentence_counts,
    span_scores,
    tag_accuracy,
    word_scores,
)
from gatewise.text.resampling import Interval
from gatewise.text.schemes import spans_from_tags, tags_from_spans
from gatewise.text.sentence import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Either `spans` or `accuracy` is there; `words` (segmentation, labels ignored) comes with joint tasks.

    `tokens` is the accuracy of the tags of spans; `sentences` are the counts behind `main`, one entry a sentence;
    `unseen` (recall by occurrence in training) and `interval` (of `main`) are there when they were asked for.
    """

    spans: SpanScores | None = None
    accuracy: AccuracyScores | None = None
    words: Counts | None = None
    tokens: Recall | None = None
    errors: ErrorCounts | None = None
    sentences: tuple[Counts, ...] = ()
    unseen: TrainingRecall | None = None
    interval: Interval | None = None

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

    @property
    def macro(self) -> Average | None:
        """The mean over the labels that occur in gold."""
        found = self.spans or self.accuracy
        return found.macro if found else None

    def to_dict(self) -> dict[str, Any]:
        """Every count and fraction, for JSON."""
        report: dict[str, Any] = {self.main_name: self.main}
        if self.interval is not None:
            report["interval"] = asdict(self.interval)
        if self.spans is not None:
            report["overall"] = _counts(self.spans.overall)
            report["macro_all"] = asdict(self.spans.macro_all)
        if self.accuracy is not None:
            report |= {"correct": self.accuracy.correct, "total": self.accuracy.total}
        if self.macro is not None:
            report["macro"] = asdict(self.macro)
        if self.words is not None:
            report["words"] = _counts(self.words)
        if self.tokens is not None:
            report["token_accuracy"] = _recall(self.tokens, "accuracy")
        if self.unseen is not None:
            report |= {"unseen": _recall(self.unseen.unseen), "seen": _recall(self.unseen.seen)}
        if self.errors is not None:
            report |= errors_to_dict(self.errors)
        return report | {"labels": {label: _counts(counts) for label, counts in self.per_label.items()}}


def score_tags(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: str) -> Scores:
    """Compare tags of the same tokens."""
    if scheme == "plain":
        return score_plain_tags(gold, predicted)
    return score_spans(
        [spans_from_tags(tags, scheme) for tags in gold],
        [spans_from_tags(tags, scheme) for tags in predicted],
        lengths=[len(tags) for tags in gold],
    )


def score_plain_tags(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Scores:
    """Compare plain tags of the same tokens."""
    accuracy = tag_accuracy(gold, predicted)
    pairs = [[a == b for a, b in zip(x, y, strict=True)] for x, y in zip(gold, predicted, strict=True)]
    return Scores(
        accuracy=accuracy,
        errors=error_counts(map(_one_a_token, gold), map(_one_a_token, predicted)),
        sentences=tuple(Counts(gold=len(same), predicted=len(same), correct=sum(same)) for same in pairs),
    )


def score_spans(
    gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], *, lengths: Sequence[int]
) -> Scores:
    """Compare spans of the same tokens, of which each sentence has as many as `lengths` says."""
    spans = span_scores(gold, predicted)
    tags = [
        [tags_from_spans(side, length, "BIO") for side, length in zip(sides, lengths, strict=True)]
        for sides in (gold, predicted)
    ]
    accuracy = tag_accuracy(*tags)
    return Scores(
        spans=spans,
        tokens=Recall(gold=accuracy.total, correct=accuracy.correct),
        errors=error_counts(gold, predicted),
        sentences=tuple(sentence_counts(gold, predicted)),
    )


def score_words(gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> Scores:
    """Compare labeled words of the same texts: jointly with their labels, and as segmentation alone."""
    return Scores(
        spans=span_scores(gold, predicted),
        words=word_scores(gold, predicted),
        errors=error_counts(gold, predicted),
        sentences=tuple(sentence_counts(gold, predicted)),
    )


def errors_to_dict(errors: ErrorCounts) -> dict[str, Any]:
    """The kinds of errors on both sides, and the confused labels, for JSON."""
    return {
        "errors": {kind: {"gold": errors.gold[kind], "predicted": errors.predicted[kind]} for kind in KINDS},
        "confusion": [
            {"gold": gold, "predicted": predicted, "count": count}
            for (gold, predicted), count in errors.confusion.items()
        ],
    }


def _one_a_token(tags: Sequence[str]) -> list[Span]:
    return [Span(start=index, end=index + 1, label=tag) for index, tag in enumerate(tags)]


def _recall(found: Recall, name: str = "recall") -> dict[str, float]:
    return {name: found.recall, "gold": found.gold, "correct": found.correct}


def _counts(counts: Counts) -> dict[str, float]:
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "gold": counts.gold,
        "predicted": counts.predicted,
        "correct": counts.correct,
    }
