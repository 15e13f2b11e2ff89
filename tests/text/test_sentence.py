"""Sentences built from forms: the text between Chinese and other tokens, and the gaps."""

from __future__ import annotations

import pytest

from gatewise.errors import TextError
from gatewise.text import gaps, sentence_from_forms


@pytest.mark.parametrize(
    ("forms", "text"),
    [
        (["EU", "rejects", "call"], "EU rejects call"),
        (["我", "在", "New", "York", "。"], "我在New York。"),
        (["カ", "x"], "カx"),
        (["𠮷", "x"], "𠮷x"),
        (["x", "，", "y"], "x，y"),
        (["안녕", "하세요"], "안녕 하세요"),
        ([], ""),
    ],
)
def test_join_rule(forms: list[str], text: str) -> None:
    sentence = sentence_from_forms(forms)
    assert sentence.text == text
    assert [text[token.start : token.end] for token in sentence] == forms


def test_separator_overrides_the_rule() -> None:
    sentence = sentence_from_forms(["我", "ab", "叫"], separator="--")
    assert sentence.text == "我--ab--叫"
    assert [(token.start, token.end) for token in sentence] == [(0, 1), (3, 5), (7, 8)]
    assert gaps(sentence) == ["", "--", "--", ""]


def test_gaps_of_a_sentence_without_tokens_are_its_text() -> None:
    assert gaps(sentence_from_forms([])) == [""]


def test_one_tag_a_token() -> None:
    with pytest.raises(TextError, match="expected one tag for each of 2 tokens, found 1 tags"):
        sentence_from_forms(["a", "b"], ["X"])
