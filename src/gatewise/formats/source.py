"""Files as numbered lines: what every reader stands on.

In: a path (gzip is unpacked, whatever the name; `-` is standard input). Out: lines with their numbers, or stretches of
text for formats without lines; UTF-8 with or without byte order mark, LF or CRLF, in constant memory. Anything wrong
becomes a FormatError that says `path:line:`; what is left out on the way is said to a `Notify`.
"""

from __future__ import annotations

import codecs
import gzip
import logging
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

from gatewise.errors import FormatError
from gatewise.formats.raw_lines import decode_lines, whole_lines
from gatewise.text import Sentence, find_problem

Source = str | PathLike[str]
Notify = Callable[[str], None]  # takes one sentence for the user, `path: 3 answers …`

STANDARD_INPUT = "-"
CHUNK = 1 << 16  # bytes that `text_chunks` reads at a time
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"  # no UTF-8 text begins with these two


def log_notice(message: str) -> None:
    """Where notices go when nobody asked for them: the log, which Python shows on stderr."""
    logging.getLogger(__name__).warning("%s", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedInput(PathLike[str]):
    """Standard input in a temporary file, so that it can be read twice; messages call it by its name."""

    path: str

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return "<standard input>"


@dataclass(slots=True, kw_only=True)
class WatchedFile(PathLike[str]):
    """A file of which somebody wants to know how far it has been read."""

    path: str
    stream: BinaryIO | None = None  # once it is open

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.path

    @property
    def position(self) -> int:
        """How many bytes have been read, of a packed file packed ones: none before it is opened, all after its end."""
        if self.stream is None:
            return 0
        return Path(self.path).stat().st_size if self.stream.closed else self.stream.tell()


@contextmanager
def rereadable(path: Source) -> Iterator[Source]:
    """The path itself, or for `-` what came in on standard input, kept until the end of the `with`."""
    if str(path) != STANDARD_INPUT:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gatewise-") as folder:
        copy = Path(folder, "input")
        with copy.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        yield SavedInput(path=str(copy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A sentence as it was read, and the number of the line that each token stands on (one line when it has none)."""

    sentence: Sentence
    lines: tuple[int, ...]


def source_name(path: Source) -> str:
    """The path as messages show it."""
    return "<standard input>" if str(path) == STANDARD_INPUT else str(path)


@contextmanager
def opened(path: Source) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked where it is packed; `-` is standard input."""
    if str(path) == STANDARD_INPUT:
        with _unpacked(sys.stdin.buffer) as unpacked:
            yield unpacked
        return
    with Path(path).open("rb") as stream:
        if isinstance(path, WatchedFile):
            path.stream = stream
        with _unpacked(stream, packed=str(path).endswith(".gz")) as unpacked:
            yield unpacked


@contextmanager
def _unpacked(stream: BinaryIO, *, packed: bool = False) -> Iterator[BinaryIO]:
    if packed or (isinstance(stream, BufferedReader) and stream.peek(2)[:2] == _GZIP):
        with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
            yield cast(BinaryIO, unpacked)
    else:
        yield stream


def numbered_lines(path: Source, *, errors: str = "strict") -> Iterator[tuple[int, str]]:
    """Each line without its end, with its number from 1; only LF and CRLF end a line.

    `errors` as `line_runs` has it. Raises FormatError for a file that is missing, unreadable, or not UTF-8.
    """
    for run in line_runs(path, errors=errors):
        yield from run


def line_runs(path: Source, *, errors: str = "strict") -> Iterator[list[tuple[int, str]]]:
    """The lines of `numbered_lines`, as many at a time as come in at once; an empty run says that a pipe is idle.

    With `errors` "surrogateescape" bytes that are not UTF-8 stay in their lines as surrogates, which
    `formats.broken` finds. Raises FormatError as `numbered_lines`.
    """
    try:
        with opened(path) as stream:
            number = 1
            for raw in whole_lines(stream, CHUNK):
                lines, error = decode_lines(raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw, errors)
                yield list(enumerate(lines, number))
                number += len(lines)
                if error is not None:
                    raise FormatError(not_utf8(path, number, error.object[error.start], error.start)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(reading_failed(path, error)) from error


def text_chunks(path: Source, size: int | None = None, *, errors: str = "strict") -> Generator[str, None, None]:
    """The text in stretches of about `size` bytes, for formats whose lines may be as long as the file.

    `errors` as `line_runs` has it. Raises FormatError as `numbered_lines`.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors)
    line, column = 1, 0  # where the next byte stands
    try:
        with opened(path) as stream:
            while True:
                raw = stream.read(size or CHUNK)
                try:
                    text = decoder.decode(raw, final=not raw)
                except UnicodeDecodeError as error:
                    good = error.object[: error.start].decode("utf-8")
                    yield good
                    line, column = _moved(line, column, good)
                    raise FormatError(not_utf8(path, line, error.object[error.start], column)) from error
                yield text
                if not raw:
                    return
                line, column = _moved(line, column, text)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(reading_failed(path, error)) from error


def _moved(line: int, column: int, text: str) -> tuple[int, int]:
    """Line and byte of it after this text."""
    before, _, last = text.rpartition("\n")
    ended = "\n" in text
    return line + before.count("\n") + ended, len(last.encode(errors="surrogateescape")) + (0 if ended else column)


def blocks(path: Source, *, errors: str = "strict") -> Iterator[list[tuple[int, str]]]:
    """Runs of lines between blank lines (empty, or spaces and tabs alone); no run is empty."""
    block: list[tuple[int, str]] = []
    for number, line in numbered_lines(path, errors=errors):
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


def not_utf8(path: Source, number: int, byte: int, column: int) -> str:
    """What is said of a line with such a byte after `column` good ones."""
    return (
        f"{source_name(path)}:{number}: expected UTF-8, found the byte 0x{byte:02X} "
        f"after {column} good bytes; save the file as UTF-8"
    )


def reading_failed(path: Source, error: Exception) -> str:
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
