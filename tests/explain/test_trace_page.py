"""The page of a trained model, used as a person would: in a real browser, with mouse and keyboard."""

from __future__ import annotations

import re
import shutil
import sys
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gatewise
from gatewise.explain import trace_page
from gatewise.explain.network_page import page_words
from gatewise.explain.packed import packed_size
from gatewise.explain.trace_document import trace_document
from gatewise.explain.trace_page import shown_trace
from gatewise.explain.web_page import WEB, modules_of, read_json
from gatewise.runtime import Tagger, Trace

TEXT = "小明住在北京。"
HOSTILE = "</script><img src=x onerror=alert(1)> __proto__ <b>7</b>"


@pytest.fixture(scope="module")
def zh() -> Tagger:
    return gatewise.load("zh")


# the file


def test_the_command_writes_a_page_that_needs_nothing(gatewise_command: Any, tmp_path: Path, stored: Path) -> None:
    out = tmp_path / "page.html"
    ran = gatewise_command("explain", TEXT, "-m", stored / "v1-spans", "--format", "html", "-o", out)
    assert (ran.code, ran.err) == (0, "")
    page = out.read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"<link|<img|<iframe|src=|@import|url\(|https?:|innerHTML|eval\(", page)
    assert page == trace_page(gatewise.load(stored / "v1-spans"), TEXT)


def test_a_page_of_25_tokens_of_the_bundled_model_is_below_3_mb(zh: Tagger) -> None:
    text = "小明住在北京大学的一座老楼里，每天早上都去图书馆读书。"
    assert len(zh.tokenize(text)) >= 25
    page = trace_page(zh, text)
    assert '"left_out": ""' in page or '"left_out":""' in page
    assert len(page.encode()) <= 3_000_000


def test_the_longest_text_is_below_3_mb_too(zh: Tagger) -> None:
    page = trace_page(zh, "小明住在北京，他喜欢。" * 181)
    assert len(page.encode()) <= 3_000_000
    assert '"left_out":""' in page.replace('": "', '":"')


def test_no_text_is_markup(taggers: dict[str, Tagger]) -> None:
    page = trace_page(taggers["v1-tags"], HOSTILE)
    assert page.count("</script>") == 3  # data, import map, start
    assert "<img" not in page


def test_a_page_carries_the_modules_it_imports_and_no_others() -> None:
    assert {"gatewise/crf.js", "gatewise/lstm.js", "gatewise/bar.js"} <= modules_of("trace_app.js")
    assert "gatewise/fields.js" not in modules_of("trace_app.js")
    assert "gatewise/crf.js" not in modules_of("app.js")
    written = {f"gatewise/{path.name}" for path in WEB.glob("*.js")}
    assert modules_of("trace_app.js") | modules_of("app.js") == written


def test_both_languages_have_the_same_words_and_each_is_used() -> None:
    english, chinese = (read_json(f"trace.{lang}.json") for lang in ("en", "zh"))
    assert list(english) == list(chinese)
    names = [
        {key: sorted(re.findall(r"{\w+}", str(text))) for key, text in words.items()} for words in (english, chinese)
    ]
    assert names[0] == names[1]
    assert {key for key in english if english[key] == chinese[key]} == set()
    code = "".join(path.read_text(encoding="utf-8") for path in WEB.glob("*.js"))
    made = ("left_out_", "memory_", "ask_", "sum_")
    for key in english:
        assert re.search(rf"trace\.{key}\b", code) or key.startswith(made), key
    assert page_words("en")["page"]["undo"]


# what is seen


def test_tags_and_probabilities_are_those_of_python(traced: Any, taggers: dict[str, Tagger]) -> None:
    sentence = taggers["v1-spans"].tag(TEXT)
    page = traced(TEXT)
    assert page.texts(".token-card .form") == list(TEXT)
    assert page.texts(".token-card .tag") == list(sentence.tags or ())
    shown = [float(re.sub(r"[<>%]", "", text)) for text in page.texts(".token-card small")]
    assert shown == pytest.approx([100 * score for score in sentence.scores or ()], abs=0.11)
    assert "the same tags and probabilities as Python's" in page.text(".intro .note")


def test_chinese_and_back(traced: Any) -> None:
    page = traced(TEXT, lang="zh")
    assert page.text("#tags h2") == "从得分到标签"
    page.key("lang-en").click()
    assert page.text("#tags h2") == "From scores to tags"
    assert page.focused() == "lang-en"


MODELS = (
    "v1-spans",
    "v1-segmentation",
    "v1-softmax-rnn",
    "v1-tags",
    "v1-calibrated",
    "v1-half-heads",
    "v1-forms-cnn",
    "v1-integers",
)


