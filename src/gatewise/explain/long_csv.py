"""CSV in the long form: one number a line, every digit, the same columns for networks and for trained models.

In: rows. Out: text with the head `layer,direction,t,token,quantity,unit,value`, for a spreadsheet's pivot table or for
pandas. `layer`, `t` and numbered units count from 1; what does not apply is empty. See docs/networks.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

COLUMNS = ("layer", "direction", "t", "token", "quantity", "unit", "value")


class Row(NamedTuple):
    """One line; what is left out is empty."""

    quantity: str
    value: float | str
    unit: int | str = ""
    t: int | str = ""
    token: str = ""
    layer: int | str = ""
    direction: str = ""


def format_csv(rows: Iterable[Row]) -> str:
    """The head and the rows; texts are quoted where CSV needs it (RFC 4180), lines end in a line feed."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([getattr(row, column) for column in COLUMNS])
    return stream.getvalue()


def unit_rows(quantity: str, values: Sequence[float], place: Row) -> Iterator[Row]:
    """One row a unit, counted from 1, at the place of `place`."""
    for unit, value in enumerate(values, start=1):
        yield place._replace(quantity=quantity, value=value, unit=unit)
