"""Tokenizers: gaps and tokens join to the text, clusters stay whole, the fast path is the slow path."""

from __future__ import annotations

import sys
from time import perf_counter

import pytest
import regex
from hypothesis import example, given
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
PIECES += ["https://", "www.", "a@b.co", "，", "１", "：", "é", "Я", "\x00", "\x1f", "\u2028", "\u0600"]
PIECES += ["我", "叫", "豈", "a", "'", ".", "3", "_", "—", "𠮷", "\u0308", "\U000e0100", "ｶ\uff9e"]
TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.sampled_from(PIECES)).map("".join))


def joined(sentence: Sentence) -> str:
    between = gaps(sentence)
    return between[0] + "".join(token.text + gap for token, gap in zip(sentence.tokens, between[1:], strict=True))


MAIL_AND_URL = ["写", "信", "到", "a.b@c.com", "，", "或", "看", "https://c.com/d_(e)?f=1", "。"]


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


@pytest.mark.parametrize("tokenizer", ["characters", "mixed", "words", "english"])
def test_of_a_run_of_spaces_the_one_with_a_mark_is_a_token(tokenizer: str) -> None:
    tokens = tokenize("a  \u0301b", tokenizer).tokens
    assert [(token.text, token.start) for token in tokens] == [("a", 0), (" \u0301", 2), ("b", 4)]


@given(text=st.text(st.sampled_from("aéЯ_1９.,;:·我。！-\n '’\u0301"), max_size=12))
@example(text="  \u0301")
def test_mixed_is_words_where_nothing_is_tailored(text: str) -> None:
    # an independent oracle: the word boundaries of the regex module
    assert tokenize(text, "mixed").tokens == tokenize(text, "words").tokens


def test_the_fast_path_of_mixed_is_its_slow_path() -> None:
    module = sys.modules["gatewise.text.tokenize"]
    fast = [chr(code) for code in range(0x10000) if module._ALL_APART.fullmatch(chr(code))]
    assert len(fast) > 20_900
    assert all(module._SINGLE.fullmatch(character) for character in fast)
    assert not [character for character in fast if regex.fullmatch(module._WORD, character, flags=regex.V1)]


@given(text=TEXTS)
def test_mixed_and_words_do_not_cut_addresses(text: str) -> None:
    with_address = f"{text} https://a.b/c?d=1 {text}"
    for tokenizer in ("mixed", "words"):
        assert "https://a.b/c?d=1" in tokenize(with_address, tokenizer).forms


@pytest.mark.parametrize(
    "text", ["a-" * 20_000 + "@", "http://" + "(a" * 20_000 + "é", "http://a." * 9_000 + "é", "a@b." * 9_000]
)
def test_long_texts_without_end_take_no_longer_than_their_length(text: str) -> None:
    for tokenizer in ("mixed", "words"):
        start = perf_counter()
        tokenize(text, tokenizer)
        assert perf_counter() - start < 5  # a search that starts over at each character would take minutes


@pytest.mark.parametrize(
    ("text", "tokenizer", "forms"),
    [
        ("我叫小明", "characters", ["我", "叫", "小", "明"]),
        ("我 叫\u3000e\u0301👩‍👧🇨🇳", "characters", ["我", "叫", "e\u0301", "👩‍👧", "🇨🇳"]),
        ("don't pay $3.14, 小明!", "words", ["don't", "pay", "$", "3.14", ",", "小", "明", "!"]),
        ("'tis l'eau rock 'n' roll ’A’", "words", ["'", "tis", "l'eau", "rock", "'", "n", "'", "roll", "’", "A", "’"]),
        ("🇨,🇨🇳🇨 x\u0301'\u0301我", "words", ["🇨", ",", "🇨🇳", "🇨", "x\u0301", "'\u0301", "我"]),
        ("The quick (“brown”) fox", "words", ["The", "quick", "(", "“", "brown", "”", ")", "fox"]),
        ("写信到 a.b@c.com，或看https://c.com/d_(e)?f=1。", "words", MAIL_AND_URL),
        ("写信到 a.b@c.com，或看https://c.com/d_(e)?f=1。", "mixed", MAIL_AND_URL),
        ("[x](https://a.b/c), www.d.org.", "mixed", ["[", "x", "]", "(", "https://a.b/c", ")", ",", "www.d.org", "."]),
        ("用iPhone15拍了3.14%，don't", "mixed", ["用", "iPhone15", "拍", "了", "3.14", "%", "，", "don't"]),
        ("2020，2021年 ３．５", "mixed", ["2020", "，", "2021", "年", "３．５"]),
        ("2020，2021年 ３．５", "words", ["2020，2021", "年", "３．５"]),
        ("Alice：Привет α粒子カナ", "mixed", ["Alice", "：", "Привет", "α", "粒", "子", "カ", "ナ"]),
        ("cafe\u0301x@y e@cafe.fré", "mixed", ["cafe\u0301x", "@", "y", "e", "@", "cafe.fré"]),
        ("カタカナ...", "words", ["カタカナ", ".", ".", "."]),
        ("  a-b,\u3000c\r\nd ", "whitespace", ["a-b,", "c", "d"]),
        (
            "They've re-opened: isn't it 9:30?",
            "english",
            ["They", "'ve", "re-opened", ":", "is", "n't", "it", "9:30", "?"],
        ),
        (
            "Mr. Ng cannot pay U.S. $5.20 (10%)!!",
            "english",
            ["Mr.", "Ng", "can", "not", "pay", "U.S.", "$", "5.20", "(", "10", "%", ")", "!!"],
        ),
        ("long-term dogs\u2019 Ann\u2019s", "english", ["long", "-", "term", "dogs", "’", "Ann", "’s"]),
        (
            "Dont! wont... lemme a.b@c.com :-)",
            "english",
            ["Do", "nt", "!", "wo", "nt", "...", "lem", "me", "a.b@c.com", ":-)"],
        ),
        (
            "I gotta see W. Bush's AT&T b/c",
            "english",
            ["I", "got", "ta", "see", "W.", "Bush", "'s", "AT&T", "b", "/", "c"],
        ),
        ("font want 'tis @ann #x_1 a.doc", "english", ["font", "want", "'t", "is", "@ann", "#x_1", "a.doc"]),
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
    with pytest.raises(
        ConfigError, match=r"expected one of characters, mixed, words, english, whitespace, found \"jieba\"; choose"
    ):
        tokenize("我", "jieba")
