"""A direction of many units on the terminal: how open its gates stand, whose memory it holds, which units put out most.

In: a `DirectionRun` and its reading. Out: rich renderables in English or Chinese; the numbers of chosen units are
written out by the views of small networks.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from gatewise.explain.layout import Paragraph, plain_table
from gatewise.explain.network_table import LINEAR_STYLES
from gatewise.explain.numbers import format_number
from gatewise.explain.words import Language, network_words, terms, trace_words
from gatewise.network import DirectionRun, NetworkRun, StepReading, read_direction

MOST_UNITS = 8  # of a direction that is written out in full
MOST_OPERANDS = 32  # in one dot product


def is_large(run: NetworkRun) -> bool:
    """Whether the run is too much to be read when every unit is written out."""
    return any(
        direction.units > MOST_UNITS or len(weights) > MOST_OPERANDS
        for direction in run.directions
        for step in direction.steps[:1]
        for weights in [next(iter(step.linear.values()))[0].weights]
    )


def summary(run: NetworkRun, direction: DirectionRun, lang: Language) -> list[RenderableType]:
    """Two tables, a row a token and then three rows a token, each with a line that says what it shows."""
    words, readings = network_words(lang), read_direction(direction)
    parts: list[RenderableType] = []
    if run.network.kind == "lstm":
        parts += [Paragraph(text=words.mean_gates.format(units=direction.units), style="dim"), ""]
        parts += [_gates(direction, readings, lang), ""]
    parts += [Paragraph(text=words.strongest, style="dim"), "", _units(direction, readings, lang)]
    return parts


def _gates(direction: DirectionRun, readings: Sequence[StepReading], lang: Language) -> Table:
    names = terms(lang)
    table = plain_table()
    table.add_column("", justify="right")
    table.add_column(Text(names.token), overflow="fold")
    for gate in "ifo":
        table.add_column(Text(gate, style=LINEAR_STYLES[gate]), justify="right")
    held_by = names.reverse if direction.reverse else names.forward
    table.add_column(Text(trace_words(lang).holds.format(direction=held_by)), overflow="fold")
    for step, reading in zip(direction.steps, readings, strict=True):
        gates = [f"{getattr(reading.openness, gate):.2f}" for gate in "ifo"]
        table.add_row(str(step.t), Text(step.token, style="bold"), *gates, Text(_held(direction, reading, lang)))
    return table


def _held(direction: DirectionRun, reading: StepReading, lang: Language) -> str:
    """`我 62%  叫 30%`."""
    words = trace_words(lang)
    shares = [f"{direction.steps[one.token].token} {100 * one.share:.0f}%" for one in reading.memory]
    return words.share_joint.join(shares) or words.nothing_held


def _units(direction: DirectionRun, readings: Sequence[StepReading], lang: Language) -> Table:
    names = terms(lang)
    table = plain_table()
    table.add_column("", justify="right")
    table.add_column(Text(names.token), overflow="fold")
    table.add_column(Text(names.unit), justify="right")
    gates = "ifgo" if direction.steps[0].c else ""
    for letter in (*gates, *("C" if gates else ""), "h"):
        table.add_column(Text(letter, style=LINEAR_STYLES.get(letter, "bold") if gates else "bold"), justify="right")
    for step, reading in zip(direction.steps, readings, strict=True):
        for place, unit in enumerate(reading.units):
            numbers = [step.linear[gate][unit].value for gate in gates] + [step.c[unit] for _ in gates[:1]]
            shown = map(format_number, (*numbers, step.h[unit]))
            head = (str(step.t), Text(step.token, style="bold")) if place == 0 else ("", "")
            table.add_row(*head, str(unit + 1), *shown)
    return table
