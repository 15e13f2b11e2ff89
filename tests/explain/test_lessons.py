"""The lessons: complete in both languages, true to the numbers, and a person can go through them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gatewise.explain.network_page import lesson_networks
from gatewise.explain.web_page import import_map, read_json

STRUCTURE = read_json("lessons/lessons.json")
TEXTS = {lang: read_json(f"lessons/lessons.{lang}.json") for lang in ("en", "zh")}
SHOWN = [
    (lesson["id"], n, step) for lesson in STRUCTURE for n, step in enumerate(lesson["steps"])
]  # fmt: skip
RUN = """async (places) => {
  const { runNetwork } = await import("gatewise/lstm.js"), { countParameters, withEdits } = await import("gatewise/document.js");
  return places.map(([network, edits]) => {
    const document = withEdits(network, edits);
    return document && { run: runNetwork(document), parameters: countParameters(document).all };
  });
}"""  # noqa: E501


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_step_has_its_texts(lang: str) -> None:
    assert [len(lesson["steps"]) for lesson in TEXTS[lang]] == [len(lesson["steps"]) for lesson in STRUCTURE]
    for lesson, texts in zip(STRUCTURE, TEXTS[lang], strict=True):
        assert texts["title"]
        for step, text in zip(lesson["steps"], texts["steps"], strict=True):
            assert set(text) == ({"text", "ask", "choices", "why"} if "answer" in step else {"text"}), lesson["id"]
            assert text["text"]
            assert all(text["text"])
            if "answer" in step:
                assert 0 <= step["answer"] < len(text["choices"])
                assert len(set(text["choices"])) == len(text["choices"]) >= 2


def test_both_languages_offer_the_same_choices() -> None:
    for english, chinese in zip(TEXTS["en"], TEXTS["zh"], strict=True):
        for one, other in zip(english["steps"], chinese["steps"], strict=True):
            assert len(one.get("choices", [])) == len(other.get("choices", []))
            numbers = [
                [choice for choice in step.get("choices", []) if re.fullmatch(r"[\d.]+", choice)]
                for step in (one, other)
            ]
            assert numbers[0] == numbers[1]


def test_the_topics_are_all_there() -> None:
    path = "neuron rnn forgetting forget input output article tagging"
    also = "parameters biases order forget-bias tanh reverse h-and-c"
    assert [lesson["id"] for lesson in STRUCTURE] == f"{path} {also}".split()
    assert sum("answer" in step for _, _, step in SHOWN) >= len(STRUCTURE)


def value_of(fact: dict[str, Any], found: dict[str, Any]) -> Any:
    if fact["what"] == "parameters":
        return found["parameters"]
    run, t = found["run"], fact["t"] - 1
    step = run["layers"][0]["forward"]["steps"][t]
    if fact["what"] == "tag":
        return run["tags"][t]["name"]
    if fact["what"] in ("c", "h"):
        return step[fact["what"]][0]
    letter, _, before = fact["what"].partition("_")
    unit = step["linear"]["h" if letter == "pre" else letter][0]
    return unit["pre" if before or letter == "pre" else "value"]


def test_what_the_lessons_claim_is_true(browser: Any) -> None:
    """With the page's own equations, which are held to Python's elsewhere."""
    networks = lesson_networks()
    page = browser.new_page()
    page.set_content(f'<script type="importmap">{json.dumps({"imports": import_map()})}</script>')
    places = [[networks[step["show"]["network"]], step["show"].get("edits", [])] for _, _, step in SHOWN]
    found = page.evaluate(RUN, places)
    page.close()
    checked = 0
    for (lesson, n, step), one in zip(SHOWN, found, strict=True):
        assert one is not None, (lesson, n)
        for fact in step.get("facts", []):
            expected = fact["value"] if isinstance(fact["value"], str) else pytest.approx(fact["value"], abs=1e-12)
            assert value_of(fact, one) == expected, (lesson, n, fact)
            checked += 1
    assert checked >= 40


def test_a_person_goes_through_all_of_them(opened: Any) -> None:
    page = opened("rnn")
    page.key("field-vectors.0.1.0").fill("3")
    before = page.texts('svg[data-picture="chain"] .chip')
    page.page.wait_for_url(re.compile("#s="))  # it is written a little after the edit
    hash = page.page.evaluate("location.hash")
    page.key("lessons").click()
    assert len(page.texts(".lesson-list li")) == len(STRUCTURE)
    assert page.key("share").is_disabled()
    page.key("lesson-0").click()
    for lesson, texts in zip(STRUCTURE, TEXTS["en"], strict=True):
        for step, text in zip(lesson["steps"], texts["steps"], strict=True):
            assert page.text(".lessons h2") == texts["title"]
            if "answer" in step:
                if step.get("hides"):
                    assert "?" in page.texts('svg[data-picture="chain"] .column.here .chip')
                    assert not page.page.locator(".inside").is_visible()
                page.key(f"answer-{step['answer']}").click()
                assert page.text(".why").startswith(f"Right. {text['why']}")
            assert "?" not in page.texts('svg[data-picture="chain"] .chip')
            assert page.text(".where").startswith(f"Step {step['show']['t']} of")
            assert page.page.evaluate("location.hash") == hash  # that of the page's own network
            page.key("lesson-next").click()
    assert page.texts(".lesson-list .done") == [texts["title"] for texts in TEXTS["en"]]
    page.key("lessons-close").click()
    assert page.texts('svg[data-picture="chain"] .chip') == before
    assert page.key("field-vectors.0.1.0").input_value() == "3"
    assert page.key("undo").is_enabled()


def test_a_wrong_answer_is_told_by_keyboard_in_chinese(opened: Any) -> None:
    page = opened(lang="zh", viewport={"width": 390, "height": 800})
    page.key("lessons").focus()
    page.press("Enter")
    assert page.focused() == "lessons-title"
    page.press("Tab", "Tab", "Tab", "Enter")
    assert page.text(".lessons h2") == "循环的网络（RNN）"
    page.key("lesson-next").focus()
    page.press("Enter")
    page.key("answer-0").focus()
    page.press("Enter")
    assert page.text(".why").startswith("不对。1·0 + 0.5·1 = 0.5。")
    assert page.texts(".answer.wrong") == ["✗ 0"]
    assert page.texts(".answer.right") == ["✓ 0.5"]
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
    page.key("lang-en").click()
    assert page.text(".lessons h2") == "A network that recurs (RNN)"


def test_axe_finds_no_serious_fault_in_a_lesson(opened: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = opened()
    page.key("lessons").click()
    page.key("lesson-4").click()
    page.key("lesson-next").click()
    page.key("answer-1").click()
    found = axe.Axe().run(page.page).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"][:120]) for one in found if one["impact"] in ("serious", "critical")
    ] == []
