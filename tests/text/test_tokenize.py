"""Tokenizers: gaps and tokens join to the text, clusters stay whole, the fast path is the slow path."""

from __future__ import annotations

import sys

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError, TextError
from gatewise.text import TOKENIZERS, Sentence, gaps, tokenize

# building blocks that join their neighbors: accents, joiners, flags, skin tones, Hangul letters, Indic signs, CR LF
PIECES = [
    "e\u0301",
    "👩‍👧",
    "🇨",
    "🇳",
    "👍🏽",
    "ᄒ",
    "ᅡ",
    "ᆫ",
    "क्",
    "ष",
    "\r",
    "\n",
    " ",
    "\u3000",
    "\u200b",
    "が",
    "\ufeff",
]
PIECES += ["我", "叫", "豈", "a", "'", ".", "3", "_", "—", "𠮷", "\u0308", "\U000e0100", "ｶ\uff9e"]
TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.sampled_from(PIECES)).map("".join))


def joined(sentence: Sentence) -> str:
    between = gaps(sentence)
    return between[0] + "".join(token.text + gap for token, gap in zip(sentence.tokens, between[1:], strict=True))


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(text=TEXTS)
def test_text_comes_back_as_it_went_in(tokenizer: str, text: str) -> None:
    sentence = tokenize(text, tokenizer)
    assert joined(sentence) == text
    assert all(gap == "" or gap.isspace() for gap in gaps(sentence))
    assert all(text[token.start : token.end] == token.text != "" for token in sentence)
    assert not any(token.text.isspace() for token in sentence)


@given(text=TEXTS)
def test_characters_are_the_grapheme_clusters_that_are_not_white_space(text: str) -> None:
    clusters = [cluster for cluster in regex.findall(r"\X", text) if not cluster.isspace()]
    assert list(tokenize(text, "characters").forms) == clusters


def test_each_character_of_the_fast_path_joins_no_other() -> None:
    # UAX #29: between two characters of class Other (rule GB999), and around Control (GB4, GB5), there is a break
    single = sys.modules["gatewise.text.tokenize"]._SINGLE
    fast = [chr(code) for code in range(sys.maxunicode + 1) if single.fullmatch(chr(code))]
    assert len(fast) > 27_000
    joining = [character for character in fast if not regex.fullmatch(r"\p{GCB=Other}", character)]
    assert joining == ["\t", "\n"]
    assert not single.fullmatch("\r")


@pytest.mark.parametrize(
    ("text", "tokenizer", "forms"),
    [
        ("我叫小明", "characters", ["我", "叫", "小", "明"]),
        ("我 叫\u3000e\u0301👩‍👧🇨🇳", "characters", ["我", "叫", "e\u0301", "👩‍👧", "🇨🇳"]),
        ("don't pay $3.14, 小明!", "words", ["don't", "pay", "$", "3.14", ",", "小", "明", "!"]),
        ("The quick (“brown”) fox", "words", ["The", "quick", "(", "“", "brown", "”", ")", "fox"]),
        ("カタカナ...", "words", ["カタカナ", ".", ".", "."]),
        ("  a-b,\u3000c\r\nd ", "whitespace", ["a-b,", "c", "d"]),
        ("", "words", []),
        (" \r\n", "characters", []),
    ],
)
def test_examples(text: str, tokenizer: str, forms: list[str]) -> None:
    assert list(tokenize(text, tokenizer).forms) == forms


def test_offsets_count_characters_of_the_text() -> None:
    tokens = tokenize("𠮷 👩‍👧x", "characters").tokens
    assert [(token.start, token.end) for token in tokens] == [(0, 1), (2, 5), (5, 6)]


def test_ten_thousand_characters() -> None:
    assert len(tokenize("门控" * 5000, "characters")) == 10_000


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_refused_texts(tokenizer: str) -> None:
    with pytest.raises(TextError, match=r"^character 2: expected Unicode text, found the unpaired surrogate U\+D83D; "):
        tokenize("我叫\ud83d", tokenizer)
    with pytest.raises(TextError, match=r"^expected a text \(str\), found bytes; decode"):
        tokenize("我".encode(), tokenizer)  # type: ignore[arg-type]


def test_unknown_tokenizer() -> None:
    with pytest.raises(ConfigError, match=r"expected one of characters, words, whitespace, found \"jieba\"; choose"):
        tokenize("我", "jieba")
