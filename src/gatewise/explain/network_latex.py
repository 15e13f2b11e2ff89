"""A hand-written network's run as LaTeX: the article's table, then every step written out.

In: a `NetworkRun`. Out: a fragment to put into a document, in English or Chinese; formulas are those of the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewise.explain import formulas
from gatewise.explain.latex_text import PREAMBLE, latex_math, latex_table, latex_text
from gatewise.explain.numbers import format_number, format_vector
from gatewise.explain.words import Language, network_words, terms
from gatewise.network import DirectionRun, NetworkRun, Step


def network_latex(run: NetworkRun, *, lang: Language = "en") -> str:
    """A table and the formulas of each direction, then the outputs where there are several layers or directions.

    >>> from gatewise.network import read_network
    >>> "f &= 0 \\\\cdot 2 + 100 \\\\cdot (-1)" in network_latex(read_network("article").run())
    True
    """
    title = run.network.title.get(lang) or run.network.name
    parts = [PREAMBLE + f"\\section*{{{latex_text(title)}}}\n"]
    for direction in run.directions:
        if not run.is_simple:
            parts.append(f"\\subsection*{{{latex_text(_direction_name(direction, lang))}}}\n")
        parts.append(_overview(run, direction, lang))
        parts += [_step(run, step, lang) for step in direction.reading_order]
    return "\n".join([*parts, *([] if run.is_simple else [_outputs(run, lang)])])


def _direction_name(direction: DirectionRun, lang: Language) -> str:
    names = terms(lang)
    name = names.reverse if direction.reverse else names.forward
    return network_words(lang).direction.format(layer=direction.layer, direction=name)


def _activation(run: NetworkRun, letter: str) -> str:
    activations = run.network.activations
    return {"g": activations.candidate, "h": activations.output}.get(letter, run.gates or "")


def _overview(run: NetworkRun, direction: DirectionRun, lang: Language) -> str:
    words, several = terms(lang), direction.units > 1
    memory, tagged = run.network.kind == "lstm", run.is_simple and bool(run.network.tags)
    read = "$x$" if run.network.kind == "neuron" else "$[x, h]$"
    letters = "figo" if memory else "h"
    heads = [words.step, words.token, read, *([words.unit] if several else []), *(f"${one}$" for one in letters)]
    heads += ["$C$", "$h$"] if memory else []
    rows = []
    for step in direction.steps:
        for n in range(direction.units):
            row = _head(step) if n == 0 else ["", "", ""]
            row += [str(n + 1)] if several else []
            row += [_cell(run, step, letter, n) for letter in letters]
            row += [f"${latex_math(format_number(value[n]))}$" for value in ((step.c, step.h) if memory else ())]
            rows.append([*row, *([_tag(run, step, lang) if n == 0 else ""] if tagged else [])])
    return latex_table([*heads, *([words.tag] if tagged else [])], rows)


def _head(step: Step) -> list[str]:
    joined = latex_math(", ".join(map(format_number, (*step.x, *step.h_prev))))
    return [str(step.t), latex_text(step.token), f"${joined}$"]


def _cell(run: NetworkRun, step: Step, letter: str, n: int) -> str:
    unit, activation = step.linear[letter][n], _activation(run, letter)
    value = format_number(unit.value)
    shown = value if activation == "identity" else f"{formulas.shown_sum(unit.pre, activation)}→{value}"
    return f"${latex_math(shown)}$"


def _tag(run: NetworkRun, step: Step, lang: Language) -> str:
    tag = run.tags[step.t - 1]
    return "" if tag is None else latex_text(tag.wording.get(lang))


def _step(run: NetworkRun, step: Step, lang: Language) -> str:
    head = network_words(lang).step.format(t=step.t, token=step.token)
    lines = " \\\\\n".join(_lines(run, step))
    return f"\\paragraph{{{latex_text(head)}}}\n\\begin{{align*}}\n{lines}\n\\end{{align*}}\n"


def _lines(run: NetworkRun, step: Step) -> Iterator[str]:
    units = len(step.h)
    for unit in range(1, units + 1):
        for letter in step.linear:
            linear, activation = step.linear[letter][unit - 1], _activation(run, letter)
            activated = formulas.activated(linear, activation, terms("en"))
            name = latex_math(formulas.symbol(letter, unit, units))
            line = f"{name} &= {latex_math(formulas.dot_product(linear, activation))}"
            yield line + (rf" && {latex_math(activated)}" if activated else "")
        if step.c:
            for formula in (formulas.memory(step, unit), formulas.output(step, unit, run.network.activations.output)):
                yield latex_math(formula).replace("=", "&=", 1)


def _outputs(run: NetworkRun, lang: Language) -> str:
    words, names = network_words(lang), terms(lang)
    tagged = bool(run.network.tags)
    rows = []
    for t, (token, vector, tag) in enumerate(zip(run.tokens, run.output_vectors, run.tags, strict=True), start=1):
        shown = f"${latex_math(format_vector(vector))}$"
        rows.append([str(t), latex_text(token), shown, *([latex_text(tag.wording.get(lang))] if tag else [])])
    return latex_table([names.step, names.token, words.outputs, *([names.tag] if tagged else [])], rows)
