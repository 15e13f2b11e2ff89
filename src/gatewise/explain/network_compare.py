"""Why two runs part, in sentences made from the data of a `Comparison`, whatever the network.

In: the run with step gates and the run with sigmoid gates. Out: a table of both, and paragraphs.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from gatewise.explain import formulas
from gatewise.explain.layout import Paragraph, plain_table
from gatewise.explain.numbers import format_number, format_sum, format_vector
from gatewise.explain.words import Language, network_words, terms
from gatewise.network import Comparison, NetworkRun, Parting, compare_runs


def gates_compared(run: NetworkRun, lang: Language) -> Group:
    """The network of this run with step and with sigmoid gates over the same tokens, and why they part."""
    comparison = compare_runs(*(run.network.run(run.tokens, gates, run.inputs) for gates in ("step", "sigmoid")))
    parts: list[RenderableType] = [_table(comparison, lang)]
    for sentence in comparison_sentences(comparison, lang):
        parts += ["", Paragraph(text=sentence)]
    return Group(*parts)


def comparison_sentences(comparison: Comparison, lang: Language) -> list[str]:
    """One paragraph for each direction that parts, and one for the outcome; `first` must be the run with step gates."""
    words = network_words(lang)
    if not comparison.partings:
        return [words.same]
    paragraphs = [_parting(comparison, parting, lang) for parting in comparison.partings]
    if comparison.outputs:
        paragraphs.append(_outcome(comparison, lang))
    return paragraphs


def shown_output(vector: tuple[float, ...]) -> str:
    """`2` for a network of one output, else `[2, 0]`."""
    return format_number(vector[0]) if len(vector) == 1 else format_vector(vector)


def _parting(comparison: Comparison, parting: Parting, lang: Language) -> str:
    words, names = network_words(lang), terms(lang)
    units = len(parting.first.h)
    widest = max(parting.gates, key=lambda gate: abs(gate.first - gate.second))
    gate = names.linear[widest.gate].removesuffix(widest.gate) + formulas.symbol(widest.gate, widest.unit, units)
    where = words.part if comparison.first.is_simple else words.part_direction
    direction = names.reverse if parting.reverse else names.forward
    sentences = [where.format(t=parting.first.t, token=parting.first.token, layer=parting.layer, direction=direction)]
    reason = words.zero[widest.gate] if widest.pre == 0 else words.gate_differs
    step, sigmoid = format_number(widest.first), format_number(widest.second)
    sentences.append(reason.format(gate=gate, pre=format_sum(widest.pre), step=step, sigmoid=sigmoid))
    if others := len(parting.gates) - 1:
        sentences.append(words.more_gates.format(count=others))
    memories = [formulas.memory(side, widest.unit) for side in (parting.first, parting.second)]
    activation = comparison.first.network.activations.output
    outputs = [formulas.output(side, widest.unit, activation) for side in (parting.first, parting.second)]
    if memories[0] != memories[1]:
        sentences.append(words.memory_differs.format(step=memories[0], sigmoid=memories[1]))
    if outputs[0] != outputs[1]:
        sentences.append(words.output_differs.format(step=outputs[0], sigmoid=outputs[1]))
    return ("" if lang == "zh" else " ").join(sentences)


def _outcome(comparison: Comparison, lang: Language) -> str:
    words = network_words(lang)
    tokens = [f"{difference.token} ({difference.t})" for difference in comparison.outputs]
    sentences = [words.outcome.format(tokens=words.list_joint.join(tokens))]
    for difference in comparison.outputs:
        step, sigmoid = (side.tags[difference.t - 1] for side in (comparison.first, comparison.second))
        if step is not None and sigmoid is not None and step != sigmoid:
            sentences.append(
                words.outcome_tag.format(
                    token=difference.token,
                    t=difference.t,
                    step=step.wording.get(lang),
                    sigmoid=sigmoid.wording.get(lang),
                )
            )
    return ("" if lang == "zh" else " ").join(sentences)


def _table(comparison: Comparison, lang: Language) -> RenderableType:
    words, names = network_words(lang), terms(lang)
    table = plain_table()
    different = {difference.t for difference in comparison.outputs}
    for head in (names.step, names.token, words.with_gates["step"], words.with_gates["sigmoid"], ""):
        table.add_column(Text(head), overflow="fold")
    sides = (comparison.first, comparison.second)
    for t, token in enumerate(comparison.first.tokens, start=1):
        style = "bold" if t in different else ""
        cells = []
        for side in sides:
            tag = side.tags[t - 1]
            cells.append(shown_output(side.output_vectors[t - 1]) + (f"  {tag.wording.get(lang)}" if tag else ""))
        table.add_row(str(t), Text(token, style="bold"), *cells, "≠" if t in different else "=", style=style)
    return table
