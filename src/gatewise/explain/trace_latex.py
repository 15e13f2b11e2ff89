"""A trained model's trace as LaTeX: the tables of the terminal.

In: a `Trace` and its readings (`runtime.reading`). Out: a fragment to put into a document, in English or Chinese;
nothing is computed here. Every number there is has its place in JSON and CSV.
"""

from __future__ import annotations

from collections.abc import Sequence

from gatewise.explain.latex_text import PREAMBLE, latex_table, latex_text
from gatewise.explain.trace_text import format_chance, model_line
from gatewise.explain.words import Language, terms, trace_words
from gatewise.runtime import TokenReading, Trace, read_trace

_ARROWS = {"forward": r"$\rightarrow$", "reverse": r"$\leftarrow$"}


def trace_latex(trace: Trace, *, lang: Language = "en") -> str:
    """Tags with their rivals and gates, what the memory holds, and the units that matter most for each tag."""
    words = trace_words(lang)
    parts = [PREAMBLE + f"\\section*{{{latex_text(trace.sentence.text)}}}\n{latex_text(model_line(trace, lang))}\n"]
    if not len(trace):
        return "\n".join([*parts, words.empty + "\n"])
    readings = read_trace(trace)
    parts += [_head(words.overview), _overview(trace, readings, lang)]
    if readings[0].memory:
        parts += [_head(words.memory), _memory(trace, readings, lang)]
    parts.append(_head(words.units))
    parts += [_units(trace, number, reading, lang) for number, reading in enumerate(readings, start=1)]
    return "\n".join(parts)


def _head(text: str) -> str:
    return f"\\subsection*{{{latex_text(text)}}}\n"


def _overview(trace: Trace, readings: Sequence[TokenReading], lang: Language) -> str:
    words, names = trace_words(lang), terms(lang)
    heads = ["", names.token, names.tag, f"${words.chance}$" if lang == "en" else words.chance, words.rival, ""]
    heads += [f"{_ARROWS[name]} ${gate}$" for name in readings[0].openness for gate in "ifo"]
    rows = []
    for number, (token, reading) in enumerate(zip(trace.sentence, readings, strict=True), start=1):
        row = [str(number), token.text, reading.tag, format_chance(reading.probability)]
        row += ["", ""] if reading.rival == reading.tag else [reading.rival, format_chance(reading.rival_probability)]
        gates = [f"{getattr(openness, gate):.2f}" for openness in reading.openness.values() for gate in "ifo"]
        rows.append([latex_text(cell) for cell in (*row, *gates)])
    return latex_table(heads, rows)


def _memory(trace: Trace, readings: Sequence[TokenReading], lang: Language) -> str:
    words, names = trace_words(lang), terms(lang)
    directions = {"forward": names.forward, "reverse": names.reverse}
    holds = [latex_text(words.holds.format(direction=directions[name])) for name in readings[0].memory]
    rows = []
    for number, (token, reading) in enumerate(zip(trace.sentence, readings, strict=True), start=1):
        held = [
            words.share_joint.join(f"{trace.sentence.tokens[one.token].text} {100 * one.share:.0f}%" for one in shares)
            or words.nothing_held
            for shares in reading.memory.values()
        ]
        rows.append([latex_text(cell) for cell in (str(number), token.text, *held)])
    return latex_table(["", names.token, *holds], rows)


def _units(trace: Trace, number: int, reading: TokenReading, lang: Language) -> str:
    words, names = trace_words(lang), terms(lang)
    residual = trace.layers[-1].carried is not None
    sentence = (words.lead if reading.lead >= 0 else words.trail).format(
        number=number,
        token=trace.sentence.tokens[number - 1].text,
        tag=reading.tag,
        rival=reading.rival,
        lead=f"{abs(reading.lead):.3f}",
    )
    product = words.contribution_residual if residual else words.contribution
    heads = [*reading.units[0].cell, "h", *([words.carried] if residual else []), words.weight, product]
    rows = []
    for unit in reading.units:
        values = [*unit.cell.values(), unit.h, *([unit.carried] if residual else []), unit.weight, unit.contribution]
        rows.append([f"{_ARROWS[unit.direction]} {unit.unit}", *(f"${value:.3f}$" for value in values)])
    shown = [f"${head.replace('·', chr(92) + 'cdot ')}$" for head in heads]
    return f"\\paragraph{{{latex_text(sentence)}}}\\mbox{{}}\n\n" + latex_table(
        [names.unit, *shown], rows, "r" * (len(heads) + 1)
    )
