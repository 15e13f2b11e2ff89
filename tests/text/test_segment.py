"""Words as tagged characters, and back: same text, same offsets, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import SchemeError, TextError
from gatewise.text import (
    Sentence,
    Token,
    characters_from_words,
    gaps,
    sentence_from_forms,
    spans_from_tags,
    tokenize,
    word_spans,
    words_from_characters,
)

WORDS = st.sampled_from(["我", "小明", "New", "Trả lời", "👩‍👧", "e\u0301té", "3.14", "，", "门控循环"])
TAGGED = st.lists(st.tuples(WORDS, st.sampled_from(["NOUN", "ADP+DET", "X-Y"])))


@given(
    scheme=st.sampled_from(["BIO", "BIOES", "BMES"]),
    words=TAGGED,
    separator=st.sampled_from([None, "", " ", "\u3000 "]),
)
def test_round_trip(scheme: str, words: list[tuple[str, str]], separator: str | None) -> None:
    sentence = sentence_from_forms([w for w, _ in words], [tag for _, tag in words] or None, separator=separator)
    characters = characters_from_words(sentence, scheme)
    assert characters.text == sentence.text
    assert characters.tokens == tokenize(sentence.text, "characters").tokens
    assert words_from_characters(characters, scheme) == sentence


def test_one_sentence_by_hand() -> None:
    words = sentence_from_forms(["我", "叫", "小明明"], ["PRON", "VERB", "PROPN"])
    characters = characters_from_words(words, "BIOES")
    assert characters.tags == ("S-PRON", "S-VERB", "B-PROPN", "I-PROPN", "E-PROPN")
    assert [(span.start, span.end, span.label) for span in word_spans(words)] == [
        (0, 1, "PRON"),
        (1, 2, "VERB"),
        (2, 5, "PROPN"),
    ]


def test_words_without_tags_are_segmentation_alone() -> None:
    words = sentence_from_forms(["我", "小明"])
    characters = characters_from_words(words, "BMES")
    assert characters.tags == ("S", "B", "E")
    assert words_from_characters(characters, "BMES") == words


def test_characters_outside_words_fall_into_the_gaps() -> None:
    sentence = Sentence(
        text="我x 叫", tokens=(Token(text="我", start=0, end=1), Token(text="叫", start=3, end=4)), tags=("P", "V")
    )
    characters = characters_from_words(sentence, "BIO")
    assert characters.tags == ("B-P", "O", "B-V")
    assert gaps(words_from_characters(characters, "BIO")) == ["", "x ", ""]
    assert len(spans_from_tags(characters.tags, "BIO")) == 2


def test_a_word_boundary_inside_a_character_is_kept() -> None:
    tokens = (Token(text="e", start=0, end=1), Token(text="\u0301t", start=1, end=3))
    words = Sentence(text="e\u0301t", tokens=tokens, tags=("A", "B"))
    characters = characters_from_words(words, "BIO")
    assert characters.forms == ("e", "\u0301", "t")
    assert characters.tags == ("B-A", "B-B", "I-B")
    assert words_from_characters(characters, "BIO") == words


def test_a_word_of_white_space() -> None:
    with pytest.raises(
        TextError, match=r"^word 2 at character 1: expected at least one visible character, found white"
    ):
        characters_from_words(sentence_from_forms(["我", "\u3000"], separator=""), "BIO")


def test_untagged_or_broken_characters() -> None:
    with pytest.raises(SchemeError, match="expected tagged characters, found a sentence without tags; tag it first"):
        words_from_characters(sentence_from_forms(["我"]), "BIO")
    with pytest.raises(SchemeError, match=r"tags\[0\]"):
        words_from_characters(sentence_from_forms(["我"], ["I-X"]), "BIO")
