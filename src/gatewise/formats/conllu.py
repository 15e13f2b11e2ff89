"""CoNLL-U, the format of Universal Dependencies (https://universaldependencies.org/format.html): words and their tags.

In: a path, and which column holds the tags, `upos` or `xpos`. Out: sentences whose text is the comment `# text = …`,
offsets found by walking through it. Without that comment the words are joined: nothing after `SpaceAfter=No` or
beside a Chinese character, else one space. Tokens are the syntactic words. Where a multiword token is written as its
words in a row (don't = do + n't) its words are the tokens; where it is not (French du = de + le) it is one token
tagged with its words' tags joined by `+` (ADP+DET). Empty nodes (8.1) are left out. A sentence whose tags are all `_`
has no tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TextIO

from conllu.exceptions import ParseException
from conllu.parser import parse_dict_value, parse_id_value

from gatewise.errors import ConfigError, FormatError
from gatewise.formats.source import Located, Source, blocks, checked, source_name
from gatewise.text import Sentence, Token, joint

COLUMNS = {"upos": 3, "xpos": 4}
NUM_COLUMNS = 10
UNTAGGED = "_"

_TEXT = re.compile(r"#\s*text\s*= ?(.*)", re.DOTALL)
_LINE_BREAK = re.compile(r"[\n\r]")
_UNWRITABLE = re.compile(r"[\t\n\r]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of the file: a word (first = last), a multiword token (first < last); empty nodes have no row."""

    line: int
    first: int
    last: int
    form: str
    tag: str
    space_after: bool


