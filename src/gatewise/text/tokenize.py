"""Tokenizers: from a raw text to a `Sentence` of tokens with offsets into it.

In: a string and a tokenizer's name. Out: a `Sentence` without tags; white space lies in the gaps, every other
character in exactly one token. Boundaries: Unicode Standard Annex #29, extended grapheme clusters and default word
boundaries; URLs and e-mail addresses (`addresses`) are words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from gatewise.errors import ConfigError, TextError
from gatewise.text.addresses import address_edges
from gatewise.text.english import english_pieces
from gatewise.text.late import LatePattern
from gatewise.text.sentence import Sentence, Token, sentence_of_characters

TOKENIZERS = ("characters", "mixed", "words", "english", "whitespace")

_Cut = Callable[[str], Iterator[tuple[int, int]]]

_SURROGATE = re.compile("[\ud800-\udfff]")
_CLUSTER = LatePattern(r"\X")
_BOUNDARY = LatePattern(r"\b", words=True)
_NOT_SPACE = re.compile(r"\S+")
# No character here joins a neighbor of this set, so each is a cluster of its own: all have Grapheme_Cluster_Break
# Other, except tab and line feed, which join nothing but a carriage return (it is left out). A test checks every one.
_SINGLE = re.compile(
    r"[\t\n\u0020-\u007e\u00b7\u2010-\u2027\u3000-\u3029\u3030-\u303f\u3041-\u3096\u30a1-\u30ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff9d]*"
)
_ALL_APART = re.compile(r"[\u3000-\u3029\u4e00-\u9fff\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]*")
# A word of UAX #29 (rules WB4 to WB13b) in the scripts that put spaces between words and stand inside Chinese text.
# Full-width comma, semicolon and colon, which join in UAX #29 (２０，３０), part words here, as Chinese means them.
_EXTEND = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*+"
_LETTERS = rf"(?:[[\p{{Latin}}\p{{Greek}}\p{{Cyrillic}}]&&\p{{WB=ALetter}}]{_EXTEND})++"
_DIGITS = rf"(?:\p{{WB=Numeric}}{_EXTEND})++"
_IN_LETTERS = rf"[[\p{{WB=MidLetter}}\p{{WB=MidNumLet}}']--[\uff1a\ufe13\ufe55]]{_EXTEND}"
_IN_DIGITS = rf"[[\p{{WB=MidNum}}\p{{WB=MidNumLet}}']--[\uff0c\uff1b\ufe10\ufe14\ufe50\ufe54]]{_EXTEND}"
_WORD = (
    rf"(?:{_LETTERS}(?:{_IN_LETTERS}{_LETTERS})*+|{_DIGITS}(?:{_IN_DIGITS}{_DIGITS})*+"
    rf"|\p{{WB=ExtendNumLet}}{_EXTEND})++"
)
_MIXED = LatePattern(rf"{_WORD}|\X")


_BY_CHARACTER = {"characters": _SINGLE, "mixed": _ALL_APART}  # of such a text every character is a token


def tokenize(text: str, tokenizer: str) -> Sentence:
    """Cut a text into tokens; white space stays between them, and offsets count characters of `text`.

    `characters`: one token a grapheme cluster (what a reader calls a character). `mixed`: the same, but Latin, Greek
    and Cyrillic words, numbers, URLs and e-mail addresses stay whole. `words`: one token a word or punctuation mark of
    UAX #29 (Chinese falls into single characters), URL or e-mail address. `english`: English words with their clitics
    apart (`english`). `whitespace`: what stands between spaces.
    Raises TextError for an unpaired surrogate or something other than a string, ConfigError for an unknown tokenizer.

    >>> tokenize("我 叫👩‍👧", "characters").forms
    ('我', '叫', '👩‍👧')
    >>> tokenize("用Python3.12写", "mixed").forms
    ('用', 'Python3.12', '写')
    """
    if tokenizer not in _EDGES:
        known = ", ".join(TOKENIZERS)
        raise ConfigError(f'tokenizer: expected one of {known}, found "{tokenizer}"; choose one of these')
    check_text(text)
    if tokenizer in _BY_CHARACTER and _BY_CHARACTER[tokenizer].fullmatch(text):
        return sentence_of_characters(text)
    edges = _EDGES[tokenizer](text)
    return Sentence(text=text, tokens=tuple(Token(text=text[a:b], start=a, end=b) for a, b in edges))


def check_text(text: str) -> None:
    """Raise TextError unless `text` is a string that can be written as UTF-8."""
    if not isinstance(text, str):
        raise TextError(
            f"expected a text (str), found {type(text).__name__}; decode bytes, or pass the text of the object"
        )
    if found := _SURROGATE.search(text):
        raise TextError(
            f"character {found.start()}: expected Unicode text, found the unpaired surrogate "
            f"U+{ord(found.group()):04X}; decode the input again from its bytes"
        )


def cluster_edges(text: str) -> Iterator[tuple[int, int]]:
    """The (start, end) of each grapheme cluster that is not white space."""
    return (found.span() for found in _CLUSTER.compiled.finditer(text) if not found.group().isspace())


def _mixed_edges(text: str) -> Iterator[tuple[int, int]]:
    return _around_addresses(text, _mixed_pieces)


def _word_edges(text: str) -> Iterator[tuple[int, int]]:
    return _around_addresses(text, _word_pieces)


def _english_edges(text: str) -> Iterator[tuple[int, int]]:
    return _around_addresses(text, english_pieces)


def _mixed_pieces(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _MIXED.compiled.finditer(text) if not found.group().isspace())


def _word_pieces(text: str) -> Iterator[tuple[int, int]]:
    cuts = [0, *(found.start() for found in _BOUNDARY.compiled.finditer(text)), len(text)]
    return (
        (a + _spaces_before(text[a:b]), b) for a, b in pairwise(cuts) if a < b and not text[a:b].isspace()
    )  # a word boundary stands at both ends of a text, so the first and last pair are empty


def _spaces_before(piece: str) -> int:
    """Of a run of spaces whose last one carries a mark, which UAX #29 keeps together, those before that one."""
    return max(0, len(piece) - len(piece.lstrip()) - 1)


def _around_addresses(text: str, cut: _Cut) -> Iterator[tuple[int, int]]:
    """Each URL and e-mail address whole, and what stands between them as `cut` has it."""
    addresses = address_edges(text)
    if not addresses:
        return cut(text)
    edges = []
    at = 0
    for start, end in addresses:
        edges += [(at + a, at + b) for a, b in cut(text[at:start])]
        edges.append((start, end))
        at = end
    edges += [(at + a, at + b) for a, b in cut(text[at:])]
    return iter(edges)


def _whitespace_edges(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _NOT_SPACE.finditer(text))


_EDGES: dict[str, _Cut] = {
    "characters": cluster_edges,
    "mixed": _mixed_edges,
    "words": _word_edges,
    "english": _english_edges,
    "whitespace": _whitespace_edges,
}
