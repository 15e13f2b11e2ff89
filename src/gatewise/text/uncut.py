"""Tokens that are not made yet: those of a text in which every character is one, as most of Chinese is.

In: a text. Out: its forms and edges at once, and the `Token` objects when somebody asks for them. A tagger needs forms
and edges alone, and making the objects would take longer than all else it does in Python.
"""

from __future__ import annotations

from collections.abc import Sequence


class Uncut:
    """A text whose every character, white space left out, is a token; `forms` are these characters."""

    __slots__ = ("_text", "forms")

    def __init__(self, text: str) -> None:
        self._text = text
        self.forms = tuple("".join(text.split()))

    def __len__(self) -> int:
        return len(self.forms)

    def edges(self) -> tuple[Sequence[int], Sequence[int]]:
        """Where the tokens start and where they end."""
        if len(self.forms) == len(self._text):
            return range(len(self.forms)), range(1, len(self.forms) + 1)
        starts: list[int] = []
        at = 0
        for piece in self._text.split():
            at = self._text.index(piece, at)  # only white space is before it
            starts.extend(range(at, at + len(piece)))
            at += len(piece)
        return starts, [start + 1 for start in starts]
