"""Sentence splitting: pieces join to the text, none is empty or blank, and examples of each rule."""

from __future__ import annotations

from time import perf_counter

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import TextError
from gatewise.text import split_sentences

PIECES = [
    "。",
    "！",
    "……",
    ".",
    "?",
    "”",
    "’",
    ")",
    "，",
    " ",
    "\r\n",
    "\n",
    "\u2028",
    "\x1f",
    "\u3000",
    "a",
    "B",
    "Dr",
    "3",
    "我",
]
PIECES += ["\u0301", "👩‍👧", "https://a.b/c?d", "１．", "\x00", "؟", "।", "\u200b"]
TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.sampled_from(PIECES)).map("".join))


@given(text=TEXTS)
def test_pieces_join_to_the_text(text: str) -> None:
    pieces = split_sentences(text)
    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(start < end for start, end in pieces)
    if len(pieces) > 1:
        assert not any(text[start:end].isspace() for start, end in pieces)


@given(text=TEXTS)
def test_no_character_is_cut(text: str) -> None:
    whole = {0, *(found.end() for found in regex.finditer(r"\X", text))}
    prepended = {found.end() for found in regex.finditer(r"\p{GCB=Prepend}", text)}
    assert {end for _, end in split_sentences(text)} <= whole | prepended


@given(lines=st.lists(st.text("我a.。 ", min_size=1).filter(str.strip), min_size=1))
def test_a_new_line_always_ends_a_sentence(lines: list[str]) -> None:
    text = "\n".join(lines)
    ends = {end for _, end in split_sentences(text)}
    position = 0
    for line in lines[:-1]:
        position += len(line) + 1
        rest = text[position:]
        assert position + len(rest) - len(rest.lstrip()) in ends


@pytest.mark.parametrize(
    "pieces",
    [
        ["他来了。", "我走了！", "是吗？", "好。"],
        ["“你好！”", "他说。"],
        ["他说：“我来了。", "你呢？”，然后走了。"],  # a comma after the closing sign goes on
        ["（完。）", "新句。"],
        ["好……", "我知道。"],
        ["圆周率是3.14。", "２５．３万亩。"],
        ["他用Node.js写网页.", "很好."],
        ["你好!", "我是小明"],
        ["  第一行\n\n", "第二行\r\n", "third line\n"],
        ["标题\u2028", "正文"],
        ["见https://a.com/x?y=1!z。", "谢谢。"],
        ["写信到a.b@c.com. ", "谢谢"],
        ["Dr. Li paid 3.5 yuan to J. Smith of the U.S. Army. ", "OK?"],
        ["So do I. ", "Yes, e.g. Bob. ", "(Really.) ", "“No.” ", "He left. ", '"Yes." ', "He said no. ", "It was."],
        ["'Hi there.' she said. ", "Wait... what? ", "Wait... ", "What?"],
        ["1. First item. ", "2. Second item, see No. 5, p. 7."],
        ["क्या? ", "वह गया। ", "हाँ।"],
        ["هل أنت هنا؟ ", "نعم."],
        [" \u3000"],
        ["。"],
        ["好。", " \u0301好"],  # a mark that stands on the space: one character, which is not cut
        ["好！\u0301 ", "好"],
    ],
)
def test_examples_of_splitting(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert [text[start:end] for start, end in split_sentences(text)] == pieces


def test_nothing_has_no_sentences() -> None:
    assert split_sentences("") == []


@pytest.mark.parametrize(
    "text", ["a." * 20_000, '..."' * 10_000, ". " * 20_000, "a@b.com. " * 5_000, ". " + "-" * 40_000]
)
def test_splitting_takes_time_in_proportion(text: str) -> None:
    start = perf_counter()
    split_sentences(text)
    assert perf_counter() - start < 5


def test_refused_text() -> None:
    with pytest.raises(TextError, match=r"^character 1: expected Unicode text, found the unpaired surrogate U\+DE00; "):
        split_sentences("。\ude00")
