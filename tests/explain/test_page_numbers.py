"""The page writes numbers as the terminal does: thousands of them, the awkward ones among them."""

from __future__ import annotations

import json
import random
from typing import Any

from gatewise.explain.numbers import equals, format_number, format_operand, format_sum
from gatewise.explain.web_page import import_map

WRITE = """async (values) => {
  const { equals, formatNumber, formatOperand, formatSum } = await import("gatewise/numbers.js");
  return values.map((value) => [formatNumber(value), formatOperand(value), equals(formatNumber(value)), formatSum(value, "step")]);
}"""  # noqa: E501


def awkward() -> list[float]:
    """Ties, neighbors of whole numbers, very small and very large ones, and random ones of every size."""
    chance = random.Random(5)
    values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        1e-300,
        -1e-300,
        4.9e-5,
        5e-5,
        5.1e-5,
        -5e-5,
        0.99995,
        0.99996,
        1e15,
        -1e15,
        2.5e17,
    ]
    values += [sign * n / 32 for n in range(200) for sign in (1, -1)]
    values += [whole + shift for whole in (-3, 2, 1000, 123456) for shift in (1e-5, -1e-5, 4e-5, -4e-5, 6e-5, 0.12345)]
    return values + [chance.gauss(0, 1) * 10 ** chance.randint(-8, 12) for _ in range(3000)]


def test_numbers_look_the_same_on_the_page(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(f'<script type="importmap">{json.dumps({"imports": import_map()})}</script>')
    values = awkward()
    found = page.evaluate(WRITE, values)
    page.close()
    for value, shown in zip(values, found, strict=True):
        expected = [format_number(value), format_operand(value), equals(format_number(value)), format_sum(value)]
        plain = [text.replace("−", "-").replace("e-0", "e-") for text in shown]
        assert plain == [text.replace("e-0", "e-") for text in expected], value
    assert sum("≈" in shown[0] for shown in found) > 20
