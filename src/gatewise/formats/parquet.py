"""Parquet: one sentence a row, in columns `text`, `tokens`, `tags`, `spans`, `scores`; read and written in row groups.

Out: `tokens` as structs (text, start, end), `spans` as structs (start, end, label, text, score), offsets in characters.
In: these, or what Hugging Face data sets hold: `tokens` as strings and `tags` or `ner_tags`, as strings or as numbers
whose names stand in the file's metadata. The text of plain tokens is the column `text`, else put together by
`sentence_from_forms`. The "line" of messages is the number of the row. Needs pyarrow, the extra `parquet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gatewise.errors import FormatError, MissingExtraError
from gatewise.formats.json_fields import JsonObject
from gatewise.formats.parquet_rows import find_columns, parse_row
from gatewise.formats.source import Located, Source, checked, reading_failed, rereadable, source_name
from gatewise.formats.target import appearing
from gatewise.text import Sentence

USUAL_COLUMNS: Mapping[str, str] = MappingProxyType({})

_ROWS_AT_ONCE = 1024  # that are Python objects at the same time
_ROW_GROUP = 8192  # sentences


def read_parquet(
    path: Source, *, columns: Mapping[str, str] = USUAL_COLUMNS, scheme: str | None = None
) -> Iterator[Sentence]:
    """The sentences of a Parquet file, read as they are asked for, one row group at a time in memory.

    `columns` name the column of a part (text, tokens, tags, spans, scores), as `{"tokens": "words"}`; parts that are
    not in it have their usual names. With a `scheme`, tags that break it raise FormatError with their row, as does
    anything else that cannot be read.
    """
    return checked(path, locate_parquet(path, columns=columns), scheme)


def locate_parquet(path: Source, *, columns: Mapping[str, str] = USUAL_COLUMNS) -> Iterator[Located]:
    """As `read_parquet`, unchecked, with the number of its row, from 1, for each token.

    Raises MissingExtraError without pyarrow.
    """
    _pyarrow()
    return _locate(path, columns)


def write_parquet(sentences: Iterable[Sentence], path: Source, *, columns: Mapping[str, str] = USUAL_COLUMNS) -> None:
    """Write a Parquet file that appears under its name only when it is complete; a row group is in memory at a time.

    Columns have the names in `columns`, else their usual ones.
    Raises MissingExtraError without pyarrow, FormatError for a text that is not Unicode and a path that fails.
    """
    pyarrow = _pyarrow()
    schema = _schema(pyarrow)
    names = [columns.get(part, part) for part in schema.names]
    numbered = enumerate(sentences, start=1)
    with appearing(path) as stream:
        renamed = pyarrow.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
        with pyarrow.parquet.ParquetWriter(stream, renamed, compression="zstd") as writer:
            while group := [_row(number, sentence) for number, sentence in islice(numbered, _ROW_GROUP)]:
                writer.write_table(pyarrow.Table.from_pylist(group, schema=schema).rename_columns(names))


def _pyarrow() -> Any:
    try:
        import pyarrow
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


def _locate(path: Source, named: Mapping[str, str]) -> Iterator[Located]:
    pyarrow = _pyarrow()
    try:
        with rereadable(path) as copy, Path(copy).open("rb") as stream:
            file = pyarrow.parquet.ParquetFile(stream)
            columns = find_columns(source_name(path), file.schema_arrow, named)
            batches = file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(columns.all))
            rows = (row for batch in batches for row in batch.to_pylist())
            for number, row in enumerate(rows, start=1):
                sentence = parse_row(f"{source_name(path)}:{number}", row, columns)
                yield Located(sentence=sentence, lines=(number,) * max(1, len(sentence)))
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the system; pyarrow's own have no number
            raise FormatError(reading_failed(path, error)) from error
        raise FormatError(
            f"{source_name(path)}: expected a complete Parquet file, found one that cannot be read "
            f"({str(error).partition(chr(10))[0]}); write or copy it again"
        ) from error
