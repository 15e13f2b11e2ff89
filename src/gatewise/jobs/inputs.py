"""The files that a job reads: names and patterns in, files with their formats out.

In: arguments as the command line has them, `-`, paths, and patterns (`data/**/*.jsonl.gz`) that no shell expanded. Out:
the files in the order of the arguments, those of a pattern sorted; all are looked at before the first is read.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gatewise.errors import JobError
from gatewise.formats import detect_format
from gatewise.formats.source import STANDARD_INPUT, reading_failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file, its format, and for a file that can be read again its size and when it was written (else None)."""

    path: str
    format: str
    size: int | None = None
    written: int | None = None  # nanoseconds


def find_inputs(arguments: Sequence[str], format: str = "auto") -> tuple[Input, ...]:
    """The files; with `auto` each one's format is found out on its own, and standard input is text.

    Raises JobError for a directory, a file that is not there, and a pattern that fits nothing; FormatError where
    nothing tells the format.
    """
    return tuple(_input(path, format) for argument in arguments for path in _paths(argument))


def _paths(argument: str) -> Iterator[str]:
    if argument == STANDARD_INPUT or os.path.lexists(argument) or not glob.has_magic(argument):
        yield argument
        return
    found = sorted(path for path in glob.glob(argument, recursive=True) if not os.path.isdir(path))
    if not found:
        raise JobError(f"{argument}: expected a pattern that fits files, found none that it fits; check the path")
    yield from found


def _input(path: str, format: str) -> Input:
    if path == STANDARD_INPUT:
        return Input(path=path, format="text" if format == "auto" else format)
    try:
        status = os.stat(path)
    except OSError as error:
        raise JobError(reading_failed(path, error)) from error
    if stat.S_ISDIR(status.st_mode):
        pattern = os.path.join(path, "*.txt")
        raise JobError(f"{path}: expected a file, found a directory; name files in it, such as '{pattern}'")
    found = detect_format(path) if format == "auto" else format
    if not stat.S_ISREG(status.st_mode):
        return Input(path=path, format=found)
    return Input(path=path, format=found, size=status.st_size, written=status.st_mtime_ns)
