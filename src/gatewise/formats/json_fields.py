"""Fields of JSON objects, taken with their kind checked; what is wrong is said with its place.

In: an object as the parser made it, and a place for messages. Out: strings, numbers, lists, edges of spans.
"""

from __future__ import annotations

import json
from typing import Any

from gatewise.errors import FormatError
from gatewise.text import Token

JsonObject = dict[str, Any]  # one JSON object, as it came out of the parser

_KINDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
    bool: "a truth value",
}


def get(where: str, value: JsonObject, key: str, kind: type) -> Any:
    """The field `key`, of this kind; a whole number counts as a number, a truth value does not."""
    found: Any = value.get(key)
    fits = isinstance(found, (int, float) if kind is float else kind) and not isinstance(found, bool)
    if not fits:
        shown = f"{kind_of(found)}" if key in value else "nothing"
        raise FormatError(
            f'{where}: expected {_KINDS[kind]} under "{key}", found {shown}; see the format in docs/formats.md'
        )
    return _to_float(where, key, found) if kind is float else found


def objects(where: str, value: JsonObject, key: str) -> list[JsonObject]:
    """The list of objects under `key`; none when it is absent."""
    entries = get(where, value, key, list) if key in value else []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise FormatError(f"{where}: {key}[{index}]: expected an object, found {kind_of(entry)}; write {{…}}")
    return entries


def check_edges(where: str, start: int, end: int, text: str) -> None:
    """Raise FormatError unless a span stands inside the text."""
    if not 0 <= start < end <= len(text):
        raise FormatError(
            f"{where}: expected 0 ≤ start < end ≤ {len(text)} (the length of the text), found {start} and {end}; "
            "count characters (code points), not bytes"
        )


def check_quote(where: str, start: int, end: int, text: str, quote: Any) -> None:
    """Raise FormatError unless what an object quotes is what stands there in the text."""
    if quote != text[start:end]:
        raise FormatError(
            f'{where}: expected "{text[start:end]}", which stands at {start}…{end} of the text, '
            f"found {kind_of(quote)}; count characters (code points), not bytes"
        )


def edges(where: str, entry: JsonObject, text: str) -> tuple[int, int]:
    """`start` and `end` of a token or span, checked against the text, and against its own `text` if it has one."""
    start, end = get(where, entry, "start", int), get(where, entry, "end", int)
    check_edges(where, start, end, text)
    check_quote(where, start, end, text, entry.get("text", text[start:end]))
    return start, end


def tokens_in(where: str, entries: list[JsonObject], text: str) -> tuple[Token, ...]:
    """The tokens of these objects, which stand in the order of the text and do not overlap."""
    tokens: list[Token] = []
    for index, entry in enumerate(entries):
        start, end = edges(f"{where}: tokens[{index}]", entry, text)
        if tokens and start < tokens[-1].end:
            raise FormatError(
                f"{where}: tokens[{index}]: expected a start from {tokens[-1].end} on, where the token before ends, "
                f"found {start}; sort the tokens and let none overlap"
            )
        tokens.append(Token(text=text[start:end], start=start, end=end))
    return tuple(tokens)


def kind_of(value: object) -> str:
    """A value for messages: short ones as they are, lists and objects by their kind."""
    return (
        _KINDS[type(value)]
        if isinstance(value, (list, dict))
        else json.dumps(value, ensure_ascii=False, default=repr)[:60]
    )


def _to_float(where: str, key: str, found: int | float) -> float:
    try:
        return float(found)
    except OverflowError:
        raise FormatError(f'{where}: expected a number under "{key}", found one too large; mend it') from None
