"""Kinds of errors: by hand, against a quadratic definition, and as a partition that adds up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatewise.text.confusion import KINDS, error_counts, judge_spans
from gatewise.text.metrics import span_scores
from gatewise.text.sentence import Span


@st.composite
def flat_spans(draw: st.DrawFn) -> list[Span]:
    spans, position = [], 0
    for _ in range(draw(st.integers(0, 6))):
        length = draw(st.integers(1, 4))
        if (label := draw(st.sampled_from(["A", "B", None]))) is not None:
            spans.append(Span(start=position, end=position + length, label=label))
        position += length
    return spans


sentences = st.lists(st.tuples(flat_spans(), flat_spans()), max_size=4)


def kind_of(span: Span, others: list[Span], alone: str) -> str:
    """The definition, word for word, by looking at every span of the other side."""
    overlapping = [o for o in others if o.start < span.end and span.start < o.end]
    if span in others:
        return "correct"
    if any((o.start, o.end) == (span.start, span.end) for o in others):
        return "label"
    if any(o.label == span.label for o in overlapping):
        return "boundary"
    return "both" if overlapping else alone


@given(gold=flat_spans(), predicted=flat_spans())
def test_each_span_has_the_kind_that_the_definition_gives_it(gold: list[Span], predicted: list[Span]) -> None:
    of_gold, of_predicted = judge_spans(gold, predicted)
    assert [(j.span, j.kind) for j in of_gold] == [(s, kind_of(s, predicted, "missed")) for s in sorted(gold)]
    assert [(j.span, j.kind) for j in of_predicted] == [(s, kind_of(s, gold, "spurious")) for s in sorted(predicted)]
    for judgment in (*of_gold, *of_predicted):
        assert (judgment.other is None) == (judgment.kind in ("missed", "spurious"))
        if judgment.other is not None:
            assert judgment.other.start < judgment.span.end
            assert judgment.span.start < judgment.other.end


@given(sentences)
def test_the_counts_add_up(pairs: list[tuple[list[Span], list[Span]]]) -> None:
    gold, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    counts, overall = error_counts(gold, predicted), span_scores(gold, predicted).overall
    assert tuple(counts.gold) == tuple(counts.predicted) == KINDS
    assert sum(counts.gold.values()) == overall.gold
    assert sum(counts.predicted.values()) == overall.predicted
    assert counts.gold["correct"] == counts.predicted["correct"] == overall.correct
    assert counts.gold["label"] == counts.predicted["label"] == sum(counts.confusion.values())
    assert counts.gold["spurious"] == counts.predicted["missed"] == 0
    assert (counts.gold["boundary"] == 0) == (counts.predicted["boundary"] == 0)


@given(sentences)
def test_changing_the_sides_changes_the_table_and_nothing_else(pairs: list[tuple[list[Span], list[Span]]]) -> None:
    gold, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    one, other = error_counts(gold, predicted), error_counts(predicted, gold)
    names = {kind: kind for kind in KINDS} | {"missed": "spurious", "spurious": "missed"}
    assert one.gold == {kind: other.predicted[names[kind]] for kind in KINDS}
    assert one.confusion == {(b, a): n for (a, b), n in other.confusion.items()}


def test_by_hand() -> None:
    def spans(*rows: tuple[int, int, str]) -> list[Span]:
        return [Span(start=a, end=b, label=label) for a, b, label in rows]

    gold = spans((0, 2, "PER"), (2, 4, "LOC"), (5, 9, "ORG"), (10, 12, "PER"), (13, 14, "LOC"))
    predicted = spans((0, 2, "PER"), (2, 4, "ORG"), (5, 7, "ORG"), (7, 9, "ORG"), (11, 13, "LOC"), (15, 16, "PER"))
    of_gold, of_predicted = judge_spans(gold, predicted)
    assert [j.kind for j in of_gold] == ["correct", "label", "boundary", "both", "missed"]
    assert [j.kind for j in of_predicted] == ["correct", "label", "boundary", "boundary", "both", "spurious"]
    assert of_gold[2].other == predicted[2]  # of two that cover as much, the first
    counts = error_counts([gold, gold[1:2]], [predicted, spans((2, 4, "ORG"))])
    assert counts.confusion == {("LOC", "ORG"): 2}
    assert counts.gold == {"correct": 1, "label": 2, "boundary": 1, "both": 1, "missed": 1, "spurious": 0}


def test_the_label_counts_for_more_than_the_overlap() -> None:
    gold = [Span(start=0, end=5, label="PER")]
    predicted = [Span(start=0, end=4, label="LOC"), Span(start=4, end=5, label="PER")]
    of_gold, of_predicted = judge_spans(gold, predicted)
    assert (of_gold[0].kind, of_gold[0].other) == ("boundary", predicted[1])
    assert [j.kind for j in of_predicted] == ["both", "boundary"]
