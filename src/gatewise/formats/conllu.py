"""CoNLL-U, the format of Universal Dependencies (https://universaldependencies.org/format.html): words and their tags.

In: a path, and which column holds the tags, `upos` or `xpos`. Out: sentences whose text is the comment `# text = …`,
offsets found by walking through it. Without that comment the words are joined: nothing after `SpaceAfter=No` or
beside a Chinese character, else one space. Tokens are the syntactic words, as `conllu_rows` tells them; a sentence
whose tags are all `_` has no tags. Everything else (comments, lemmas, features, heads, multiword tokens, empty nodes)
travels with the sentence in its layer: while text and tokens stay as they are, it is written as it was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TextIO

from gatewise.errors import ConfigError, FormatError
from gatewise.formats.broken import ESCAPE, OnBroken, attempt
from gatewise.formats.conllu_rows import COLUMNS, NUM_COLUMNS, UNTAGGED, ConlluLayer, Row, parse_rows, units
from gatewise.formats.forms import find_forms
from gatewise.formats.source import Located, Notify, Source, blocks, checked, log_notice, source_name
from gatewise.formats.tally import Tally
from gatewise.text import Sentence, Token, joint

_TEXT = re.compile(r"#\s*text\s*= ?(.*)", re.DOTALL)
_LINE_BREAK = re.compile(r"[\n\r]")
_UNWRITABLE = re.compile(r"[\t\n\r]")
_NOT_KEPT = "sentences whose other columns and comments could not be kept: "
_OTHER_TOKENS = _NOT_KEPT + "they have another text or other tokens than in their file"
_OTHER_WORDS = _NOT_KEPT + "the tag of a multiword token does not name one tag for each of its words"


def read_conllu(path: Source, *, column: str = "upos", scheme: str | None = None) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file, read as they are asked for, tagged with the column `upos` or `xpos`.

    With a `scheme`, tags that break it raise FormatError with their line, as does anything else that cannot be read.
    """
    return checked(path, locate_conllu(path, column=column), scheme)


def locate_conllu(
    path: Source, *, column: str = "upos", notify: Notify | None = None, broken: OnBroken | None = None
) -> Iterator[Located]:
    """As `read_conllu`, unchecked, with the line of each token; `notify` is told of comments after the last one.

    With `broken`, which is told of them, sentences that cannot be read are left out.
    """
    _check_column(column)
    return _locate(path, column, notify, broken)


def write_conllu(
    sentences: Iterable[Sentence], stream: TextIO, *, column: str | None = None, notify: Notify = log_notice
) -> None:
    """Write the lines that sentences of a CoNLL-U file came with, their tags alone renewed; for others, new rows.

    Tags go to `column`, when None to the one they were read from (`upos` for new rows). New rows hold ID, FORM, the
    tag and SpaceAfter=No under a comment with the text, `_` elsewhere; a multiword token whose new tag does not name
    one tag for each of its words gets its whole sentence written so. `notify` is told how many sentences of a CoNLL-U
    file are written as new rows. Raises FormatError for a text with line breaks, or a token that it cannot hold.
    """
    if column is not None:
        _check_column(column)
    tally = Tally()
    for number, sentence in enumerate(sentences, start=1):
        _check_values(sentence.tags or (), "tag", number)
        layer = sentence.layer
        if not isinstance(layer, ConlluLayer) or not layer.fits(sentence):
            if isinstance(layer, ConlluLayer) and layer.has_more:
                tally.add(_OTHER_TOKENS)
            stream.write(_new_lines(sentence, number, column or "upos") + "\n\n")
            continue
        target = column or layer.column
        if (target, sentence.tags) == (layer.column, layer.tags):
            stream.write(layer.lines + "\n\n")
            continue
        lines = layer.with_tags(sentence.tags, target)
        if lines is None:
            tally.add(_OTHER_WORDS)
            lines = _new_lines(sentence, number, target)
        stream.write(lines + "\n\n")
    tally.say("conllu", notify)


def _check_column(column: str) -> None:
    if column not in COLUMNS:
        raise ConfigError(f'column: expected "upos" or "xpos", found "{column}"; choose one of these')


def _check_values(values: Iterable[str], what: str, number: int) -> None:
    for value in values:
        if not value or _UNWRITABLE.search(value):
            raise FormatError(
                f"sentence {number}: expected a {what} without tabs and line breaks, found {value!r}; "
                "write JSON lines (jsonl), which hold any text"
            )
        if what == "tag" and value == UNTAGGED:
            raise FormatError(
                f'sentence {number}: expected a tag, found "_", which stands for none in CoNLL-U; '
                "name the tag otherwise, or write JSON lines (jsonl)"
            )


