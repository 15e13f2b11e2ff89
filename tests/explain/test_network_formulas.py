"""Every formula on the screen, evaluated from the operands on the screen, gives the result on the screen."""

from __future__ import annotations

import math
import re
from itertools import product
from pathlib import Path

import pytest

from gatewise.explain import network_text, render_text
from gatewise.network import EXAMPLES, parse_network, read_network

NUMBER = r"≈?-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
OPERAND = rf"(?:(?:σ|tanh|step|阶跃)\({NUMBER}\)|\({NUMBER}\)|{NUMBER})"
FORMULA = re.compile(rf"({OPERAND}(?:(?:·| \+ ){OPERAND})*) ([=≈]) ({NUMBER})(?![\d·])")
FUNCTIONS = {
    "σ": lambda z: 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z)),
    "tanh": math.tanh,
    "step": lambda z: float(z > 0),
    "阶跃": lambda z: float(z > 0),
}
RUNS = [("article", "step"), ("article", "sigmoid"), ("bilstm", "step"), ("bilstm", "sigmoid"), ("rnn", None)]

ODD = (Path(__file__).parents[1] / "data" / "odd.toml").read_text(encoding="utf-8")


def interval(shown: str) -> tuple[float, float]:
    """The numbers that are shown like this: whole ones are exact, others half a last digit more or less."""
    number = shown.strip("()")
    value = float(number.removeprefix("≈"))
    if "e" in number:
        return tuple(sorted((value - abs(value) * 0.051, value + abs(value) * 0.051)))
    slack = 5.000001e-5 if number.startswith("≈") or "." in number else 0.0
    return value - slack, value + slack


def operand(shown: str) -> tuple[float, float]:
    if called := re.fullmatch(r"(σ|tanh|step|阶跃)\((.*)\)", shown):
        low, high = (FUNCTIONS[called[1]](edge) for edge in interval(called[2]))  # all of them rise
        return low, high
    return interval(shown)


def evaluate(expression: str) -> tuple[float, float]:
    total = [0.0, 0.0]
    for term in expression.split(" + "):
        low, high = 1.0, 1.0
        for factor in term.split("·"):
            edges = [a * b for a, b in product((low, high), operand(factor))]
            low, high = min(edges), max(edges)
        total = [total[0] + low, total[1] + high]
    return total[0], total[1]


def formulas(text: str) -> list[tuple[str, str, str]]:
    """Expression, sign and result; a formula that wraps is put together again first."""
    return FORMULA.findall(re.sub(r"\s+", " ", text).replace("(z) = 1/(1 + exp(-z))", ""))


def check(text: str) -> int:
    found = formulas(text)
    for expression, sign, result in found:
        low, high = evaluate(expression)
        below, above = interval(f"≈{result}" if sign == "≈" else result)
        noise = 1e-12 * max(1.0, abs(low), abs(high))
        assert low - noise <= above, (expression, sign, result)
        assert below <= high + noise, (expression, sign, result)
    return len(found)


def odd_run(gate: str, output: str):
    return parse_network(
        ODD.replace('"sigmoid"', f'"{gate}"').replace('"tanh"', f'"{output}"').encode(), "odd.toml"
    ).run()


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "gates"), RUNS)
def test_every_formula_gives_its_result(name, gates, lang, width):
    run = read_network(name).run(gates=gates)
    found = check(render_text(network_text(run, lang=lang), width=width))
    linear = sum(len(units) for d in run.directions for step in d.steps for units in step.linear.values())
    memory = sum(2 * len(step.c) for d in run.directions for step in d.steps)
    activated = linear if name != "article" else 3 * len(run.tokens)
    assert found >= linear + memory + activated


@pytest.mark.parametrize("output", ["tanh", "identity"])
@pytest.mark.parametrize("gate", ["sigmoid", "step"])
def test_odd_numbers_too(gate, output):
    assert check(render_text(network_text(odd_run(gate, output)), width=80)) > 4 * 2 * 8


def test_the_check_notices_a_wrong_number():
    text = render_text(network_text(odd_run("sigmoid", "tanh")), width=1000)
    expression, sign, result = next(row for row in formulas(text) if " + " in row[0] and "." in row[2])
    wrong = f"{float(result) + 0.3:.4f}"
    with pytest.raises(AssertionError):
        check(f"{expression} {sign} {wrong}")


@pytest.mark.parametrize("name", EXAMPLES)
def test_narrow_and_wide_show_the_same_formulas(name):
    run = read_network(name).run()
    narrow, wide = (formulas(render_text(network_text(run), width=width)) for width in (60, 300))
    assert narrow == wide
