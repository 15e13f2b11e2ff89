"""Chunks of broken tag sequences: against seqeval's default mode, and against a walk as the CoNLL script makes it."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

from gatewise.errors import SchemeError
from gatewise.text.conlleval import conlleval_spans
from gatewise.text.metrics import Counts, span_scores
from gatewise.text.schemes import SCHEMES, spans_from_tags, tags_from_spans
from gatewise.text.sentence import Span

Corpus = list[list[tuple[str, str]]]  # sentences of (gold tag, predicted tag)

# Pairs (tag before, tag now) of the script of 2004-01-26 that end and start a chunk of the same label
ENDS = {"BB", "BO", "IB", "IO", "EE", "EI", "EO"}
STARTS = {"BB", "IB", "OB", "OI", "EE", "EI", "OE"}


def tags(prefixes: str) -> list[str]:
    return ["O", *(f"{prefix}{label}" for prefix in prefixes for label in ("", "-PER", "-LOC", "-LOC-X"))]


def corpora(prefixes: str) -> st.SearchStrategy[Corpus]:
    tag = st.sampled_from(tags(prefixes))
    pair = st.one_of(tag.map(lambda t: (t, t)), st.tuples(tag, tag))
    return st.lists(st.lists(pair, min_size=1, max_size=10), min_size=1, max_size=5)


def split(tag: str) -> tuple[str, str]:
    prefix, _, label = tag.partition("-")
    return prefix, label


def walk(corpus: Corpus) -> Counts:
    """The script's own counting: it never makes a span, it goes through the tokens once with a flag `right so far`."""
    gold = predicted = correct = 0
    right_so_far = False
    before = [("O", ""), ("O", "")]
    for pair in [pair for sentence in corpus for pair in [*sentence, ("O", "O")]]:
        now = [split(tag) for tag in pair]
        ends = [b[0] + n[0] in ENDS or (b[0] != "O" and b[1] != n[1]) for b, n in zip(before, now, strict=True)]
        starts = [b[0] + n[0] in STARTS or (n[0] != "O" and b[1] != n[1]) for b, n in zip(before, now, strict=True)]
        if right_so_far:
            if all(ends) and before[0][1] == before[1][1]:
                right_so_far = False
                correct += 1
            elif ends[0] != ends[1] or now[0][1] != now[1][1]:
                right_so_far = False
        if all(starts) and now[0][1] == now[1][1]:
            right_so_far = True
        gold += starts[0]
        predicted += starts[1]
        before = now
    return Counts(gold=gold, predicted=predicted, correct=correct + right_so_far)


def ours(corpus: Corpus) -> Counts:
    sides = [[[pair[side] for pair in sentence] for sentence in corpus] for side in (0, 1)]
    return span_scores(*(map(conlleval_spans, side) for side in sides)).overall


@pytest.mark.parametrize("prefixes", ["BI", "IE"])
@settings(max_examples=300)
@given(data=st.data())
def test_counts_are_those_of_the_script(prefixes: str, data: st.DataObject) -> None:
    corpus = data.draw(corpora(prefixes))
    assert ours(corpus) == walk(corpus)


@pytest.mark.parametrize("prefixes", ["BI", "IE", "BIES"])
@settings(max_examples=150)
@given(data=st.data())
def test_chunks_and_scores_are_those_of_seqeval(prefixes: str, data: st.DataObject) -> None:
    corpus = data.draw(corpora(prefixes))
    gold, predicted = ([[pair[side] for pair in sentence] for sentence in corpus] for side in (0, 1))
    for sentence in gold:
        theirs = [Span(start=a, end=b + 1, label=label) for label, a, b in get_entities(sentence)]
        assert [Span(start=s.start, end=s.end, label=s.label or "_") for s in conlleval_spans(sentence)] == theirs
    found = ours(corpus)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # undefined fractions
        theirs_now = [f(gold, predicted, zero_division=0) for f in (precision_score, recall_score, f1_score)]
    assert [found.precision, found.recall, found.f1] == pytest.approx(theirs_now)


@given(st.lists(st.sampled_from(tags("BI")), max_size=12), st.lists(st.sampled_from(tags("BI")), max_size=12))
@example(["I-PER"], ["I-PER"])
def test_a_sentence_ends_what_is_open(first: list[str], second: list[str]) -> None:
    together = conlleval_spans([*first, "O", *second])
    moved = [
        Span(start=s.start + len(first) + 1, end=s.end + len(first) + 1, label=s.label) for s in conlleval_spans(second)
    ]
    assert together == conlleval_spans(first) + moved


@pytest.mark.parametrize(
    ("sequence", "chunks"),
    [
        ("I-PER I-PER O", [(0, 2, "PER")]),
        ("O I-PER B-PER", [(1, 2, "PER"), (2, 3, "PER")]),
        ("B-PER I-LOC I-LOC", [(0, 1, "PER"), (1, 3, "LOC")]),
        ("B-PER O I-PER", [(0, 1, "PER"), (2, 3, "PER")]),
        ("E-PER E-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        ("B-PER M-PER M-PER E-PER", [(0, 4, "PER")]),  # BMES, read as BIES
        ("B-PER I-PER L-PER U-PER", [(0, 3, "PER"), (3, 4, "PER")]),  # BILOU, too
        ("B-PER S-PER I-PER", [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "PER")]),
        ("B-A-B I-A-B I-A", [(0, 2, "A-B"), (2, 3, "A")]),
        ("B I B", [(0, 2, ""), (2, 3, "")]),
        ("O O", []),
        ("", []),
    ],
)
def test_by_hand(sequence: str, chunks: list[tuple[int, int, str]]) -> None:
    assert conlleval_spans(sequence.split()) == [Span(start=a, end=b, label=label) for a, b, label in chunks]


@pytest.mark.parametrize("sequence", ["S-PER S-PER", "B-PER E-PER B-PER E-PER"])
def test_where_the_script_of_2004_differs(sequence: str) -> None:
    """It knows no S, and nothing ends or starts between E and B: it counts one chunk where BIOES means two."""
    corpus = [[(tag, tag) for tag in sequence.split()]]
    assert walk(corpus).gold == 1
    assert ours(corpus).gold == 2


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "plain"])
@given(cuts=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["", "PER", "LOC", None])), max_size=8))
def test_legal_tags_mark_the_same_spans_as_without_the_rules(scheme: str, cuts: list[tuple[int, str | None]]) -> None:
    spans, position = [], 0
    for length, label in cuts:
        if label is not None:
            spans.append(Span(start=position, end=position + length, label=label))
        position += length
    legal = tags_from_spans(spans, position, scheme)
    assert conlleval_spans(legal) == spans_from_tags(legal, scheme) == spans


@pytest.mark.parametrize("tag", ["NOUN", "X-PER", "O-PER", "", "b-PER"])
def test_other_tags_are_refused(tag: str) -> None:
    with pytest.raises(SchemeError, match=f'expected "O" or a prefix .*, found "{tag}"'):
        conlleval_spans(["O", tag])
