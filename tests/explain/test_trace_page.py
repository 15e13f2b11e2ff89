"""The page of a trained model, used as a person would: in a real browser, with mouse and keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gatewise
from gatewise.crf import forward_backward, n_best
from gatewise.explain import trace_page
from gatewise.explain.network_page import page_words
from gatewise.explain.web_page import WEB, modules_of, read_json
from gatewise.runtime import Tagger

TEXT = "小明住在北京。"
HOSTILE = "</script><img src=x onerror=alert(1)> __proto__ <b>7</b>"


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


def test_the_dot_products_shown_add_up_to_what_the_gates_see(traced: Any, zh: Tagger) -> None:
    page, trace = traced(TEXT, zh), zh.trace(TEXT)
    page.key("token-3").click()
    arrow, unit = re.match(r"Unit ([→←]) (\d+)", page.text("#unit h2")).groups()  # type: ignore[union-attr]
    one = trace.layers[-1].forward if arrow == "→" else trace.layers[-1].reverse
    for letter in "figo":
        line = page.page.locator(f'.line[data-letter="{letter}"]')
        terms = [page.number(text) for text in line.locator(".terms b").all_text_contents()]
        pre, value = (page.number(text.removeprefix("= ")) for text in line.locator(".numbers b").all_text_contents())
        assert sum(terms) == pytest.approx(pre, abs=5e-4)
        assert pre == pytest.approx(getattr(one, f"pre_{letter}")[3, int(unit)], abs=6e-5)
        assert value == pytest.approx(getattr(one, letter)[3, int(unit)], abs=6e-5)
        products = [
            text.split("·") for text in line.locator(".terms li > span:nth-child(2)").all_text_contents() if text
        ]
        assert [page.number(a) * page.number(b) for a, b in products] == pytest.approx(terms[: len(products)], abs=2e-4)
        sizes = [abs(term) for term in terms[: len(products)]]
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("asks", ["score", "lead", "cell"])
def test_the_shares_shown_add_up_to_the_value_shown(traced: Any, zh: Tagger, asks: str) -> None:
    page = traced(TEXT, zh)
    page.key("token-2").click()
    page.key(f"asks-{asks}").click()
    total = page.number(page.text(".sum > b").split(" = ")[1])
    assert sum(page.number(text) for text in page.texts(".share b")) == pytest.approx(total, abs=5e-3)
    trace = zh.trace(TEXT)
    if asks == "score":
        tag = trace.labels.index(trace.tags[2])
        assert total == pytest.approx(trace.emissions[2, tag], abs=6e-4)
        beside = sum(page.number(text) for text in page.texts("svg .share-number"))
        assert beside + trace.emission_bias[tag] == pytest.approx(total, abs=5e-3)


def test_why_the_tag_is_not_the_highest_emission(traced: Any, zh: Tagger) -> None:
    text = "李白是唐代诗人。"
    trace = zh.trace(text)
    page = traced(text, zh)
    alone = trace.labels[trace.emissions[3].argmax()]
    assert (trace.tags[3:5], alone) == (("B-PROPN", "E-PROPN"), "S-PROPN")
    highest, taken = trace.emissions[3].max(), trace.emissions[3, trace.labels.index("B-PROPN")]
    page.key("token-3").click()
    assert page.text(".decisions .why").startswith(
        f"At 唐, the emissions alone would say S-PROPN ({highest:.3f}, against {taken:.3f} for"
    )
    assert "But E-PROPN may not follow S-PROPN." in page.text(".decisions .why")
    page.key("token-0").click()
    assert page.text(".decisions .why").startswith("At 李, S-PROPN has the highest emission of all tags")


def path_chances(tagger: Tagger, text: str, count: int) -> list[float]:
    """The probabilities of the best paths by the equations; those of `n_best` are by the graph, which rounds states."""
    sure, emissions = tagger.crf_scores.scaled(1 / tagger.temperature), tagger.trace(text).emissions
    wide = emissions / tagger.temperature
    whole = forward_backward(wide[:, None], np.array([len(wide)]), sure).log_partition[0]
    return [float(chance) for chance in np.exp(n_best(wide, sure, count).scores - whole)]


def test_the_paths_are_the_most_probable_ones(traced: Any, zh: Tagger) -> None:
    page = traced(TEXT, zh)
    chances = [float(text.strip("%<>")) / 100 for text in page.texts(".path b")]
    assert chances == pytest.approx(path_chances(zh, TEXT, 5), abs=5.1e-4)  # the page shows a tenth of a hundredth
    assert page.page.locator("svg .move.second").count() == 0
    page.key("way-1").click()
    assert page.focused() == "way-1"
    assert page.page.locator("svg .move.second").count() == len(TEXT) - 1
