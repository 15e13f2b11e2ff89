"""Keys, bigrams, ids: what is looked up, in which order, and what is unknown."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.text import (
    PADDING_ID,
    TOKENIZERS,
    UNKNOWN_ID,
    Vocabulary,
    bigrams,
    build_vocabulary,
    keys_from_forms,
    normalize,
    tokenize,
)


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ("ＩＰ", "ip"),
        ("2024年", "0000年"),
        ("１５", "00"),
        ("٣x", "0x"),
        ("İ", "i̇"),
        ("①", "0"),
        ("ﬁ", "fi"),
        ("J\u030c", "\u01f0"),
        ("豈", "豈"),
    ],
)
def test_normalize(form: str, key: str) -> None:
    assert normalize(form) == key


@given(st.text())
def test_normalize_twice_is_normalize_once_and_leaves_no_digit_but_zero(form: str) -> None:
    key = normalize(form)
    assert normalize(key) == key
    assert {c for c in key if unicodedata.category(c) == "Nd"} <= {"0"}


def test_every_character_has_a_key_that_is_its_own_key() -> None:
    for code in range(sys.maxunicode + 1):
        key = normalize(chr(code))
        if key != chr(code):
            assert normalize(key) == key, hex(code)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("ＡＢ１２Ａ①ﬁ豈İ")))
def test_keys_leave_the_text_as_it_is(tokenizer: str, text: str) -> None:
    sentence = tokenize(text, tokenizer)
    keys = keys_from_forms(sentence.forms)
    assert len(keys) == len(sentence)
    assert all(token.text == text[token.start : token.end] for token in sentence)
    assert keys == keys_from_forms(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ＡＢＣ", "abc"), ("１２", "98"), ("，", ","), ("ｶﾞ", "ガ"), ("STRASSE", "strasse"), ("２．５", "3.7")],
)
def test_forms_that_share_a_key(one: str, other: str) -> None:
    assert normalize(one) == normalize(other)


def test_bigrams() -> None:
    assert bigrams(["我", "叫", "明"]) == ["<s>我", "我叫", "叫明", "明</s>"]
    assert bigrams([]) == ["<s></s>"]


def test_ids() -> None:
    vocabulary = Vocabulary(entries=("我", "the", "0"))
    assert (PADDING_ID, UNKNOWN_ID, vocabulary.size) == (0, 1, 5)
    assert vocabulary.encode(["0", "我", "nobody", "the"]) == [4, 2, 1, 3]
    assert vocabulary.encode(keys_from_forms(["7", "THE"])) == [4, 3]
    assert vocabulary.encode(["THE"]) == [UNKNOWN_ID]  # keys are taken as they are
    assert "我" in vocabulary
    assert "你" not in vocabulary
    assert vocabulary == Vocabulary(entries=("我", "the", "0"))


def test_the_order_of_entries_does_not_depend_on_the_order_of_counting() -> None:
    counts = {"b": 3, "a": 3, "c": 7, "rare": 1, "人": 3}
    expected = ("c", "a", "b", "人")
    assert build_vocabulary(Counter(counts), 2).entries == expected
    assert build_vocabulary(Counter(dict(reversed(counts.items()))), 2).entries == expected
