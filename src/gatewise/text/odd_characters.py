"""Characters and tokens of a corpus that are seldom meant: private use, zero width, odd white space, mixed width, …

In: the sentences of a corpus, one after the other. Out: each odd character once, with its kind, its count and where it
stands first. The kinds follow the Unicode character database of the running Python.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

# kind → what is wrong with it; the first five are hardly ever meant, the others may be
KINDS = {
    "replacement": "U+FFFD stands where a character was lost in decoding",
    "private use": "means nothing outside the font it was made for",
    "unassigned": f"not in Unicode {unicodedata.unidata_version}",
    "control": "a control character",
    "line separator": "a line break inside a sentence",
    "zero width": "cannot be seen",
    "space": "white space that is neither a plain nor an ideographic space",
    "compatibility": "looks like another character but is not equal to it",
    "mixed width": "occurs in full and in half width",
}
SERIOUS = ("replacement", "private use", "unassigned", "control", "line separator")

_BY_CATEGORY = {
    "Co": "private use",
    "Cn": "unassigned",
    "Cc": "control",
    "Cf": "zero width",
    "Zl": "line separator",
    "Zp": "line separator",
    "Zs": "space",
}
_USUAL_SPACES = " \u3000"
_ODD_TOKEN = re.compile(r"\s.*|.*\s|.*[^\S ].*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class OddCharacter:
    """One character, why it is odd, how often it occurs, and split and line where it stands first."""

    character: str
    kind: str
    count: int
    split: str
    line: int

    @property
    def code(self) -> str:
        """`U+200B ZERO WIDTH SPACE`."""
        return f"U+{ord(self.character):04X} {unicodedata.name(self.character, '')}".rstrip()


@dataclass(slots=True, kw_only=True)
class CharacterCensus:
    """How often each character occurs, and where first; memory for the distinct characters only."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, text: str, split: str, line: int) -> None:
        """Count the characters of a sentence."""
        self.counts.update(text)
        for character in set(text) - self.first.keys():
            self.first[character] = (split, line)

    def odd(self) -> tuple[OddCharacter, ...]:
        """The odd ones, serious kinds first, the most frequent of a kind first."""
        order = list(KINDS)
        found = []
        for character, count in self.counts.items():
            kind = character_kind(character) or self._mixed_width(character)
            if kind:
                split, line = self.first[character]
                found.append(OddCharacter(character=character, kind=kind, count=count, split=split, line=line))
        return tuple(sorted(found, key=lambda odd: (order.index(odd.kind), -odd.count, odd.character)))

    def _mixed_width(self, character: str) -> str | None:
        """Only the form that is not the plain one is named: `Ａ` where `A` occurs too."""
        if unicodedata.east_asian_width(character) not in "FH":
            return None
        plain = unicodedata.normalize("NFKC", character)
        return "mixed width" if plain != character and plain in self.counts else None


def character_kind(character: str) -> str | None:
    """Why this character is odd by itself, or None.

    >>> character_kind("\\u200b"), character_kind("好")
    ('zero width', None)
    """
    if character == "\ufffd":
        return "replacement"
    if character in _USUAL_SPACES:
        return None
    category = unicodedata.category(character)
    if category == "Lo" and unicodedata.normalize("NFC", character) != character:
        return "compatibility"
    return _BY_CATEGORY.get(category)


def is_odd_token(form: str) -> bool:
    """Whether a token begins or ends with white space, or holds any but plain spaces (a Vietnamese word has those)."""
    return _ODD_TOKEN.fullmatch(form) is not None
