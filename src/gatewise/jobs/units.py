"""A file as units: what becomes one sentence each, or is broken, one after the other.

In: a file and its format. Out: texts and sentences with the line they begin on, `Broken` in between; for line formats
None each time that a pipe has nothing more for now. The same file always gives the same units, so that a number of them
is a place in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from gatewise.formats import locate_sentences
from gatewise.formats.broken import ESCAPE, Broken, attempt
from gatewise.formats.jsonl import parse_sentence
from gatewise.formats.source import Source, line_runs, source_name
from gatewise.text.sentence import Sentence


class Unit(NamedTuple):
    """One sentence to tag, as a text or as it was read, and the number of its first line (or row)."""

    line: int
    content: Sentence | str


Units: TypeAlias = Iterator[Unit | Broken | None]


def read_units(path: Source, format: str, columns: Sequence[str], *, split: bool = False) -> Units:
    """The units of a file; with `split` each line of text is cut into its sentences first.

    Raises FormatError where reading cannot go on: a packed file that is cut off, a Parquet file that is none.
    """
    if format == "text":
        return _by_lines(path, _in_sentences if split else _whole)
    if format == "jsonl":
        return _by_lines(path, partial(_json_line, path))
    return _by_sentences(path, format, columns)


def _by_lines(path: Source, parse: Callable[[int, str], list[Unit]]) -> Units:
    for run in line_runs(path, errors=ESCAPE):
        if not run:
            yield None
        for number, line in run:
            broken: list[Broken] = []
            yield from attempt(path, [(number, line)], partial(parse, number, line), broken.append) or broken


def _by_sentences(path: Source, format: str, columns: Sequence[str]) -> Units:
    broken: list[Broken] = []
    for located in locate_sentences(path, format, columns, broken=broken.append):
        yield from broken
        broken.clear()
        yield Unit(located.lines[0], located.sentence)
    yield from broken


def _whole(number: int, line: str) -> list[Unit]:
    return [Unit(number, line)]


def _in_sentences(number: int, line: str) -> list[Unit]:
    """The sentences of a line; white space around one goes, an empty line stays."""
    from gatewise.text.split import split_sentences

    pieces = [line[start:end].strip() for start, end in split_sentences(line)]
    return [Unit(number, piece) for piece in pieces if piece] or [Unit(number, line)]


def _json_line(path: Source, number: int, line: str) -> list[Unit]:
    return [Unit(number, parse_sentence(f"{source_name(path)}:{number}", line))] if line.strip(" \t") else []
