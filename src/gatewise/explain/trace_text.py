"""A trained model's trace on the terminal: tags and gates, what the memory holds, the units that matter.

In: a `Trace` and its readings (`runtime.reading`). Out: a rich renderable in English or Chinese; nothing is computed
here.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gatewise.explain.inputs_text import inputs_text
from gatewise.explain.layout import Paragraph, heading, plain_table
from gatewise.explain.words import Language, network_words, terms, trace_words
from gatewise.formats.inline import format_inline
from gatewise.lstm import MemoryShare
from gatewise.runtime import TokenReading, Trace, read_trace
from gatewise.runtime.reading import UnitReading

ARROWS = {"forward": "→", "reverse": "←"}
UNIT_WIDTH, NUMBER_WIDTH = 9, 7
RESIDUAL_UNIT_WIDTH = 7
GATE_STYLES = {"i": "green", "f": "yellow", "g": "cyan", "o": "magenta", "c": "bold", "h": "bold"}


def trace_text(trace: Trace, *, lang: Language = "en") -> Group:
    """Everything the terminal says about one tagged sentence."""
    words = trace_words(lang)
    parts: list[RenderableType] = [*_head(trace, lang)]
    if not len(trace):
        return Group(*parts, "", words.empty)
    readings = read_trace(trace)
    parts += ["", *inputs_text(trace, lang)]
    hidden = trace.layers[-1].forward.h.shape[1]
    parts += ["", heading(words.overview)]
    gated = bool(readings[0].openness)
    parts.append(Paragraph(text=words.overview_note.format(units=hidden) if gated else words.rnn_note, style="dim"))
    parts += ["", _overview(trace, readings, lang)]
    if gated:
        parts += ["", heading(words.memory), Paragraph(text=words.memory_note, style="dim"), ""]
        parts.append(_memory(trace, readings, lang))
    note = words.units_note if gated else words.units_note_rnn
    if trace.layers[-1].carried is not None:
        note += words.residual_note
    parts += ["", heading(words.units), Paragraph(text=note, style="dim"), "", _units(trace, readings, lang)]
    return Group(*parts)


def _head(trace: Trace, lang: Language) -> list[RenderableType]:
    words = trace_words(lang)
    parts: list[RenderableType] = [Paragraph(text=model_line(trace, lang), style="dim")]
    if trace.heads:
        this = trace.head or words.main_head
        others = words.share_joint.join(name for name in (words.main_head, *trace.heads) if name != this)
        parts.append(Paragraph(text=words.head.format(head=this, others=others), style="dim"))
    if len(trace):
        agreement = words.agrees if trace.fast_path_agrees else words.differs.format(fast=" ".join(trace.fast_tags))
        parts += [Paragraph(text=format_inline(trace.sentence), style="bold"), ""]
        if trace.sentence.spans:
            spans = " · ".join(f"{span.text} {span.label} {format_chance(span.score)}" for span in trace.sentence.spans)
            parts += [Paragraph(text=words.spans.format(spans=spans)), ""]
        parts.append(Paragraph(text=words.probability))
        parts.append(Paragraph(text=agreement, style="" if trace.fast_path_agrees else "red"))
    return parts


def model_line(trace: Trace, lang: Language) -> str:
    """The model's name, its kind and its size, in one line."""
    words, network = trace_words(lang), network_words(lang)
    model = words.model.format(model=trace.model, kind=trace.architecture, scheme=trace.scheme, tags=len(trace.labels))
    layers = network.counted(network.layer_count, len(trace.layers))
    return f"{model} · {words.size.format(layers=layers, units=trace.layers[-1].forward.h.shape[1])}"


