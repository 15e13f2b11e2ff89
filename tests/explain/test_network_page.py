"""The page of a hand-written network, used as a person would: in a real browser, with mouse and keyboard."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gatewise.explain import network_csv, network_json, network_latex, network_page
from gatewise.explain.network_page import page_words
from gatewise.explain.web_page import WEB
from gatewise.network import EXAMPLES, parse_network, read_network

HOSTILE = "</script><img src=x onerror=alert(1)>"
HOSTILE_NETWORK = f"""
kind = "lstm"
name = "{HOSTILE}"
title = "{HOSTILE}"
description = "<!--{HOSTILE}"
sentence = ["{HOSTILE}", "__proto__", "7"]
[vectors]
"{HOSTILE}" = [0.5, -1]
"__proto__" = [1, 2]
"7" = [-3, 0.25]
[activations]
gate = "sigmoid"
[[layers]]
[layers.forward]
forget = {{ x = [[0.1, -0.7]], h = [[0.3]] }}
input = {{ x = [[1.1, 0.2]], h = [[-0.3]] }}
candidate = {{ x = [[0.4, 0.9]], h = [[0.2]] }}
output = {{ x = [[-0.5, 0.6]], h = [[0.8]] }}
[[tags]]
output = [0]
name = "{HOSTILE}"
""".encode()
BIG = f"""
kind = "lstm"
sentence = {json.dumps([f"w{n % 7}" for n in range(200)])}
vectors = {{ {", ".join(f"w{n} = [{n / 7 - 0.4}, {0.3 - n / 9}]" for n in range(7))} }}
[[layers]]
[layers.forward]
{chr(10).join(f"{gate} = {{ x = {[[0.1 * k, 0.2 - 0.03 * k] for k in range(20)]}, h = {[[0.01 * k] * 20 for k in range(20)]} }}" for gate in ("forget", "input", "candidate", "output"))}
""".encode()  # fmt: skip  # noqa: E501

TOO_WIDE = """[...document.querySelectorAll("main *, nav *")]
  .filter((one) => !one.closest(".scroll, .said, .menu, .hidden, math"))
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 90))"""
OVERLAPS = """(name) => {
  const texts = [...document.querySelectorAll(`svg[data-picture="${name}"] text`)];
  const boxes = texts.map((text) => [text.textContent, text.getBBox()]);
  const across = (a, b) => a.x < b.x + b.width - 1 && b.x < a.x + a.width - 1;
  const meet = (a, b) => across(a, b) && a.y < b.y + b.height - 2 && b.y < a.y + a.height - 2;
  const others = (one, n) => boxes.slice(n + 1).filter(([, other]) => meet(one, other)).map(([text]) => text);
  return boxes.flatMap(([text, one], n) => others(one, n).map((other) => `${text} | ${other}`));
}"""

# the file


def test_the_file_needs_nothing_and_is_the_same_every_time() -> None:
    page = network_page(read_network("article"))
    assert page == network_page(read_network("article"))
    assert "default-src 'none'" in page
    assert "unsafe" not in page
    assert not re.search(
        r"""<link|<img|<iframe|src=|@import|url\(|https?:|innerHTML|eval\(""", page.replace("blob:", "")
    )
    assert len(page) < 400_000


def test_no_text_of_a_network_is_markup() -> None:
    page = network_page(parse_network(HOSTILE_NETWORK, "hostile.toml"))
    assert page.count("</script>") == 3  # data, import map, start
    assert "<img" not in page


def test_both_languages_have_the_same_words() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return (
            [shape(inner) for inner in value]
            if isinstance(value, list | tuple)
            else sorted(re.findall(r"{\w+}", value))
        )

    english, chinese = (page_words(lang) for lang in ("en", "zh"))
    assert shape(english) == shape(chinese)
    same = {key for key, text in english["page"].items() if text == chinese["page"][key]}
    assert same == set(), "a word that was not translated"


def test_every_word_of_the_page_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in WEB.glob("*.js"))
    unused = [key for key in page_words("en")["page"] if not re.search(rf"\b{key}\b", code)]
    assert unused == []


def test_other_sentences_and_gates_than_the_file_s(gatewise_command: Any, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    arguments = ("explain", "--network", "article", "--gates", "sigmoid", "--format", "html", "-o", out, "明我")
    assert gatewise_command(*arguments).code == 0
    data = json.loads(re.search('id="data">(.*?)</script>', out.read_text(encoding="utf-8"))[1])  # type: ignore[index]
    assert data["network"]["sentence"] == ["明", "我"]
    assert data["network"]["activations"]["gate"] == "sigmoid"


# what is seen


def test_the_article_s_numbers_are_on_the_page(opened: Any) -> None:
    page = opened()
    assert page.chain(".column .chip") == ["0", "2", "0", "0"]
    assert page.chain(".tag") == ["noun", "verb", "noun", "noun"]
    assert page.chain(".chip.c") == ["1", "2", "2", "4", "0"]
    lines = [
        "[2, −1, 1, 1]·[0, 100, 0, 10] = 0 − 100 + 0 + 10 = −90 → step → 0",
        "[2, −1, 1, 1]·[0, 0, 100, −10] = 0 + 0 + 100 − 10 = 90 → step → 1",
        "[2, −1, 1, 1]·[1, 0, 0, 0] = 2 + 0 + 0 + 0 = 2",
        "0·1 + 1·2 = 0 + 2 = 2",
        "[2, −1, 1, 1]·[0, 0, −100, −10] = 0 + 0 − 100 − 10 = −110 → step → 0",
        "0·2 = 0",
    ]
    assert [re.sub(r"\s+", " ", text).strip() for text in page.texts(".numbers")] == lines
    assert page.texts(".lines .note") == [
        "closed", "open", "", "memory not kept, candidate taken in", "closed", "nothing put out",
    ]  # fmt: skip
    assert page.texts('svg[data-picture="cell"] .pre') == ["−90", "90", "2", "−110"]


def test_one_click_turns_a_noun_into_a_verb_and_back(opened: Any) -> None:
    page = opened()
    page.key("gates-sigmoid").click()
    assert page.chain(".tag") == ["noun", "verb", "noun", "noun → verb"]
    assert page.chain(".tag.changed") == ["noun → verb"]
    assert page.text(".changes") == "Changed: 明: noun → verb, f₄ 0 → 0.5, C₄ 0 → 2, h₄ 0 → 2"
    page.key("transport-last").click()
    assert "→ σ → 0.5" in page.text(".lines li")
    assert "was 0" in page.text(".lines li")
    page.key("gates-step").click()
    assert page.text(".changes") == "Changed: 明: verb → noun, f₄ 0.5 → 0, C₄ 2 → 0, h₄ 2 → 0"


def test_chinese_and_back(opened: Any) -> None:
    page = opened(lang="zh")
    assert page.chain(".tag") == ["名词", "动词", "名词", "名词"]
    page.key("gates-sigmoid").click()
    assert page.text(".changes") == "变化：明：名词 → 动词、f₄ 0 → 0.5、C₄ 0 → 2、h₄ 0 → 2"
    assert page.text("html >> .lines .name") == "遗忘门"
    page.key("lang-en").click()
    assert page.page.evaluate("document.documentElement.lang") == "en"
    assert page.focused() == "lang-en"
    assert page.text(".lines .name") == "forget gate"


def test_the_keyboard_does_everything(opened: Any) -> None:
    page = opened()
    where = page.text(".where")
    page.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    assert page.text(".where") == "Step 4 of 4 · 明"
    page.press("ArrowLeft")
    assert page.text(".where") == "Step 3 of 4 · 小"
    page.press("Home")
    assert page.text(".where") == where
    page.press("ArrowDown", "ArrowDown")
    assert page.texts(".line.chosen .name") == ["input gate"]
    page.press("ArrowUp")
    assert page.texts(".line.chosen .name") == ["forget gate"]
    page.press("Escape")
    assert page.texts(".line.chosen .name") == []
    page.press("Escape")
    assert not page.page.locator(".inside").is_visible()
    assert page.focused() == "cell-1-false-1"
    page.press("ArrowRight", "Enter")
    assert page.page.locator(".inside").is_visible()
    assert page.text(".inside h2") == "Inside the cell at step 2: 叫"
    assert page.focused() == "cell-1-false-2"


def test_tab_reaches_every_control_and_each_has_a_name(opened: Any) -> None:
    page = opened("bilstm")
    seen = []
    for _ in range(200):
        page.press("Tab")
        if page.focused() == "BODY":
            break
        if page.focused() != "DIV":  # a table that scrolls
            seen.append(page.focused())
    for key in ("share", "export", "lang-zh", "theme", "cell-1-false-1", "transport-play", "scrub", "gates-step",
                "unit", "leave", "stage-f", "stage-C", "stage-h", "line-f", "activation-output-identity", "sentence",
                "field-vectors.0.1.0", "field-layers.0.forward.forget.x.0.0", "lane-1-true",
                "field-layers.0.forward.start.h.0"):  # fmt: skip
        assert key in seen, key
    assert len(seen) == len(set(seen)), "the focus moved in a circle"


def test_play_goes_through_the_boxes_and_stops_at_the_end(opened: Any) -> None:
    page = opened(timezone_id="Asia/Shanghai")  # a window of its own, since its clock stands still
    page.page.clock.install()
    page.press("End")
    page.press(" ")
    assert page.text(".where") == "Step 1 of 4 · 我"
    marked = []
    for _ in range(7):
        page.page.clock.run_for(1100)
        marked.append("".join(page.texts(".line.chosen .badge")) + page.text(".where")[5])
    assert marked == ["f1", "i1", "g1", "C1", "o1", "h1", "f2"]
    page.page.clock.run_for(1100 * 20)
    assert page.text(".where") == "Step 4 of 4 · 明"
    assert page.key("transport-play").text_content() == "▶ Play"


def test_the_slider_scrubs(opened: Any) -> None:
    page = opened()
    page.key("scrub").focus()
    page.press("ArrowRight", "ArrowRight")
    assert page.text(".where") == "Step 3 of 4 · 小"
    assert page.focused() == "scrub"


# taking away


def close(a: Any, b: Any) -> bool:
    """The same, numbers within 1e-12."""
    if isinstance(a, dict):
        return list(a) == list(b) and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float | int) and not isinstance(a, bool) and isinstance(b, float | int):
        return abs(a - b) <= 1e-12 * max(1, abs(a))
    return bool(a == b)


@pytest.mark.parametrize("network", [*EXAMPLES, HOSTILE_NETWORK], ids=[*EXAMPLES, "hostile"])
def test_what_is_taken_away_is_what_python_writes(opened: Any, network: str | bytes) -> None:
    page = opened(network)
    if page.page.locator('[data-key="gates-sigmoid"]').is_visible():
        page.key("gates-sigmoid").click()
    page.key("field-vectors.1.1.0").fill("0.625")
    again = parse_network(page.saved("TOML").encode(), "again.toml")
    original = read_network(network) if isinstance(network, str) else parse_network(network, "test.toml")
    assert (again.name, again.title, again.description) == (original.name, original.title, original.description)
    assert [tag.wording for tag in again.tags] == [tag.wording for tag in original.tags]
    run = again.run()
    assert close(json.loads(page.saved("JSON")), network_json(run))
    rows, expected = (list(csv.reader(io.StringIO(text))) for text in (page.saved("CSV"), network_csv(run)))
    assert [row[:-1] for row in rows] == [row[:-1] for row in expected]
    for row, other in zip(rows, expected, strict=True):
        assert row[-1] == other[-1] or float(row[-1]) == pytest.approx(float(other[-1]), rel=1e-12, abs=1e-12)
    assert page.saved("LaTeX") == network_latex(run)
    page.key("lang-zh").click()
    assert page.saved("LaTeX") == network_latex(run, lang="zh")


def test_pictures_can_be_taken_away(opened: Any) -> None:
    page = opened()
    svg = ElementTree.fromstring(page.saved("SVG chain"))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert "明" in "".join(svg.itertext())
    assert "onclick" not in ElementTree.tostring(svg, encoding="unicode")
    page.key("export").click()
    with page.page.expect_download() as waiting:
        page.key("export-PNG cell").click()
    content = Path(waiting.value.path()).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000
    assert waiting.value.suggested_filename == "article-1-cell.png"


# what might go wrong


def test_hostile_texts_are_shown_and_never_run(opened: Any) -> None:
    page = opened(HOSTILE_NETWORK)
    page.key("transport-last").click()
    page.key("gates-step").click()
    page.key("lang-zh").click()
    assert page.text("h1") == HOSTILE
    assert page.page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.texts(".inputs tbody th") == [HOSTILE, "__proto__", "7"]
    assert page.text(".where").endswith("7")


@pytest.mark.parametrize("network", ["article", "bilstm", HOSTILE_NETWORK], ids=["article", "bilstm", "hostile"])
def test_no_width_scrolls_sideways(opened: Any, network: str | bytes) -> None:
    page = opened(network, viewport={"width": 359, "height": 800})  # a size of its own: it is changed
    for width in (360, 768, 1280, 1920, 359):
        page.page.set_viewport_size({"width": width, "height": 800})
        page.key("lang-zh" if width in (360, 1280) else "lang-en").click()
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.page.evaluate(TOO_WIDE) == []


def test_no_labels_of_a_picture_overlap(opened: Any) -> None:
    for network, lang in (("article", "en"), ("article", "zh"), ("bilstm", "en"), ("rnn", "zh")):
        page = opened(network, lang=lang)
        for key in ("transport-next", "gates-sigmoid", "gates-step", "transport-last"):
            if page.key(key).is_visible() and page.key(key).is_enabled():
                page.key(key).click()
            for picture in ("chain", "cell", "folded"):
                assert page.page.evaluate(OVERLAPS, picture) == [], (network, key, picture)


def test_a_large_network_stays_usable(opened: Any) -> None:
    page = opened(BIG)
    assert page.text(".overview .note") == "The sentence has 200 tokens; the 60 around the chosen step are drawn."
    assert len(page.chain(".token")) == 60
    page.press("End")
    assert page.text(".where") == "Step 200 of 200 · w3"
    assert page.page.locator(".column.here").bounding_box()["x"] < 1280
    assert "Unit 1 of 20 is shown" in page.text(".weights .refused + .note")
    page.key("unit").select_option("19")
    assert page.text(".lines .badge") == "f₂₀"
    assert page.page.locator(".number").count() < 200


@pytest.mark.parametrize(("network", "lang", "theme"), [("article", "en", "light"), ("bilstm", "zh", "dark")])
def test_axe_finds_no_serious_fault(opened: Any, network: str, lang: str, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = opened(network, lang=lang, color_scheme=theme)
    for _ in range(2):  # as it opens; after a change, with a box marked and the menu open
        found = axe.Axe().run(page.page).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"][:120]) for one in grave] == []
        page.press("ArrowRight", "ArrowDown")
        page.key("gates-step" if network == "bilstm" else "gates-sigmoid").click()
        page.key("export").click()
