"""Scores against seqeval (strict) on random legal tags, and by hand."""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2, IOBES

from gatewise.errors import ShapeError
from gatewise.text import (
    Counts,
    Span,
    span_scores,
    spans_from_tags,
    tag_accuracy,
    tags_from_spans,
    unlabeled,
    word_scores,
)

LABELS = ("PER", "LOC", "ORG")


def random_spans(rng: random.Random, length: int) -> list[Span]:
    spans = []
    position = 0
    while position < length:
        end = rng.randint(position + 1, min(length, position + 4))
        if rng.random() < 0.6:
            spans.append(Span(start=position, end=end, label=rng.choice(LABELS)))
        position = end
    return spans


def theirs(gold: list[list[str]], predicted: list[list[str]], scheme: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns of undefined fractions, and NumPy of seqeval
        return classification_report(
            gold,
            predicted,
            mode="strict",
            scheme={"BIO": IOB2, "BIOES": IOBES}[scheme],
            output_dict=True,
            zero_division=0,
        )


def assert_same(counts: Counts, row: dict[str, float]) -> None:
    assert counts.precision == pytest.approx(row["precision"])
    assert counts.recall == pytest.approx(row["recall"])
    assert counts.f1 == pytest.approx(row["f1-score"])
    assert counts.gold == row["support"]


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6), repeat=st.booleans())
def test_scores_are_those_of_seqeval(scheme: str, seed: int, lengths: list[int], repeat: bool) -> None:
    rng = random.Random(seed)
    gold_spans = [random_spans(rng, length) for length in lengths]
    kept = [[span for span in spans if rng.random() < 0.7] for spans in gold_spans]
    predicted_spans = kept if repeat else [random_spans(rng, length) for length in lengths]
    gold = [tags_from_spans(spans, n, scheme) for spans, n in zip(gold_spans, lengths, strict=True)]
    predicted = [tags_from_spans(spans, n, scheme) for spans, n in zip(predicted_spans, lengths, strict=True)]

    scores = span_scores((spans_from_tags(t, scheme) for t in gold), (spans_from_tags(t, scheme) for t in predicted))
    if not any(gold_spans) and not any(predicted_spans):
        assert scores.overall == Counts(gold=0, predicted=0, correct=0)
        return
    report = theirs(gold, predicted, scheme)
    assert_same(scores.overall, report["micro avg"])
    for label, counts in scores.per_label.items():
        assert_same(counts, report[label])
    assert scores.per_label.keys() == report.keys() - {"micro avg", "macro avg", "weighted avg"}


def test_scores_by_hand() -> None:
    gold = [[Span(start=0, end=2, label="A"), Span(start=3, end=4, label="B")], [Span(start=0, end=1, label="A")]]
    predicted = [[Span(start=0, end=2, label="B"), Span(start=3, end=4, label="B")], []]
    scores = span_scores(gold, predicted)
    assert scores.overall == Counts(gold=3, predicted=2, correct=1)
    assert (scores.overall.precision, scores.overall.recall, scores.overall.f1) == (1 / 2, 1 / 3, 2 / 5)
    assert scores.per_label == {
        "A": Counts(gold=2, predicted=0, correct=0),
        "B": Counts(gold=1, predicted=2, correct=1),
    }
    assert word_scores(gold, predicted) == Counts(gold=3, predicted=2, correct=2)
    assert unlabeled(gold[1]) == [Span(start=0, end=1, label="")]


def test_undefined_fractions_are_zero() -> None:
    nothing = Counts(gold=0, predicted=0, correct=0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (0.0, 0.0, 0.0)
    assert tag_accuracy([], []).accuracy == 0.0


def test_accuracy() -> None:
    scores = tag_accuracy([["N", "V", "N"], ["V"]], [["N", "N", "N"], ["X"]])
    assert (scores.correct, scores.total, scores.accuracy) == (2, 4, 0.5)
    assert scores.per_label["N"] == Counts(gold=2, predicted=3, correct=2)
    assert scores.per_label["V"] == Counts(gold=2, predicted=0, correct=0)
    assert list(scores.per_label) == ["N", "V", "X"]


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ShapeError, match="found sentence 2 only in the gold ones; compare the same text"):
        span_scores([[], []], [[]])
    with pytest.raises(ShapeError, match="found tag 1 only in the predicted ones"):
        tag_accuracy([[]], [["N"]])
