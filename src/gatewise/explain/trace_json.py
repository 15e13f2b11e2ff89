"""A trained model's trace as JSON: the stable contract of `gatewise explain TEXT --format json`.

In: a `Trace`. Out: a dict of nested lists, time first, exact in every digit. A forbidden transition, minus infinity,
is null.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from gatewise.lstm import Layer, LSTMPass, RNNPass
from gatewise.runtime import Trace

GATES = ("i", "f", "g", "o")


def trace_json(trace: Trace) -> dict[str, Any]:
    """Every number of the trace; span offsets are characters of the text, `head` is null for the main one."""
    sentence = trace.sentence
    return {
        "model": trace.model,
        "head": trace.head,
        "text": sentence.text,
        "tokens": [{"text": token.text, "start": token.start, "end": token.end} for token in sentence],
        "labels": list(trace.labels),
        "scheme": trace.scheme,
        "x": trace.x.tolist(),
        "input_parts": [
            {
                "name": part.name,
                "start": part.start,
                "stop": part.stop,
                "keys": list(part.keys),
                "known": list(part.known),
                **({"words": [list(map(asdict, words)) for words in part.members]} if part.members else {}),
            }
            for part in trace.parts
        ],
        "layers": [_layer(layer) for layer in trace.layers],
        "emissions": trace.emissions.tolist(),
        "transitions": _finite(trace.scores.transitions),
        "start_transitions": _finite(trace.scores.start_transitions),
        "end_transitions": _finite(trace.scores.end_transitions),
        "tags": list(trace.tags),
        "breaks": list(trace.breaks),
        "fast_tags": list(trace.fast_tags),
        "scores": list(sentence.scores or ()),
        "marginals": trace.marginals.tolist(),
        "spans": [
            {"start": span.start, "end": span.end, "label": span.label, "text": span.text, "score": span.score}
            for span in sentence.spans
        ],
    }


def _layer(layer: Layer[LSTMPass] | Layer[RNNPass]) -> dict[str, Any]:
    """Its directions, and `residual`, what was added to their states side by side, where the model has it."""
    content: dict[str, Any] = {"forward": _direction(layer.forward)}
    if layer.reverse is not None:
        content["reverse"] = _direction(layer.reverse)
    if layer.carried is not None:
        content["residual"] = layer.carried.tolist()
    return content


def _direction(one: LSTMPass | RNNPass) -> dict[str, Any]:
    """Gates after (`i`) and before (`pre.i`) their activation, c and h; an RNN has `pre` and h."""
    if isinstance(one, RNNPass):
        return {"pre": one.pre.tolist(), "h": one.h.tolist()}
    gates = {gate: getattr(one, gate).tolist() for gate in GATES}
    before = {gate: getattr(one, f"pre_{gate}").tolist() for gate in GATES}
    return gates | {"c": one.c.tolist(), "h": one.h.tolist(), "pre": before}


def _finite(array: np.ndarray) -> Any:
    """Nested lists with None for minus infinity."""
    values = array.astype(object)
    values[~np.isfinite(array)] = None
    return values.tolist()
