"""Files as numbered lines: what every reader stands on.

In: a path (a name ending in `.gz` is unpacked, `-` is standard input). Out: lines with their numbers, UTF-8 with or
without byte order mark, LF or CRLF, in constant memory; anything wrong becomes a FormatError that says `path:line:`.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from gatewise.errors import FormatError
from gatewise.text import Sentence, find_problem

Source = str | PathLike[str]

STANDARD_INPUT = "-"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A sentence as it was read, and the number of the line that each token stands on (one line when it has none)."""

    sentence: Sentence
    lines: tuple[int, ...]


def source_name(path: Source) -> str:
    """The path as messages show it."""
    return "<standard input>" if str(path) == STANDARD_INPUT else str(path)


def numbered_lines(path: Source) -> Iterator[tuple[int, str]]:
    """Each line without its end, with its number from 1; only LF and CRLF end a line.

    Raises FormatError for a file that is missing, unreadable, or not UTF-8.
    """
    try:
        with _open(path) as stream:
            for number, raw in enumerate(stream, start=1):
                yield number, _decode(path, number, raw)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(_reading_failed(path, error)) from error


def blocks(path: Source) -> Iterator[list[tuple[int, str]]]:
    """Runs of lines between blank lines (empty, or spaces and tabs alone); no run is empty."""
    block: list[tuple[int, str]] = []
    for number, line in numbered_lines(path):
        if line.strip(" \t"):
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def checked(path: Source, sentences: Iterable[Located], scheme: str | None) -> Iterator[Sentence]:
    """The sentences themselves; with a scheme, each must be tagged and its tags legal.

    Raises FormatError with the line of the first tag that breaks the scheme.
    """
    for located in sentences:
        if scheme is not None:
            _check(path, located, scheme)
        yield located.sentence


def _check(path: Source, located: Located, scheme: str) -> None:
    tags = located.sentence.tags
    if tags is None:
        raise FormatError(
            f"{source_name(path)}:{located.lines[0]}: expected a tag for every token, found none in this sentence; "
            "name the column that holds the tags"
        )
    if problem := find_problem(tags, scheme):
        raise FormatError(f"{source_name(path)}:{located.lines[problem.index]}: {problem.message}")


def _open(path: Source) -> AbstractContextManager[Iterable[bytes]]:
    if str(path) == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    return gzip.open(path, "rb") if str(path).endswith(".gz") else Path(path).open("rb")


def _decode(path: Source, number: int, raw: bytes) -> str:
    if number == 1:
        raw = raw.removeprefix(_BYTE_ORDER_MARK)
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{source_name(path)}:{number}: expected UTF-8, found the byte 0x{raw[error.start]:02X} "
            f"after {error.start} good bytes; save the file as UTF-8"
        ) from error


def _reading_failed(path: Source, error: Exception) -> str:
    name = source_name(path)
    if isinstance(error, FileNotFoundError):
        return f"{name}: expected a file, found nothing under this name; check the path"
    if isinstance(error, IsADirectoryError):
        return f"{name}: expected a file, found a directory; name a file in it"
    if isinstance(error, PermissionError):
        return f"{name}: expected a readable file, found one that may not be read; change its permissions"
    if isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile)):
        return f"{name}: expected a complete gzip file, found a broken one ({error}); pack or copy it again"
    return f"{name}: expected a readable file, found that reading it fails ({error}); check the disk and the path"
