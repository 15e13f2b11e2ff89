"""JSON lines: one sentence a line, with offsets, tags and probabilities; it holds any text.

A line is `{"text", "tokens": [{"text", "start", "end", "tag", "score"}], "spans": [{"start", "end", "label", "text",
"score"}]}`; offsets count characters of the text, half-open; `tag` and `score` of a token are null when unknown.
Reading needs `text` only; a token's `text`, `tag` and `score`, and `spans`, may be absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, TextIO

from gatewise.errors import FormatError
from gatewise.formats.source import Located, Source, checked, numbered_lines, source_name
from gatewise.text import Sentence, TextSpan, Token

_Object = dict[str, Any]  # one JSON object, as it came out of the parser


def write_jsonl(sentences: Iterable[Sentence], stream: TextIO) -> None:
    """Write each sentence as one line of JSON; Chinese stays readable."""
    for sentence in sentences:
        stream.write(json.dumps(_object(sentence), ensure_ascii=False, allow_nan=False) + "\n")


def read_jsonl(path: Source, *, scheme: str | None = None) -> Iterator[Sentence]:
    """The sentences of a file of JSON lines, read as they are asked for; blank lines are left out.

    With a `scheme`, tags that break it raise FormatError with their line, as does anything else that cannot be read.
    """
    return checked(path, locate_jsonl(path), scheme)


def locate_jsonl(path: Source) -> Iterator[Located]:
    """As `read_jsonl`, unchecked, with the line of each token."""
    for number, line in numbered_lines(path):
        if line.strip(" \t"):
            sentence = _parse(f"{source_name(path)}:{number}", line)
            yield Located(sentence=sentence, lines=(number,) * max(1, len(sentence)))


def _object(sentence: Sentence) -> _Object:
    nothing = (None,) * len(sentence)
    tags: tuple[str | None, ...] = nothing if sentence.tags is None else sentence.tags
    scores: tuple[float | None, ...] = nothing if sentence.scores is None else sentence.scores
    tokens = [
        {"text": token.text, "start": token.start, "end": token.end, "tag": tag, "score": score}
        for token, tag, score in zip(sentence.tokens, tags, scores, strict=True)
    ]
    spans = [
        {"start": span.start, "end": span.end, "label": span.label, "text": span.text, "score": span.score}
        for span in sentence.spans
    ]
    return {"text": sentence.text, "tokens": tokens, "spans": spans}


def _parse(where: str, line: str) -> Sentence:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{where}: expected a JSON object, found broken JSON ({error}); write one object a line"
        ) from error
    if not isinstance(value, dict):
        raise FormatError(f'{where}: expected a JSON object with "text", found {_kind(value)}; write one object a line')
    text = _get(where, value, "text", str)
    _check_unicode(where, value)
    entries = _entries(where, value, "tokens")
    tokens = tuple(_token(f"{where}: tokens[{i}]", entry, text) for i, entry in enumerate(entries))
    _check_order(where, tokens)
    return Sentence(
        text=text,
        tokens=tokens,
        tags=_all_or_none(where, entries, "tag", str),
        scores=_all_or_none(where, entries, "score", float),
        spans=tuple(_span(f"{where}: spans[{i}]", e, text) for i, e in enumerate(_entries(where, value, "spans"))),
    )


def _check_unicode(where: str, value: _Object) -> None:
    """JSON can escape half of a surrogate pair, which no text may hold: not the text, nor a tag or a label."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        found = f"U+{ord(error.object[error.start]):04X}"
        raise FormatError(
            f"{where}: expected Unicode text, found the unpaired surrogate {found}; decode the source again from bytes"
        ) from error


def _entries(where: str, value: _Object, key: str) -> list[_Object]:
    entries = _get(where, value, key, list) if key in value else []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise FormatError(f"{where}: {key}[{index}]: expected an object, found {_kind(entry)}; write {{…}}")
    return entries


def _token(where: str, entry: _Object, text: str) -> Token:
    start, end = _edges(where, entry, text)
    return Token(text=text[start:end], start=start, end=end)


def _span(where: str, entry: _Object, text: str) -> TextSpan:
    start, end = _edges(where, entry, text)
    label, score = _get(where, entry, "label", str), _get(where, entry, "score", float)
    return TextSpan(start=start, end=end, label=label, text=text[start:end], score=score)


def _edges(where: str, entry: _Object, text: str) -> tuple[int, int]:
    start, end = _get(where, entry, "start", int), _get(where, entry, "end", int)
    if not 0 <= start < end <= len(text):
        raise FormatError(
            f"{where}: expected 0 ≤ start < end ≤ {len(text)} (the length of the text), found {start} and {end}; "
            "count characters (code points), not bytes"
        )
    if entry.get("text", text[start:end]) != text[start:end]:
        raise FormatError(
            f'{where}: expected "{text[start:end]}", which stands at {start}…{end} of the text, '
            f"found {_kind(entry['text'])}; count characters (code points), not bytes"
        )
    return start, end


def _check_order(where: str, tokens: tuple[Token, ...]) -> None:
    for index, (a, b) in enumerate(pairwise(tokens)):
        if b.start < a.end:
            raise FormatError(
                f"{where}: tokens[{index + 1}]: expected a start from {a.end} on, where the token before ends, "
                f"found {b.start}; sort the tokens and let none overlap"
            )


def _all_or_none(where: str, entries: list[_Object], key: str, kind: type) -> tuple[Any, ...] | None:
    known = [index for index, entry in enumerate(entries) if entry.get(key) is not None]
    if not known:
        return None
    if len(known) < len(entries):
        index = next(i for i, entry in enumerate(entries) if entry.get(key) is None)
        raise FormatError(
            f"{where}: tokens[{index}]: expected a {key}, found none; give every token one, or none of them"
        )
    return tuple(_get(f"{where}: tokens[{i}]", entry, key, kind) for i, entry in enumerate(entries))


_KINDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
    bool: "a truth value",
}


def _get(where: str, value: _Object, key: str, kind: type) -> Any:
    found = value.get(key)
    fits = isinstance(found, (int, float) if kind is float else kind) and not isinstance(found, bool)
    if not fits:
        shown = f"{_kind(found)}" if key in value else "nothing"
        raise FormatError(
            f'{where}: expected {_KINDS[kind]} under "{key}", found {shown}; see the format jsonl in the docs'
        )
    return float(found) if kind is float and found is not None else found


def _kind(value: object) -> str:
    """A value for messages: short ones as they are, lists and objects by their kind."""
    return _KINDS[type(value)] if isinstance(value, (list, dict)) else json.dumps(value, ensure_ascii=False)[:60]
