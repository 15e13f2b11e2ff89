"""What one may type where a number stands, and what the page says of what is none."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from gatewise.network import parse_network

FIELD = "field-vectors.0.1.0"  # the first number of 我, 2 in the file
TAKEN = {
    "3e5": 300_000.0,
    "1e-7": 1e-7,
    "-1.25E+2": -125.0,
    "−3": -3.0,
    "–3": -3.0,
    "+4": 4.0,
    " 5. ": 5.0,
    ".5": 0.5,
    "-0": 0.0,
    "1e-400": 0.0,
    "007": 7.0,
    "１２．５": 12.5,
    "－３ｅ２": -300.0,
}
NO_NUMBER = ["0x10", "1_000", "٣", "³", "½", "三", "1,5", "1 2", "NaN", "Infinity", "inf", "-", ".", "e5", "1e", "1/2"]
UNREAD = "“{}” is not a number: use digits with a point, such as −2.5, 1000 or 3e5. Until then it stays {}."
LARGE = "“{}” is too large: numbers go up to 1.79e308. Until then it stays {}."
MISSING = "The field is empty: type a number, such as −2.5. Until then it stays {1}."


def first_value(page: Any) -> float:
    """What Python reads of the network that the page shows now."""
    return parse_network(page.saved("TOML").encode(), "saved.toml").vectors["我"][0]


def test_what_is_a_number(opened: Any) -> None:
    page = opened()
    for text, value in TAKEN.items():
        page.key(FIELD).fill(text)
        assert page.key(FIELD).get_attribute("aria-invalid") is None, text
        assert page.text(".inputs .refused") == "", text
        assert first_value(page) == value, text
        page.key(FIELD).blur()
        assert float(page.key(FIELD).input_value()) == value, text
        # the candidate 我 puts forward is its first number, and step gates pass it on whole
        shown = page.chain(".column .chip")[1]
        assert math.isclose(page.number(shown), value, abs_tol=5e-5), text
        formula = re.sub(r"\s+", " ", page.texts(".lines .numbers")[2])
        assert page.number(re.match(r"\[(\S+),", formula)[1]) == pytest.approx(value, abs=5e-5), formula  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "told"),
    [*((text, UNREAD) for text in NO_NUMBER), ("1e400", LARGE), ("-9e999", LARGE), ("", MISSING), ("  ", MISSING)],
)
def test_what_is_none_is_told_and_changes_nothing(opened: Any, text: str, told: str) -> None:
    page = opened()
    field = page.key(FIELD)
    field.fill("2.5")
    field.fill(text)
    assert field.get_attribute("aria-invalid") == "true"
    said = page.page.locator(f"#{field.get_attribute('aria-describedby')}")
    assert said.is_visible()
    assert said.get_attribute("role") == "alert"
    assert said.text_content() == told.format(text, "2.5")
    assert page.chain(".column .chip") == ["0", "2.5", "0", "0"]
    page.press("Tab")  # the number that holds comes back, and the reason stays to be read
    assert (field.input_value(), field.get_attribute("aria-invalid")) == ("2.5", None)
    assert said.is_visible()
    field.fill("3")
    assert not said.is_visible()
    assert page.chain(".column .chip") == ["0", "3", "0", "0"]


def test_the_reason_stands_at_its_own_table_and_goes_with_the_next_change(opened: Any) -> None:
    page = opened("article", lang="zh")
    page.key("field-layers.0.forward.forget.x.0.1").fill("x" * 40)
    assert page.text(".weights .refused") == (
        f"“{'x' * 23}…”不是数：请用数字和小数点，例如 −2.5、1000 或 3e5；在此之前仍为 100。"
    )
    assert page.text(".inputs .refused") == page.text(".starts .refused") == ""
    page.key("field-layers.0.forward.start.c.0").fill("-1")
    assert page.text(".weights .refused") == ""
    page.key("field-layers.0.forward.start.c.0").fill("")
    assert page.text(".starts .refused") == "这里空着：请输入一个数，例如 −2.5；在此之前仍为 −1。"
