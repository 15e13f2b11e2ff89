"""What a trained model's first layer reads, on the terminal: the features of each token and how long their vectors are.

In: a `Trace`. Out: rich renderables in English or Chinese. Prefixes of all lengths share a column, and so do suffixes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from gatewise.explain.layout import Paragraph, heading, plain_table
from gatewise.explain.words import Language, terms, trace_words
from gatewise.runtime import InputPart, Trace

UNKNOWN_MARK = "?"
NO_KEY = "–"  # an affix longer than its word, a set without words


def inputs_text(trace: Trace, lang: Language) -> list[RenderableType]:
    """A heading, a sentence with the sizes, and a row a token with what it was looked up by."""
    words, groups = trace_words(lang), _grouped(trace.parts)
    sizes = [
        words.inputs_sizes.format(name=words.part_names[name], size=parts[-1].stop - parts[0].start)
        for name, parts in groups.items()
    ]
    note = words.inputs_note.format(size=trace.parts[-1].stop, parts=words.size_joint.join(sizes))
    found: list[RenderableType] = [heading(words.inputs), Paragraph(text=note, style="dim")]
    if not all(all(part.known) for part in trace.parts):
        found.append(Paragraph(text=words.inputs_unknown, style="dim"))
    table = _table(trace, groups, lang)
    return [*found, "", table] if len(table.columns) > 2 else found


def _grouped(parts: Sequence[InputPart]) -> dict[str, list[InputPart]]:
    """The parts by the name of their column: `prefix_1` and `prefix_2` are both `prefix`."""
    groups: dict[str, list[InputPart]] = {}
    for part in parts:
        name, _, number = part.name.rpartition("_")
        groups.setdefault(name if number.isdigit() else part.name, []).append(part)
    return groups


def _table(trace: Trace, groups: Mapping[str, Sequence[InputPart]], lang: Language) -> Table:
    words = trace_words(lang)
    table = plain_table()
    table.add_column("", justify="right")
    table.add_column(Text(terms(lang).token), overflow="fold")
    columns = {name: parts for name, parts in groups.items() if name != "token" or _tells(trace, parts[0])}
    for name in columns:
        head = words.token_key if name == "token" else words.part_names[name]
        table.add_column(Text(head), overflow="fold")
    for t, token in enumerate(trace.sentence):
        cells = [" ".join(_key(part, t) for part in parts) for parts in columns.values()]
        table.add_row(str(t + 1), Text(token.text, style="bold"), *map(Text, cells))
    return table


def _tells(trace: Trace, part: InputPart) -> bool:
    """Whether the token keys say anything that the tokens do not."""
    return not all(part.known) or part.keys != trace.sentence.forms


def _key(part: InputPart, t: int) -> str:
    if part.members:  # a word of a set may be known, another not
        return " ".join(one.word + ("" if one.known else UNKNOWN_MARK) for one in part.members[t]) or NO_KEY
    return (part.keys[t] or NO_KEY) + ("" if part.known[t] else UNKNOWN_MARK)
