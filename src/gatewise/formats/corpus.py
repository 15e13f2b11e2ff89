"""Labeled files of any format: one function to read, one to write, one to find the scheme of the tags.

In: a path and, where the name of the file does not tell, its format. Out: sentences as they are asked for, so that a
file of any size passes in constant memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TextIO

from gatewise.errors import FormatError
from gatewise.formats.conll import DEFAULT_COLUMNS, locate_conll, write_conll
from gatewise.formats.conllu import locate_conllu, write_conllu
from gatewise.formats.detect import FORMATS, detect_format
from gatewise.formats.inline import format_inline
from gatewise.formats.jsonl import locate_jsonl, write_jsonl
from gatewise.formats.source import Located, Source, checked, source_name
from gatewise.text import CorpusProblem, Detection, Sentence, judge_tags


def read_sentences(
    path: Source,
    format: str | None = None,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    *,
    column: str = "upos",
    scheme: str | None = None,
) -> Iterator[Sentence]:
    """The sentences of a labeled file; the format is detected when none is named.

    `columns` matter to conll, `column` to conllu; with a `scheme`, tags are verified as they are read.
    Raises FormatError with path and line for whatever cannot be read, and for plain text, which `read_lines` reads.
    """
    return checked(path, _locate(path, format, columns, column), scheme)


def detect_file_scheme(
    path: Source, format: str | None = None, columns: Sequence[str] = DEFAULT_COLUMNS, *, column: str = "upos"
) -> Detection:
    """The scheme of a file's tags and the reason, found by reading all of it once.

    Raises FormatError with the line of the first tag that no scheme explains.
    """
    tag_lists = ((located.sentence.tags or ()) for located in _locate(path, format, columns, column))
    found = judge_tags(tag_lists)
    if isinstance(found, CorpusProblem):
        again = islice(_locate(path, format, columns, column), found.sentence, None)
        located = next(again, None)  # standard input cannot be read again
        place = f"sentence {found.sentence + 1}" if located is None else f"{located.lines[found.index]}"
        raise FormatError(f"{source_name(path)}:{place}: {found.message}")
    return found


def write_sentences(sentences: Iterable[Sentence], stream: TextIO, format: str) -> None:
    """Write sentences in a format of `OUTPUT_FORMATS`."""
    if format not in _WRITERS:
        raise FormatError(_unknown(format, OUTPUT_FORMATS))
    _WRITERS[format](sentences, stream)


def write_inline(sentences: Iterable[Sentence], stream: TextIO) -> None:
    """Write each sentence on a line, as people read it."""
    stream.writelines(format_inline(sentence) + "\n" for sentence in sentences)


_WRITERS: dict[str, Callable[[Iterable[Sentence], TextIO], None]] = {
    "inline": write_inline,
    "conll": write_conll,
    "conllu": write_conllu,
    "jsonl": write_jsonl,
}
OUTPUT_FORMATS = tuple(_WRITERS)


def _locate(path: Source, format: str | None, columns: Sequence[str], column: str) -> Iterator[Located]:
    match detect_format(path) if format is None else format:
        case "conll":
            return locate_conll(path, columns=columns)
        case "conllu":
            return locate_conllu(path, column=column)
        case "jsonl":
            return locate_jsonl(path)
        case "text":
            raise FormatError(
                f"{source_name(path)}: expected labeled sentences, found plain text; name the format if it is another "
                "one (conll, conllu, jsonl)"
            )
        case unknown:
            raise FormatError(_unknown(unknown, FORMATS))


def _unknown(format: str, known: Sequence[str]) -> str:
    return f'expected a format ({", ".join(known)}), found "{format}"; choose one of these'
