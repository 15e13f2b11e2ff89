"""The page of a trained model by mouse and keyboard, in every width, for long and hostile texts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gatewise.runtime import Tagger

TEXT = "小明住在北京。"
HOSTILE = "</script><img src=x onerror=alert(1)> __proto__ <b>7</b>"


def test_the_strips_tell_their_numbers_to_mouse_and_keyboard(traced: Any, zh: Tagger) -> None:
    page, trace = traced(TEXT, zh), zh.trace(TEXT)
    page.key("sort-number").click()
    page.key("lane-forward").hover(position={"x": 76 * 2 + 4 + 17 * 1 + 5, "y": 16 + 13 * 3 + 5})
    shown = re.fullmatch(r"→ unit (\d+) at 3 住: f = (\S+)", page.text(".told"))
    assert shown is not None
    assert int(shown[1]) == 3
    assert page.number(shown[2]) == pytest.approx(trace.layers[0].forward.f[2, 3], abs=6e-4)  # type: ignore[union-attr]
    page.key("lane-reverse").focus()
    page.press("ArrowRight", "ArrowRight", "ArrowDown")
    told = re.match(r"← unit (\d+) at 1 小: (\w) = (\S+)", page.text(".told"))
    assert told is not None
    page.press("Enter")
    assert page.text("#unit h2").startswith(f"Unit ← {told[1]}:")
    assert page.focused() == "lane-reverse"
    page.key("shown-states").click()
    page.key("rows-all").click()
    page.key("sort-matter").click()
    assert page.page.locator(".strips").first.bounding_box()["height"] == 16 + 2 * 128


def test_the_keyboard_reaches_everything(traced: Any) -> None:
    page = traced(TEXT)
    page.press("ArrowRight", "ArrowRight")
    assert page.page.locator(".token-card.here .form").text_content() == "住"
    page.press("End")
    assert page.page.locator(".token-card.here .form").text_content() == "。"
    page.press("Home")
    seen = []
    for _ in range(150):
        page.press("Tab")
        if page.focused() == "BODY":
            break
        seen.append(page.focused())
    for key in ("share", "lang-zh", "theme", "token-0", "lane-forward", "lane-reverse", "leave-out", "shown-states",
                "hold-f-one-0", "hold-o-all-1", "asks-lead", "force-other", "way-0"):  # fmt: skip
        assert key in seen, key
    assert any(key.startswith("unit-") for key in seen)
    assert any(key.startswith("force-") for key in seen)


def test_hostile_texts_are_shown_and_never_run(traced: Any) -> None:
    page = traced(HOSTILE, "v1-tags", lang="zh")
    page.key("token-2").click()
    page.key("twice").click()
    page.key("asks-cell").click()
    assert page.text("h1") == HOSTILE
    assert page.page.evaluate("document.querySelectorAll('main img, main b b, main script').length") == 0
    assert page.texts(".token-card .form")[-2:] == HOSTILE.split()[-2:]


TOO_WIDE = """[...document.querySelectorAll("main *, nav *")]
  .filter((one) => !one.closest(".scroll, .said, .hidden"))
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_no_width_scrolls_sideways(traced: Any, zh: Tagger, width: int) -> None:
    for text, model, lang in ((TEXT * 4, zh, "zh"), (HOSTILE * 3, "v1-tags", "en")):
        page = traced(text, model, lang=lang, viewport={"width": width, "height": 800})
        page.key("force-other").select_option(index=2)
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.page.evaluate(TOO_WIDE) == []


def test_two_hundred_tokens_stay_usable(traced: Any, zh: Tagger) -> None:
    page = traced("小明住在北京，他喜欢。" * 20, zh)
    assert page.text(".overview .note") == "The sentence has 220 tokens; the 120 around the chosen step are drawn."
    page.press("End")
    assert page.page.locator(".token-card.here").bounding_box()["x"] < 1280
    assert page.text("#tags h3") == "The tags of 220 。"
    page.key("hold-f-all-0").click()
    assert page.page.locator(".what-if").is_visible()


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_axe_finds_no_serious_fault(traced: Any, zh: Tagger, lang: str, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = traced(TEXT, zh, lang=lang, color_scheme=theme)
    for _ in range(2):  # as it opens; after changes
        found = axe.Axe().run(page.page).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"][:160]) for one in grave] == []
        page.key("force-other").select_option(index=2)
        page.key("way-1").click()
