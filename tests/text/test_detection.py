"""Which scheme a corpus is in, the reason given, and the sentence when none fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import SchemeError
from gatewise.text import SPAN_SCHEMES, Span, detect_scheme, spans_from_tags, tags_from_spans


@pytest.mark.parametrize(
    ("corpus", "scheme", "reason"),
    [
        ([["O", "B-X", "I-X"], ["B-X"]], "BIO", "The prefixes are B, I, O, and every span starts with B."),
        ([["O", "B-X", "E-X", "S-X"], ["B-X", "I-X", "E-X"]], "BIOES", "and E or S mark ends and single tokens."),
        ([["O", "B-X", "E-X"]], "BIOES", "BMES fits too: no span is longer than two tokens."),
        ([["B", "M", "E"], ["S"]], "BMES", "B, M, E, S, and only BMES has M for the inside of a span."),
        ([["B-X", "L-X"], ["U-X", "O"]], "BILOU", "B, L, U, O, and L or U mark ends and single tokens."),
        ([["U-X", "O"]], "BILOU", "The prefixes are U, O, and L or U mark ends and single tokens."),
        ([["O", "I-X"], ["I-X", "B-X"]], "IOB1", "spans start with I; B stands only right after a span of the same"),
        ([["I-X", "O"]], "IOB1", "The prefixes are I, O, and spans start with I"),
        ([["I-X", "I-Y", "B-Y"]], "IOB1", "spans start with I"),
        ([["B-X", "O"]], "BIO", "The prefixes are B, O, and every span starts with B."),
        ([["O"], ["NOUN", "VERB"]], "plain", 'Tags such as "NOUN" have no prefix of a span scheme.'),
        ([["O", "O"]], "BIO", "The only tag is O, so there are no spans, and any scheme fits; BIO is the usual one."),
        ([], "plain", "There are no tags at all."),
        ([[]], "plain", "There are no tags at all."),
    ],
)
def test_detected(corpus: list[list[str]], scheme: str, reason: str) -> None:
    found = detect_scheme(iter(corpus))
    assert found.scheme == scheme
    assert reason in found.reason


def test_what_fits_too_is_said() -> None:
    assert detect_scheme([["B", "E"], ["S"]]).also == ("BMES",)
    assert detect_scheme([["O"]]).also == ("IOB1", "BIOES", "BMES", "BILOU")
    assert detect_scheme([["B-X", "O"]]).also == ()


@st.composite
def corpora(draw: st.DrawFn) -> list[list[Span]]:
    """Sentences of ten tokens; touching spans of equal and of other labels are frequent."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        spans, position = [], 0
        for gap, width, label in draw(
            st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3), st.sampled_from("XY")), max_size=3)
        ):
            spans.append(Span(start=position + gap, end=position + gap + width, label=label))
            position += gap + width
        found.append(spans)
    return found


@given(scheme=st.sampled_from(SPAN_SCHEMES), corpus=corpora())
def test_every_corpus_is_recognized_or_reads_the_same(scheme: str, corpus: list[list[Span]]) -> None:
    tags = [tags_from_spans(spans, 12, scheme) for spans in corpus]
    found = detect_scheme(tags)
    assert scheme in (found.scheme, *found.also)
    for fitting in (found.scheme, *found.also):
        assert [spans_from_tags(sentence, fitting) for sentence in tags] == corpus
    if any(corpus) and scheme in ("IOB1", "BIO", "BILOU"):
        assert (found.scheme, found.also) == (scheme, ())


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (
            [["O", "I-X", "O"], ["O", "B-X", "I-X"], ["I-X"]],
            'sentence 2, tags[1]: expected "O" or "I-…" after "O" (IOB1), found "B-X"; no scheme allows these tags, '
            "IOB1 comes closest and this is the only place: mend the tags, or ask for repair",
        ),
        (
            [["B-X", "O"], ["B-X", "I-Y", "O", "I-X"]],
            'sentence 2, tags[1]: expected "O", "B-…" or "I-X" after "B-X" (BIO), found "I-Y"; no scheme allows these '
            "tags, BIO comes closest and this is the first of 2 places: mend the tags, or ask for repair",
        ),
        (
            [["I-X", "O"] * 4 + ["B-X", "O", "B-Y", "O", "B-Z"]],  # more places than kinds of place speak for IOB1
            'sentence 1, tags[8]: expected "O" or "I-…" after "O" (IOB1), found "B-X"; no scheme allows these tags, '
            "IOB1 comes closest and this is the first of 3 places",
        ),
        ([["B-X", "I-X", "E-X"], ["M-X"]], "sentence 2, tags[0]: expected either I (the other schemes) or M (BMES), "),
        ([["B-X", "per"]], 'sentence 1, tags[1]: expected a prefix (B, I, M, E, S, L, U) and a label as in "B-X"'),
        ([["B-X", "L-X", "S-X"]], 'expected either E or S (BIOES, BMES) or L or U (BILOU), found both, here "S-X"'),
        ([["B-X", "O", "U-X"]], 'expected "I-X" or "L-X" after "B-X" (BILOU), found "O"'),
        ([["B-X", "O", "M-X", "E-X"]], 'expected "M-X" or "E-X" after "B-X" (BMES), found "O"'),
        ([["S-X"], ["O", "B-X"]], 'sentence 2, tags[1]: expected "I-X" or "E-X" after "B-X" (BIOES), found the end'),
    ],
)
def test_nothing_fits(corpus: list[list[str]], message: str) -> None:
    with pytest.raises(SchemeError) as caught:
        detect_scheme(corpus)
    assert message in str(caught.value)
