"""A trained model's trace as CSV: `gatewise explain TEXT --format csv`.

In: a `Trace`. Out: long CSV (`long_csv.py`) with the numbers of the JSON contract, exact. `unit` holds a number, or the
label where there is a number a label; of a transition it holds both.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewise.explain.long_csv import Row, format_csv, unit_rows
from gatewise.lstm import Layer, LSTMPass, RNNPass
from gatewise.runtime import Trace


def trace_csv(trace: Trace) -> str:
    """x, then the layers from the bottom up, emissions, probabilities, tags and their scores, spans, transitions."""
    return format_csv(_rows(trace))


def _rows(trace: Trace) -> Iterator[Row]:
    places = [Row(quantity="", value="", t=t, token=token.text) for t, token in enumerate(trace.sentence, start=1)]
    for place, x in zip(places, trace.x.tolist(), strict=True):
        yield from unit_rows("x", x, place)
    for n in range(len(trace.layers)):
        yield from _layer(trace.layers[n], [place._replace(layer=n + 1) for place in places])
    yield from _decisions(trace, places)
    yield from _transitions(trace)


def _layer(layer: Layer[LSTMPass] | Layer[RNNPass], places: list[Row]) -> Iterator[Row]:
    yield from _direction(layer.forward, [place._replace(direction="forward") for place in places])
    if layer.reverse is not None:
        yield from _direction(layer.reverse, [place._replace(direction="reverse") for place in places])
    if layer.carried is not None:
        for place, carried in zip(places, layer.carried.tolist(), strict=True):
            yield from unit_rows("residual", carried, place)


def _direction(one: LSTMPass | RNNPass, places: list[Row]) -> Iterator[Row]:
    names = [f"{part}{gate}" for gate in "ifgo" for part in ("pre_", "")] if isinstance(one, LSTMPass) else ["pre"]
    names += ["c", "h"] if isinstance(one, LSTMPass) else ["h"]
    columns = {name: getattr(one, name).tolist() for name in names}
    for t, place in enumerate(places):
        for name, values in columns.items():
            quantity = f"{name[-1]}_pre" if name.startswith("pre_") else name
            yield from unit_rows(quantity, values[t], place)


def _decisions(trace: Trace, places: list[Row]) -> Iterator[Row]:
    scores = trace.sentence.scores or ()
    for t, place in enumerate(places):
        for quantity, values in (("emission", trace.emissions), ("probability", trace.marginals)):
            for label, value in zip(trace.labels, values[t].tolist(), strict=True):
                yield place._replace(quantity=quantity, unit=label, value=value)
        yield place._replace(quantity="tag", value=trace.tags[t])
        if scores:
            yield place._replace(quantity="score", value=scores[t])
    starts = {token.start: t for t, token in enumerate(trace.sentence, start=1)}
    for span in trace.sentence.spans:
        first = starts.get(span.start, "")
        yield Row(quantity="span", value=span.score, unit=span.label or "", t=first, token=span.text)


def _transitions(trace: Trace) -> Iterator[Row]:
    """Forbidden ones are `-inf`."""
    scores = trace.scores
    for label, start, end in zip(trace.labels, scores.start_transitions, scores.end_transitions, strict=True):
        yield Row(quantity="start_transition", unit=label, value=float(start))
        yield Row(quantity="end_transition", unit=label, value=float(end))
    for before, row in zip(trace.labels, scores.transitions.tolist(), strict=True):
        for after, value in zip(trace.labels, row, strict=True):
            yield Row(quantity="transition", unit=f"{before}→{after}", value=value)