@pytest.mark.parametrize("model", MODELS)
def test_every_kind_of_model_has_its_page(traced: Any, taggers: dict[str, Tagger], model: str) -> None:
    tagger = taggers[model]
    trace = tagger.trace("She saw 小明 ，42 北京")
    page = traced(trace.sentence.text, model)
    assert page.texts(".token-card .tag") == list(trace.tags)
    assert "the same tags and probabilities as Python's" in page.text(".intro .note")
    both, lstm = trace.layers[-1].reverse is not None, tagger.archive.config.encoder.kind == "lstm"
    assert page.page.locator(".strips").count() == 1 + both
    assert page.page.locator("#memory").is_visible() == lstm
    assert ("An RNN has no gates" in page.text(".heat-controls")) == (not lstm)
    assert page.texts("#unit .badge")[-1] == "h"
    for n in range(len(trace.layers) if len(trace.layers) > 1 else 0):
        page.key(f"layer-{n}").click()
        assert page.page.locator("#unit").is_visible()


def test_a_further_head_has_its_own_tags(traced: Any, taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-heads"]
    for head in ("", *tagger.heads):
        assert traced(TEXT, "v1-heads", head=head).texts(".token-card .tag") == list(tagger.trace(TEXT, head).tags)


def test_a_dictionary_that_the_page_does_not_know_is_noticed(traced: Any, zh: Tagger, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("叫小\n", encoding="utf-8")
    steered = zh.with_dictionary(tmp_path / "words.txt", hard=True)
    assert steered.trace("我叫小明").tags != zh.trace("我叫小明").tags
    note = traced("我叫小明", steered).text(".intro .note.alarm")
    assert note == "This page computes other tags or probabilities than Python did; trust Python's."


def test_an_empty_text_says_so(traced: Any) -> None:
    page = traced(" ")
    assert page.text(".intro .note") == "The text holds no token: there is nothing to compute."
    assert not page.page.locator(".overview").is_visible()


def number(text: str) -> float:
    return float(re.sub(r"[≈()+]", "", text).replace("−", "-"))


def test_the_dot_products_shown_add_up_to_what_the_gates_see(traced: Any, zh: Tagger) -> None:
    page, trace = traced(TEXT, zh), zh.trace(TEXT)
    page.key("token-3").click()
    arrow, unit = re.match(r"Unit ([→←]) (\d+)", page.text("#unit h2")).groups()  # type: ignore[union-attr]
    one = trace.layers[-1].forward if arrow == "→" else trace.layers[-1].reverse
    for letter in "figo":
        line = page.page.locator(f'.line[data-letter="{letter}"]')
        terms = [number(text) for text in line.locator(".terms b").all_text_contents()]
        pre, value = (number(text.removeprefix("= ")) for text in line.locator(".numbers b").all_text_contents())
        assert sum(terms) == pytest.approx(pre, abs=5e-4)
        assert pre == pytest.approx(getattr(one, f"pre_{letter}")[3, int(unit)], abs=6e-5)
        assert value == pytest.approx(getattr(one, letter)[3, int(unit)], abs=6e-5)
        products = [
            text.split("·") for text in line.locator(".terms li > span:nth-child(2)").all_text_contents() if text
        ]
        assert [number(a) * number(b) for a, b in products] == pytest.approx(terms[: len(products)], abs=2e-4)
        sizes = [abs(term) for term in terms[: len(products)]]
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("asks", ["score", "lead", "cell"])
def test_the_shares_shown_add_up_to_the_value_shown(traced: Any, zh: Tagger, asks: str) -> None:
    page = traced(TEXT, zh)
    page.key("token-2").click()
    page.key(f"asks-{asks}").click()
    total = number(page.text(".sum > b").split(" = ")[1])
    assert sum(number(text) for text in page.texts(".share b")) == pytest.approx(total, abs=5e-3)
    trace = zh.trace(TEXT)
    if asks == "score":
        tag = trace.labels.index(trace.tags[2])
        assert total == pytest.approx(trace.emissions[2, tag], abs=6e-4)
        beside = sum(number(text) for text in page.texts("svg .share-number"))
        assert beside + trace.emission_bias[tag] == pytest.approx(total, abs=5e-3)


def test_why_the_tag_is_not_the_highest_emission(traced: Any, zh: Tagger) -> None:
    text = "小明住在北京，他喜欢读书。"
    trace = zh.trace(text)
    page = traced(text, zh)
    [first] = [trace.labels[tag] for tag in [trace.emissions[0].argmax()]]
    assert (trace.tags[0], first) == ("B-PROPN", "S-PART")
    assert page.text(".decisions .why").startswith(
        "At 小, the emissions alone would say S-PART (5.518, against 4.868 for"
    )
    assert "But E-PROPN may not follow S-PART." in page.text(".decisions .why")
    page.key("token-4").click()
    assert page.text(".decisions .why").startswith("At 北, B-PROPN has the highest emission of all tags")


def test_the_paths_are_the_most_probable_ones(traced: Any, zh: Tagger) -> None:
    page = traced(TEXT, zh)
    chances = [float(text.strip("%<>")) / 100 for text in page.texts(".path b")]
    assert chances == pytest.approx([one.path_probability for one in zh.n_best(TEXT, 5)], abs=1e-3)
    assert page.page.locator("svg .move.second").count() == 0
    page.key("way-1").click()
    assert page.focused() == "way-1"
    assert page.page.locator("svg .move.second").count() == len(TEXT) - 1


# what if


def test_a_forced_tag_is_what_constraints_say(traced: Any, zh: Tagger) -> None:
    page = traced(TEXT, zh)
    page.key("token-3").click()
    page.key("force-other").select_option(label="S-ADP")
    tagged = zh.tag(TEXT, constraints={"tags": [{"start": 3, "end": 4, "tag": "S-ADP"}]})
    assert page.texts(".token-card .tag") == list(tagged.tags or ())
    assert tagged.tags is not None and tagged.tags[3] == "S-ADP"  # noqa: PT018
    shown = [float(text.strip("%<>")) for text in page.texts(".token-card small")]
    assert shown == pytest.approx([100 * score for score in tagged.scores or ()], abs=0.11)
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


# what is left out


@pytest.mark.parametrize(("left_out", "seen"), [("weights", ["overview", "unit", "memory"]), ("values", ["overview"])])
def test_what_does_not_fit_is_left_out_and_said(
    traced: Any, taggers: dict[str, Tagger], monkeypatch: pytest.MonkeyPatch, left_out: str, seen: list[str]
) -> None:
    """A model of two layers: the last layer's values are smaller than all weights."""
    tagger = taggers["v1-segmentation"]
    trace = tagger.trace("小明")
    sizes = [packed_size(trace_document(trace, most=most)) for most in (10**9, 0)]
    most = next(size for size in range(sizes[1], sizes[0]) if left_out_at(trace, size) == left_out)
    home = sys.modules["gatewise.explain.trace_page"]  # the package has the function of that name
    monkeypatch.setattr(home, "shown_trace", partial(shown_trace, most=most))
    page = traced("小明", "v1-segmentation")
    assert "are left out" in page.text(".intro .note")
    assert [name for name in ("unit", "memory") if page.page.locator(f"#{name}").is_visible()] == seen[1:]
    assert page.texts(".token-card .tag") == list(trace.tags)
    assert not page.page.locator("#unit .columns").is_visible()
    assert page.key("leave-out").is_disabled()
    if left_out == "weights":
        assert "The last layer is shown." in page.text(".heat-controls")
        tag = trace.labels.index(trace.tags[0])
        total = number(page.text(".sum > b").split(" = ")[1])
        assert total == pytest.approx(trace.emissions[0, tag], abs=6e-4)
    page.key("force-other").select_option(label=next(tag for tag in trace.labels if tag[0] == "S" != trace.tags[0]))
    assert page.page.locator(".what-if").is_visible()


def test_a_model_of_whole_numbers_is_packed_as_it_is_stored(taggers: dict[str, Tagger]) -> None:
    """A byte for a weight of the layers, so that a model of 8 bits takes a quarter of the same in float32."""
    content = trace_document(taggers["v1-integers"].trace(TEXT))
    matrix = content["layers"][0]["forward"]["weight_hh"]
    rows, columns = matrix["shape"]
    assert (matrix["stored"], len(b64decode(matrix["base64"]))) == ("int8", rows * columns)
    assert matrix["step"]["shape"] == [rows]
    half = trace_document(taggers["v1-half-heads"].trace(TEXT))
    assert half["layers"][0]["forward"]["weight_hh"]["stored"] == half["emission_weight"]["stored"] == "float16"


@pytest.mark.parametrize("change", ["gone", "another"])
def test_a_model_whose_files_changed_shows_what_python_computed(stored: Path, tmp_path: Path, change: str) -> None:
    shutil.copytree(stored / "v1-spans", tmp_path / "model")
    trace = gatewise.load(tmp_path / "model").trace(TEXT)
    weights = tmp_path / "model" / "model.safetensors"
    weights.unlink()
    if change == "another":
        shutil.copy(stored / "v1-segmentation" / "model.safetensors", weights)
    content = trace_document(trace)
    assert (content["left_out"], content["layers"]) == ("files", None)
    assert content["values"]["forward"]["h"]["shape"] == list(trace.layers[-1].forward.h.shape)


def left_out_at(trace: Trace, most: int) -> str:
    return str(trace_document(trace, most=most)["left_out"])


# mouse, keyboard, sizes


def test_the_strips_tell_their_numbers_to_mouse_and_keyboard(traced: Any, zh: Tagger) -> None:
    page, trace = traced(TEXT, zh), zh.trace(TEXT)
    page.key("sort-number").click()
    page.key("lane-forward").hover(position={"x": 76 * 2 + 4 + 17 * 1 + 5, "y": 16 + 13 * 3 + 5})
    shown = re.fullmatch(r"→ unit (\d+) at 3 住: f = (\S+)", page.text(".told"))
    assert shown is not None
    assert int(shown[1]) == 3
    assert number(shown[2]) == pytest.approx(trace.layers[0].forward.f[2, 3], abs=6e-4)  # type: ignore[union-attr]
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
