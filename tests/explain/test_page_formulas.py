"""Every formula that the page shows, evaluated from the numbers that it shows, gives the result that it shows."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

ODD = (Path(__file__).parents[1] / "data" / "odd.toml").read_bytes()
FUNCTIONS = {"σ": lambda z: (1 + math.tanh(z / 2)) / 2, "tanh": math.tanh, "step": lambda z: float(z > 0)}
HALF = 5.1e-5  # of the last digit shown


def evaluated(text: str) -> float:
    """A sum of products, or the product of two vectors and a bias."""
    vectors = re.fullmatch(r"\[(.*?)\]·\[(.*?)\](.*)", text)
    if vectors:
        left, right = ([float(entry) for entry in vectors[n].split(", ")] for n in (1, 2))
        return sum(a * b for a, b in zip(left, right, strict=True)) + (evaluated(f"0{vectors[3]}") if vectors[3] else 0)
    return float(eval(text.replace("·", "*"), {"__builtins__": {}}, {"tanh": math.tanh}))


def check(line: str) -> None:
    plain = re.sub(r"\s+", " ", line).strip().replace("−", "-").replace("≈ ", "= ").replace("≈", "")
    formula, *activated = plain.split(" → ")
    parts = formula.split(" = ")
    assert len(parts) >= 2, line
    result = float(parts[-1])
    size = sum(abs(float(number)) for number in re.findall(r"\d+\.?\d*(?:e-?\d+)?", parts[0]))
    for part in parts[:-1]:
        assert evaluated(part) == pytest.approx(result, abs=HALF * (2 + 2 * size)), line
    if activated:
        assert FUNCTIONS[activated[0]](result) == pytest.approx(float(activated[1]), abs=2 * HALF), line


@pytest.mark.parametrize("network", [ODD, "article", "bilstm", "rnn"], ids=["odd", "article", "bilstm", "rnn"])
def test_formulas_evaluate_to_their_results(opened: Any, network: Any) -> None:
    page = opened(network)
    checked = 0
    for gates in ("step", "sigmoid"):
        if page.key(f"gates-{gates}").is_visible():
            page.key(f"gates-{gates}").click()
        page.press("Home")
        for _ in range(4):
            for unit in range(page.key("unit").locator("option").count() or 1):
                if page.key("unit").count():
                    page.key("unit").select_option(str(unit))
                for line in page.texts(".numbers"):
                    check(line)
                    checked += 1
            page.page.locator("h1").click()
            page.press("ArrowRight")
    assert checked >= 16


def test_a_long_sum_shows_its_largest_terms(opened: Any) -> None:
    vector = [round(math.sin(n) * 2, 3) for n in range(30)]
    weights = [round(math.cos(3 * n), 3) for n in range(30)]
    toml = (
        f'kind="neuron"\nsentence=["a"]\nvectors={{a={vector}}}\nlayers=[{{forward={{x=[{weights}], bias=[0.5]}}}}]\n'
    )
    page = opened(toml.encode())
    line = re.sub(r"\s+", " ", page.texts(".numbers")[0]).strip()
    products = sorted((a * b for a, b in zip(weights, vector, strict=True)), key=abs, reverse=True)
    shown, rest = re.fullmatch(r"(.*) ([+−] [\d.]+) \(22 more terms\) \+ 0\.5 = .*", line).groups()  # type: ignore[union-attr]
    terms = [evaluated(term.replace("−", "-")) for term in shown.split(" + ")]
    assert terms == pytest.approx(products[:8])
    assert float(rest.replace("−", "-").replace(" ", "")) == pytest.approx(sum(products[8:]), abs=HALF)
    check(line.replace(" (22 more terms)", ""))


def test_the_check_notices_a_wrong_result() -> None:
    check("[2, −1]·[3, 4] + 1 = 6 − 4 + 1 = 3 → σ → 0.9526")
    for wrong in ("[2, −1]·[3, 4] = 6 − 4 = 3", "[2, −1]·[3, 4] = 6 + 4 = 2", "0·1 + 1·2 = 0 + 2 = 2 → σ → 0.5"):
        with pytest.raises(AssertionError):
            check(wrong)
