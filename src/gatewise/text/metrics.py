"""Scores: precision, recall and F1 of spans, accuracy of plain tags.

In: gold and predicted spans (or tags), one sequence a sentence. Out: counts, and fractions in [0, 1] made from them.
A span is correct when start, end and label are all equal, as in CoNLL evaluation. Undefined fractions are 0.
`docs/scores.md` defines every number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TypeVar

from gatewise.errors import ShapeError
from gatewise.text.sentence import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many things are in the gold data, how many were predicted, and how many of those are correct."""

    gold: int
    predicted: int
    correct: int

    @property
    def precision(self) -> float:
        """Correct / predicted, in [0, 1]."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Correct / gold, in [0, 1]."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, in [0, 1]: 2·correct / (gold + predicted)."""
        total = self.gold + self.predicted
        return 2 * self.correct / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """Unweighted means over labels: of their precisions, their recalls and their F1s, and over how many labels."""

    precision: float
    recall: float
    f1: float
    labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanScores:
    """Scores of all spans (micro average), and of the spans of each label, labels sorted."""

    overall: Counts
    per_label: dict[str, Counts]

    @property
    def macro(self) -> Average:
        """The mean over the labels that occur in gold."""
        return macro_average(counts for counts in self.per_label.values() if counts.gold)

    @property
    def macro_all(self) -> Average:
        """The mean over the labels that occur in gold or were predicted, as seqeval has it."""
        return macro_average(self.per_label.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyScores:
    """How many tags are right, of how many, and the scores of each tag, tags sorted."""

    correct: int
    total: int
    per_label: dict[str, Counts]

    @property
    def accuracy(self) -> float:
        """Correct / total, in [0, 1]."""
        return self.correct / self.total if self.total else 0.0

    @property
    def macro(self) -> Average:
        """The mean over the tags that occur in gold."""
        return macro_average(counts for counts in self.per_label.values() if counts.gold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """How many things there are in gold, and how many of them were found."""

    gold: int
    correct: int

    @property
    def recall(self) -> float:
        """Correct / gold, in [0, 1]."""
        return self.correct / self.gold if self.gold else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecall:
    """Recall of what does not occur in the training data (out of vocabulary), and of what does."""

    unseen: Recall
    seen: Recall


def macro_average(counts: Iterable[Counts]) -> Average:
    """The unweighted mean of these labels' fractions; of no labels, zeros. The F1 is the mean of the F1s."""
    rows = list(counts)
    total = len(rows) or 1
    return Average(
        precision=sum(row.precision for row in rows) / total,
        recall=sum(row.recall for row in rows) / total,
        f1=sum(row.f1 for row in rows) / total,
        labels=len(rows),
    )


def sentence_counts(gold: Iterable[Sequence[Span]], predicted: Iterable[Sequence[Span]]) -> list[Counts]:
    """The counts of each sentence: what confidence intervals and tests are made from.

    Raises ShapeError when there are more sentences on one side.
    """
    found = []
    for gold_spans, predicted_spans in _pairs(gold, predicted, "sentence"):
        gold_set, predicted_set = set(gold_spans), set(predicted_spans)
        found.append(Counts(gold=len(gold_set), predicted=len(predicted_set), correct=len(gold_set & predicted_set)))
    return found


def training_recall(outcomes: Iterable[tuple[str, bool]], seen: Set[str]) -> TrainingRecall:
    """Recall by whether a thing was `seen` in training; `outcomes` are the gold things, and whether each was found."""
    gold, correct = Counter[bool](), Counter[bool]()
    for thing, found in outcomes:
        gold[thing in seen] += 1
        correct[thing in seen] += found
    return TrainingRecall(
        unseen=Recall(gold=gold[False], correct=correct[False]), seen=Recall(gold=gold[True], correct=correct[True])
    )


def span_scores(gold: Iterable[Sequence[Span]], predicted: Iterable[Sequence[Span]]) -> SpanScores:
    """Compare spans sentence by sentence, exactly: start, end and label.

    Raises ShapeError when there are more sentences on one side.
    """
    in_gold: Counter[str] = Counter()
    in_predicted: Counter[str] = Counter()
    in_both: Counter[str] = Counter()
    for gold_spans, predicted_spans in _pairs(gold, predicted, "sentence"):
        gold_set, predicted_set = set(gold_spans), set(predicted_spans)
        in_gold.update(span.label for span in gold_set)
        in_predicted.update(span.label for span in predicted_set)
        in_both.update(span.label for span in gold_set & predicted_set)
    overall = Counts(gold=in_gold.total(), predicted=in_predicted.total(), correct=in_both.total())
    return SpanScores(overall=overall, per_label=_per_label(in_gold, in_predicted, in_both))


def unlabeled(spans: Iterable[Span]) -> list[Span]:
    """The same spans with empty labels."""
    return [replace(span, label="") for span in spans]


def word_scores(gold: Iterable[Sequence[Span]], predicted: Iterable[Sequence[Span]]) -> Counts:
    """Scores of word segmentation: a word is correct when both its ends are, whatever its label."""
    return span_scores(map(unlabeled, gold), map(unlabeled, predicted)).overall


def tag_accuracy(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> AccuracyScores:
    """Compare tags token by token.

    Raises ShapeError when sentences, or tokens of a sentence, are more on one side.
    """
    in_gold: Counter[str] = Counter()
    in_predicted: Counter[str] = Counter()
    in_both: Counter[str] = Counter()
    for gold_tags, predicted_tags in _pairs(gold, predicted, "sentence"):
        in_gold.update(gold_tags)
        in_predicted.update(predicted_tags)
        in_both.update(a for a, b in _pairs(gold_tags, predicted_tags, "tag") if a == b)
    return AccuracyScores(
        correct=in_both.total(), total=in_gold.total(), per_label=_per_label(in_gold, in_predicted, in_both)
    )


def _per_label(gold: Counter[str], predicted: Counter[str], both: Counter[str]) -> dict[str, Counts]:
    return {
        label: Counts(gold=gold[label], predicted=predicted[label], correct=both[label])
        for label in sorted(gold.keys() | predicted.keys())
    }


def _pairs(gold: Iterable[T], predicted: Iterable[T], what: str) -> Iterator[tuple[T, T]]:
    for number, (a, b) in enumerate(zip_longest(gold, predicted, fillvalue=_MISSING), start=1):
        if isinstance(a, _Missing) or isinstance(b, _Missing):
            longer = "gold" if isinstance(b, _Missing) else "predicted"
            raise ShapeError(
                f"expected as many predicted as gold {what}s, found {what} {number} only in the {longer} ones; "
                f"compare the same text"
            )
        yield a, b


class _Missing:
    """Stands where one side has come to its end."""


_MISSING = _Missing()
