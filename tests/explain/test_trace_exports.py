"""What can be taken away from the page of a trained model: the same JSON, CSV and LaTeX as Python's, and pictures."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gatewise.explain import trace_csv, trace_json, trace_latex
from gatewise.explain.trace_page import shown_trace, trace_data
from gatewise.explain.web_page import import_map
from gatewise.runtime import Tagger, Trace

TEXT = "小明住在北京。"
RECORDS = """async ([shown, lang, changes]) => {
  const words = await import("gatewise/words.js"), { compute, readModel } = await import("gatewise/tagging.js");
  const { traceCsv, traceJson } = await import("gatewise/trace_records.js"), { traceLatex } = await import("gatewise/trace_latex.js");
  words.load({ words: shown.words, lang });
  const model = readModel(shown.trace), all = { order: model.tokens.map((_, n) => n), holds: [], forced: [], forbidden: [], ...changes }, result = compute(model, all);
  return [JSON.stringify(traceJson(model, all, result)), traceCsv(model, all, result), traceLatex(model, result)];
}"""  # fmt: skip  # noqa: E501


@pytest.fixture(scope="module")
def records(browser: Any) -> Any:
    """JSON, CSV and LaTeX as the page's modules write them."""
    page = browser.new_page()
    content = json.dumps({"imports": import_map()})
    page.set_content(f'<title>exports</title><script type="importmap">{content}</script>')
    yield lambda trace, lang="en", **changes: page.evaluate(RECORDS, [trace_data(trace), lang, changes])
    page.close()


def apart(found: Any, expected: Any, place: str = "") -> list[str]:
    """Where two contents of JSON differ, numbers by more than 1e-9 of magnitudes from 1 on."""
    if isinstance(expected, dict):
        keys = [] if list(found) == list(expected) else [f"{place}: {list(found)}"]
        return keys + [
            one for key in expected if key in found for one in apart(found[key], expected[key], f"{place}.{key}")
        ]
    if isinstance(expected, list):
        if len(found) != len(expected):
            return [place]
        return [
            one for n, pair in enumerate(zip(found, expected, strict=True)) for one in apart(*pair, f"{place}[{n}]")
        ]
    if isinstance(expected, float) and isinstance(found, int | float):
        return [] if math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9) else [place]
    return [] if found == expected and type(found) is type(expected) else [place]


def same_rows(found: str, expected: str) -> bool:
    rows, others = (list(csv.reader(io.StringIO(text))) for text in (found, expected))
    if [row[:-1] for row in rows] != [row[:-1] for row in others]:
        return False
    pairs = [(row[-1], other[-1]) for row, other in zip(rows[1:], others[1:], strict=True)]
    return all(a == b or math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9) for a, b in pairs)


MODELS = ("v1-spans", "v1-segmentation", "v1-softmax-rnn", "v1-tags", "v1-calibrated", "v1-half-heads", "v1-integers")


@pytest.mark.parametrize("model", MODELS)
def test_json_csv_and_latex_are_those_of_the_command(records: Any, taggers: dict[str, Tagger], model: str) -> None:
    trace = taggers[model].trace("She saw 小明 ，42 北京_%&\"'")
    for lang in ("en", "zh"):
        found, table, latex = records(trace, lang)
        assert apart(json.loads(found), trace_json(trace)) == []
        assert same_rows(table, trace_csv(trace))
        assert latex == trace_latex(trace, lang=lang)  # type: ignore[arg-type]


@pytest.mark.torch
def test_every_number_of_random_taggers(records: Any, models: list[tuple[Tagger, Trace]]) -> None:
    for _, trace in models:
        found, table, latex = records(trace)
        assert apart(json.loads(found), trace_json(trace)) == [], trace.model
        assert same_rows(table, trace_csv(trace)), trace.model
        assert latex == trace_latex(trace), trace.model
    assert {trace.scheme for _, trace in models if trace.sentence.spans} == {"BIO", "BIOES"}


def test_what_was_changed_stands_in_the_json(records: Any, taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    other = next(n for n, tag in enumerate(tagger.labels) if tag != tagger.trace(TEXT).tags[1])
    order = [0, 1, 1, 4]
    found = json.loads(records(tagger.trace(TEXT), order=order, forbidden=[{"t": 1, "tag": other}])[0])
    assert (found["text"], found["fast_tags"]) == ("小明明北", [])
    assert found["tokens"][3] == {"text": "北", "start": 3, "end": 4}
    assert found["changes"] == {
        "order": order,
        "holds": [],
        "forced": [],
        "forbidden": [{"t": 1, "tag": tagger.labels[other]}],
    }
    assert found["marginals"][1][other] == 0
    assert all(found["text"][one["start"] : one["end"]] == one["text"] for one in found["spans"])


def test_a_forced_tag_gives_the_spans_of_constraints(records: Any, taggers: dict[str, Tagger]) -> None:
    """With a model in float32, whose graph gives what the equations give."""
    tagger = taggers["v1-segmentation"]
    trace = tagger.trace(TEXT)
    single = next(label for label in tagger.labels if label.startswith("S-") and label != trace.tags[3])
    found = json.loads(records(trace, forced=[{"t": 3, "tag": tagger.labels.index(single)}])[0])
    tagged = tagger.tag(TEXT, constraints={"tags": [{"start": 3, "end": 4, "tag": single}]})
    assert [(one["text"], one["label"]) for one in found["spans"]] == [(one.text, one.label) for one in tagged.spans]
    assert [one["score"] for one in found["spans"]] == pytest.approx([one.score for one in tagged.spans], abs=1e-4)


def test_the_menu_saves_what_the_page_shows(traced: Any, taggers: dict[str, Tagger]) -> None:
    page, trace = traced(TEXT, "v1-spans", lang="zh"), taggers["v1-spans"].trace(TEXT)
    assert apart(json.loads(page.saved("JSON")), trace_json(trace)) == []
    assert same_rows(page.saved("CSV"), trace_csv(trace))
    assert page.saved("LaTeX") == trace_latex(trace, lang="zh")
    pictures = {"网格": 7, "账本": 7, "单元的曲线": 7}
    for name, tokens in pictures.items():
        drawn = ElementTree.fromstring(page.saved(f"SVG {name}"))
        texts = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
        assert sum(text in TEXT for text in texts if text and len(text) == 1 and text not in "ifgoch") == tokens, name
    assert "矩阵" in page.text(".menu")
    assert "<script" not in page.saved("SVG 单元内部")


@pytest.mark.parametrize("kind", ["PNG lattice", "PNG strips →"])
def test_pictures_as_points(traced: Any, kind: str) -> None:
    page = traced(TEXT)
    page.key("export").click()
    with page.page.expect_download() as waiting:
        page.key(f"export-{kind}").click()
    content = Path(waiting.value.path()).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    assert width > 500
    assert height > 50


def test_without_weights_there_are_pictures_alone(traced: Any, taggers: dict[str, Tagger], monkeypatch: Any) -> None:
    monkeypatch.setattr(sys.modules["gatewise.explain.trace_page"], "shown_trace", partial(shown_trace, most=0))
    page = traced(TEXT)
    page.key("export").click()
    assert {text.split()[0][:3] for text in page.texts(".menu b")} == {"SVG", "PNG"}
