"""What of a file cannot be read, a line, a block or a row at a time, so that reading can go on after it.

In: the lines of one sentence, read with `errors="surrogateescape"`, and what parses them. Out: what the parser makes of
them; or a `Broken`, which holds the bytes as they stood there, to whoever is to be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gatewise.errors import FormatError
from gatewise.formats.source import Source, not_utf8

ESCAPE = "surrogateescape"
_ESCAPED = re.compile("[\udc80-\udcff]")  # how Python keeps a byte that is not UTF-8

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A place where no sentence could be read: its first line, what is wrong with it, and what stands there."""

    line: int
    reason: str
    raw: bytes


OnBroken = Callable[[Broken], None]


def attempt(
    path: Source, lines: Sequence[tuple[int, str]], parse: Callable[[], Parsed], broken: OnBroken | None
) -> Parsed | None:
    """What `parse` makes of these lines; None where it fails and `broken` was told, without which the error stands."""
    if broken is None:
        return parse()
    try:
        refuse_bytes(path, lines)
        return parse()
    except FormatError as error:
        raw = "\n".join(line for _, line in lines).encode(errors=ESCAPE)
        broken(Broken(line=lines[0][0], reason=str(error), raw=raw))
        return None


def refuse_bytes(path: Source, lines: Sequence[tuple[int, str]]) -> None:
    """Raise FormatError for the first byte that is not UTF-8."""
    for number, line in lines:
        if found := _ESCAPED.search(line):
            good = len(line[: found.start()].encode())
            raise FormatError(not_utf8(path, number, ord(found.group()) - 0xDC00, good))
