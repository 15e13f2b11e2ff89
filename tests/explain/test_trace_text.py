"""What the terminal says of a trained model: every number and formula shown, held against the trace."""

import json
import math
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

import gatewise
from gatewise.explain import render_text, trace_json, trace_text
from gatewise.runtime import Trace, read_trace

TEXT = "自从2004年提出了兴建人文大楼的构想"


@pytest.fixture(scope="module")
def trace() -> Trace:
    return gatewise.load("zh").trace(TEXT)


def unit_rows(text: str) -> list[list[float]]:
    """The rows of the last table: unit, i, f, g, o, c, h, w, w·h."""
    rows = re.findall(r"^ *[→←] (\d+((?: +-?\d+\.\d{3}){8}))$", text, flags=re.MULTILINE)
    return [[float(number) for number in row[1].split()] for row in rows]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 200])
def test_every_formula_shown_evaluates_to_the_result_shown(trace: Trace, lang: str, width: int) -> None:
    rows = unit_rows(render_text(trace_text(trace, lang=lang), width=width))
    assert len(rows) == 3 * len(trace)
    for i, f, g, o, c, h, w, contribution in rows:
        assert all(0 <= gate <= 1 for gate in (i, f, o))
        assert -1 <= g <= 1
        half = 0.0005 + 1e-9  # what the three decimals leave open, in each operand
        assert abs(h - o * math.tanh(c)) <= half * (1 + abs(o) + 1)
        assert abs(contribution - w * h) <= half * (1 + abs(w) + abs(h)) + half**2


def test_the_check_of_formulas_can_fail(trace: Trace) -> None:
    rows = unit_rows(render_text(trace_text(trace, lang="en"), width=80))
    swapped = [abs(h - i * math.tanh(c)) for i, _, _, _, c, h, _, _ in rows]  # the input gate in place of the output
    assert max(swapped) > 0.01


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tags_chances_and_gates_are_those_of_the_trace(trace: Trace, lang: str) -> None:
    text = render_text(trace_text(trace, lang=lang), width=80)
    for number, (token, reading) in enumerate(zip(trace.sentence, read_trace(trace), strict=True), start=1):
        gates = [f"{getattr(one, gate):.2f}" for one in reading.openness.values() for gate in "ifo"]
        shown = rf"^ *{number} +{token.text} +{reading.tag} +\S+ +{reading.rival} +\S+ +" + " +".join(gates)
        assert re.search(shown, text, flags=re.MULTILINE), (number, token.text)
    for span in trace.sentence.spans:
        assert f"{span.text} {span.label} {100 * span.score:.1f}%" in " ".join(text.split()).replace(">99.9%", "100.0%")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_cut_and_nothing_is_wider_than_the_terminal(trace: Trace, lang: str) -> None:
    for width in (80, 200):
        text = render_text(trace_text(trace, lang=lang), width=width)
        assert "…" not in text
        assert max(map(cell_len, text.splitlines())) <= width


def test_chinese_speaks_chinese_only(trace: Trace) -> None:
    text = render_text(trace_text(trace, lang="zh"), width=80)
    words = set(re.findall(r"[A-Za-z]{3,}", text))
    labels = {part for label in trace.labels for part in label.split("-")}
    assert words - labels - {trace.model} <= {"BIOES", "BiLSTM", "CRF", "float", "tanh"}


def test_no_colors_off_a_terminal(trace: Trace) -> None:
    assert "\x1b" not in render_text(trace_text(trace), width=80)
    assert "\x1b[" in render_text(trace_text(trace), width=80, color=True)


def test_an_empty_text() -> None:
    shown = render_text(trace_text(gatewise.load("zh").trace("")), width=80)
    assert "nothing to compute" in shown


def test_a_fast_path_that_differs_is_told(trace: Trace) -> None:
    other = replace(trace, fast_tags=("S-X", *trace.fast_tags[1:]))
    shown = " ".join(render_text(trace_text(other), width=80).split())
    assert f"graph chose other tags than the equations in float64 do here: {' '.join(other.fast_tags)}" in shown
    assert "chose the same tags" not in shown


def test_json_keeps_the_contract(trace: Trace) -> None:
    content = trace_json(trace)
    for key in ("model", "text", "tokens", "layers", "emissions", "transitions", "start_transitions"):
        assert key in content
    for key in ("end_transitions", "tags", "marginals", "spans"):
        assert key in content
    time, tags = len(trace), len(trace.labels)
    forward = content["layers"][0]["forward"]
    for name in ("i", "f", "g", "o", "c", "h"):
        assert (len(forward[name]), len(forward[name][0])) == (time, 128)
    assert (len(content["emissions"]), len(content["marginals"][0])) == (time, tags)
    assert content["text"] == TEXT
    assert [content["text"][token["start"] : token["end"]] for token in content["tokens"]] == list(TEXT)
    for span in content["spans"]:
        assert content["text"][span["start"] : span["end"]] == span["text"]
        assert 0 < span["score"] <= 1
    forbidden = content["transitions"][trace.labels.index("B-NOUN")][trace.labels.index("B-VERB")]
    assert forbidden is None
    assert json.loads(json.dumps(content, allow_nan=False)) == content