def _overview(trace: Trace, readings: Sequence[TokenReading], lang: Language) -> Table:
    """A row a token: its tag and rival with their probabilities, and the mean gates of each direction."""
    words, names = trace_words(lang), terms(lang)
    table = plain_table()
    for head in ("", names.token, names.tag, words.chance, words.rival, words.chance):
        table.add_column(Text(head), justify="right" if head in ("", words.chance) else "left", overflow="fold")
    for direction in readings[0].openness:
        for gate in "ifo":
            table.add_column(Text(f"{ARROWS[direction]}{gate}", style=GATE_STYLES[gate]), justify="right")
    for number, (token, reading) in enumerate(zip(trace.sentence, readings, strict=True), start=1):
        gates = [getattr(openness, gate) for openness in reading.openness.values() for gate in "ifo"]
        table.add_row(
            str(number),
            Text(token.text, style="bold"),
            Text(reading.tag, style="bold"),
            format_chance(reading.probability),
            reading.rival if reading.rival != reading.tag else "",
            format_chance(reading.rival_probability) if reading.rival != reading.tag else "",
            *(f"{value:.2f}" for value in gates),
        )
    return table


def _memory(trace: Trace, readings: Sequence[TokenReading], lang: Language) -> Table:
    """A row a token: the tokens whose shares of the memory are largest, in each direction."""
    words, names = trace_words(lang), terms(lang)
    table = plain_table()
    table.add_column("", justify="right")
    table.add_column(Text(names.token), overflow="fold")
    direction_names = {"forward": names.forward, "reverse": names.reverse}
    for direction in readings[0].memory:
        head = words.holds.format(direction=direction_names[direction])
        table.add_column(Text(f"{ARROWS[direction]} {head}"), overflow="fold")
    for number, (token, reading) in enumerate(zip(trace.sentence, readings, strict=True), start=1):
        held = [_shares(trace, shares, lang) for shares in reading.memory.values()]
        table.add_row(str(number), Text(token.text, style="bold"), *held)
    return table


def _shares(trace: Trace, shares: Sequence[MemoryShare], lang: Language) -> str:
    """`我 62%  叫 30%`."""
    words = trace_words(lang)
    shown = [f"{trace.sentence.tokens[one.token].text} {100 * one.share:.0f}%" for one in shares]
    return words.share_joint.join(shown) or words.nothing_held


def _units(trace: Trace, readings: Sequence[TokenReading], lang: Language) -> RenderableType:
    """For each token its lead, then a row a unit: direction and number, gates and states, weight and contribution."""
    words = trace_words(lang)
    residual = trace.layers[-1].carried is not None
    parts: list[RenderableType] = [_unit_table(readings[0].units, lang, residual=residual, rows=False)]
    for number, (token, reading) in enumerate(zip(trace.sentence, readings, strict=True), start=1):
        sentence = words.lead if reading.lead >= 0 else words.trail
        lead = sentence.format(
            number=number, token=token.text, tag=reading.tag, rival=reading.rival, lead=f"{abs(reading.lead):.3f}"
        )
        rows = _unit_table(reading.units, lang, residual=residual, rows=True)
        parts += [Paragraph(text=lead, style="bold"), rows]
    return Group(*parts)


def _unit_table(units: Sequence[UnitReading], lang: Language, *, residual: bool, rows: bool) -> Table:
    """The head alone, or the rows alone; both have the same widths."""
    words, names = trace_words(lang), terms(lang)
    table = plain_table()
    table.show_header = not rows
    if residual:  # one column more, and still no wider than 80
        table.padding = (0, 0, 0, 0)
    table.add_column(Text(names.unit), justify="right", width=RESIDUAL_UNIT_WIDTH if residual else UNIT_WIDTH)
    product = words.contribution_residual if residual else words.contribution
    for name in [*units[0].cell, "h", *([words.carried] if residual else []), words.weight, product]:
        style = GATE_STYLES.get(name, "")
        table.add_column(Text(name, style=style), justify="right", width=NUMBER_WIDTH, style=style)
    for unit in units if rows else ():
        numbers = [*unit.cell.values(), unit.h, *([unit.carried] if residual else [])]
        numbers += [unit.weight, unit.contribution]
        table.add_row(f"{ARROWS[unit.direction]} {unit.unit}", *(f"{value:.3f}" for value in numbers))
    return table


def format_chance(probability: float) -> str:
    """`99.8%`; what is not quite all or nothing is never shown as such."""
    shown = f"{100 * probability:.1f}%"
    if shown == "100.0%" and probability < 1:
        return ">99.9%"
    return "<0.1%" if shown == "0.0%" and probability > 0 else shown
