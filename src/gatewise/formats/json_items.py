"""JSON objects of a file, one at a time: one a line, one after the other, or the items of one array.

In: a path. Out: each object with the line it begins on, in memory for one of them. Annotation tools export the first
and the last shape; objects that take several lines each are known by a first line that is `{` alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any

from gatewise.errors import FormatError
from gatewise.formats.broken import ESCAPE, OnBroken, attempt, refuse_bytes
from gatewise.formats.json_fields import JsonObject, kind_of
from gatewise.formats.source import Source, source_name, text_chunks

_SPACE = re.compile(r"[ \t\n\r]*")
_LONGEST_LITERAL = 16  # characters; a word or an escape cut by the end of what was read is shorter


def json_objects(path: Source, *, broken: OnBroken | None = None) -> Generator[tuple[int, JsonObject], None, None]:
    """Each object of a file of JSON lines, of objects one after the other, or of one JSON array, with its line.

    Blank lines are left out. Raises FormatError with path and line for broken JSON, and for text that no UTF-8 file
    could hold. With `broken`, which is told of them, lines that are no object are left out; in the other two shapes
    nothing tells where the next object begins.
    """
    window = _Window(path, errors="strict" if broken is None else ESCAPE)
    if window.peek() == "[":
        yield from _array(window)
        return
    if window.rest_of_line() == "{":
        while window.peek():
            yield window.item()
        return
    for line, text in window.lines():
        if text.strip(" \t\r"):
            value = attempt(path, [(line, text)], partial(parse_object, f"{source_name(path)}:{line}", text), broken)
            if value is not None:
                yield line, value


def parse_object(where: str, text: str) -> JsonObject:
    """One JSON object, free of unpaired surrogates."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{where}: expected a JSON object, found broken JSON ({error}); write one object a line"
        ) from error
    return _checked(where, value, text)


def _array(window: _Window) -> Iterator[tuple[int, JsonObject]]:
    window.skip("[")
    if window.peek() == "]":
        window.skip("]")
    else:
        yield window.item()
        while window.peek() == ",":
            window.skip(",")
            yield window.item()
        window.skip("]")
    if window.peek():
        raise FormatError(f"{window.where}: expected the end after the array, found {window.shown}; write one array")


def _checked(where: str, value: Any, text: str) -> JsonObject:
    if not isinstance(value, dict):
        raise FormatError(
            f'{where}: expected a JSON object with "text", found {kind_of(value)}; write one object a line'
        )
    if "\\u" in text:  # JSON can escape half of a surrogate pair, which no text may hold: not even a label
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            found = f"U+{ord(error.object[error.start]):04X}"
            raise FormatError(
                f"{where}: expected Unicode text, found the unpaired surrogate {found}; "
                "decode the source again from bytes"
            ) from error
    return value


class _Window:
    """The stretch of the file in memory: it grows at its end and is let go at its start."""

    def __init__(self, path: Source, errors: str) -> None:
        self._path = path
        self._chunks = text_chunks(path, errors=errors)
        self._text = ""
        self._at = 0  # what stands before is done with
        self._line = 1  # of the character at `_at`

    @property
    def where(self) -> str:
        return f"{source_name(self._path)}:{self._line}"

    @property
    def shown(self) -> str:
        """What comes next, for messages."""
        rest = self._text[self._at : self._at + 20]
        return f'"{rest}"' if rest else "the end of the file"

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            self._move(_SPACE.match(self._text, self._at).end())  # type: ignore[union-attr]  # it matches anything
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def rest_of_line(self) -> str:
        """What is left of this line, without the white space at its end."""
        while (end := self._text.find("\n", self._at)) < 0 and self._grow():
            pass
        return self._text[self._at : end if end >= 0 else None].rstrip()

    def skip(self, expected: str) -> None:
        if self.peek() != expected:
            raise FormatError(
                f'{self.where}: expected "{expected}" of the JSON array, found {self.shown}; is the file complete?'
            )
        self._move(self._at + 1)

    def item(self) -> tuple[int, JsonObject]:
        """The object that comes next, with its line."""
        if self.peek() != "{":
            raise FormatError(f"{self.where}: expected a JSON object, found {self.shown}; write {{…}}")
        line, where, start = self._line, self.where, self._at
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._text, start)
                break
            except (ValueError, RecursionError) as error:
                if self._is_cut(error) and self._grow():
                    start = self._at
                    continue
                raise FormatError(
                    f"{where}: expected a JSON object, found broken JSON ({error}); export the file again"
                ) from error
        text = self._text[start:end]
        self._move(end)
        refuse_bytes(self._path, list(enumerate(text.split("\n"), line)))
        return line, _checked(where, value, text)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line that is left, without LF."""
        while True:
            end = self._text.find("\n", self._at)
            while end < 0 and self._grow():
                end = self._text.find("\n", self._at)
            if end < 0:
                break
            number, text = self._line, self._text[self._at : end]
            self._move(end + 1)
            yield number, text
        yield self._line, self._text[self._at :]

    def _is_cut(self, error: Exception) -> bool:
        """Whether this is what the end of the stretch, rather than the file, does to an object."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _LONGEST_LITERAL

    def _move(self, to: int) -> None:
        self._line += self._text.count("\n", self._at, to)
        self._at = to

    def _grow(self) -> bool:
        """Let go of what is done with, and read at least as much as is left, so that long objects cost linear time."""
        parts = [self._text[self._at :]]
        wanted = max(1, len(parts[0]))
        read = 0
        for chunk in self._chunks:
            parts.append(chunk)
            read += len(chunk)
            if read >= wanted:
                break
        self._text, self._at = "".join(parts), 0
        return read > 0