def _new_lines(sentence: Sentence, number: int, column: str) -> str:
    if _LINE_BREAK.search(sentence.text):
        raise FormatError(
            f"sentence {number}: expected a text on one line, found a line break in {sentence.text[:40]!r}; "
            "write one sentence a line, or JSON lines (jsonl)"
        )
    _check_values(sentence.forms, "token", number)
    starts, position = find_forms(sentence.forms, sentence.text)
    if starts != [token.start for token in sentence.tokens] or sentence.text[position:].strip():
        raise FormatError(
            f"sentence {number}: expected tokens with only white space between them, found others in "
            f"{sentence.text[:40]!r}; tokenize all of the text, or write JSON lines (jsonl)"
        )
    tags = sentence.tags if sentence.tags is not None else (UNTAGGED,) * len(sentence)
    lines = [f"# text = {sentence.text}"]
    for index, (token, tag) in enumerate(zip(sentence.tokens, tags, strict=True), start=1):
        fields = [str(index), token.text, *(UNTAGGED,) * (NUM_COLUMNS - 2)]
        fields[COLUMNS[column]] = tag
        if index < len(starts) and starts[index] == token.end:
            fields[-1] = "SpaceAfter=No"
        lines.append("\t".join(fields))
    return "\n".join(lines)


def _locate(path: Source, column: str, notify: Notify | None, broken: OnBroken | None) -> Iterator[Located]:
    preface: list[tuple[int, str]] = []  # comments that a blank line parts from the sentence
    for block in blocks(path, errors="strict" if broken is None else ESCAPE):
        lines = [*preface, *block]
        located = attempt(path, lines, partial(_sentence, path, block, [line for _, line in preface], column), broken)
        if located is not None and not located.lines:
            preface = [*lines, (block[-1][0] + 1, "")]
            continue
        preface = []
        if located is not None:
            yield located
    if notify is not None:
        tally = Tally()
        for _ in filter(None, (line for _, line in preface)):
            tally.add("comments after the last sentence, left out")
        tally.say(path, notify)


def _sentence(path: Source, block: list[tuple[int, str]], preface: list[str], column: str) -> Located:
    """The sentence of a block; comments alone are none, and stand on no line."""
    rows = parse_rows(path, block, COLUMNS[column])
    found = [match[1] for _, line in block if line.startswith("#") and (match := _TEXT.fullmatch(line))]
    if not rows and not found:
        return Located(sentence=Sentence(text="", tokens=()), lines=())
    tokens_at = list(units(rows))
    text, tokens = _walk(path, tokens_at, found[0]) if found else _join(tokens_at)
    tags = _tags(path, tokens_at)
    lines = "\n".join((*preface, *(line for _, line in block)))
    layer = ConlluLayer(lines=lines, column=column, text=text, tokens=tokens, tags=tags)
    sentence = Sentence(text=text, tokens=tokens, tags=tags, layer=layer)
    return Located(sentence=sentence, lines=tuple(row.line for row in tokens_at) or (block[0][0],))


def _walk(path: Source, rows: list[Row], text: str) -> tuple[str, tuple[Token, ...]]:
    starts, position = find_forms([row.form for row in rows], text)
    if len(starts) < len(rows):
        missing = rows[len(starts)]
        raise _astray(path, missing.line, f'"{missing.form}"', text, position)
    if rows and text[position:].strip():
        raise _astray(path, rows[-1].line, "the end after the last word", text, position)
    return text, tuple(
        Token(text=row.form, start=start, end=start + len(row.form)) for row, start in zip(rows, starts, strict=True)
    )


def _astray(path: Source, line: int, expected: str, text: str, position: int) -> FormatError:
    return FormatError(
        f'{source_name(path)}:{line}: expected {expected} at character {position} of "# text", '
        f'found "{text[position : position + 20]}"; mend the form or the text'
    )


def _join(rows: list[Row]) -> tuple[str, tuple[Token, ...]]:
    """Without a text: nothing after SpaceAfter=No or beside a Chinese character, else one space."""
    tokens = []
    parts: list[str] = []
    position = 0
    for index, row in enumerate(rows):
        if index and rows[index - 1].space_after:
            gap = joint(rows[index - 1].form, row.form)
            parts.append(gap)
            position += len(gap)
        tokens.append(Token(text=row.form, start=position, end=position + len(row.form)))
        parts.append(row.form)
        position += len(row.form)
    return "".join(parts), tuple(tokens)


def _tags(path: Source, rows: list[Row]) -> tuple[str, ...] | None:
    tags = tuple(row.tag for row in rows)
    if UNTAGGED not in tags:
        return tags or None
    if set(tags) == {UNTAGGED}:
        return None
    untagged = rows[tags.index(UNTAGGED)]
    raise FormatError(
        f'{source_name(path)}:{untagged.line}: expected a tag for "{untagged.form}", found _; '
        "tag every word, or none of the sentence"
    )
