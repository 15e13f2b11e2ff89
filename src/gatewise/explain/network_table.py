"""The overview of one direction: a row a step and unit, as in the article's table.

In: a `DirectionRun` of a `NetworkRun`. Out: a rich renderable that fits 80 columns and uses more where it has more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from gatewise.explain import formulas
from gatewise.explain.layout import FirstThatFits, plain_table
from gatewise.explain.numbers import format_number
from gatewise.explain.words import Language, terms
from gatewise.network import DirectionRun, LinearUnit, NetworkRun, Step

LINEAR_STYLES = {"f": "yellow", "i": "green", "g": "cyan", "o": "magenta", "h": "cyan"}


def overview_table(run: NetworkRun, direction: DirectionRun, units: Sequence[int], lang: Language) -> RenderableType:
    """Step, token, [x, h], each linear layer's sum → value, C, h, tag; the tags only where the outputs are these h.

    `units`, counted from 1, are those that are shown.
    """
    return FirstThatFits(
        layouts=(
            _table(run, direction, units, lang, arrow=" → ", vectors=True),
            _table(run, direction, units, lang, arrow="\n→ ", vectors=True),
            _table(run, direction, units, lang, arrow="\n→ ", vectors=False),
        )
    )


def _table(
    run: NetworkRun, direction: DirectionRun, units: Sequence[int], lang: Language, *, arrow: str, vectors: bool
) -> Table:
    words, first = terms(lang), units[0] - 1
    memory, recurrent = run.network.kind == "lstm", run.network.kind != "neuron"
    table = plain_table()
    columns: list[tuple[str, Callable[[Step, int], Text]]] = [
        (words.step, lambda step, n: Text(str(step.t) if n == first else "")),
        (words.token, lambda step, n: Text(step.token if n == first else "", style="bold")),
    ]
    if vectors:
        head = "[x, h]" if recurrent else "x"
        columns.append(
            (head, lambda step, n: Text(", ".join(map(format_number, (*step.x, *step.h_prev))) if n == first else ""))
        )
    if direction.units > 1:
        columns.append((words.unit, lambda _, n: Text(str(n + 1))))
    for letter in "figo" if memory else "h":
        activation = _activation(run, letter)
        columns.append(
            (words.linear_short[letter], lambda step, n, k=letter, a=activation: _cell(step.linear[k][n], k, a, arrow))  # type: ignore[misc]
        )
    if memory:
        columns.append(("C", lambda step, n: Text(format_number(step.c[n]), style="bold")))
        columns.append(("h", lambda step, n: Text(format_number(step.h[n]), style="bold")))
    if run.is_simple and run.network.tags:
        columns.append((words.tag, lambda step, n: _tag(run, step, lang) if n == first else Text("")))
    for head, _ in columns:
        table.add_column(Text(head), overflow="fold")
    for step in direction.steps:
        for unit in units:
            table.add_row(*(cell(step, unit - 1) for _, cell in columns))
    return table


def _activation(run: NetworkRun, letter: str) -> str:
    if letter == "g":
        return run.network.activations.candidate
    return run.network.activations.output if letter == "h" else run.gates or ""


def _cell(unit: LinearUnit, letter: str, activation: str, arrow: str) -> Text:
    value = Text(format_number(unit.value), style=LINEAR_STYLES[letter])
    return (
        value if activation == "identity" else Text(formulas.shown_sum(unit.pre, activation) + arrow).append_text(value)
    )


def _tag(run: NetworkRun, step: Step, lang: Language) -> Text:
    tag = run.tags[step.t - 1]
    return Text("" if tag is None else tag.wording.get(lang), style="bold")
