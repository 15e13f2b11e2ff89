"""Plain text, one sentence a line.

In: a path, or `-` for standard input. Out: each line as it stands, empty ones too, without LF or CRLF at its end.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewise.formats.source import Source, numbered_lines


def read_lines(path: Source) -> Iterator[str]:
    """The lines of a text file, one sentence each, read as they are asked for."""
    return (line for _, line in numbered_lines(path))
