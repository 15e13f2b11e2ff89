"""Sentence splitting: where the sentences of a running text begin and end, in Chinese and in spaced languages.

In: a text. Out: half-open pieces that join to exactly the text; white space after a sentence belongs to it. The marks
and what may go on after them are the classes of Unicode Standard Annex #29 (Sentence_Break), tailored: wide marks
(。！？, two or more …) end a sentence wherever they stand; `.` `!` `?` only before white space or beside Chinese
characters; `.` not before a lower-case letter, nor after an abbreviation or an initial. A new line always ends a
sentence; nothing ends inside a number, a URL or an e-mail address. Each mark is judged by the characters around
it: one set of rules serves all languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from gatewise.text.late import LatePattern
from gatewise.text.tokenize import check_text

if TYPE_CHECKING:
    import regex

_DOTS = ".．…⋯"
_JOINED = r"\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}"  # what stays with the character before it
_LINE = r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
# what str.isspace calls white space, but not a space that carries a mark: the two are one character
_SPACE = rf"(?:{_LINE}|[\s\x1c-\x1f](?![{_JOINED}]))"
_END = LatePattern(
    rf"(?P<mark>[\p{{SB=STerm}}\p{{SB=ATerm}}…⋯]+)(?P<close>[\p{{Pe}}\p{{Pf}}\"'＂＇{_JOINED}]*+)(?P<space>{_SPACE}*+)"
    rf"|(?P<line>{_LINE}{_SPACE}*+)"
)
_NEW_LINE = LatePattern(_LINE)
_WIDE = LatePattern(
    r"\p{Han}|\p{Hiragana}|\p{Katakana}|\p{Bopomofo}|[\u3000-\u303f\ufe30-\ufe4f\uff01-\uff65--[\p{L}\p{Nd}]]"
)
_CONTINUES = LatePattern(r"[\p{SB=SContinue}；;]")
_LOWER = LatePattern(r"[^\w\s]*\p{SB=Lower}")
_WORD_BEFORE = LatePattern(r"(?r)(?:\p{L}\p{M}*|\.){1,20}")  # (?r): leftwards from the mark
_NUMBER = LatePattern(r"\s+\d")
_LIST_MARK = LatePattern(r"\s*[(\[]?(?:\d{1,3}|\p{L}|[ivxIVX]{1,5})")
_ABBREVIATIONS = re.compile(
    "mr|mrs|ms|dr|prof|sr|jr|st|mt|ft|gen|col|maj|capt|cmdr|lt|sgt|cpl|rep|sen|gov|pres|hon|rev|messrs|mme|mlle"
    "|vs|v|etc|cf|al|viz|approx|ca|dept|univ|assn|bros|inc|ltd|co|corp|blvd|ave|eds?"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|bzw|usw|bspw|vgl|str",
    re.IGNORECASE,
)
_LETTERS_WITH_DOTS = LatePattern(r"(?:\p{L}{1,2}\.)+\p{L}{1,2}")  # U.S, Ph.D, e.g, a.m
_NUMBERED = re.compile("nos?|nr|vol|figs?|eq|sec|ch|art|op|pp?|pop", re.IGNORECASE)  # abbreviations before a number


def split_sentences(text: str) -> list[tuple[int, int]]:
    """The (start, end) of each sentence, in characters of the text; they join to it, and none is empty.

    A piece of white space alone comes only from a text of nothing else.
    Raises TextError for an unpaired surrogate or something other than a string.

    >>> text = "“你好！”他说。Dr. Li paid 3.5 yuan. OK?"
    >>> [text[start:end] for start, end in split_sentences(text)]
    ['“你好！”', '他说。', 'Dr. Li paid 3.5 yuan. ', 'OK?']
    """
    check_text(text)
    return [(start, end) for start, end in pairwise([0, *_cuts(text), len(text)]) if start < end]


def _cuts(text: str) -> Iterator[int]:
    """Where sentences end; the white space before the first one cannot end any."""
    start = 0
    for found in _END.compiled.finditer(text, len(text) - len(text.lstrip())):
        if found["line"] is not None or _ends(text, found, start):
            start = found.end()
            yield start


def _ends(text: str, found: regex.Match[str], start: int) -> bool:
    """Whether the sentence that began at `start` ends with this mark, its closing signs and its white space."""
    if _NEW_LINE.compiled.search(found["space"]):
        return True
    if _CONTINUES.compiled.match(text, found.end()):
        return False
    mark = found["mark"]
    if mark.strip(_DOTS + "!?"):  # 。！？ and the full stops of other scripts
        return True
    before = _WIDE.compiled.match(text[found.start() - 1 : found.start()]) is not None
    after = _WIDE.compiled.match(text, found.end()) is not None
    only_dots = not mark.strip(_DOTS)
    ellipsis = len(mark) > 1 and not mark.strip("…⋯")
    if not found["space"] or (ellipsis and (before or after)):
        return (before and after) or ((before or after) and (ellipsis or not only_dots))
    goes_on = (only_dots or found["close"]) and _LOWER.compiled.match(text, found.end())
    return not goes_on and not (mark == "." and _is_abbreviated(text, start, found.start()))


def _is_abbreviated(text: str, start: int, dot: int) -> bool:
    """Whether the full stop at `dot` belongs to what stands before it: abbreviation, initial, number of an item."""
    if _LIST_MARK.compiled.fullmatch(text, start, dot):
        return True
    found = _WORD_BEFORE.compiled.match(text, start, dot)
    if found is None:
        return False
    word = found.group()
    initial = len(word) == 1 and word.isupper() and word != "I"
    numbered = _NUMBERED.fullmatch(word) is not None and _NUMBER.compiled.match(text, dot + 1) is not None
    return initial or numbered or any(kind.fullmatch(word) for kind in (_ABBREVIATIONS, _LETTERS_WITH_DOTS.compiled))
