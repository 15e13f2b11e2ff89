"""Files in columns: one token a line, its tag beside it, a blank line between sentences (CoNLL-2003, most NER corpora).

In: a path and the names of its columns, `token`, `tag`, and `_` for what is not read. Columns are separated by tabs
when the line has a tab (a token may then hold spaces), else by spaces. Lines that begin with `-DOCSTART-` are left
out. The text of a sentence is not in such a file: it is put together by `sentence_from_forms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from gatewise.errors import ConfigError, FormatError
from gatewise.formats.source import Located, Source, blocks, checked, source_name
from gatewise.text import Sentence, sentence_from_forms

DEFAULT_COLUMNS = ("token", "tag")

_SPACES = re.compile(" +")
_UNWRITABLE = re.compile(r"[\t\n\r]")
_COLUMN_NAMES = ("token", "tag", "_")


def read_conll(
    path: Source, *, columns: Sequence[str] = DEFAULT_COLUMNS, scheme: str | None = None
) -> Iterator[Sentence]:
    """The sentences of a file in columns, read as they are asked for; without a `tag` column they have no tags.

    With a `scheme`, tags that break it raise FormatError with their line, as does anything else that cannot be read.
    """
    return checked(path, locate_conll(path, columns=columns), scheme)


def locate_conll(path: Source, *, columns: Sequence[str] = DEFAULT_COLUMNS) -> Iterator[Located]:
    """As `read_conll`, unchecked, with the line of each token."""
    check_columns(columns)
    return _locate(path, tuple(columns))


def check_columns(columns: Sequence[str]) -> None:
    """Raise ConfigError unless the columns hold `token` once, `tag` at most once, and `_` for the rest."""
    for name in columns:
        if name not in _COLUMN_NAMES:
            raise ConfigError(
                f'columns: expected "token", "tag" or "_", found "{name}"; write "_" for what is not read'
            )
    if columns.count("token") != 1 or columns.count("tag") > 1:
        raise ConfigError(
            f'columns: expected "token" once and "tag" at most once, found "{",".join(columns)}"; '
            'write for example "token,_,tag"'
        )


def write_conll(sentences: Iterable[Sentence], stream: TextIO) -> None:
    """Write token, tab, tag, a line each (the token alone without tags), and a blank line after each sentence.

    Raises FormatError for a token or tag that this format cannot hold; a sentence without tokens is left out.
    """
    for number, sentence in enumerate(sentences, start=1):
        if not sentence.tokens:
            continue
        for form in sentence.forms:
            _check_written(form, "token", number, alone=sentence.tags is None)
        for tag in sentence.tags or ():
            _check_written(tag, "tag", number, alone=False)
        rows = (
            sentence.forms if sentence.tags is None else map("\t".join, zip(sentence.forms, sentence.tags, strict=True))
        )
        stream.write("\n".join(rows) + "\n\n")


def split_columns(line: str) -> list[str]:
    """The columns of a line: cut at each tab when it has one, else at runs of spaces."""
    return line.split("\t") if "\t" in line else _SPACES.split(line.strip(" "))


def _locate(path: Source, columns: tuple[str, ...]) -> Iterator[Located]:
    token_at = columns.index("token")
    tag_at = columns.index("tag") if "tag" in columns else None
    for block in blocks(path):
        rows = [(n, _row(path, n, line, columns)) for n, line in block if not line.startswith("-DOCSTART-")]
        if not rows:
            continue
        forms = [row[token_at] for _, row in rows]
        tags = None if tag_at is None else [row[tag_at] for _, row in rows]
        yield Located(sentence=sentence_from_forms(forms, tags), lines=tuple(n for n, _ in rows))


def _row(path: Source, number: int, line: str, columns: tuple[str, ...]) -> list[str]:
    row = split_columns(line)
    if len(row) != len(columns):
        raise FormatError(
            f"{source_name(path)}:{number}: expected {_count(len(columns))}, found {len(row)} "
            f'("{" ".join(row)}"); {_remedy(len(row), "tag" in columns)}'
        )
    for name, value in zip(columns, row, strict=True):
        if not value and name != "_":
            raise FormatError(
                f'{source_name(path)}:{number}: expected a {name}, found an empty one ("{" ".join(row)}"); '
                f"write the {name}, or leave the line out"
            )
    return row


def _count(columns: int) -> str:
    return "1 column" if columns == 1 else f"{columns} columns"


def _remedy(found: int, tagged: bool) -> str:
    if found == 1:
        return "separate token and tag by a tab or a space, or set --columns token" if tagged else "set --columns"
    return "set --columns " + ",".join(["token", *["_"] * (found - 2), "tag"])


def _check_written(value: str, what: str, number: int, *, alone: bool) -> None:
    if _UNWRITABLE.search(value) or not value:
        raise FormatError(
            f"sentence {number}: expected a {what} without tabs and line breaks, found {value!r}; "
            "write JSON lines (jsonl), which hold any text"
        )
    if not value.strip(" ") or value.startswith("-DOCSTART-") or (alone and " " in value):
        raise FormatError(
            f"sentence {number}: expected a {what} that reads back from columns, found {value!r}; "
            "write JSON lines (jsonl), which hold any text"
        )
