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
from gatewise.formats.broken import OnBroken
from gatewise.formats.cluener import locate_cluener, write_cluener
from gatewise.formats.columns import DEFAULT_COLUMNS, column_names, placed_columns, tag_column
from gatewise.formats.conll import locate_conll, write_conll
from gatewise.formats.conllu import locate_conllu, write_conllu
from gatewise.formats.detect import FORMATS, detect_format
from gatewise.formats.doccano import locate_doccano, write_doccano
from gatewise.formats.inline import format_inline
from gatewise.formats.jsonl import locate_jsonl, write_jsonl
from gatewise.formats.label_studio import locate_label_studio, write_label_studio
from gatewise.formats.labeled_text import DEFAULT_ALIGNMENT, Alignment
from gatewise.formats.prodigy import locate_prodigy, write_prodigy
from gatewise.formats.segmented import locate_segmented
from gatewise.formats.source import Located, Notify, Source, checked, log_notice, source_name
from gatewise.text import CorpusProblem, Detection, Sentence, judge_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a reader may be asked: `columns` matter to conll and parquet, `column` to conllu and docbin, `alignment` to
    character spans, `notify` to conll and conllu, `broken` to all but docbin."""

    columns: Sequence[str]
    column: str | None
    alignment: Alignment
    notify: Notify | None
    broken: OnBroken | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writing:
    """What a writer may be asked: `scheme` matters to spans, `column` to conllu and docbin, `columns` to parquet,
    `notify` to conll and conllu."""

    scheme: str | None
    column: str | None
    columns: Sequence[str]
    notify: Notify


def read_sentences(
    path: Source,
    format: str | None = None,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    *,
    column: str | None = None,
    scheme: str | None = None,
    alignment: Alignment = DEFAULT_ALIGNMENT,
) -> Iterator[Sentence]:
    """The sentences of a labeled file; the format is detected when none is named.

    `columns` are those of a column file by place, or of a Parquet file by name (`tokens=words`). `column` is where the
    tags stand: `upos` (without a choice) or `xpos` in CoNLL-U, `ents` (without one), `tag` or `pos` in DocBin. With a
    `scheme`, tags are verified as they are read, and spans of characters become tags in it (else in BIO).
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
    column: str | None = None,
    scheme: str | None = None,
    alignment: Alignment = DEFAULT_ALIGNMENT,
    notify: Notify | None = None,
    broken: OnBroken | None = None,
) -> Iterator[Located]:
    """As `read_sentences`, unchecked, with the line of each token; `notify` is told of lines after the last one.

    With `broken`, which is told of them, sentences that cannot be read are left out; a DocBin stops at the first.
    """
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
    asked = _Reading(
        columns=columns, column=tag_column(name, column), alignment=alignment, notify=notify, broken=broken
    )
    return _READERS[name](path, asked)


