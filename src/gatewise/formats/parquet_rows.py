"""Which columns of a Parquet file hold what, and one of its rows as a sentence.

In: the schema as pyarrow gives it, and rows as dictionaries. Out: sentences; what does not fit is said with its place.
Kinds of columns are checked once, by the schema, so that a row holds strings, whole numbers, numbers, lists, or null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatewise.errors import FormatError
from gatewise.formats.forms import find_forms
from gatewise.formats.json_fields import JsonObject, edges, get, objects, tokens_in
from gatewise.text import Sentence, TextSpan, Token, sentence_from_forms

USUAL_NAMES = {
    "text": ("text",),
    "tokens": ("tokens",),
    "tags": ("tags", "ner_tags"),
    "spans": ("spans",),
    "scores": ("scores",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetColumns:
    """The names of the columns that are read, None for one that is not there.

    `plain_tokens`: tokens are strings without offsets. `tag_names`: tags are numbers that stand for these.
    """

    text: str | None
    tokens: str | None
    tags: str | None
    spans: str | None
    scores: str | None
    plain_tokens: bool
    tag_names: tuple[str, ...] | None

    @property
    def all(self) -> tuple[str, ...]:
        """The names of all columns that are there."""
        columns = (self.text, self.tokens, self.tags, self.spans, self.scores)
        return tuple(column for column in columns if column is not None)


def find_columns(place: str, schema: Any, named: Mapping[str, str]) -> ParquetColumns:
    """The columns by the names given, else by their usual names.

    Raises FormatError for one that is missing or not of its kind, with the names of the columns that are there.
    """
    found = {part: _column(place, schema, part, named.get(part)) for part in USUAL_NAMES}
    if found["text"] is None and found["tokens"] is None:
        raise FormatError(
            f'{place}: expected a column "text" or "tokens", found {_names(schema)}; '
            "name yours, for example --columns tokens=…,tags=…"
        )
    kinds = {part: None if name is None else _kind(schema.field(name).type) for part, name in found.items()}
    tag_names = None
    if kinds["tags"] == "list of int" and found["tags"] is not None:
        tag_names = _class_names(schema, found["tags"])
        kinds["tags"] = "list of string" if tag_names else kinds["tags"]
    for part, wanted in _WANTED.items():
        if kinds[part] not in (None, *wanted):
            raise FormatError(
                f'{place}: expected the column "{found[part]}" ({part}) to be {" or ".join(wanted)}, '
                f"found {schema.field(found[part]).type}; name another column: --columns {part}=…"
            )
    if kinds["tokens"] == "list of struct" and found["text"] is None:
        raise FormatError(
            f'{place}: expected a column "text", into which the offsets of "{found["tokens"]}" point, '
            f"found {_names(schema)}; name yours: --columns text=…"
        )
    return ParquetColumns(**found, plain_tokens=kinds["tokens"] == "list of string", tag_names=tag_names)


_WANTED = {
    "text": ("string",),
    "tokens": ("list of struct", "list of string"),
    "tags": ("list of string",),
    "spans": ("list of struct",),
    "scores": ("list of float",),
}


def _column(place: str, schema: Any, part: str, name: str | None) -> str | None:
    if name is None:
        return next((usual for usual in USUAL_NAMES[part] if usual in schema.names), None)
    if name not in schema.names:
        raise FormatError(
            f'{place}: expected a column "{name}" ({part}), found {_names(schema)}; name one of these: '
            f"--columns {part}=…"
        )
    return name


def _names(schema: Any) -> str:
    return ", ".join(f'"{name}"' for name in schema.names) or "no columns"


def _kind(type_: Any) -> str:
    from pyarrow import types

    if types.is_dictionary(type_):
        return _kind(type_.value_type)
    if types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_):
        return f"list of {_kind(type_.value_type)}"
    if types.is_string(type_) or types.is_large_string(type_):
        return "string"
    tests = {"struct": types.is_struct, "int": types.is_integer, "float": types.is_floating}
    return next((name for name, is_one in tests.items() if is_one(type_)), str(type_))


def _class_names(schema: Any, column: str) -> tuple[str, ...] | None:
    """The names of numbered tags, from what the library `datasets` writes into the file's metadata."""
    try:
        feature = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][column]
        feature = feature[0] if isinstance(feature, list) else feature["feature"]
        return tuple(str(name) for name in feature["names"])
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def parse_row(where: str, row: JsonObject, columns: ParquetColumns) -> Sentence:
    """One row as a sentence. Raises FormatError with its place."""
    sentence = _tokenized(where, row, columns)
    count = len(sentence)
    tags = _per_token(where, row, columns.tags, count, str if columns.tag_names is None else int)
    if tags is not None and columns.tag_names is not None:
        tags = tuple(_named(where, tag, columns.tag_names) for tag in tags)
    spans = [] if columns.spans is None else _objects(where, row, columns.spans)
    return Sentence(
        text=sentence.text,
        tokens=sentence.tokens,
        tags=tags,
        spans=tuple(_span(f"{where}: spans[{i}]", entry, sentence.text) for i, entry in enumerate(spans)),
        scores=_per_token(where, row, columns.scores, count, float),
    )


def _tokenized(where: str, row: JsonObject, columns: ParquetColumns) -> Sentence:
    text = "" if columns.text is None else get(where, row, columns.text, str)
    if columns.tokens is None:
        return Sentence(text=text, tokens=())
    if not columns.plain_tokens:
        return Sentence(text=text, tokens=tokens_in(where, _objects(where, row, columns.tokens), text))
    forms = tuple(_values(where, row, columns.tokens, str))
    if "" in forms:
        raise FormatError(
            f"{where}: expected tokens, found an empty one ({columns.tokens}[{forms.index('')}]); leave it out"
        )
    if columns.text is None:
        return sentence_from_forms(forms)
    starts, position = find_forms(forms, text)
    if len(starts) < len(forms):
        raise FormatError(
            f'{where}: expected "{forms[len(starts)]}" at character {position} of the text, '
            f'found "{text[position : position + 20]}"; mend the token or the text'
        )
    placed = zip(forms, starts, strict=True)
    return Sentence(text=text, tokens=tuple(Token(text=form, start=at, end=at + len(form)) for form, at in placed))


def _objects(where: str, row: JsonObject, column: str) -> list[JsonObject]:
    """A list of structs, fields that are null left out; null counts as an empty list."""
    entries = objects(where, {column: row[column] or []}, column)
    return [{key: value for key, value in entry.items() if value is not None} for entry in entries]


def _values(where: str, row: JsonObject, column: str, kind: type) -> Iterator[Any]:
    for index, value in enumerate(row[column] or ()):
        yield get(f"{where}: {column}[{index}]", {column: value}, column, kind)


def _per_token(where: str, row: JsonObject, column: str | None, count: int, kind: type) -> tuple[Any, ...] | None:
    if column is None or row[column] is None:
        return None
    values = tuple(_values(where, row, column, kind))
    if len(values) != count:
        raise FormatError(
            f'{where}: expected one entry of "{column}" for each of {count} tokens, found {len(values)}; '
            "mend the row, or name other columns"
        )
    return values


def _named(where: str, number: int, names: tuple[str, ...]) -> str:
    if not 0 <= number < len(names):
        raise FormatError(
            f"{where}: expected the number of a tag from 0 to {len(names) - 1}, found {number}; mend the row"
        )
    return names[number]


def _span(where: str, entry: JsonObject, text: str) -> TextSpan:
    start, end = edges(where, entry, text)
    label, score = get(where, entry, "label", str), get(where, entry, "score", float)
    return TextSpan(start=start, end=end, label=label, text=text[start:end], score=score)
