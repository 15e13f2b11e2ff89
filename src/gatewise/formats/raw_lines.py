"""Lines as bytes: as many whole ones as come in at once, and what they say in UTF-8.

In: a stream of bytes. Out: stretches of whole lines, an empty one when a pipe has nothing more for now; and the lines
of a stretch as text.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from io import BufferedIOBase
from typing import BinaryIO, cast

PATIENCE = 0.05  # seconds without anything new after which a pipe counts as idle


def whole_lines(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Whole lines, as many as come in at once, at most about `size` bytes; nothing each time that a pipe is idle."""
    rest: list[bytes] = []  # of a line whose end has not come yet
    pipe = _descriptor_of_pipe(stream)
    while True:
        if pipe is not None and not select.select([pipe], [], [], PATIENCE)[0]:
            yield b""
        raw = cast(BufferedIOBase, stream).read1(size)
        if not raw:
            break
        lines, end, begun = raw.rpartition(b"\n")
        if end:
            yield b"".join((*rest, lines, end))
            rest = [begun]
        else:
            rest.append(raw)
    if last := b"".join(rest):
        yield last


def _descriptor_of_pipe(stream: BinaryIO) -> int | None:
    """The number under which the system says whether anything is there to read; None for files, which never wait."""
    try:
        descriptor = stream.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        select.select([descriptor], [], [], 0)
    except (OSError, ValueError):  # a stream in memory, or a system that cannot tell
        return None
    return descriptor


def decode_lines(raw: bytes, errors: str = "strict") -> tuple[list[str], UnicodeDecodeError | None]:
    """The lines without their ends; up to a line that is not UTF-8, with an error that holds this line alone."""
    try:
        text = raw.decode("utf-8", errors)
    except UnicodeDecodeError as error:
        start = raw.rfind(b"\n", 0, error.start) + 1
        good, _ = decode_lines(raw[:start])
        broken = raw[start:].partition(b"\n")[0]
        return good, UnicodeDecodeError("utf-8", broken, error.start - start, error.end - start, error.reason)
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines, None