def detect_file_scheme(
    path: Source, format: str | None = None, columns: Sequence[str] = DEFAULT_COLUMNS, *, column: str | None = None
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


def write_sentences(
    sentences: Iterable[Sentence],
    stream: TextIO,
    format: str,
    *,
    scheme: str | None = None,
    column: str | None = None,
    notify: Notify = log_notice,
) -> None:
    """Write sentences in a format of `OUTPUT_FORMATS`; those of spans read the tags in `scheme`, else as they look.

    `column` is that of CoNLL-U: `upos` or `xpos`. `notify` is told what of their own files sentences lose.
    """
    if format not in _WRITERS:
        raise FormatError(_unknown(format, OUTPUT_FORMATS))
    asked = _Writing(scheme=scheme, column=tag_column(format, column), columns=DEFAULT_COLUMNS, notify=notify)
    _WRITERS[format](sentences, stream, asked)


def write_binary(
    sentences: Iterable[Sentence],
    path: str | PathLike[str],
    format: str,
    *,
    scheme: str | None = None,
    column: str | None = None,
    columns: Sequence[str] = DEFAULT_COLUMNS,
) -> None:
    """Write sentences to a file in a format of `BINARY_FORMATS`, which no stream of text can hold.

    `column` is that of DocBin: `ents` (which reads the tags in `scheme`), `tag` or `pos`. `columns` are those of
    Parquet by name: `tokens=words`.
    """
    if format not in _BINARY_WRITERS:
        raise FormatError(_unknown(format, BINARY_FORMATS))
    asked = _Writing(scheme=scheme, column=tag_column(format, column), columns=columns, notify=log_notice)
    _BINARY_WRITERS[format](sentences, path, asked)


def write_inline(sentences: Iterable[Sentence], stream: TextIO) -> None:
    """Write each sentence on a line, as people read it."""
    stream.writelines(format_inline(sentence) + "\n" for sentence in sentences)


def _locate_parquet(path: Source, asked: _Reading) -> Iterator[Located]:
    from gatewise.formats.parquet import locate_parquet

    return locate_parquet(path, columns=column_names(asked.columns), broken=asked.broken)


def _locate_docbin(path: Source, asked: _Reading) -> Iterator[Located]:
    from gatewise.formats.docbin import locate_docbin

    return locate_docbin(path, column=asked.column or "ents")


def _write_parquet(sentences: Iterable[Sentence], path: str | PathLike[str], asked: _Writing) -> None:
    from gatewise.formats.parquet import write_parquet

    write_parquet(sentences, path, columns=column_names(asked.columns))


def _write_docbin(sentences: Iterable[Sentence], path: str | PathLike[str], asked: _Writing) -> None:
    from gatewise.formats.docbin import write_docbin

    write_docbin(sentences, path, column=asked.column or "ents", scheme=asked.scheme)


_READERS: dict[str, Callable[[Source, _Reading], Iterator[Located]]] = {
    "conll": lambda path, asked: locate_conll(
        path, columns=placed_columns(asked.columns), notify=asked.notify, broken=asked.broken
    ),
    "conllu": lambda path, asked: locate_conllu(
        path, column=asked.column or "upos", notify=asked.notify, broken=asked.broken
    ),
    "jsonl": lambda path, asked: locate_jsonl(path, broken=asked.broken),
    "doccano": lambda path, asked: locate_doccano(path, alignment=asked.alignment, broken=asked.broken),
    "label-studio": lambda path, asked: locate_label_studio(path, alignment=asked.alignment, broken=asked.broken),
    "prodigy": lambda path, asked: locate_prodigy(path, alignment=asked.alignment, broken=asked.broken),
    "cluener": lambda path, asked: locate_cluener(path, alignment=asked.alignment, broken=asked.broken),
    "segmented": lambda path, asked: locate_segmented(path, broken=asked.broken),
    "parquet": _locate_parquet,
    "docbin": _locate_docbin,
}
SPAN_FORMATS = ("doccano", "label-studio", "prodigy", "cluener")  # texts with spans of characters
_WRITERS: dict[str, Callable[[Iterable[Sentence], TextIO, _Writing], None]] = {
    "inline": lambda sentences, stream, _: write_inline(sentences, stream),
    "conll": lambda sentences, stream, asked: write_conll(sentences, stream, notify=asked.notify),
    "conllu": lambda sentences, stream, asked: write_conllu(
        sentences, stream, column=asked.column, notify=asked.notify
    ),
    "jsonl": lambda sentences, stream, _: write_jsonl(sentences, stream),
    "doccano": lambda sentences, stream, asked: write_doccano(sentences, stream, asked.scheme),
    "label-studio": lambda sentences, stream, asked: write_label_studio(sentences, stream, asked.scheme),
    "prodigy": lambda sentences, stream, asked: write_prodigy(sentences, stream, asked.scheme),
    "cluener": lambda sentences, stream, asked: write_cluener(sentences, stream, asked.scheme),
}
_BINARY_WRITERS: dict[str, Callable[[Iterable[Sentence], str | PathLike[str], _Writing], None]] = {
    "parquet": _write_parquet,
    "docbin": _write_docbin,
}
OUTPUT_FORMATS = tuple(_WRITERS)  # written to a stream of text
BINARY_FORMATS = tuple(_BINARY_WRITERS)  # written to a file


def _unknown(format: str, known: Sequence[str]) -> str:
    return f'expected a format ({", ".join(known)}), found "{format}"; choose one of these'
