"""The steps of one direction, each written out: every dot product with its terms, then C, h and the tag.

In: a `DirectionRun` of a `NetworkRun`. Out: rich renderables; each formula is on one line where there is room,
and wraps at its operators where there is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gatewise.explain import formulas
from gatewise.explain.layout import Paragraph
from gatewise.explain.network_table import LINEAR_STYLES
from gatewise.explain.numbers import format_number, format_vector
from gatewise.explain.words import Language, network_words, terms
from gatewise.network import DirectionRun, NetworkRun, Step

INDENT = 2
GAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a step: what it is, the formula, the activation's formula, a note; the last two may be empty."""

    label: str
    formula: str
    activated: str = ""
    note: str = ""
    style: str = ""


def step_lines(run: NetworkRun, step: Step, units: Sequence[int], lang: Language) -> list[Line]:
    """The lines of one step, in the order of the computation, unit by unit; `units` are counted from 1."""
    lines = []
    for unit in units:
        lines += [_linear_line(run, step, letter, unit, lang) for letter in step.linear]
        if step.c:
            lines += _memory_lines(run, step, unit, lang)
    tag = run.tags[step.t - 1]
    if run.is_simple and tag is not None:
        lines.append(Line(label=terms(lang).tag, formula=tag.wording.get(lang), style="bold"))
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOut:
    """Every step of one direction, in the order in which it reads; all in the one layout that fits the terminal.

    `units`, counted from 1, are those that are written out.
    """

    run: NetworkRun
    direction: DirectionRun
    units: Sequence[int]
    lang: Language

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        steps = [(step, step_lines(self.run, step, self.units, self.lang)) for step in self.direction.reading_order]
        texts = [_texts(line) for _, lines in steps for line in lines]
        widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
        room = sum(widths) + GAP * (len(widths) - 1) + INDENT
        layout = _wide if room <= options.max_width else _narrow
        for step, lines in steps:
            yield ""
            yield from _head(step, self.lang)
            yield layout(lines, widths)


def _linear_line(run: NetworkRun, step: Step, letter: str, unit: int, lang: Language) -> Line:
    words, activations = terms(lang), run.network.activations
    activation = {"g": activations.candidate, "h": activations.output}.get(letter, run.gates or "")
    linear = step.linear[letter][unit - 1]
    name = words.linear[letter].removesuffix(letter) + formulas.symbol(letter, unit, len(step.h))
    return Line(
        label=name,
        formula=formulas.dot_product(linear, activation),
        activated=formulas.activated(linear, activation, words),
        note=openness(linear.value, lang) if letter in "fio" else "",
        style=LINEAR_STYLES[letter],
    )


def _memory_lines(run: NetworkRun, step: Step, unit: int, lang: Language) -> list[Line]:
    words, sentences = terms(lang), network_words(lang)
    f, i, o = (_degree(step.linear[gate][unit - 1].value) for gate in "fio")
    units = len(step.h)
    return [
        Line(
            label=words.memory.removesuffix("C") + formulas.symbol("C", unit, units),
            formula=formulas.memory(step, unit),
            note=sentences.kept[f] + sentences.note_joint + sentences.taken_in[i],
            style="bold",
        ),
        Line(
            label=words.output.removesuffix("h") + formulas.symbol("h", unit, units),
            formula=formulas.output(step, unit, run.network.activations.output),
            note=sentences.put_out[o],
            style="bold",
        ),
    ]


def openness(value: float, lang: Language) -> str:
    """Closed, open, half open, or how many percent open; the first two as the shown digits have it."""
    words, shown = terms(lang), format_number(value).removeprefix("≈")
    plain = {"0": words.closed, "1": words.open, "0.5": words.half_open}
    return plain.get(shown) or words.partly_open.format(percent=f"{value:.0%}".rstrip("%"))


def _degree(value: float) -> int:
    """0 for closed, 2 for open, 1 for between: the place of the note in its triple."""
    return {"0": 0, "1": 2}.get(format_number(value).removeprefix("≈"), 1)


def _head(step: Step, lang: Language) -> list[RenderableType]:
    words = network_words(lang)
    read = words.concatenated if step.h_prev else words.input
    facts = read.format(vector=format_vector((*step.x, *step.h_prev)))
    if step.c_prev:
        before = format_number(step.c_prev[0]) if len(step.c_prev) == 1 else format_vector(step.c_prev)
        facts += "    " + words.memory_before.format(vector=before)
    return [
        Text(words.step.format(t=step.t, token=step.token), style="bold underline"),
        Paragraph(text=facts, indent=INDENT),
    ]


def _texts(line: Line) -> tuple[str, str, str, str]:
    return line.label, line.formula, line.activated, line.note


def _wide(lines: Sequence[Line], widths: Sequence[int]) -> Padding:
    """One line for each: label, formula, activation, note, all steps with columns of the same width."""
    grid = Table.grid(padding=(0, GAP, 0, 0))
    for width in widths:
        grid.add_column(min_width=width)
    for line in lines:
        formula = Text(line.formula, style="bold" if not line.activated and line.style == "bold" else "")
        grid.add_row(Text(line.label, style=line.style), formula, line.activated, Text(line.note, style="dim"))
    return Padding(grid, (0, 0, 0, INDENT))


def _narrow(lines: Sequence[Line], widths: Sequence[int]) -> Padding:
    """The formula beside its label, its activation below; a note follows what it is about."""
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(min_width=widths[0], no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        last = "    ".join(filter(None, (line.activated or line.formula, line.note)))
        rows = [line.formula, last] if line.activated else [last]
        for label, row in zip((line.label, ""), rows, strict=False):
            grid.add_row(Text(label, style=line.style), row)
    return Padding(grid, (0, 0, 0, INDENT))
