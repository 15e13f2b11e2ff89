"""Files in columns: one token a line, its tag beside it, a blank line between sentences (CoNLL-2003, most NER corpora).

In: a path and the names of its columns, `token`, `tag`, and `_` for what is not read. Columns are separated by tabs
when the line has a tab (a token may then hold spaces), else by spaces. Lines before the first token of a sentence that
begin with `-DOCSTART-`, or that are comments (see `remarks`), are no tokens. They travel with the sentence in its
layer, as do the columns that are not read: while the tokens stay as they are, it is written as it was read. The text of
a sentence is not in such a file: it is put together by `sentence_from_forms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TextIO

from gatewise.errors import FormatError
from gatewise.formats.broken import ESCAPE, OnBroken, attempt
from gatewise.formats.columns import DEFAULT_COLUMNS, check_columns
from gatewise.formats.remarks import DOCUMENT_MARK, count_comments, doubted, is_remark, split_columns
from gatewise.formats.source import Located, Notify, Source, checked, log_notice, numbered_lines, source_name
from gatewise.formats.tally import Tally
from gatewise.text import Sentence, Token, sentence_from_forms

_NOT_SPACES = re.compile("[^ ]+")
_UNWRITABLE = re.compile(r"[\t\n\r]")
_NOT_KEPT = (
    "sentences whose other columns and comments could not be kept: they have other tokens than in their file, or tags "
    "where it has no column for them"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConllLayer:
    """The lines that a sentence came from, and those before it, so that it can be written as it was read."""

    before: tuple[str, ...]  # since the sentence before: document marks, comments, blank lines beyond the first
    lines: tuple[str, ...]  # one a token
    tag_at: int | None
    tokens: tuple[Token, ...]
    tags: tuple[str, ...] | None
    is_closed: bool  # by a blank line, which the last sentence of a file may lack

    def lines_with(self, sentence: Sentence) -> tuple[str, ...] | None:
        """The lines with the tags of this sentence; None when they cannot say it."""
        if sentence.tokens != self.tokens or (sentence.tags is None) != (self.tags is None):
            return None
        if sentence.tags is None or sentence.tags == self.tags or self.tag_at is None:
            return self.lines
        changed = zip(self.lines, sentence.tags, strict=True)
        return tuple(_with_column(line, self.tag_at, tag) for line, tag in changed)

    @property
    def has_more(self) -> bool:
        """Whether there is anything here beyond tokens and tags."""
        columns = 1 if self.tags is None else 2
        return any(self.before) or any(len(split_columns(line)) > columns for line in self.lines[:1])


def read_conll(
    path: Source, *, columns: Sequence[str] = DEFAULT_COLUMNS, scheme: str | None = None
) -> Iterator[Sentence]:
    """The sentences of a file in columns, read as they are asked for; without a `tag` column they have no tags.

    With a `scheme`, tags that break it raise FormatError with their line, as does anything else that cannot be read.
    """
    return checked(path, locate_conll(path, columns=columns), scheme)


def locate_conll(
    path: Source,
    *,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    notify: Notify | None = None,
    broken: OnBroken | None = None,
) -> Iterator[Located]:
    """As `read_conll`, unchecked, with the line of each token; `notify` is told of lines after the last sentence, and
    of tokens that may be comments. With `broken`, which is told of them, sentences that cannot be read are left out."""
    check_columns(columns)
    located = _locate(path, tuple(columns), notify, broken)
    return located if notify is None else doubted(path, located, notify)


def write_conll(sentences: Iterable[Sentence], stream: TextIO, *, notify: Notify = log_notice) -> None:
    """Write the lines that sentences of a column file came with, their tags alone renewed; for others, new lines.

    New lines hold token, tab, tag (the token alone without tags), with a blank line after each sentence; what further
    heads say follows, a column each. `notify` is told how many sentences lose other columns and comments by that.
    Raises FormatError for a token or tag that a file in columns cannot hold; a sentence without tokens is left out.
    """
    tally = Tally()
    is_closed = True  # whether a blank line stands after what was written last
    for number, sentence in enumerate(sentences, start=1):
        if not sentence.tokens:
            continue
        if not is_closed:
            stream.write("\n")
        layer = sentence.layer
        kept = layer.lines_with(sentence) if isinstance(layer, ConllLayer) else None
        if kept is None or not isinstance(layer, ConllLayer):
            if isinstance(layer, ConllLayer) and layer.has_more:
                tally.add(_NOT_KEPT)
            lines = _with_heads(_new_lines(sentence, number), sentence, number)
            stream.write("\n".join(lines) + "\n\n")
            is_closed = True
            continue
        for tag in sentence.tags or ():
            _check_written(tag, "tag", number, alone=False)
        is_closed = layer.is_closed
        kept = _with_heads(kept, sentence, number)
        stream.write("\n".join((*layer.before, *kept)) + ("\n\n" if is_closed else "\n"))
    tally.say("conll", notify)


def _new_lines(sentence: Sentence, number: int) -> Iterable[str]:
    for form in sentence.forms:
        _check_written(form, "token", number, alone=sentence.tags is None)
    for tag in sentence.tags or ():
        _check_written(tag, "tag", number, alone=False)
    if sentence.tags is None:
        return sentence.forms
    return map("\t".join, zip(sentence.forms, sentence.tags, strict=True))


def _with_heads(lines: Iterable[str], sentence: Sentence, number: int) -> tuple[str, ...]:
    """The lines with a column more for each further head that has tags."""
    for said in sentence.heads.values():
        if said.tags is not None:
            for tag in said.tags:
                _check_written(tag, "tag", number, alone=False)
            pairs = zip(lines, said.tags, strict=True)
            lines = [f"{line.rstrip(' ')}{_separator(line)}{tag}" for line, tag in pairs]
    return tuple(lines)


def _separator(line: str) -> str:
    """What the columns of a line are separated by; a line of one column gets a tab."""
    return " " if " " in line.strip(" ") and "\t" not in line else "\t"


def _locate(
    path: Source, columns: tuple[str, ...], notify: Notify | None, broken: OnBroken | None
) -> Iterator[Located]:
    before: list[tuple[int, str]] = []
    block: list[tuple[int, str]] = []

    def sentence(*, is_closed: bool) -> Iterator[Located]:
        nonlocal before, block
        parse = partial(_sentence, path, block, columns, [line for _, line in before], is_closed=is_closed)
        located = attempt(path, [*before, *block], parse, broken)
        before, block = [], []
        if located is not None:
            yield located

    for number, line in numbered_lines(path, errors="strict" if broken is None else ESCAPE):
        if not line.strip(" \t"):
            if block:
                yield from sentence(is_closed=True)
            else:
                before.append((number, line))
        elif not block and is_remark(line, len(columns)):
            before.append((number, line))
        elif line.startswith(DOCUMENT_MARK):  # right after a token
            yield from sentence(is_closed=False)
            before = [(number, line)]
        else:
            block.append((number, line))
    if block:
        yield from sentence(is_closed=False)
    elif notify is not None:
        tally = Tally()
        for _ in filter(str.strip, (line for _, line in before)):
            tally.add("lines after the last sentence (comments, document marks), left out")
        tally.say(path, notify)


def _sentence(
    path: Source, block: list[tuple[int, str]], columns: tuple[str, ...], before: list[str], *, is_closed: bool
) -> Located:
    token_at = columns.index("token")
    tag_at = columns.index("tag") if "tag" in columns else None
    comments = count_comments([line for _, line in block]) if block[0][1].startswith("# ") else 0
    before, block = [*before, *(line for _, line in block[:comments])], block[comments:]
    numbers, lines = zip(*block, strict=True)
    rows = [line.split("\t") if "\t" in line else split_columns(line) for line in lines]
    values = list(zip(*rows, strict=False))  # one tuple a column, as many as the shortest row has
    if set(map(len, rows)) != {len(columns)} or any("" in column for column in values):
        for number, row in zip(numbers, rows, strict=True):
            _check_row(path, number, row, columns)
    forms = values[token_at]
    tags = None if tag_at is None else values[tag_at]
    bare = sentence_from_forms(forms)
    layer = ConllLayer(
        before=tuple(before),
        lines=lines,
        tag_at=tag_at,
        tokens=bare.tokens,
        tags=tags,
        is_closed=is_closed,
    )
    sentence = Sentence(text=bare.text, tokens=bare.tokens, tags=tags, layer=layer)
    return Located(sentence=sentence, lines=numbers)


def _with_column(line: str, at: int, value: str) -> str:
    """The line with another value in one column, its separators kept."""
    if "\t" in line:
        cells = line.split("\t")
        return "\t".join((*cells[:at], value, *cells[at + 1 :]))
    cell = list(_NOT_SPACES.finditer(line))[at]
    return line[: cell.start()] + value + line[cell.end() :]


def _check_row(path: Source, number: int, row: list[str], columns: tuple[str, ...]) -> None:
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
    if not value.strip(" ") or value.startswith(DOCUMENT_MARK) or (alone and " " in value):
        raise FormatError(
            f"sentence {number}: expected a {what} that reads back from columns, found {value!r}; "
            "write JSON lines (jsonl), which hold any text"
        )
