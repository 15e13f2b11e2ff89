"""Checks on the values of a network file: each returns what was asked for or raises one NetworkError sentence.

In: values as `tomllib` gives them, with the file and key they stand under. Out: typed, finite, of the expected shape.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NoReturn

from gatewise.errors import NetworkError
from gatewise.network.nearest import did_you_mean

TYPE_NAMES = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value stands: the file, and the key from the top, such as `layers[1].forward.forget.x`."""

    source: str
    key: str = ""

    def at(self, key: str) -> Place:
        """The place of a key inside this one."""
        return Place(source=self.source, key=f"{self.key}.{key}" if self.key else key)

    def item(self, number: int) -> Place:
        """The place of the entry with this number, counted from 1."""
        return Place(source=self.source, key=f"{self.key}[{number}]")

    def fail(self, sentence: str) -> NoReturn:
        """Raise NetworkError with the file, the key and the sentence."""
        raise NetworkError(f"{self.source}: {self.key + ': ' if self.key else ''}{sentence}")


def found(value: object) -> str:
    """What a wrong value is, in words."""
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return TYPE_NAMES.get(type(value), f"a {type(value).__name__}")


def table(value: Any, place: Place, known: Collection[str] | None, required: Collection[str] = ()) -> dict[str, Any]:
    """A table whose keys are all known (any key when `known` is None), the required ones among them."""
    if not isinstance(value, dict):
        place.fail(f"expected a table, found {found(value)}; see docs/networks.md")
    for key in value if known is not None else ():
        if key not in (known or ()):
            place.at(key).fail(f"unknown key, expected one of {', '.join(known or ())}{did_you_mean(key, known or ())}")
    for key in required:
        if key not in value:
            place.fail(f"expected the key {key!r}, found {', '.join(value) or 'nothing'}; add it, see docs/networks.md")
    return value


def text(value: Any, place: Place) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        place.fail(f'expected a text, found {found(value)}; put it in quotes: "…"')
    return value


def texts(value: Any, place: Place) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list):
        place.fail(f'expected a list of texts, found {found(value)}; write ["…", "…"]')
    return tuple(text(entry, place.item(number)) for number, entry in enumerate(value, start=1))


def choice(value: Any, place: Place, known: Collection[str]) -> str:
    """One of the known names."""
    if not isinstance(value, str) or value not in known:
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        place.fail(f"expected one of {', '.join(known)}, found {found(value)}{hint}")
    return value


def number(value: Any, place: Place) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        place.fail(f"expected a number, found {found(value)}")
    try:
        as_float = float(value)
    except OverflowError:
        as_float = math.inf
    if not math.isfinite(as_float):
        place.fail(f"expected a finite number, found {as_float}; use a smaller one")
    return as_float


def vector(value: Any, place: Place, size: int | None, meaning: str) -> tuple[float, ...]:
    """A list of `size` numbers (at least one when None); `meaning` says what there is one number for."""
    if not isinstance(value, list):
        place.fail(f"expected a list of numbers, found {found(value)}; write [1, 0, …]")
    if (size is None and not value) or (size is not None and len(value) != size):
        wanted = "at least 1 number" if size is None else f"{size} number{'s' * (size != 1)}"
        place.fail(f"expected {wanted}, {meaning}, found {len(value)}")
    return tuple(number(entry, place.item(position)) for position, entry in enumerate(value, start=1))


def matrix(value: Any, place: Place, rows: int | None, columns: int, meaning: str) -> tuple[tuple[float, ...], ...]:
    """`rows` lists (at least one when None) of `columns` numbers; `meaning` says rows × columns in words."""
    wanted = f"expected shape {'units' if rows is None else rows} × {columns} ({meaning})"
    if not isinstance(value, list) or not value:
        place.fail(f"{wanted}, found {found(value)}; write one list for each unit: [[…], […]]")
    if not all(isinstance(row, list) for row in value):
        place.fail(f"{wanted}, found a plain list; put each unit's weights in a list of their own: [[…], […]]")
    widths = [len(row) for row in value]
    if (rows is not None and len(value) != rows) or any(width != columns for width in widths):
        even = len(set(widths)) == 1
        shape = f"{len(value)} × {widths[0]}" if even else f"rows of {', '.join(map(str, widths))} numbers"
        place.fail(f"{wanted}, found {shape}; one row is one unit")
    return tuple(vector(row, place.item(position), columns, meaning) for position, row in enumerate(value, start=1))
