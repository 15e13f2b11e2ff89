"""A trained model's pass as a JSON document: what a page needs to compute it again, and to change it.

In: a `Trace` and the archive of its model. Out: a dict. The weights are in it as they are stored, x is that of the
runtime's graph, so the page's float64 numbers are the trace's. Where that would make a page of more than 3 MB, the
weights stay out and the last layer's values stand in their place, and where even those are too many, nothing does;
`left_out` says so.
"""

from __future__ import annotations

from typing import Any

from gatewise.explain.packed import Stored, packed, packed_size
from gatewise.lstm import LSTMPass, RNNPass
from gatewise.model.archive import ModelArchive
from gatewise.runtime import Trace
from gatewise.runtime.tag_table import tag_table

MOST = 2_600_000  # characters of numbers; the modules, words and labels of a page take the rest of 3 MB
_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def trace_document(
    trace: Trace, archive: ModelArchive, temperature: float = 1.0, *, most: int = MOST
) -> dict[str, Any]:
    """Everything from x to the tags; `temperature` is what the head's scores are divided by for probabilities."""
    document = _decisions(trace, temperature)
    for left_out, numbers in (("", _weights(trace, archive)), ("weights", _values(trace))):
        whole = document | numbers | {"left_out": left_out}
        if packed_size(whole) <= most:
            return whole
    return document | {"layers": None, "values": None, "left_out": "values"}


def _decisions(trace: Trace, temperature: float) -> dict[str, Any]:
    scores = trace.scores
    return {
        "model": trace.model,
        "text": trace.sentence.text,
        "tokens": [token.text for token in trace.sentence],
        "labels": list(trace.labels),
        "scheme": trace.scheme,
        "kind": "lstm" if isinstance(trace.layers[-1].forward, LSTMPass) else "rnn",
        "sizes": [_size(layer.forward, layer.reverse is not None) for layer in trace.layers],
        "residual": any(layer.carried is not None for layer in trace.layers),
        "temperature": temperature,
        "parts": [
            {"name": part.name, "start": part.start, "stop": part.stop, "keys": list(part.keys)} for part in trace.parts
        ],
        "emissions": packed(trace.emissions, "float64"),
        "start_transitions": packed(scores.start_transitions, "float64"),
        "end_transitions": packed(scores.end_transitions, "float64"),
        "transitions": packed(scores.transitions, "float64"),
        "breaks": list(trace.breaks),
        "goes_on": tag_table(trace.labels, trace.scheme).goes_on.tolist(),
        "tags": [trace.labels.index(tag) for tag in trace.tags],
        "chances": list(trace.sentence.scores or ()),
        "fast": None if trace.fast_path_agrees else list(trace.fast_tags),
        "spans": [[span.text, span.label, span.score] for span in trace.sentence.spans],
    }


def _size(forward: LSTMPass | RNNPass, both: bool) -> dict[str, Any]:
    return {"units": int(forward.h.shape[1]), "both": both}


def _weights(trace: Trace, archive: ModelArchive) -> dict[str, Any]:
    """x and all weights of the layers, as the archive stores them."""
    stored: Stored = "float16" if archive.config.archive.numbers == "float16" else "float32"
    arrays = archive.arrays(lambda name: name.startswith("encoder."))
    suffixes = {"forward": ""} if trace.layers[0].reverse is None else {"forward": "", "reverse": "_reverse"}
    layers = [
        {
            name: {kind: packed(arrays[f"encoder.{kind}_l{number}{suffix}"], stored) for kind in _KINDS}
            for name, suffix in suffixes.items()
        }
        for number in range(len(trace.layers))
    ]
    return {"x": packed(trace.x, "float32"), "layers": layers, "values": None} | _emission(trace, stored)


def _values(trace: Trace) -> dict[str, Any]:
    """The last layer's values, rounded to float32, in place of all that they are computed from."""
    top = trace.layers[-1]
    passes = {"forward": top.forward} if top.reverse is None else {"forward": top.forward, "reverse": top.reverse}
    names = "ifgoch" if isinstance(top.forward, LSTMPass) else "h"
    values: dict[str, Any] = {
        direction: {name: packed(getattr(one, name), "float32") for name in names} for direction, one in passes.items()
    }
    if top.carried is not None:
        values["carried"] = packed(top.carried, "float32")
    return {"layers": None, "values": values} | _emission(trace, "float32")


def _emission(trace: Trace, stored: Stored) -> dict[str, Any]:
    return {
        "emission_weight": packed(trace.emission_weight, stored),
        "emission_bias": packed(trace.emission_bias, stored),
    }
