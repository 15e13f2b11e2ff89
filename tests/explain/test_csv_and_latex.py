"""CSV and LaTeX: every number of the JSON contracts is in the CSV, and every LaTeX formula gives its result."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gatewise.explain import network_csv, network_json, network_latex, trace_csv, trace_json, trace_latex
from gatewise.explain.latex_text import latex_text
from gatewise.network import EXAMPLES, parse_network, read_network
from gatewise.runtime import Tagger

HOSTILE = r"50% & $x_1$ #{~^\} <b>"
RUNS = [("article", "step"), ("article", "sigmoid"), ("bilstm", "step"), ("bilstm", "sigmoid"), ("rnn", None)]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def flat(value: Any) -> Iterator[float]:
    if isinstance(value, list):
        for entry in value:
            yield from flat(entry)
    else:
        yield value


@pytest.mark.parametrize(("name", "gates"), RUNS)
def test_csv_has_every_number_of_a_network(name: str, gates: str | None) -> None:
    run = read_network(name).run(gates=gates)
    content, table = network_json(run), rows(network_csv(run))
    layers = content.get("layers") or [{"forward": content["steps"]}]
    expected = {}
    for number, layer in enumerate(layers, start=1):
        for direction, steps in layer.items():
            for step in steps:
                for key, value in step.items():
                    if key in ("t", "token", "tag"):
                        continue
                    parts = (
                        {f"{key}_pre": value["pre"], key: value["value"]} if isinstance(value, dict) else {key: value}
                    )
                    for quantity, numbers in parts.items():
                        for unit, entry in enumerate(numbers, start=1):
                            expected[str(number), direction, str(step["t"]), step["token"], quantity, str(unit)] = entry
    columns = ("layer", "direction", "t", "token", "quantity", "unit")
    found = {tuple(row[column] for column in columns): row["value"] for row in table if row["layer"]}
    assert {key: float(value) for key, value in found.items()} == expected
    assert [float(row["value"]) for row in table if row["quantity"] == "output"] == list(flat(content["outputs"]))
    assert [row["value"] for row in table if row["quantity"] == "tag"] == [tag for tag in content["tags"] if tag]


@pytest.mark.parametrize("name", ["v1-spans", "v1-softmax-rnn"])
def test_csv_has_every_number_of_a_trace(taggers: dict[str, Tagger], name: str) -> None:
    trace = taggers[name].trace("小明住在北京。")
    content, table = trace_json(trace), rows(trace_csv(trace))

    def column(quantity: str, layer: str = "", direction: str = "") -> list[float]:
        wanted = (quantity, layer, direction)
        return [float(row["value"]) for row in table if (row["quantity"], row["layer"], row["direction"]) == wanted]

    count = 0
    for number, layer in enumerate(content["layers"], start=1):
        for direction, part in layer.items():
            named = (
                {**part, **{f"{gate}_pre": value for gate, value in part.get("pre", {}).items()}}
                if "i" in part
                else part
            )
            for quantity, values in named.items():
                if quantity != "pre" or isinstance(values, list):
                    assert column(quantity, str(number), direction) == list(flat(values)), quantity
                    count += len(column(quantity, str(number), direction))
    assert count > 0
    for quantity, key in (("x", "x"), ("emission", "emissions"), ("probability", "marginals"), ("score", "scores")):
        assert column(quantity) == list(flat(content[key])), quantity
    forbidden = [-math.inf if value is None else value for value in flat(content["transitions"])]
    assert column("transition") == forbidden
    assert [row["value"] for row in table if row["quantity"] == "tag"] == content["tags"]
    spans = [(row["token"], row["unit"], float(row["value"])) for row in table if row["quantity"] == "span"]
    assert spans == [(span["text"], span["label"] or "", span["score"]) for span in content["spans"]]


def test_texts_in_csv_come_back() -> None:
    toml = 'kind="neuron"\nsentence=["a,\\"b\\"\\n"]\nvectors={"a,\\"b\\"\\n"=[1]}\nlayers=[{forward={x=[[0.1]]}}]\n'
    table = rows(network_csv(parse_network(toml.encode(), "n.toml").run()))
    assert {row["token"] for row in table} == {'a,"b"\n'}
    assert [float(row["value"]) for row in table if row["quantity"] == "h"] == [math.tanh(0.1)]


NUMBER = r"-?\d+(?:\.\d+)?"
FUNCTIONS = {r"\sigma": lambda z: 1 / (1 + math.exp(-z)), r"\operatorname{step}": lambda z: z > 0, r"\tanh": math.tanh}


def evaluated(expression: str) -> float:
    """A sum of products, from LaTeX, by other means than those that wrote it."""
    plain = expression.replace(r"{\approx}", "").replace(r"\cdot 10^", "e").replace("{", "").replace("}", "")
    plain = plain.replace(r"\tanh", "tanh").replace(r"\cdot", "*").replace(r"\sigma", "sigma")
    plain = plain.replace(r"\operatornamestep", "step")
    names = {"tanh": math.tanh, "sigma": FUNCTIONS[r"\sigma"], "step": FUNCTIONS[r"\operatorname{step}"]}
    return float(eval(plain, {"__builtins__": {}}, names))


@pytest.mark.parametrize(("name", "gates"), RUNS)
def test_latex_formulas_give_their_results(name: str, gates: str | None) -> None:
    text = network_latex(read_network(name).run(gates=gates))
    checked = 0
    for line in re.findall(r"^.* &= .*$", text, flags=re.MULTILINE):
        for part in line.removesuffix(r" \\").split("&&"):
            formula = part.split("&= ")[-1]
            left, sign, right = re.split(r" (=|\\approx) ", formula)[:3]
            assert evaluated(left) == pytest.approx(evaluated(right), abs=2e-3), line
            assert sign in ("=", r"\approx")
            checked += 1
    assert checked >= 16
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert text.count(r"\begin{tabular}") == (3 if name == "bilstm" else 1)


def test_latex_of_the_article_in_chinese() -> None:
    text = network_latex(read_network("article").run(), lang="zh")
    assert r"4 & 明 & $1, 0, -1, 0$ & $0 \to 0$ & $-100 \to 0$ & $1$ & $100 \to 1$ & $0$ & $0$ & 名词 \\" in text
    assert r"f &= 0 \cdot 1 + 100 \cdot 0 + 0 \cdot (-1) + 10 \cdot 0 = 0 && \operatorname{step}(0) = 0 \\" in text
    assert r"\paragraph{第 4 步 · 明}" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["v1-spans", "v1-softmax-rnn"])
def test_latex_of_a_trace(taggers: dict[str, Tagger], name: str, lang: Any) -> None:
    trace = taggers[name].trace("小明住在北京。")
    text = trace_latex(trace, lang=lang)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == len(trace) + 1 + (name == "v1-spans")
    for tag in trace.tags:
        assert latex_text(tag) in text
    for line in text.splitlines():
        assert len(re.findall(r"(?<!\\)\$", line)) % 2 == 0, line
    for block in re.findall(r"\\begin{tabular}{(\w+)}(.*?)\\end{tabular}", text, flags=re.DOTALL):
        lines = [line for line in block[1].splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines} == {len(block[0])}


def test_any_text_is_safe_in_latex() -> None:
    assert latex_text(HOSTILE) == (
        r"50\% \& \$x\_1\$ \#\{\textasciitilde{}\textasciicircum{}\textbackslash{}\} \textless{}b\textgreater{}"
    )
    assert latex_text("a\nb\x7f") == "a b "


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_command_writes_them(gatewise_command: Any, name: str) -> None:
    run = read_network(name).run()
    assert gatewise_command("explain", "--network", name, "--format", "csv").out == network_csv(run)
    assert gatewise_command("explain", "--network", name, "--format", "latex", "--lang", "zh").out == network_latex(
        run, lang="zh"
    )
    assert json.loads(gatewise_command("explain", "--network", name, "--format", "json").out) == network_json(run)


def test_the_command_writes_those_of_a_model(gatewise_command: Any, taggers: dict[str, Tagger], stored: Any) -> None:
    trace = taggers["v1-spans"].trace("北京。")
    arguments = ("explain", "-m", stored / "v1-spans", "北京。", "--format")
    assert gatewise_command(*arguments, "csv").out == trace_csv(trace)
    assert gatewise_command(*arguments, "latex").out == trace_latex(trace)
