"""Spans of characters and tokens: alignment against an oracle that looks at every character, and back again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import SchemeError
from gatewise.text import SPAN_SCHEMES, Sentence, Span, Token, sentence_from_forms, tags_from_spans, tokenize
from gatewise.text.align import align_spans, character_spans, find_overlap, guess_tokenizer, plain_tags

TEXTS = st.text(st.sampled_from("ab 我小\u3000👩\u200d👧é\u0301.\n-"), max_size=12)
TOKENIZERS = st.sampled_from(["characters", "words", "whitespace"])


def stretches(text: str) -> st.SearchStrategy[list[Span]]:
    edges = st.integers(0, len(text))
    pairs = st.tuples(edges, edges).filter(lambda pair: pair[0] < pair[1])
    return st.lists(pairs.map(lambda pair: Span(start=pair[0], end=pair[1], label="X")), max_size=3)


@given(data=st.data(), text=TEXTS.filter(bool), tokenizer=TOKENIZERS)
def test_alignment_character_by_character(data: st.DataObject, text: str, tokenizer: str) -> None:
    sentence = tokenize(text, tokenizer)
    spans = data.draw(stretches(text))
    aligned = align_spans(sentence, spans)
    assert len(aligned.spans) + len(aligned.misfits) == len(spans)
    for span in aligned.spans:
        tokens = sentence.tokens[span.start : span.end]
        covered = {at for token in tokens for at in range(token.start, token.end)}
        assert any(
            {at for at in range(given.start, given.end) if not text[at].isspace()}
            == {at for at in covered if not text[at].isspace()}
            for given in spans
        )
    for misfit in aligned.misfits:
        places = set(range(misfit.span.start, misfit.span.end))
        touched = [i for i, t in enumerate(sentence.tokens) if places & set(range(t.start, t.end))]
        if not touched:
            assert (misfit.token, misfit.expanded) == (None, None)
            continue
        assert misfit.expanded == Span(start=touched[0], end=touched[-1] + 1, label="X")
        assert misfit.token is not None
        cut = set(range(misfit.token.start, misfit.token.end))
        assert cut & places
        assert cut - places


def test_by_hand() -> None:
    sentence = tokenize("Ann Lee's", "whitespace")
    aligned = align_spans(sentence, [Span(start=0, end=7, label="PER"), Span(start=0, end=4, label="X")])
    assert aligned.spans == (Span(start=0, end=1, label="X"),)  # the space at its end does not count
    [misfit] = aligned.misfits
    assert misfit.token is not None
    assert (misfit.token.text, misfit.expanded) == ("Lee's", Span(start=0, end=2, label="PER"))
    [empty] = align_spans(sentence, [Span(start=3, end=4, label="X")]).misfits
    assert (empty.token, empty.expanded) == (None, None)


@given(data=st.data(), text=TEXTS.filter(bool))
def test_the_first_overlap(data: st.DataObject, text: str) -> None:
    spans = data.draw(stretches(text))
    places = [at for span in spans for at in range(span.start, span.end)]
    pair = find_overlap(spans)
    assert (pair is None) == (len(places) == len(set(places)))
    if pair:
        assert set(range(pair[0].start, pair[0].end)) & set(range(pair[1].start, pair[1].end))


def test_a_short_span_inside_a_long_one_is_not_hidden_by_its_neighbor() -> None:
    spans = [Span(start=0, end=9, label="A"), Span(start=1, end=2, label="B"), Span(start=5, end=6, label="C")]
    assert find_overlap(spans) == (spans[0], spans[1])
    assert find_overlap([spans[2], spans[1]]) is None


@given(data=st.data(), text=TEXTS, tokenizer=TOKENIZERS, scheme=st.sampled_from(SPAN_SCHEMES))
def test_tags_to_characters_and_back(data: st.DataObject, text: str, tokenizer: str, scheme: str) -> None:
    sentence = tokenize(text, tokenizer)
    cuts = data.draw(st.lists(st.integers(0, len(sentence)), max_size=4).map(lambda found: sorted(set(found))))
    spans = [Span(start=a, end=b, label="XY"[i % 2]) for i, (a, b) in enumerate(pairwise(cuts))]
    tagged = sentence.with_tags(tags_from_spans(spans, len(sentence), scheme))
    aligned = align_spans(sentence, character_spans(tagged, scheme))
    assert (list(aligned.spans), aligned.misfits) == (spans, ())


def test_what_a_sentence_marks() -> None:
    words = sentence_from_forms(["EU", "says"], ["PROPN", "VERB"])
    assert character_spans(words) == [Span(start=0, end=2, label="PROPN"), Span(start=3, end=7, label="VERB")]
    assert character_spans(sentence_from_forms(["小", "明"], ["B-PER", "E-PER"])) == [Span(start=0, end=2, label="PER")]
    assert character_spans(Sentence(text="a", tokens=())) == []
    with pytest.raises(SchemeError, match="I-X"):
        character_spans(sentence_from_forms(["a", "b"], ["O", "I-X"]), "BIO")


def test_plain_tags() -> None:
    sentence = sentence_from_forms(["EU", "says"])
    spans = [Span(start=0, end=1, label="PROPN"), Span(start=1, end=2, label="VERB")]
    assert plain_tags(sentence, spans) == ["PROPN", "VERB"]
    with pytest.raises(SchemeError, match='expected a span on every token for plain tags, found none on "says" at 3'):
        plain_tags(sentence, spans[:1])
    with pytest.raises(SchemeError, match="expected spans of one token each for plain tags, found NP over 2"):
        plain_tags(sentence, [Span(start=0, end=2, label="NP")])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["我叫小明。"], "characters"),
        (["I am 小明"], "words"),
        (["我用Word写"], "words"),
        ([], "words"),
        (["𠀀𠀁 a"], "characters"),
    ],
)
def test_the_tokenizer_that_fits(texts: list[str], expected: str) -> None:
    assert guess_tokenizer(texts) == expected


def test_a_token_may_begin_with_a_space() -> None:
    """A space and a combining mark are one character for a reader."""
    sentence = tokenize("a \u0301b", "characters")
    assert sentence.forms == ("a", " \u0301", "b")
    span = Span(start=1, end=3, label="X")
    assert align_spans(sentence, [span]).spans == (Span(start=1, end=2, label="X"),)
    assert [misfit.token for misfit in align_spans(sentence, [Span(start=0, end=2, label="X")]).misfits] == [
        sentence.tokens[1]
    ]


def test_characters_of_no_token() -> None:
    sentence = Sentence(text="a-b", tokens=(Token(text="a", start=0, end=1), Token(text="b", start=2, end=3)))
    [misfit] = align_spans(sentence, [Span(start=1, end=3, label="X")]).misfits
    assert (misfit.token, misfit.expanded) == (None, Span(start=1, end=2, label="X"))