def read_conllu(path: Source, *, column: str = "upos", scheme: str | None = None) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file, read as they are asked for, tagged with the column `upos` or `xpos`.

    With a `scheme`, tags that break it raise FormatError with their line, as does anything else that cannot be read.
    """
    return checked(path, locate_conllu(path, column=column), scheme)


def locate_conllu(path: Source, *, column: str = "upos") -> Iterator[Located]:
    """As `read_conllu`, unchecked, with the line of each token."""
    if column not in COLUMNS:
        raise ConfigError(f'column: expected "upos" or "xpos", found "{column}"; choose one of these')
    return _locate(path, COLUMNS[column])


def write_conllu(sentences: Iterable[Sentence], stream: TextIO) -> None:
    """Write ID, FORM, UPOS (the tag) and SpaceAfter=No under a comment with the text; the other columns hold `_`.

    Raises FormatError for a text with line breaks, or a token that this format cannot hold.
    """
    for number, sentence in enumerate(sentences, start=1):
        if _LINE_BREAK.search(sentence.text):
            raise FormatError(
                f"sentence {number}: expected a text on one line, found a line break in {sentence.text[:40]!r}; "
                "write one sentence a line, or JSON lines (jsonl)"
            )
        stream.write(f"# text = {sentence.text}\n")
        stream.writelines(_written_rows(sentence, number))
        stream.write("\n")


def _written_rows(sentence: Sentence, number: int) -> Iterator[str]:
    tags = sentence.tags if sentence.tags is not None else (UNTAGGED,) * len(sentence)
    starts = {token.start for token in sentence.tokens}
    for index, (token, tag) in enumerate(zip(sentence.tokens, tags, strict=True), start=1):
        for what, value in (("token", token.text), ("tag", tag)):
            if not value or _UNWRITABLE.search(value):
                raise FormatError(
                    f"sentence {number}: expected a {what} without tabs and line breaks, found {value!r}; "
                    "write JSON lines (jsonl), which hold any text"
                )
        misc = "SpaceAfter=No" if token.end in starts else "_"
        yield f"{index}\t{token.text}\t_\t{tag}\t_\t_\t_\t_\t_\t{misc}\n"


def _locate(path: Source, tag_at: int) -> Iterator[Located]:
    for block in blocks(path):
        texts = [found[1] for _, line in block if (found := _TEXT.fullmatch(line))]
        rows = [row for number, line in block if not line.startswith("#") and (row := _row(path, number, line, tag_at))]
        if not rows and not texts:
            continue  # comments of the file as a whole
        units = list(_units(path, rows))
        tokens, text = _walk(path, units, texts[0]) if texts else _join(units)
        sentence = Sentence(text=text, tokens=tokens)
        lines = tuple(unit.line for unit in units) or (block[0][0],)
        yield Located(sentence=_tagged(path, sentence, units), lines=lines)


def _row(path: Source, number: int, line: str, tag_at: int) -> _Row | None:
    fields = line.split("\t")
    if len(fields) != NUM_COLUMNS:
        raise FormatError(
            f"{source_name(path)}:{number}: expected {NUM_COLUMNS} columns separated by tabs, found {len(fields)} "
            f'("{line[:60]}"); write _ for an empty column, and a blank line between sentences'
        )
    first, last = _word_range(path, number, fields[0])
    if first is None or last is None:
        return None
    if not fields[1] or not fields[tag_at]:
        raise FormatError(
            f"{source_name(path)}:{number}: expected a form and a tag, found an empty column; write _ in it"
        )
    space_after = (parse_dict_value(fields[9]) or {}).get("SpaceAfter") != "No"
    return _Row(line=number, first=first, last=last, form=fields[1], tag=fields[tag_at], space_after=space_after)


def _word_range(path: Source, number: int, field: str) -> tuple[int | None, int | None]:
    """First and last word of an ID: `3` → (3, 3), `3-4` → (3, 4), an empty node `8.1` → (None, None)."""
    try:
        match parse_id_value(field):
            case int(word):
                return word, word
            case (first, "-", last):
                return first, last
            case (_, ".", _):
                return None, None
    except ParseException:
        pass  # told below, with the line
    raise FormatError(
        f'{source_name(path)}:{number}: expected an ID (3, 3-4 or 3.1) in the first column, found "{field}"; '
        "number the words from 1"
    )


def _units(path: Source, rows: list[_Row]) -> Iterator[_Row]:
    """The tokens: words, and multiword tokens that are not written as their words in a row."""
    words = {row.first: row for row in rows if row.first == row.last}
    _check_numbering(path, rows)
    covered = 0
    for row in rows:
        if row.first <= covered:
            continue
        if row.first == row.last:
            yield row
            continue
        covered = row.last
        parts = [words[word] for word in range(row.first, row.last + 1)]
        if "".join(part.form for part in parts) == row.form:
            yield from (replace(part, space_after=False) for part in parts[:-1])
            yield replace(parts[-1], space_after=row.space_after)
        else:
            tags = [part.tag for part in parts]
            yield replace(row, tag=UNTAGGED if set(tags) == {UNTAGGED} else "+".join(tags))


def _check_numbering(path: Source, rows: list[_Row]) -> None:
    """Words count 1, 2, 3, …; a multiword token stands right before its first word, and its words follow."""
    expected, last_covered = 1, 0
    for row in rows:
        is_range = row.first != row.last
        if row.first != expected or (is_range and (row.last < row.first or row.first <= last_covered)):
            found = f"{row.first}-{row.last}" if is_range else f"{row.first}"
            raise FormatError(
                f"{source_name(path)}:{row.line}: expected the ID {expected}, found {found}; "
                "number the words 1, 2, 3, … and leave a blank line between sentences"
            )
        last_covered = row.last if is_range else last_covered
        expected += not is_range
    if rows and last_covered >= expected:
        raise FormatError(
            f"{source_name(path)}:{rows[-1].line}: expected words up to {last_covered}, where a multiword token ends, "
            f"found the end of the sentence after word {expected - 1}; complete the sentence"
        )


def _walk(path: Source, units: list[_Row], text: str) -> tuple[tuple[Token, ...], str]:
    """Find each form in the text, past white space alone."""
    tokens = []
    position = 0
    for unit in units:
        while not text.startswith(unit.form, position):
            if not text[position : position + 1].isspace():
                raise _astray(path, unit.line, f'"{unit.form}"', text, position)
            position += 1
        tokens.append(Token(text=unit.form, start=position, end=position + len(unit.form)))
        position += len(unit.form)
    if units and text[position:].strip():
        raise _astray(path, units[-1].line, "the end after the last word", text, position)
    return tuple(tokens), text


def _astray(path: Source, line: int, expected: str, text: str, position: int) -> FormatError:
    return FormatError(
        f'{source_name(path)}:{line}: expected {expected} at character {position} of "# text", '
        f'found "{text[position : position + 20]}"; mend the form or the text'
    )


def _join(units: list[_Row]) -> tuple[tuple[Token, ...], str]:
    """Without a text: nothing after SpaceAfter=No or beside a Chinese character, else one space."""
    tokens = []
    text = ""
    for index, unit in enumerate(units):
        if index and units[index - 1].space_after:
            text += joint(units[index - 1].form, unit.form)
        tokens.append(Token(text=unit.form, start=len(text), end=len(text) + len(unit.form)))
        text += unit.form
    return tuple(tokens), text


def _tagged(path: Source, sentence: Sentence, units: list[_Row]) -> Sentence:
    untagged = [unit for unit in units if unit.tag == UNTAGGED]
    if len(untagged) == len(units):
        return sentence
    if untagged:
        raise FormatError(
            f'{source_name(path)}:{untagged[0].line}: expected a tag for "{untagged[0].form}", found _; '
            "tag every word, or none of the sentence"
        )
    return sentence.with_tags(unit.tag for unit in units)
