"""What the terminal says of a traced sentence, as data for a page: the readings of its tokens, and the words for them.

In: a `Trace`. Out: plain lists and dicts for JSON. The page lays them out as tables; numbers are rounded to what the
terminal shows of them, so that both say the same. Nothing is computed here: the readings are those of
`runtime.reading`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from gatewise.explain.trace_text import format_chance, model_line
from gatewise.explain.words import Language, terms, trace_words
from gatewise.runtime import TokenReading, Trace, read_trace
from gatewise.runtime.reading import UnitReading

GATES, CELL = "ifo", "ifgoc"
_DIGITS, _SHARE_DIGITS, _CHANCE_DIGITS = 3, 2, 6
_TERMS = ("token", "tag", "unit", "forward", "reverse")


def reading_data(trace: Trace) -> dict[str, Any]:
    """One traced sentence.

    `directions` are those of the last layer, `gated` is false for an RNN, `fast` are the tags of the runtime's graph,
    null where they are the same. A token is [start, end, tag, chance, rival, chance, lead, mean gates i f o of each
    direction, shares of each direction ([token, share], largest first), units (see `_unit`)]. Offsets count characters.
    """
    readings = read_trace(trace)
    return {
        "directions": ["forward"] if trace.layers[-1].reverse is None else ["forward", "reverse"],
        "gated": bool(readings and readings[0].openness),
        "fast": None if trace.fast_path_agrees else list(trace.fast_tags),
        "tokens": [
            [token.start, token.end, *_reading(reading)]
            for token, reading in zip(trace.sentence, readings, strict=True)
        ],
    }


def reading_words(trace: Trace, lang: Language) -> dict[str, str]:
    """The sentences and names around the tables of one model's readings; those in braces are for the page to fill."""
    spoken = trace_words(lang)
    texts = {field.name: getattr(spoken, field.name) for field in fields(spoken)}
    words = {name: text for name, text in texts.items() if isinstance(text, str) and name not in ("empty", "spans")}
    names = {name: str(getattr(terms(lang), name)) for name in _TERMS}
    units = trace.layers[-1].forward.h.shape[1]
    return (
        words | names | {"model": model_line(trace, lang), "overview_note": words["overview_note"].format(units=units)}
    )


def round_chance(chance: float) -> float:
    """A probability in six digits; what is not quite all or nothing stays so."""
    if not 0 < chance < 1:
        return chance
    least = 10.0**-_CHANCE_DIGITS
    return round(min(max(chance, least), 1 - least), _CHANCE_DIGITS)


def _reading(reading: TokenReading) -> list[Any]:
    return [
        reading.tag,
        format_chance(reading.probability),
        reading.rival,
        format_chance(reading.rival_probability),
        round(reading.lead, _DIGITS),
        [round(getattr(openness, gate), _SHARE_DIGITS) for openness in reading.openness.values() for gate in GATES],
        [[[one.token, round(one.share, _SHARE_DIGITS)] for one in shares] for shares in reading.memory.values()],
        [_unit(unit) for unit in reading.units],
    ]


def _unit(unit: UnitReading) -> list[Any]:
    """[direction, unit, i, f, g, o, c (none for an RNN), h, weight, contribution]."""
    numbers = [*(unit.cell[name] for name in CELL if name in unit.cell), unit.h, unit.weight, unit.contribution]
    return [unit.direction, unit.unit, *(round(number, _DIGITS) for number in numbers)]
