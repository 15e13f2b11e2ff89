"""What if, on the page of a trained model: tokens, units, gates and tags are changed, and the link holds it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gatewise.crf import forward_backward
from gatewise.runtime import Tagger

TEXT = "小明住在北京。"
HOSTILE = "</script><img src=x onerror=alert(1)> __proto__ <b>7</b>"


def chances_where(tagger: Tagger, place: int, tag: str, tags: Sequence[str]) -> list[float]:
    """The probability of each of the tags, in percent, where one is known: by the equations, on what is traced."""
    trace = tagger.trace(TEXT)
    emissions = trace.emissions / tagger.temperature
    emissions[place, [label != tag for label in trace.labels]] = -np.inf
    sure = tagger.crf_scores.scaled(1 / tagger.temperature)
    found = forward_backward(emissions[:, None], np.array([len(emissions)]), sure).marginals[:, 0]
    return [100 * float(found[t, trace.labels.index(one)]) for t, one in enumerate(tags)]


def test_a_forced_tag_is_what_constraints_say(traced: Any, zh: Tagger) -> None:
    page = traced(TEXT, zh)
    page.key("token-3").click()
    page.key("force-other").select_option(label="S-ADP")
    tagged = zh.tag(TEXT, constraints={"tags": [{"start": 3, "end": 4, "tag": "S-ADP"}]})
    assert page.texts(".token-card .tag") == list(tagged.tags or ())
    assert tagged.tags is not None and tagged.tags[3] == "S-ADP"  # noqa: PT018
    shown = [float(text.strip("%<>")) for text in page.texts(".token-card small")]
    assert shown == pytest.approx(
        chances_where(zh, 3, "S-ADP", tagged.tags), abs=0.1001
    )  # one digit is shown, or >99.9
    assert page.text(".what-if .changes-list") == "4 在 must be S-ADP ✕"
    page.key("undo").click()
    assert not page.page.locator(".what-if").is_visible()
    page.key("redo").click()
    page.key("reset").click()
    assert page.texts(".token-card .tag") == list(zh.trace(TEXT).tags)


def test_a_forbidden_tag_and_its_way_back(traced: Any, zh: Tagger) -> None:
    page, tags = traced(TEXT, zh), zh.trace(TEXT).tags
    first = zh.trace(TEXT).labels.index(tags[0])
    page.key(f"forbid-{first}").click()
    assert page.focused() == f"forbid-{first}"
    changed = page.texts(".token-card .tag")
    assert changed[0] != tags[0]
    assert page.texts(".token-card s")[0] == tags[0]
    assert f"1 小: {tags[0]} " in page.text(".outcome")
    page.key("change-0").click()
    assert page.texts(".token-card .tag") == list(tags)


def test_a_token_left_out_or_read_twice(traced: Any, zh: Tagger) -> None:
    page = traced(TEXT, zh)
    page.key("token-1").click()
    page.key("twice").click()
    assert page.texts(".token-card .form") == list("小明明住在北京。")
    page.key("leave-out").click()
    page.key("leave-out").click()
    assert page.texts(".token-card .form") == list("小明在北京。")
    assert page.text(".what-if .changes-list") == "other tokens ✕"
    while page.key("leave-out").is_enabled():
        page.key("leave-out").click()
    assert len(page.texts(".token-card")) == 1


def test_a_silenced_unit_and_held_gates(traced: Any, zh: Tagger) -> None:
    page = traced(TEXT, zh)
    page.page.get_by_role("button", name="Silence this unit").click()
    assert re.search(r"unit [→←] \d+: o held at 0", page.text(".changes-list"))
    assert page.texts('.line[data-letter="h"] .numbers b') == ["= 0"]
    assert "(held)" in page.text('.line[data-letter="o"] .numbers')
    page.key("hold-f-all-0").click()
    assert re.search(r"all [→←] units: f held at 0", page.text(".changes-list"))
    assert page.key("hold-f-all-0").get_attribute("aria-pressed") == "true"
    page.key("hold-f-all-0").click()
    page.key("change-0").click()
    assert not page.page.locator(".what-if").is_visible()


def test_changes_that_leave_no_legal_tags(traced: Any, taggers: dict[str, Tagger]) -> None:
    page = traced("小明", "v1-spans")
    labels = taggers["v1-spans"].labels
    inside = next(label for label in labels if label.startswith("I-"))
    page.key("force-other").select_option(label=inside)
    assert page.text(".outcome") == "No legal tags are left with these changes: take one back."
    assert page.texts(".token-card .tag") == ["–", "–"]
    page.key("lang-zh").click()
    page.key("token-1").click()
    page.key("undo").click()
    assert page.texts(".token-card .tag") == list(taggers["v1-spans"].trace("小明").tags)


def test_the_address_is_the_whole_state(traced: Any, zh: Tagger) -> None:
    page = traced(TEXT, zh)
    page.key("token-2").click()
    page.key("hold-i-all-0").click()
    page.key("asks-cell").click()
    page.key("lang-zh").click()
    page.page.wait_for_timeout(400)
    hash = page.page.evaluate("location.hash")
    other = traced(TEXT, zh, hash=hash)
    for selector in (".token-card", ".changes-list", ".sum", "#unit h2", ".decisions .why"):
        assert other.texts(selector) == page.texts(selector)
    assert "全部" in other.text(".changes-list")


@pytest.mark.parametrize(
    "hash",
    [
        "#s=%7B",
        '#s={"changes":{"order":[99],"holds":[],"forced":[],"forbidden":[]}}',
        '#s={"changes":{"order":[0],"holds":[{"layer":0,"direction":"forward","unit":1e9,"gate":"i","value":0}],"forced":[],"forbidden":[]}}',
        '#s={"changes":{"order":[0],"holds":[],"forced":[{"t":0,"tag":-1}],"forbidden":[]}}',
        '#s={"changes":{"order":[],"holds":[],"forced":[],"forbidden":[]}}',
        '#s={"changes":5}',
    ],
)
def test_a_link_that_does_not_fit_changes_nothing(traced: Any, hash: str) -> None:
    page = traced(TEXT, hash=hash)
    assert page.text(".said") == "The link belongs to another network; this is the page's own."
    assert not page.page.locator(".what-if").is_visible()
