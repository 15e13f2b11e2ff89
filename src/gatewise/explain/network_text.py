"""A hand-written network on the terminal: overview, every step written out, result, step gates against sigmoid gates.

In: a `NetworkRun`. Out: a rich renderable in English or Chinese; without a terminal it carries no color.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from gatewise.errors import NetworkError
from gatewise.explain.layout import Paragraph, heading, plain_table
from gatewise.explain.network_compare import gates_compared, shown_output
from gatewise.explain.network_steps import WrittenOut
from gatewise.explain.network_summary import is_large, summary
from gatewise.explain.network_table import overview_table
from gatewise.explain.numbers import format_vector
from gatewise.explain.words import Language, network_words, terms
from gatewise.network import DirectionRun, NetworkRun


def network_text(run: NetworkRun, *, units: Sequence[int] = (), lang: Language = "en") -> Group:
    """Everything there is to say about one run of a hand-written network, or what is worth reading of a large one.

    `units` (counted from 1) are those that are written out: all of them when there are none, and in a large network
    none. Raises NetworkError for a unit that no layer has.

    >>> from gatewise.explain import render_text
    >>> from gatewise.network import read_network
    >>> "0·2 + 100·(-1) + 0·1 + 10·1 = -90" in render_text(network_text(read_network("article").run()), width=80)
    True
    """
    words, large = network_words(lang), is_large(run)
    _check_units(run, units)
    parts: list[RenderableType] = [*_head(run, lang)]
    if not run.tokens:
        return Group(*parts, "", words.empty)
    if large:
        parts.append(Paragraph(text=words.large))
    for direction in run.directions:
        name = "" if run.is_simple else _direction_name(direction, lang) + " · "
        if large:
            parts += ["", heading(name + words.overview), *summary(run, direction, lang)]
        parts += _written_out(run, direction, units, large, name, lang)
    if not large:
        parts += ["", heading(words.result), _result(run, lang)]
    if run.network.kind == "lstm" and not large:
        parts += ["", heading(words.compare), gates_compared(run, lang)]
    return Group(*parts)


def _check_units(run: NetworkRun, units: Sequence[int]) -> None:
    most = max((direction.units for direction in run.directions), default=0)
    for unit in units:
        if not 1 <= unit <= most:
            raise NetworkError(f"units: expected numbers from 1 to {most} for {run.network.source}, found {unit}")


def _written_out(
    run: NetworkRun, direction: DirectionRun, units: Sequence[int], large: bool, name: str, lang: Language
) -> list[RenderableType]:
    words = network_words(lang)
    every = range(1, (0 if large else direction.units) + 1)
    shown = [unit for unit in dict.fromkeys(units or every) if unit <= direction.units]
    if not shown:
        return []
    table = overview_table(run, direction, shown, lang)
    head = words.chosen_units if large else words.overview
    steps = WrittenOut(run=run, direction=direction, units=shown, lang=lang)
    return ["", heading(name + head), table, "", heading(name + words.written_out), steps]


def _direction_name(direction: DirectionRun, lang: Language) -> str:
    names = terms(lang)
    name = names.reverse_reading if direction.reverse else names.forward
    return network_words(lang).direction.format(layer=direction.layer, direction=name)


def _head(run: NetworkRun, lang: Language) -> list[RenderableType]:
    words, names, network = network_words(lang), terms(lang), run.network
    lstm = network.kind == "lstm"
    activation = names.activation
    facts = [
        words.kind[network.kind],
        *([words.both_directions] if any(layer.reverse for layer in run.layers) else []),
        words.counted(words.layer_count, len(run.layers)),
        words.counted(words.unit_count, sum(direction.units for direction in run.directions)),
        words.counted(words.feature_count, network.input_size),
        words.activations_lstm.format(
            gate=activation[run.gates or "sigmoid"],
            candidate=activation[network.activations.candidate],
            output=activation[network.activations.output],
        )
        if lstm
        else words.activation.format(output=activation[network.activations.output]),
    ]
    parts: list[RenderableType] = [Paragraph(text=network.title.get(lang) or network.name, style="bold")]
    parts.append(Paragraph(text=" · ".join(facts), style="dim"))
    if network.description.get(lang):
        parts += ["", Paragraph(text=network.description.get(lang))]
    return [*parts, "", *(Paragraph(text=line) for line in _legend(run, lang))]


def _legend(run: NetworkRun, lang: Language) -> list[str]:
    words, network = network_words(lang), run.network
    lines = [words.concatenation_neuron if network.kind == "neuron" else words.concatenation]
    if run.gates is not None:
        lines.append(words.gate_legend[run.gates])
        output = "hₜ = oₜ·Cₜ" if network.activations.output == "identity" else "hₜ = oₜ·tanh(Cₜ)"
        lines.append(words.cell_equation.format(output=output))
    if network.tags:
        shown = [f"{tag.wording.get(lang)} {format_vector(tag.output)}" for tag in network.tags]
        lines.append(words.tags_legend.format(tags=words.list_joint.join(shown)))
    return [*lines, words.rounding]


def _result(run: NetworkRun, lang: Language) -> RenderableType:
    """One line of outputs where each is one number, else a table of output vectors."""
    words, names = network_words(lang), terms(lang)
    if all(len(vector) == 1 for vector in run.output_vectors):
        lines = [f"{words.outputs} {format_vector(vector[0] for vector in run.output_vectors)}"]
        pairs = [f"{token}/{tag.wording.get(lang)}" for token, tag in zip(run.tokens, run.tags, strict=True) if tag]
        lines += [f"{words.tags} {'  '.join(pairs)}"] if pairs else []
        return Group(*(Paragraph(text=line, style="bold") for line in lines))
    table = plain_table()
    for head in (names.step, names.token, words.outputs, *([names.tag] if run.network.tags else [])):
        table.add_column(Text(head), overflow="fold")
    for t, (token, vector, tag) in enumerate(zip(run.tokens, run.output_vectors, run.tags, strict=True), start=1):
        tag_cell = [Text(tag.wording.get(lang), style="bold")] if tag else []
        table.add_row(str(t), Text(token, style="bold"), shown_output(vector), *tag_cell)
    return table
