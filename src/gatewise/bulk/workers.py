"""What runs on the workers of a cluster: tasks that read files into chunks, actors that hold a model and tag chunks.

In: rows that say which file, or which chunk of which file. Out: rows with a chunk of units, or with a chunk as it is
written. Which sentences share a batch decides the last digits of probabilities, so a chunk, not a sentence, is what
moves. What a user can mend is not raised, for Ray would bury it: it travels in its row, and is raised in order.
"""

from __future__ import annotations

import io
import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gatewise.bulk.packed_model import unpack_model
from gatewise.bulk.places import NamedFile, fetched
from gatewise.errors import ClusterError, FormatError, GatewiseError
from gatewise.formats import detect_format, write_jsonl
from gatewise.formats.broken import Broken
from gatewise.formats.parquet import pack_rows
from gatewise.formats.tally import Tally
from gatewise.jobs import JobOptions
from gatewise.jobs.stream import CHUNK
from gatewise.jobs.tagging import ChunkTagger, Untaggable
from gatewise.jobs.units import Unit, read_units
from gatewise.text import Sentence

Row = dict[str, Any]
ATTEMPTS = 4  # at a chunk, before it is held to be what kills its workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a chunk: its sentences as they are written, and of each kind how many were left out of them."""

    content: bytes
    sentences: int
    tokens: int
    left_out: dict[str, int]


def read_chunks(row: Row, options: JobOptions) -> Iterator[Row]:
    """The chunks of a file, a row each, and a last row without a chunk, or with what broke the file off.

    `row` has `file` (its number), `address`, `name` (for messages) and `format`. `read` is how many bytes were.
    """
    chunk = 0
    try:
        with fetched(row["address"], row["name"]) as path:
            found = read_units(path, _format(row["format"], path), options.columns, split=options.split)
            units = (unit for unit in found if unit is not None)
            while taken := list(islice(units, CHUNK)):
                yield _row(row, chunk, read=path.position, units=pickle.dumps(taken))
                chunk += 1
    except GatewiseError as error:
        yield _row(row, chunk, error=error)
        return
    yield _row(row, chunk, last=True)


def _format(asked: str, path: NamedFile) -> str:
    if asked != "auto":
        return asked
    return detect_format(NamedFile(path=path.path, name=path.name.partition("::")[0]))  # zip://NAME::STORE.zip


class Attempts:
    """An actor beside the workers that counts how often each chunk was begun.

    Ray gives a chunk whose worker died to another one, without an end: one that kills them all must be found.
    """

    def __init__(self) -> None:
        self._begun: Counter[tuple[int, int]] = Counter()

    def begin(self, file: int, chunk: int) -> int:
        """How often this chunk has been begun, this time included."""
        self._begun[file, chunk] += 1
        return self._begun[file, chunk]


class Worker:
    """An actor: one model, and chunks in and out.

    `model` refers to a `PackedModel` in Ray's store, `attempts` to the actor that counts.
    """

    def __init__(self, model: Any, options: JobOptions, threads: int, attempts: Any) -> None:
        import ray

        self._tagger = ChunkTagger(unpack_model(ray.get(model), threads=threads), options)
        self._write = _WRITERS[options.target]
        self._attempts = attempts

    def __call__(self, table: Any) -> Any:
        import pyarrow

        return pyarrow.Table.from_pylist([self._answered(row) for row in table.to_pylist()], schema=_schema())

    def _answered(self, row: Row) -> Row:
        if row["units"] is None:
            return row
        units: list[Unit | Broken] = pickle.loads(row["units"])
        try:
            self._begin(row, units)
            answer = self._answer(row["name"], units)
        except GatewiseError as error:
            return _row(row, row["chunk"], error=error)
        return _row(row, row["chunk"], read=row["read"], answer=answer)

    def _begin(self, row: Row, units: Sequence[Unit | Broken]) -> None:
        """Raise ClusterError for a chunk that was begun too often."""
        import ray

        if ray.get(self._attempts.begin.remote(row["file"], row["chunk"])) > ATTEMPTS:
            raise ClusterError(
                f"{row['name']}: expected workers that survive what stands at {units[0].line} to {units[-1].line}, "
                f"found that {ATTEMPTS} died of it; give workers more memory, or leave out what is too long"
            )

    def _answer(self, name: str, units: Sequence[Unit | Broken]) -> Answer:
        """Raises FormatError for the first unit that cannot be read or tagged, as a job without rejects does."""
        tally = Tally()
        sentences = [self._sentence(name, unit, tally) for unit in units]
        results = []
        for unit, result in zip(units, self._tagger.tag(sentences), strict=True):
            if not isinstance(result, Sentence):  # rankings are not asked for
                raise FormatError(f"{name}:{unit.line}: {result.reason if isinstance(result, Untaggable) else result}")
            results.append(result)
        tokens = sum(map(len, sentences))
        return Answer(content=self._write(results), sentences=len(results), tokens=tokens, left_out=tally.counts)

    def _sentence(self, name: str, unit: Unit | Broken, tally: Tally) -> Sentence:
        if isinstance(unit, Broken):
            raise FormatError(unit.reason)
        found = self._tagger.sentence(unit.content, tally)
        if isinstance(found, Untaggable):
            raise FormatError(f"{name}:{unit.line}: {found.reason}")
        return found


def _row(
    of: Row,
    chunk: int,
    *,
    read: int = 0,
    units: bytes | None = None,
    answer: Answer | None = None,
    error: GatewiseError | None = None,
    last: bool = False,
) -> Row:
    where = {"file": of["file"], "name": of["name"], "chunk": chunk, "last": last, "read": read}
    packed = {
        name: None if value is None else pickle.dumps(value) for name, value in (("answer", answer), ("error", error))
    }
    return where | {"units": units} | packed


def _schema() -> Any:
    import pyarrow

    whole, raw = pyarrow.int64(), pyarrow.large_binary()
    where = {"file": whole, "name": pyarrow.string(), "chunk": whole, "last": pyarrow.bool_(), "read": whole}
    return pyarrow.schema(where | {"units": raw, "answer": raw, "error": raw})


def _lines(sentences: Sequence[Sentence]) -> bytes:
    stream = io.StringIO()
    write_jsonl(sentences, stream)
    return stream.getvalue().encode()


_WRITERS = {"jsonl": _lines, "parquet": pack_rows}
TARGETS = tuple(_WRITERS)
