"""The files of one output as chunks of results: read, tagged, what is broken put aside.

In: the files, and a position to begin at. Out: chunk after chunk, always cut at the same places of the same files (but
for pipes, where one ends when nothing more is there for now, unless sentences need their neighbors); the position moves
when a chunk is said to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gatewise.errors import FormatError
from gatewise.formats.broken import Broken
from gatewise.formats.source import STANDARD_INPUT, Source, WatchedFile, source_name
from gatewise.formats.tally import Tally
from gatewise.jobs.inputs import Input
from gatewise.jobs.journal import Position
from gatewise.jobs.rejects import RejectsFile
from gatewise.jobs.tagging import ChunkTagger, Untaggable
from gatewise.jobs.units import Unit, read_units
from gatewise.runtime.constraint_file import ConstraintLines
from gatewise.text.sentence import Sentence

CHUNK = 1024  # units that are tagged together

Placed: TypeAlias = tuple[int, Unit | Broken]  # with the number of its file


@dataclass(slots=True, kw_only=True)
class Chunk:
    """Units of the files, and the results of those that could be tagged, each with its place."""

    units: list[Placed]
    results: list[tuple[Placed, Any]] = field(default_factory=list)
    tokens: int = 0
    rejected: int = 0


class Stream:
    """The chunks of one output from a position on."""

    def __init__(
        self,
        inputs: tuple[Input, ...],
        position: Position,
        tagger: ChunkTagger,
        *,
        rejects: RejectsFile | None,
        known: ConstraintLines | None,
    ) -> None:
        self._inputs, self._position, self._tagger = inputs, position, tagger
        self._rejects, self._known = rejects, known
        self._watched: Source = STANDARD_INPUT
        self._bytes_of_row = 0.0  # of a Parquet file, in which nothing is read from front to back
        self._row = 0
        self._tallies = [Tally() for _ in inputs]

    def chunks(self) -> Iterator[Chunk]:
        """The chunks in order. Raises FormatError for what is broken, where there is no rejects file."""
        units = self._units()
        while taken := _take(units):
            yield self._tagged(taken)

    def written(self, chunk: Chunk) -> None:
        """Move the position behind this chunk."""
        position = self._position
        self._row = chunk.units[-1][1].line
        for index, _ in chunk.units:
            if index != position.input:
                position.input, position.units = index, 0
            position.units += 1
        position.sentences += len(chunk.units) - chunk.rejected
        position.rejected += chunk.rejected
        position.tokens += chunk.tokens
        for name, counts in self._tagger.abstainers.items():
            position.withheld[name] = [counts.withheld, counts.total]

    @property
    def bytes_read(self) -> int:
        """How many bytes of the files have been read, about."""
        before = sum(entry.size or 0 for entry in self._inputs[: self._position.input])
        if self._bytes_of_row:
            return before + int(self._row * self._bytes_of_row)
        return before + (self._watched.position if isinstance(self._watched, WatchedFile) else 0)

    def reject(self, chunk: Chunk, placed: Placed, reason: str) -> None:
        """Put a unit aside. Raises FormatError where there is no rejects file."""
        index, unit = placed
        name = source_name(self._inputs[index].path)
        if self._rejects is None:
            raise FormatError(f"{reason}; --rejects FILE puts such lines aside and goes on")
        chunk.rejected += 1
        self._rejects.add(name, unit.line, reason, _raw(unit))

    def where(self, placed: Placed) -> str:
        """The place of a unit, for messages."""
        index, unit = placed
        return f"{source_name(self._inputs[index].path)}:{unit.line}"

    def say(self, notify: Callable[[str], None]) -> None:
        """Tell what of each file was left out."""
        for entry, tally in zip(self._inputs, self._tallies, strict=True):
            tally.say(entry.path, notify)

    def _units(self) -> Iterator[Placed | None]:
        first, done = self._position.input, self._position.units
        for index, entry in enumerate(self._inputs[first:], start=first):
            self._watched = entry.path if entry.size is None else WatchedFile(path=entry.path)
            self._bytes_of_row = _bytes_of_row(entry)
            left = done if index == first else 0  # units to pass over
            for unit in read_units(self._watched, entry.format, self._tagger.columns, split=self._tagger.split):
                if unit is None:
                    if not self._tagger.needs_neighbors:
                        yield None
                elif left:
                    left -= 1
                else:
                    yield index, unit

    def _tagged(self, taken: list[Placed]) -> Chunk:
        chunk = Chunk(units=taken)
        good, sentences, known = [], [], []
        for placed in taken:
            sentence = self._sentence(chunk, placed)
            constraints = None if self._known is None else self._known.take(sentence)
            if sentence is not None:
                good.append(placed)
                sentences.append(sentence)
                known += [] if constraints is None else [constraints]
        files = [index for index, _ in good]
        for placed, sentence, result in zip(good, sentences, self._tagger.tag(sentences, known, files), strict=True):
            if isinstance(result, Untaggable):
                self.reject(chunk, placed, f"{self.where(placed)}: {result.reason}")
            else:
                chunk.results.append((placed, result))
                chunk.tokens += len(sentence)
        return chunk

    def _sentence(self, chunk: Chunk, placed: Placed) -> Sentence | None:
        """The sentence of a unit; None for one that is put aside."""
        index, unit = placed
        if isinstance(unit, Broken):
            self.reject(chunk, placed, unit.reason)
            return None
        found = self._tagger.sentence(unit.content, self._tallies[index])
        if isinstance(found, Untaggable):
            self.reject(chunk, placed, f"{self.where(placed)}: {found.reason}")
            return None
        return found


def _take(units: Iterator[Placed | None]) -> list[Placed]:
    """The units of the next chunk; empty at the end."""
    taken: list[Placed] = []
    for placed in units:
        if placed is not None:
            taken.append(placed)
        if len(taken) == CHUNK or (placed is None and taken):
            break
    return taken


def _raw(unit: Unit | Broken) -> bytes:
    if isinstance(unit, Broken):
        return unit.raw
    return (unit.content if isinstance(unit.content, str) else unit.content.text).encode()


def _bytes_of_row(entry: Input) -> float:
    """How many bytes a row of a Parquet file takes; 0 for other files."""
    if entry.format != "parquet" or entry.size is None:
        return 0.0
    from gatewise.formats.parquet import count_rows

    return entry.size / max(1, count_rows(entry.path))
