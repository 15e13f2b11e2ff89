"""The lines of one CoNLL-U sentence: which are words, which multiword tokens, and which of them are our tokens.

In: numbered lines, comments among them. Out: rows, checked and numbered 1, 2, 3, …, and from these the units, a token
each. Where a multiword token is written as its words in a row (don't = do + n't) its words are the units; where it is
not (French du = de + le) it is one unit tagged with its words' tags joined by `+` (ADP+DET). Empty nodes (8.1) have no
row. `ConlluLayer` carries the lines themselves with a sentence, so that the writer gives them back (docs/adr/0006).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from conllu.exceptions import ParseException
from conllu.parser import parse_dict_value, parse_id_value

from gatewise.errors import FormatError
from gatewise.formats.source import Source, source_name
from gatewise.text import Sentence, Token

COLUMNS = {"upos": 3, "xpos": 4}
NUM_COLUMNS = 10
UNTAGGED = "_"
JOINED = "+"

_WORD = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A word (first = last) or a multiword token (first < last), and the number of its line."""

    line: int
    first: int
    last: int
    form: str
    tag: str
    space_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConlluLayer:
    """All lines of a sentence as they stood, LF between them, and what was read from them; tags from `column`."""

    lines: str
    column: str
    text: str
    tokens: tuple[Token, ...]
    tags: tuple[str, ...] | None

    @property
    def has_more(self) -> bool:
        """Whether there is anything here beyond text, words and their tags in the column that was read."""
        tag_at = COLUMNS[self.column]
        for line in filter(None, self.lines.split("\n")):
            if line.startswith("#"):
                if not line.startswith("# text ="):
                    return True
                continue
            number, _, *fields = line.split("\t")
            fields[tag_at - 2] = UNTAGGED
            if not _WORD.fullmatch(number) or any(field != UNTAGGED for field in fields[:-1]):
                return True
            if fields[-1] not in (UNTAGGED, "SpaceAfter=No"):
                return True
        return False

    def fits(self, sentence: Sentence) -> bool:
        """Whether the sentence still has the text and the tokens that stand in these lines."""
        return self.tokens == sentence.tokens and self.text == sentence.text

    def with_tags(self, tags: Iterable[str] | None, column: str) -> str | None:
        """The lines with these tags in a column, `_` when there are none; nothing else changes.

        None when the tag of a multiword token does not name one tag for each of its words.
        """
        lines = self.lines.split("\n")
        rows = parse_rows("", enumerate(lines), COLUMNS[column])
        line_of = {row.first: row.line for row in rows if row.first == row.last}
        given = (UNTAGGED,) * len(self.tokens) if tags is None else tags
        for unit, tag in zip(units(rows), given, strict=True):
            if tag == unit.tag:
                continue
            words = range(unit.first, unit.last + 1)
            parts = [tag] * len(words) if len(words) == 1 or tag == UNTAGGED else tag.split(JOINED)
            if len(parts) != len(words) or not all(parts):
                return None
            for word, part in zip(words, parts, strict=True):
                fields = lines[line_of[word]].split("\t")
                fields[COLUMNS[column]] = part
                lines[line_of[word]] = "\t".join(fields)
        return "\n".join(lines)


def parse_rows(path: Source, lines: Iterable[tuple[int, str]], tag_at: int) -> list[Row]:
    """The words and multiword tokens among the lines, their numbers checked; comments and blank lines are passed over.

    Raises FormatError with path and line.
    """
    rows = []
    for number, line in lines:
        if line and not line.startswith("#"):
            row = _row(path, number, line, tag_at)
            if row is not None:
                rows.append(row)
    _check_numbering(path, rows)
    return rows


def units(rows: list[Row]) -> Iterator[Row]:
    """The tokens: words, and multiword tokens that are not written as their words in a row."""
    words = {row.first: row for row in rows if row.first == row.last}
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
            yield replace(row, tag=UNTAGGED if set(tags) == {UNTAGGED} else JOINED.join(tags))


def _row(path: Source, number: int, line: str, tag_at: int) -> Row | None:
    fields = line.split("\t")
    if len(fields) != NUM_COLUMNS:
        raise FormatError(
            f"{source_name(path)}:{number}: expected {NUM_COLUMNS} columns separated by tabs, found {len(fields)} "
            f'("{line[:60]}"); write _ for an empty column, and a blank line between sentences'
        )
    first, last = _word_range(path, number, fields[0])
    if first is None or last is None:
        return None
    form, tag, misc = fields[1], fields[tag_at], fields[9]
    if not form or not tag:
        raise FormatError(
            f"{source_name(path)}:{number}: expected a form and a tag, found an empty column; write _ in it"
        )
    glued = "SpaceAfter" in misc and (parse_dict_value(misc) or {}).get("SpaceAfter") == "No"
    return Row(line=number, first=first, last=last, form=form, tag=tag, space_after=not glued)


def _word_range(path: Source, number: int, field: str) -> tuple[int | None, int | None]:
    """First and last word of an ID: `3` → (3, 3), `3-4` → (3, 4), an empty node `8.1` → (None, None)."""
    if _WORD.fullmatch(field):
        word = int(field)
        return word, word
    try:
        match parse_id_value(field):
            case (first, "-", last):
                return first, last
            case (_, ".", _):
                return None, None
    except (ParseException, ValueError):  # ValueError: thousands of digits
        pass  # told below, with the line
    raise FormatError(
        f"{source_name(path)}:{number}: expected an ID (3, 3-4 or 3.1) in the first column, "
        f'found "{field[:60]}"; number the words from 1'
    )


def _check_numbering(path: Source, rows: list[Row]) -> None:
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
