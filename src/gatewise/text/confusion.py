"""What kind of error each span is, and which label is taken for which.

In: the gold and the predicted spans of a sentence; neither side's spans overlap one another. Out: one judgment for each
gold and for each predicted span, counted by kind. No pairing is guessed: each span is judged by what the other side has
in its place, so a name cut in two is one boundary error in gold and two in the prediction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatewise.text.sentence import Span

# correct: same edges and label. label: same edges, another label. boundary: other edges, overlaps one of its label.
# both: other edges, overlaps only other labels. missed, spurious: overlaps nothing.
ERROR_KINDS = ("label", "boundary", "both", "missed", "spurious")
KINDS = ("correct", *ERROR_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """A span of one side, its kind, and the span of the other side that it was judged by (None: overlaps nothing)."""

    span: Span
    kind: str
    other: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCounts:
    """How many gold and predicted spans are of each kind of `KINDS`, and how often a label stands for another.

    `confusion` maps (gold label, predicted label) to the number of spans with the same edges, the most frequent first.
    """

    gold: dict[str, int]
    predicted: dict[str, int]
    confusion: dict[tuple[str, str], int]


def judge_spans(gold: Sequence[Span], predicted: Sequence[Span]) -> tuple[list[Judgment], list[Judgment]]:
    """A judgment for each gold span, and one for each predicted span, in the order of their places.

    >>> judge_spans([Span(start=0, end=2, label="PER")], [Span(start=0, end=3, label="PER")])[0][0].kind
    'boundary'
    """
    return _judge_side(gold, predicted, "missed"), _judge_side(predicted, gold, "spurious")


def error_counts(gold: Iterable[Sequence[Span]], predicted: Iterable[Sequence[Span]]) -> ErrorCounts:
    """All sentences together, which must be as many on both sides (`span_scores` says so in a sentence)."""
    in_gold, in_predicted = Counter(dict.fromkeys(KINDS, 0)), Counter(dict.fromkeys(KINDS, 0))
    confusion: Counter[tuple[str, str]] = Counter()
    for gold_spans, predicted_spans in zip(gold, predicted, strict=True):
        of_gold, of_predicted = judge_spans(gold_spans, predicted_spans)
        in_gold.update(judgment.kind for judgment in of_gold)
        in_predicted.update(judgment.kind for judgment in of_predicted)
        confusion.update((j.span.label, j.other.label) for j in of_gold if j.kind == "label" and j.other is not None)
    ordered = sorted(confusion.items(), key=lambda item: (-item[1], item[0]))
    return ErrorCounts(gold=dict(in_gold), predicted=dict(in_predicted), confusion=dict(ordered))


def _judge_side(spans: Sequence[Span], others: Sequence[Span], alone: str) -> list[Judgment]:
    """Both sides sorted, one pass: spans of a side do not overlap, so what ends before a span is done with."""
    judgments, waiting = [], sorted(set(others))
    first = 0
    for span in sorted(set(spans)):
        while first < len(waiting) and waiting[first].end <= span.start:
            first += 1
        last = first
        while last < len(waiting) and waiting[last].start < span.end:
            last += 1
        judgments.append(_judge(span, waiting[first:last], alone))
    return judgments


def _judge(span: Span, overlapping: Sequence[Span], alone: str) -> Judgment:
    if not overlapping:
        return Judgment(span=span, kind=alone, other=None)
    # one with the same label is nearer than one that covers more; of equal ones, the first
    other = max(overlapping, key=lambda o: (o.label == span.label, min(o.end, span.end) - max(o.start, span.start)))
    same_edges, same_label = (other.start, other.end) == (span.start, span.end), other.label == span.label
    kinds = {(True, True): "correct", (True, False): "label", (False, True): "boundary", (False, False): "both"}
    return Judgment(span=span, kind=kinds[same_edges, same_label], other=other)
