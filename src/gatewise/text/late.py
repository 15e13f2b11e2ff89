"""Patterns of `regex` that are compiled when they are first used.

Compiling all of them takes a good part of what a short `gatewise tag` does, and most Chinese text
needs none.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex


class LatePattern:
    """A pattern in the syntax of `regex`, version 1; with `words`, `\\b` stands at the word boundaries of UAX #29."""

    def __init__(self, pattern: str, *, words: bool = False) -> None:
        self._pattern, self._words = pattern, words

    @cached_property
    def compiled(self) -> regex.Pattern[str]:
        import regex

        return regex.compile(self._pattern, flags=regex.V1 | (regex.WORD if self._words else 0))
