"""Where results go: a stream of text, packed or not, or rows that become a Parquet file.

In: results one after the other, and a word each time that a chunk is complete. Out: after that word, bytes in the
stream below that can be cut off there and gone on with.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol, TextIO, cast

from gatewise.formats import write_binary, write_n_best, write_sentences
from gatewise.jobs.options import JobOptions
from gatewise.model.heads import ModelHead
from gatewise.text.sentence import Sentence

_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to ask for gzip's head and end


class Sink(Protocol):
    """What results are written to."""

    def write(self, results: Iterator[Any]) -> None:
        """Write all of them; each before the next is asked for."""

    def end_chunk(self) -> None:
        """Let go of all that was written so far."""


class TextSink:
    """A stream of text and what writes results into it."""

    def __init__(self, stream: TextIO, write: Callable[[Iterator[Any], TextIO], None]) -> None:
        self._stream, self._write = stream, write

    def write(self, results: Iterator[Any]) -> None:
        """As the format has them."""
        self._write(results, self._stream)
        self._stream.flush()

    def end_chunk(self) -> None:
        """Out of the process: whoever reads a pipe sees it."""
        self._stream.flush()


class RowSink:
    """Sentences as packed rows, a stretch for each chunk; `write_packed` makes a Parquet file of them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: list[Sentence] = []

    def write(self, results: Iterator[Any]) -> None:
        """Gather them until their chunk ends."""
        for result in results:  # a chunk may end between two of them
            self._waiting.append(result)

    def end_chunk(self) -> None:
        """Pack them."""
        from gatewise.formats.parquet import pack_rows

        if self._waiting:
            self._stream.write(pack_rows(self._waiting))
            self._waiting.clear()


class FileSink:
    """A file in a binary format, written in one go."""

    def __init__(self, path: str, target: str) -> None:
        self._path, self._target = path, target

    def write(self, results: Iterator[Any]) -> None:
        """All of them."""
        write_binary(results, self._path, self._target)

    def end_chunk(self) -> None:
        """There is nothing to let go of before the end."""


class _GzipMembers(io.BufferedIOBase):
    """gzip that can be gone on with: what was written since the last `flush` becomes a member of its own."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._member: Any = None

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        if self._member is None:
            self._member = zlib.compressobj(wbits=_GZIP)
        self._raw.write(self._member.compress(content))
        return len(content)

    def flush(self) -> None:
        if self._member is not None:
            self._raw.write(self._member.flush())
            self._member = None
        if not self._raw.closed:
            self._raw.flush()


def text_of(raw: BinaryIO, *, packed: bool) -> io.TextIOWrapper:
    """A stream of text on bytes, packed with gzip if asked."""
    below = cast(BinaryIO, _GzipMembers(raw)) if packed else raw
    return io.TextIOWrapper(below, encoding="utf-8", newline="\n")


def text_writer(
    options: JobOptions, head: ModelHead, notify: Callable[[str], None]
) -> Callable[[Iterator[Any], TextIO], None]:
    """What writes results in the format that was asked for."""
    if options.n_best is not None:
        return write_n_best
    column = head.task.column if options.head and options.target == "conllu" else None

    def write(results: Iterator[Any], stream: TextIO) -> None:
        write_sentences(results, stream, options.target, scheme=head.scheme, column=column, notify=notify)

    return write
