"""What a page keeps instead of drawing it anew is marked as if it were new; what was off screen is right later."""

from __future__ import annotations

from typing import Any

import pytest

from gatewise.lstm import LSTMPass, memory_ledger
from gatewise.runtime import Tagger

LONG = "小明住在北京，他喜欢读书。" * 4
HERE = """(box) => {
  const token = box.querySelector(".token.here").getBoundingClientRect(), frame = box.getBoundingClientRect();
  return [token.left >= frame.left && token.right <= frame.right, box.scrollLeft];
}"""


def kept(page: Any, selector: str) -> bool:
    """Whether it is still the element that this function saw last."""
    seen = "(one) => { const before = window.seen; window.seen = one; return before === one; }"
    return bool(page.page.locator(selector).evaluate(seen))


def test_another_step_moves_the_marks_of_the_chain(opened: Any) -> None:
    page = opened("bilstm")
    chain = 'svg[data-picture="chain"]'
    kept(page, chain)
    count = page.page.locator(f"{chain} .column").count()
    page.key("cell-1-true-1").focus()
    page.press("Enter")
    for t in range(2, count + 1):
        page.press("ArrowRight")
        assert kept(page, chain)
        assert page.focused() == f"cell-1-true-{t}"
        assert page.page.locator(f"{chain} .column.here").get_attribute("data-t") == str(t - 1)
        assert page.page.locator(f"{chain} .cell.here[tabindex='0'][aria-current='step']").count() == 1
        assert page.page.locator(f"{chain} .here:is(.cell, .column), {chain} [aria-current]").count() == 2
        assert page.page.locator(f"{chain} .token.here").count() == 1
    page.key("field-vectors.0.1.0").fill("5")
    assert not kept(page, chain)
    page.key("lang-zh").click()
    assert not kept(page, chain)


def test_a_long_chain_shows_the_columns_around_the_step(opened: Any) -> None:
    page = opened()
    page.key("sentence").fill("我 叫 小 明 " * 20)
    page.press("Enter")
    page.page.locator("h1").click()
    kept(page, 'svg[data-picture="chain"]')
    page.press("End")
    assert not kept(page, 'svg[data-picture="chain"]')
    assert page.text(".column.here .token") == "明"
    assert page.page.locator(".column.here").get_attribute("data-t") == "79"


def test_the_matrix_is_kept_for_another_token_and_tells_its_numbers(traced: Any, taggers: dict[str, Tagger]) -> None:
    page = traced("小明住在北京。")
    matrix, frame = 'svg[data-picture="matrix"]', 'svg[data-picture="matrix"] .row-here'
    page.key("asks-score").click()
    kept(page, matrix)
    for token in (3, 1):
        page.key(f"token-{token}").click()
        assert kept(page, matrix)
        assert page.page.locator(frame).get_attribute("y") == str(66 + 26 * token - 1)
        assert page.page.locator(f"{matrix} .axis.here").count() == 2
    page.key("twice").click()
    assert not kept(page, matrix)
    page.key("undo").click()
    page.key("asks-cell").click()
    assert not kept(page, matrix)
    page.page.locator(".unit-bar[aria-pressed='false']").first.click()
    assert not kept(page, matrix)

    trace = taggers["v1-spans"].trace("小明住在北京。")
    unit = int(page.text("#unit h2").split()[2].rstrip(":"))
    direction = trace.layers[-1].forward if "→" in page.text("#unit h2") else trace.layers[-1].reverse
    assert isinstance(direction, LSTMPass)
    shares = memory_ledger(direction).shares
    told = set()
    for t, s in ((4, 2), (2, 4), (3, 3), (5, 4), (4, 5)):
        page.page.locator(matrix).hover(position={"x": 74 + 26 * s + 20, "y": 66 + 26 * t + 5})
        name, value = page.text("#memory .told").rsplit(": ", 1)
        assert name == f"{t + 1} {trace.sentence.forms[t]} ← {s + 1} {trace.sentence.forms[s]}"
        assert page.number(value) == pytest.approx(shares[t, s, unit], abs=5.1e-4)
        told.add(value)
    assert len(told) > 2
    page.page.locator("h1").hover()
    assert page.text("#memory .told") == "Point at a square to see its number."


def test_what_is_off_screen_shows_the_chosen_token_when_it_comes(traced: Any, zh: Tagger) -> None:
    page = traced(LONG, zh)
    lattice = page.page.locator("#tags .lattice")
    page.press("End")
    skipped = "(one) => one.checkVisibility({ contentVisibilityAuto: true })"
    assert not lattice.evaluate(skipped)
    page.page.locator("#tags h2").scroll_into_view_if_needed()
    page.page.wait_for_function("() => document.querySelector('#tags .lattice').scrollLeft > 0")
    assert lattice.evaluate(HERE)[0]
    lattice.evaluate("(box) => { box.scrollLeft = 0; }")
    page.page.locator("h1").scroll_into_view_if_needed()
    page.page.locator("#tags h2").scroll_into_view_if_needed()
    page.page.wait_for_timeout(100)
    assert lattice.evaluate(HERE)[1] == 0  # where the reader left it
    page.press("Home")
    page.press("End")
    assert lattice.evaluate(HERE)[0]


def test_the_strips_follow_the_colors_of_the_page(traced: Any) -> None:
    page = traced("小明住在北京。")
    shown = "(canvas) => canvas.toDataURL()"
    colors = []
    for _ in range(3):
        colors.append(page.key("lane-forward").evaluate(shown))
        page.key("theme").click()
        page.page.wait_for_timeout(50)
    assert colors[0] == colors[2] != colors[1]


NEIGHBORS = """(svg) => {
  const tokens = [...svg.querySelectorAll(".token")].map((one) => one.getBoundingClientRect());
  return tokens.slice(1).filter((one, n) => one.left < tokens[n].right).length;
}"""


@pytest.mark.parametrize(
    "text", ["international 我们 representatives unanimously", "北京语言大学校园 新文化图书馆长 abcdefgh"]
)
def test_long_tokens_do_not_run_into_each_other(traced: Any, text: str) -> None:
    page = traced(text, "v1-tags")
    for picture in ("life", "arcs", "lattice"):
        drawn = page.page.locator(f'svg[data-picture="{picture}"]')
        drawn.scroll_into_view_if_needed()
        assert drawn.evaluate(NEIGHBORS) == 0, picture
        assert "…" in drawn.text_content()
