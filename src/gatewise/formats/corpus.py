"""Labeled files of any format: one function to read, two to write, one to find the scheme of the tags.

In: a path and, where the name of the file does not tell, its format. Out: sentences as they are asked for, so that a
file of any size passes in constant memory. The tables here are the list of formats; each module knows its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from os import PathLike
from typing import TextIO

from gatewise.errors import FormatError
from gatewise.formats.cluener import locate_cluener, write_cluener
from gatewise.formats.conll import DEFAULT_COLUMNS, locate_conll, write_conll
from gatewise.formats.conllu import locate_conllu, write_conllu
from gatewise.formats.detect import FORMATS, detect_format
from gatewise.formats.doccano import locate_doccano, write_doccano
from gatewise.formats.inline import format_inline
from gatewise.formats.jsonl import locate_jsonl, write_jsonl
from gatewise.formats.label_studio import locate_label_studio, write_label_studio
from gatewise.formats.labeled_text import DEFAULT_ALIGNMENT, Alignment
from gatewise.formats.prodigy import locate_prodigy, write_prodigy
from gatewise.formats.source import Located, Source, checked, source_name
from gatewise.text import CorpusProblem, Detection, Sentence, judge_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a reader may be asked: `columns` matter to conll, `column` to conllu, `alignment` to character spans."""

    columns: Sequence[str]
    column: str
    alignment: Alignment


def read_sentences(
    path: Source,
    format: str | None = None,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    *,
    column: str = "upos",
    scheme: str | None = None,
    alignment: Alignment = DEFAULT_ALIGNMENT,
) -> Iterator[Sentence]:
    """The sentences of a labeled file; the format is detected when none is named.

    With a `scheme`, tags are verified as they are read, and spans of characters become tags in it (else in BIO).
    Raises FormatError with path and line for whatever cannot be read, and for plain text, which `read_lines` reads.
    """
    return checked(
        path, locate_sentences(path, format, columns, column=column, scheme=scheme, alignment=alignment), scheme
    )


def locate_sentences(
    path: Source,
    format: str | None = None,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    *,
    column: str = "upos",
    scheme: str | None = None,
    alignment: Alignment = DEFAULT_ALIGNMENT,
) -> Iterator[Located]:
    """As `read_sentences`, unchecked, with the line of each token."""
    if scheme is not None:
        alignment = replace(alignment, scheme=scheme)
    name = detect_format(path) if format is None else format
    if name == "text":
        raise FormatError(
            f"{source_name(path)}: expected labeled sentences, found plain text; name the format if it is another "
            f"one ({', '.join(_READERS)})"
        )
    if name not in _READERS:
        raise FormatError(_unknown(name, FORMATS))
    return _READERS[name](path, _Reading(columns=columns, column=column, alignment=alignment))


def detect_file_scheme(
    path: Source, format: str | None = None, columns: Sequence[str] = DEFAULT_COLUMNS, *, column: str = "upos"
) -> Detection:
    """The scheme of a file's tags and the reason, found by reading all of it once; for spans of characters, BIO.

    Raises FormatError with the line of the first tag that no scheme explains.
    """
    format = format or detect_format(path)
    if format in SPAN_FORMATS:
        return Detection(scheme="BIO", reason="The file holds spans of characters, which are read as BIO.")
    tag_lists = ((located.sentence.tags or ()) for located in locate_sentences(path, format, columns, column=column))
    found = judge_tags(tag_lists)
    if isinstance(found, CorpusProblem):
        again = islice(locate_sentences(path, format, columns, column=column), found.sentence, None)
        located = next(again, None)  # standard input cannot be read again
        place = f"sentence {found.sentence + 1}" if located is None else f"{located.lines[found.index]}"
        raise FormatError(f"{source_name(path)}:{place}: {found.message}")
    return found


def write_sentences(sentences: Iterable[Sentence], stream: TextIO, format: str, *, scheme: str | None = None) -> None:
    """Write sentences in a format of `OUTPUT_FORMATS`; those of spans read the tags in `scheme`, else as they look."""
    if format in _SPAN_WRITERS:
        _SPAN_WRITERS[format](sentences, stream, scheme)
    elif format in _WRITERS:
        _WRITERS[format](sentences, stream)
    else:
        raise FormatError(_unknown(format, OUTPUT_FORMATS))


def write_binary(sentences: Iterable[Sentence], path: str | PathLike[str], format: str) -> None:
    """Write sentences to a file in a format of `BINARY_FORMATS`, which no stream of text can hold."""
    if format not in _BINARY_WRITERS:
        raise FormatError(_unknown(format, BINARY_FORMATS))
    _BINARY_WRITERS[format](sentences, path)


def write_inline(sentences: Iterable[Sentence], stream: TextIO) -> None:
    """Write each sentence on a line, as people read it."""
    stream.writelines(format_inline(sentence) + "\n" for sentence in sentences)


def _locate_parquet(path: Source, _: _Reading) -> Iterator[Located]:
    from gatewise.formats.parquet import locate_parquet

    return locate_parquet(path)


def _locate_docbin(path: Source, _: _Reading) -> Iterator[Located]:
    from gatewise.formats.docbin import locate_docbin

    return locate_docbin(path)


def _write_parquet(sentences: Iterable[Sentence], path: str | PathLike[str]) -> None:
    from gatewise.formats.parquet import write_parquet

    write_parquet(sentences, path)


def _write_docbin(sentences: Iterable[Sentence], path: str | PathLike[str]) -> None:
    from gatewise.formats.docbin import write_docbin

    write_docbin(sentences, path)


_READERS: dict[str, Callable[[Source, _Reading], Iterator[Located]]] = {
    "conll": lambda path, reading: locate_conll(path, columns=reading.columns),
    "conllu": lambda path, reading: locate_conllu(path, column=reading.column),
    "jsonl": lambda path, _: locate_jsonl(path),
    "doccano": lambda path, reading: locate_doccano(path, alignment=reading.alignment),
    "label-studio": lambda path, reading: locate_label_studio(path, alignment=reading.alignment),
    "prodigy": lambda path, reading: locate_prodigy(path, alignment=reading.alignment),
    "cluener": lambda path, reading: locate_cluener(path, alignment=reading.alignment),
    "parquet": _locate_parquet,
    "docbin": _locate_docbin,
}
_WRITERS: dict[str, Callable[[Iterable[Sentence], TextIO], None]] = {
    "inline": write_inline,
    "conll": write_conll,
    "conllu": write_conllu,
    "jsonl": write_jsonl,
}
_SPAN_WRITERS: dict[str, Callable[[Iterable[Sentence], TextIO, str | None], None]] = {
    "doccano": write_doccano,
    "label-studio": write_label_studio,
    "prodigy": write_prodigy,
    "cluener": write_cluener,
}
_BINARY_WRITERS: dict[str, Callable[[Iterable[Sentence], str | PathLike[str]], None]] = {
    "parquet": _write_parquet,
    "docbin": _write_docbin,
}
OUTPUT_FORMATS = (*_WRITERS, *_SPAN_WRITERS)  # written to a stream of text
SPAN_FORMATS = tuple(_SPAN_WRITERS)  # texts with spans of characters
BINARY_FORMATS = tuple(_BINARY_WRITERS)  # written to a file


def _unknown(format: str, known: Sequence[str]) -> str:
    return f'expected a format ({", ".join(known)}), found "{format}"; choose one of these'
