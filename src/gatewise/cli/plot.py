"""A curve for a terminal: braille dots over a logarithmic axis, two columns and four rows of dots a character.

In: the values of a curve and of the points that it was made from. Out: lines of text, at most as wide as asked. Of
plotext, the best-kept library for this, we would need no more, and it brings a compiled kernel since its release 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

BLANK = "\u2800"  # braille without a dot
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row and column within a character
_LABEL = 7  # characters left of the vertical axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`x` rises and is above 0, `y` is the curve, `points` what it was smoothed from; `mark` is an x to point at."""

    x: Sequence[float]
    y: Sequence[float]
    points: Sequence[float]
    mark: float


def plot(curve: Curve, *, width: int = 80, height: int = 16) -> list[str]:
    """The curve in dots, the points as ·, the mark as a vertical line; the axis of x has a label at each power of 10.

    What lies more than the curve's own height above it is left out, so that one peak does not flatten all the rest.
    """
    frame = _Frame.around(curve, columns=width - _LABEL - 2, rows=height)
    cells = [[" "] * frame.columns for _ in range(height)]
    marked = frame.column(curve.mark)
    for row in cells:
        row[marked // 2] = "│"
    for x, y in zip(curve.x, curve.points, strict=False):
        if (dot := frame.row(y)) is not None:
            cells[dot // 4][frame.column(x) // 2] = "·"
    for column, row_of_dot in _line(curve, frame):
        cell = cells[row_of_dot // 4][column // 2]
        before = ord(cell) if BLANK <= cell <= "\u28ff" else ord(BLANK)
        cells[row_of_dot // 4][column // 2] = chr(before | _DOTS[row_of_dot % 4][column % 2])
    lines = []
    for number, row in enumerate(cells):
        label = f"{frame.value(number):{_LABEL}.2f}" if number % 5 == 0 or number == height - 1 else " " * _LABEL
        lines.append(f"{label} ┤{''.join(row)}".rstrip())
    lines.append(" " * _LABEL + " └" + "─" * frame.columns)
    lines.append((" " * (_LABEL + 2) + _decades(curve, frame)).rstrip())
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where a value lies, in dots from the upper left corner."""

    left: float  # logarithm of x
    right: float
    bottom: float
    top: float
    columns: int  # characters
    rows: int

    @classmethod
    def around(cls, curve: Curve, *, columns: int, rows: int) -> _Frame:
        low, high = min(curve.y), max(curve.y)
        seen = [y for y in curve.points if math.isfinite(y) and y <= high + (high - low)]
        bottom, top = min([low, *seen]), max([high, *seen])
        return cls(
            left=math.log10(curve.x[0]),
            right=math.log10(curve.x[-1]),
            bottom=bottom,
            top=top if top > bottom else bottom + 1.0,
            columns=columns,
            rows=rows,
        )

    def column(self, x: float) -> int:
        share = (math.log10(x) - self.left) / (self.right - self.left)
        return round(min(max(share, 0.0), 1.0) * (2 * self.columns - 1))

    def row(self, y: float) -> int | None:
        if not self.bottom <= y <= self.top:
            return None
        return round((self.top - y) / (self.top - self.bottom) * (4 * self.rows - 1))

    def value(self, number: int) -> float:
        """The y in the middle of a row of characters."""
        return self.top - (4 * number + 1.5) / (4 * self.rows - 1) * (self.top - self.bottom)


def _line(curve: Curve, frame: _Frame) -> Iterator[tuple[int, int]]:
    """The dots of the curve, (column, row): joined by straight lines, without gaps."""
    dots = [(frame.column(x), frame.row(y)) for x, y in zip(curve.x, curve.y, strict=False)]
    placed = [(column, row) for column, row in dots if row is not None]
    for (column, row), (next_column, next_row) in pairwise(placed):
        count = max(abs(next_column - column), abs(next_row - row), 1)
        for part in range(count + 1):
            yield (
                column + round((next_column - column) * part / count),
                row + round((next_row - row) * part / count),
            )


def _decades(curve: Curve, frame: _Frame) -> str:
    """The powers of 10 under the axis."""
    line = [" "] * (frame.columns + 6)
    for exponent in range(math.ceil(math.log10(curve.x[0]) - 1e-9), math.floor(math.log10(curve.x[-1]) + 1e-9) + 1):
        label = f"1e{exponent}"
        start = min(max(frame.column(10.0**exponent) // 2 - len(label) // 2, 0), frame.columns - len(label))
        line[start : start + len(label)] = label
    return "".join(line)
