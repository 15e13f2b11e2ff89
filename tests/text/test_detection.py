"""Which scheme a corpus is in, the reason given, and the sentence when none fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import SchemeError
from gatewise.text import Span, detect_scheme, tags_from_spans


@pytest.mark.parametrize(
    ("corpus", "scheme", "reason"),
    [
        ([["O", "B-X", "I-X"], ["B-X"]], "BIO", "The prefixes are B, I, O, and every span starts with B."),
        ([["O", "B-X", "E-X"]], "BIOES", "The prefixes are B, E, O; E or S mark ends and single tokens."),
        ([["B", "M", "E"], ["S"]], "BMES", "The prefixes are B, M, E, S; only BMES has M for the inside of a span."),
        ([["O"], ["NOUN", "VERB"]], "plain", 'Tags such as "NOUN" have no prefix of a span scheme.'),
        ([["O", "O"]], "BIO", "The prefixes are O, and every span starts with B."),
        ([], "plain", "There are no tags at all."),
    ],
)
def test_detected(corpus: list[list[str]], scheme: str, reason: str) -> None:
    found = detect_scheme(iter(corpus))
    assert (found.scheme, found.reason) == (scheme, reason)


@given(scheme=st.sampled_from(["BIO", "BIOES", "BMES"]), widths=st.lists(st.integers(1, 4)))
def test_every_corpus_with_a_long_span_is_recognized(scheme: str, widths: list[int]) -> None:
    corpus = [tags_from_spans([Span(start=0, end=width, label="X")], width + 1, scheme) for width in [3, *widths]]
    assert detect_scheme(corpus).scheme == scheme


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (
            [["O"], ["O", "I-X", "I-X"]],
            'sentence 2, tags[1]: expected "O" or "B-…" after "O" (BIO), found "I-X"; this looks like IOB1',
        ),
        (
            [["B-X", "O"], ["B-X", "I-Y", "O", "I-X"]],
            'sentence 2, tags[1]: expected "O", "B-…" or "I-X" after "B-X" (BIO), found "I-Y"; mend the tag',
        ),
        ([["B-X", "I-X", "E-X"], ["M-X"]], "sentence 2, tags[0]: expected either I (BIO, BIOES) or M (BMES)"),
        ([["B-X", "per"]], 'sentence 1, tags[1]: expected a prefix (B, I, M, E, S) and a label as in "B-X", or "O"'),
        ([["B-X", "L-X"]], 'found "L-X"; this looks like BILOU: write E for L and S for U'),
        ([["S-X"], ["O", "B-X"]], "found the end of the sentence; mend the tag"),
    ],
)
def test_nothing_fits(corpus: list[list[str]], message: str) -> None:
    with pytest.raises(SchemeError) as caught:
        detect_scheme(corpus)
    assert message in str(caught.value)
