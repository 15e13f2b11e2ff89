"""Tokens that are not made yet: those of a text in which every character is one, as most of Chinese is.

In: a text. Out: its characters and edges at once, and the forms and `Token` objects when somebody asks for them. A
tagger needs characters and edges alone, and making the objects would take longer than all else it does in Python.
"""

from __future__ import annotations

from collections.abc import Sequence


class Uncut:
    """A text whose every character, white space left out, is a token; `characters` are these, one after the other."""

    __slots__ = ("_text", "characters")

    def __init__(self, text: str) -> None:
        self._text = text
        self.characters = "".join(text.split())

    def __len__(self) -> int:
        return len(self.characters)

    @property
    def forms(self) -> tuple[str, ...]:
        return tuple(self.characters)

    def edges(self) -> tuple[Sequence[int], Sequence[int]]:
        """Where the tokens start and where they end."""
        count = len(self.characters)
        if count == len(self._text):
            return range(count), range(1, count + 1)
        starts: list[int] = []
        at = 0
        for piece in self._text.split():
            at = self._text.index(piece, at)  # only white space is before it
            starts.extend(range(at, at + len(piece)))
            at += len(piece)
        return starts, [start + 1 for start in starts]
