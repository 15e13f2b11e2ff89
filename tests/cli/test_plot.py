"""The curve in a terminal: dots where the values are, decoded again from the braille."""

from __future__ import annotations

import math
import random

import pytest

from gatewise.cli.plot import Curve, plot

# Dots 1 to 8 of the Unicode block, as (column, row) within a character, in the order of their bits.
PLACES = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]


def dots(lines: list[str]) -> set[tuple[int, int]]:
    found = set()
    for row, line in enumerate(lines):
        for column, character in enumerate(line[9:]):
            if 0x2800 <= ord(character) <= 0x28FF:
                bits = ord(character) - 0x2800
                found |= {(2 * column + x, 4 * row + y) for bit, (x, y) in enumerate(PLACES) if bits >> bit & 1}
    return found


def made(seed: int) -> Curve:
    draws = random.Random(seed)
    x = [1e-5 * 10 ** (5 * step / 60) for step in range(61)]
    y = [2 + math.sin(step / 9 + seed) + step / 40 for step in range(61)]
    return Curve(x=x, y=y, points=[value + draws.uniform(-0.2, 0.2) for value in y], mark=x[20])


@pytest.mark.parametrize(("seed", "width", "height"), [(0, 80, 16), (1, 60, 9), (2, 80, 30)])
def test_dots_lie_where_the_curve_is(seed: int, width: int, height: int) -> None:
    curve = made(seed)
    lines = plot(curve, width=width, height=height)
    assert len(lines) == height + 2
    assert max(map(len, lines)) <= width
    low, high = min([*curve.y, *curve.points]), max([*curve.y, *curve.points])
    found = dots(lines[:height])
    wide = 2 * (width - 9) - 1
    for x, y in zip(curve.x, curve.y, strict=True):
        column = (math.log10(x) + 5) / 5 * wide
        row = (high - y) / (high - low) * (4 * height - 1)
        assert any(abs(a - column) <= 0.51 and abs(b - row) <= 0.51 for a, b in found), (x, y)
    for column in range(wide + 1):  # no gap, and nothing far from the curve
        rows = [row for x, row in found if x == column]
        assert rows, column
        exponent = column / wide * 60
        near = [curve.y[round(max(0, min(60, exponent + shift)))] for shift in (-1, 0, 1)]
        places = [(high - y) / (high - low) * (4 * height - 1) for y in near]
        assert min(places) - 1.1 <= min(rows) <= max(rows) <= max(places) + 1.1


def test_the_mark_and_the_labels_are_in_their_places() -> None:
    curve = made(3)
    lines = plot(curve, width=80, height=16)
    assert {line.index("│") for line in lines if "│" in line} == {9 + round((20 / 60) * 141) // 2}
    labels = lines[-1]
    for exponent in range(-4, 0):
        middle = 9 + round((exponent + 5) / 5 * 141) // 2
        assert labels[middle - 2 : middle + 2] == f"1e{exponent}"
    values = [float(line.split("┤")[0]) for line in lines[:16] if line.split("┤")[0].strip()]
    assert values == sorted(values, reverse=True)


def test_one_peak_does_not_flatten_the_rest_and_a_flat_line_is_drawn() -> None:
    curve = made(4)
    high = plot(Curve(x=curve.x, y=curve.y, points=[*curve.points[:-2], 1e9, math.inf], mark=curve.mark))
    assert float(high[0].split("┤")[0]) < 10
    flat = plot(Curve(x=curve.x, y=[1.0] * 61, points=[1.0] * 61, mark=curve.mark), height=4)
    assert len({row for _, row in dots(flat[:4])}) == 1
