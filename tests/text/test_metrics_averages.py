"""Macro averages against seqeval (strict), the counts of single sentences, and recall by training data."""

from __future__ import annotations

import random
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from gatewise.errors import ShapeError
from gatewise.text.metrics import (
    Average,
    Counts,
    Recall,
    macro_average,
    sentence_counts,
    span_scores,
    tag_accuracy,
    training_recall,
)
from gatewise.text.schemes import tags_from_spans
from gatewise.text.sentence import Span


def spans_of(rng: random.Random, length: int, labels: str) -> list[Span]:
    spans, position = [], 0
    while position < length:
        end = rng.randint(position + 1, min(length, position + 3))
        if rng.random() < 0.7:
            spans.append(Span(start=position, end=end, label=rng.choice(labels)))
        position = end
    return spans


def as_average(row: dict[str, float], labels: int) -> Average:
    return Average(
        precision=pytest.approx(row["precision"]),
        recall=pytest.approx(row["recall"]),
        f1=pytest.approx(row["f1-score"]),
        labels=labels,
    )


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), lengths=st.lists(st.integers(1, 10), min_size=1, max_size=5))
def test_macro_averages_are_those_of_seqeval(seed: int, lengths: list[int]) -> None:
    rng = random.Random(seed)
    gold = [spans_of(rng, length, "ABC") for length in lengths]
    predicted = [spans_of(rng, length, "ABCD") for length in lengths]  # D is never in gold
    scores = span_scores(gold, predicted)
    if not scores.per_label:
        return
    as_tags = [[tags_from_spans(s, n, "BIO") for s, n in zip(side, lengths, strict=True)] for side in (gold, predicted)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # undefined fractions
        report = classification_report(*as_tags, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    assert scores.macro_all == as_average(report["macro avg"], len(report) - 3)
    in_gold = [row for label, row in report.items() if row["support"] and not label.endswith("avg")]
    means = {key: sum(row[key] for row in in_gold) / (len(in_gold) or 1) for key in ("precision", "recall", "f1-score")}
    assert scores.macro == as_average(means, len(in_gold))


@given(seed=st.integers(0, 2**32), lengths=st.lists(st.integers(1, 10), max_size=5))
def test_sentences_add_up_to_all(seed: int, lengths: list[int]) -> None:
    rng = random.Random(seed)
    gold, predicted = ([spans_of(rng, length, "AB") for length in lengths] for _ in range(2))
    rows = sentence_counts(gold, predicted)
    sums = [sum(getattr(row, name) for row in rows) for name in ("gold", "predicted", "correct")]
    overall = span_scores(gold, predicted).overall
    assert sums == [overall.gold, overall.predicted, overall.correct]
    assert len(rows) == len(lengths)


def test_averages_by_hand() -> None:
    """The F1 of the macro average is the mean of the F1s, not the F1 of the means; labels out of gold are left out."""
    a, b = Counts(gold=4, predicted=2, correct=2), Counts(gold=2, predicted=4, correct=1)
    found = macro_average([a, b])
    assert found == Average(precision=(1 + 1 / 4) / 2, recall=(1 / 2 + 1 / 2) / 2, f1=(2 / 3 + 1 / 3) / 2, labels=2)
    assert found.f1 != pytest.approx(2 * found.precision * found.recall / (found.precision + found.recall))
    assert macro_average([]) == Average(precision=0.0, recall=0.0, f1=0.0, labels=0)
    scores = tag_accuracy([["N", "V"]], [["N", "X"]])
    assert scores.macro == Average(precision=0.5, recall=0.5, f1=0.5, labels=2)  # X is not in gold


def test_recall_by_training() -> None:
    outcomes = [("a", True), ("b", False), ("c", True), ("c", False), ("a", True)]
    found = training_recall(outcomes, {"a", "b"})
    assert found.unseen == Recall(gold=2, correct=1)
    assert found.seen == Recall(gold=3, correct=2)
    assert (found.unseen.recall, found.seen.recall) == (1 / 2, 2 / 3)
    assert training_recall([], {"a"}).unseen.recall == 0.0


def test_sentences_on_one_side_only_are_refused() -> None:
    with pytest.raises(ShapeError, match="found sentence 1 only in the predicted ones"):
        sentence_counts([], [[]])
