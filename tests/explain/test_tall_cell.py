"""The inside of a cell in a narrow window: the same numbers and boxes as in a wide one, readable without scrolling."""

from __future__ import annotations

from typing import Any

import pytest

import gatewise

SIZES = {"narrow": {"width": 360, "height": 800}, "wide": {"width": 1280, "height": 900}}
FITS = "(box) => [box.scrollWidth <= box.clientWidth, box.querySelector('svg').getBoundingClientRect().width]"
OVERLAPS = """(svg) => {
  const boxes = [...svg.querySelectorAll(".chip, .linear, .caption, .state, .vector, .operation")].map((one) => [one.textContent, one.getBoundingClientRect()]);
  return boxes.flatMap(([name, a], n) => boxes.slice(n + 1).filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1).map(([other]) => `${name} on ${other}`));
}"""  # fmt: skip  # noqa: E501


def seen(page: Any) -> tuple[set[str], list[str]]:
    """The numbers on the wires, and what stands in the boxes."""
    cell = 'svg[data-picture="cell"]'
    boxes = page.page.locator(f"{cell} .choice").evaluate_all("(all) => all.map((one) => one.textContent)")
    return set(page.texts(f"{cell} .chip")), sorted(boxes)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_narrow_window_shows_the_same_cell_upright(opened: Any, lang: str) -> None:
    page = opened("article", lang=lang, viewport=SIZES["narrow"])
    upright = seen(page)
    fits, width = page.page.locator(".inside .drawn > .scroll").first.evaluate(FITS)
    assert fits
    assert width > 290
    assert page.page.locator('svg[data-picture="cell"]').evaluate(OVERLAPS) == []
    assert page.page.locator('svg[data-picture="cell"]').evaluate("(svg) => svg.viewBox.baseVal.height > 600")
    page.page.set_viewport_size(SIZES["wide"])
    page.page.locator('svg[data-picture="cell"]:not(.tall-cell)').wait_for()
    assert seen(page) == upright
    assert len(upright[1]) == 6
    page.page.set_viewport_size(SIZES["narrow"])


def test_long_numbers_do_not_run_into_each_other(traced: Any) -> None:
    page = traced("小明住在北京。", gatewise.load("zh"), viewport=SIZES["narrow"])
    for key in ("token-0", "token-4"):
        page.key(key).click()
        assert page.page.locator('svg[data-picture="cell"]').evaluate(OVERLAPS) == []


@pytest.mark.parametrize("network", ["rnn", "article"])
def test_boxes_are_chosen_in_both(opened: Any, network: str) -> None:
    page = opened(network, viewport=SIZES["narrow"])
    stage = "h" if network == "rnn" else "f"
    page.key(f"stage-{stage}").click()
    assert page.page.locator(f"svg .part.{stage}.lit").count() == 1
    assert page.page.locator(".inside .drawn > .scroll").first.evaluate(FITS)[0]
