"""Parquet: one sentence a row, in columns `text`, `tokens`, `tags`, `spans`, `scores`; read and written in row groups.

Out: `tokens` as structs (text, start, end), `spans` as structs (start, end, label, text, score), offsets in characters.
In: these, or what Hugging Face data sets hold: `tokens` as strings and `tags` or `ner_tags`, as strings or as numbers
whose names stand in the file's metadata. The text of plain tokens is the column `text`, else put together by
`sentence_from_forms`. The "line" of messages is the number of the row. Needs pyarrow, the extra `parquet`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from gatewise.errors import FormatError, MissingExtraError
from gatewise.formats.broken import Broken, OnBroken
from gatewise.formats.json_fields import JsonObject
from gatewise.formats.parquet_rows import ParquetColumns, find_columns, parse_row
from gatewise.formats.source import Located, Source, checked, reading_failed, rereadable, source_name
from gatewise.formats.target import appearing
from gatewise.text import Sentence

USUAL_COLUMNS: Mapping[str, str] = MappingProxyType({})

_ROWS_AT_ONCE = 1024  # that are Python objects at the same time
_ROW_GROUP = 8192  # sentences
_LENGTH = 8  # bytes that say how long a packed stretch is


def read_parquet(
    path: Source, *, columns: Mapping[str, str] = USUAL_COLUMNS, scheme: str | None = None
) -> Iterator[Sentence]:
    """The sentences of a Parquet file, read as they are asked for, one row group at a time in memory.

    `columns` name the column of a part (text, tokens, tags, spans, scores), as `{"tokens": "words"}`; parts that are
    not in it have their usual names. With a `scheme`, tags that break it raise FormatError with their row, as does
    anything else that cannot be read.
    """
    return checked(path, locate_parquet(path, columns=columns), scheme)


def locate_parquet(
    path: Source, *, columns: Mapping[str, str] = USUAL_COLUMNS, broken: OnBroken | None = None
) -> Iterator[Located]:
    """As `read_parquet`, unchecked, with the number of its row, from 1, for each token.

    With `broken`, which is told of them, rows that cannot be read are left out.
    Raises MissingExtraError without pyarrow.
    """
    _pyarrow()
    return _locate(path, columns, broken)


def count_rows(path: Source) -> int:
    """How many rows a Parquet file says it has; 0 for one that cannot be read."""
    pyarrow = _pyarrow()
    try:
        return int(pyarrow.parquet.read_metadata(path).num_rows)
    except (OSError, ValueError, pyarrow.ArrowException):
        return 0


def write_parquet(sentences: Iterable[Sentence], path: Source, *, columns: Mapping[str, str] = USUAL_COLUMNS) -> None:
    """Write a Parquet file that appears under its name only when it is complete; a row group is in memory at a time.

    Columns have the names in `columns`, else their usual ones.
    Raises MissingExtraError without pyarrow, FormatError for a text that is not Unicode and a path that fails.
    """
    numbered = enumerate(sentences, start=1)
    groups = iter(lambda: [_row(number, sentence) for number, sentence in islice(numbered, _ROW_GROUP)], [])
    pyarrow = _pyarrow()
    _write_tables((pyarrow.Table.from_pylist(group, schema=_schema(pyarrow)) for group in groups), path, columns)


def table_of(sentences: Sequence[Sentence]) -> Any:
    """Sentences as a table of pyarrow, a row each, in the columns that a file has.

    Raises MissingExtraError without pyarrow, FormatError with the number of a sentence that is not Unicode.
    """
    pyarrow = _pyarrow()
    rows = [_row(number, sentence) for number, sentence in enumerate(sentences, start=1)]
    return pyarrow.Table.from_pylist(rows, schema=_schema(pyarrow))


def pack_rows(sentences: Sequence[Sentence]) -> bytes:
    """These sentences as a stretch of bytes that can stand after others of its kind, for `write_packed`."""
    pyarrow = _pyarrow()
    table = table_of(sentences)
    packed = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(packed, table.schema) as writer:
        writer.write_table(table)
    content = packed.getvalue()
    return len(content).to_bytes(_LENGTH) + bytes(content)


def write_packed(packed: BinaryIO, path: Source, *, columns: Mapping[str, str] = USUAL_COLUMNS) -> None:
    """Write what `pack_rows` made, one stretch after the other, as `write_parquet` would write the sentences."""
    _write_tables(_regrouped(_unpacked(packed)), path, columns)


def write_stretches(stretches: Iterable[bytes], path: Source) -> None:
    """As `write_packed`, of stretches that come one by one."""
    tables = (table for stretch in stretches for table in _unpacked(BytesIO(stretch)))
    _write_tables(_regrouped(tables), path, USUAL_COLUMNS)


def _unpacked(packed: BinaryIO) -> Iterator[Any]:
    pyarrow = _pyarrow()
    while length := packed.read(_LENGTH):
        yield pyarrow.ipc.open_stream(packed.read(int.from_bytes(length))).read_all()


def _regrouped(tables: Iterator[Any]) -> Iterator[Any]:
    """The same rows in tables of the size of a row group."""
    pyarrow = _pyarrow()
    waiting: list[Any] = []
    for table in tables:
        waiting.append(table)
        while sum(part.num_rows for part in waiting) >= _ROW_GROUP:
            joined = pyarrow.concat_tables(waiting)
            yield joined.slice(0, _ROW_GROUP)
            waiting = [joined.slice(_ROW_GROUP)]
    if any(part.num_rows for part in waiting):
        yield pyarrow.concat_tables(waiting)


def _write_tables(tables: Iterator[Any], path: Source, columns: Mapping[str, str]) -> None:
    pyarrow = _pyarrow()
    schema = _schema(pyarrow)
    names = [columns.get(part, part) for part in schema.names]
    with appearing(path) as stream:
        renamed = pyarrow.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
        with pyarrow.parquet.ParquetWriter(stream, renamed, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table.rename_columns(names))


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError('Parquet needs pyarrow: pip install "gatewise[parquet]"') from error
    return pyarrow


def _schema(pyarrow: Any) -> Any:
    text, whole, real = pyarrow.string(), pyarrow.int64(), pyarrow.float64()
    token = pyarrow.struct({"text": text, "start": whole, "end": whole})
    span = pyarrow.struct({"start": whole, "end": whole, "label": text, "text": text, "score": real})
    lists = {"tokens": token, "tags": text, "spans": span, "scores": real}
    return pyarrow.schema({"text": text} | {name: pyarrow.list_(kind) for name, kind in lists.items()})


def _row(number: int, sentence: Sentence) -> JsonObject:
    strings = (sentence.text, *sentence.forms, *(sentence.tags or ()), *(span.label for span in sentence.spans))
    try:
        "".join(strings).encode()
    except UnicodeEncodeError as error:
        raise FormatError(
            f"sentence {number}: expected Unicode text, found the unpaired surrogate "
            f"U+{ord(error.object[error.start]):04X}; decode the source again from bytes"
        ) from error
    spans = [
        {"start": span.start, "end": span.end, "label": span.label, "text": span.text, "score": span.score}
        for span in sentence.spans
    ]
    tokens = [{"text": token.text, "start": token.start, "end": token.end} for token in sentence.tokens]
    return {"text": sentence.text, "tokens": tokens, "tags": sentence.tags, "spans": spans, "scores": sentence.scores}


def _locate(path: Source, named: Mapping[str, str], broken: OnBroken | None) -> Iterator[Located]:
    pyarrow = _pyarrow()
    try:
        with rereadable(path) as copy, Path(copy).open("rb") as stream:
            file = pyarrow.parquet.ParquetFile(stream)
            columns = find_columns(source_name(path), file.schema_arrow, named)
            batches = file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(columns.all))
            rows = (row for batch in batches for row in batch.to_pylist())
            for number, row in enumerate(rows, start=1):
                sentence = _sentence(f"{source_name(path)}:{number}", number, row, columns, broken)
                if sentence is not None:
                    yield Located(sentence=sentence, lines=(number,) * max(1, len(sentence)))
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the system; pyarrow's own have no number
            raise FormatError(reading_failed(path, error)) from error
        raise FormatError(
            f"{source_name(path)}: expected a complete Parquet file, found one that cannot be read "
            f"({str(error).partition(chr(10))[0]}); write or copy it again"
        ) from error


def _sentence(
    where: str, number: int, row: JsonObject, columns: ParquetColumns, broken: OnBroken | None
) -> Sentence | None:
    """One row; None where it fails and `broken` was told of it."""
    try:
        return parse_row(where, row, columns)
    except FormatError as error:
        if broken is None:
            raise
        broken(Broken(line=number, reason=str(error), raw=json.dumps(row, ensure_ascii=False, default=str).encode()))
        return None
