"""A trained model's pass as a JSON document: what a page needs to compute it again, and to change it.

In: a `Trace`. Out: a dict. The weights are in it as they are stored, x is that of the runtime's graph, so the page's
float64 numbers are the trace's. Where that would make a page of more than 3 MB, and where the model's files are gone,
the weights stay out and the last layer's values stand in their place, and where even those are too many, nothing does;
`left_out` says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gatewise.errors import ModelError
from gatewise.explain.packed import packed, packed_as_stored, packed_size
from gatewise.lstm import LSTMPass, RNNPass
from gatewise.model.heads import MAIN_HEAD, weights_prefix
from gatewise.model.numbers import STEP, widened
from gatewise.runtime import Trace
from gatewise.runtime.tag_table import tag_table

MOST = 2_600_000  # characters of numbers; the modules, words and labels of a page take the rest of 3 MB
WEIGHTS = ("layers", "emission_weight", "emission_bias")  # what is the same for every text
_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def trace_document(trace: Trace, *, most: int = MOST) -> dict[str, Any]:
    """Everything from x to the tags, in at most `most` characters of numbers."""
    document = _decisions(trace) | {"most": most}
    weights = _weights(trace)
    if weights is not None and packed_size(whole := document | weights | {"left_out": ""}) <= most:
        return whole
    reduced = document | _values(trace) | {"left_out": "files" if weights is None else "weights"}
    return reduced if packed_size(reduced) <= most else document | _bare(trace) | {"left_out": "values"}


def _decisions(trace: Trace) -> dict[str, Any]:
    scores, table = trace.scores, tag_table(trace.labels, trace.scheme)
    return {
        "model": trace.model,
        "head": trace.head,
        "text": trace.sentence.text,
        "tokens": [token.text for token in trace.sentence],
        "places": [[token.start, token.end] for token in trace.sentence],
        "apart": trace.archive.config.task.tokenizer != "characters",
        "labels": list(trace.labels),
        "scheme": trace.scheme,
        "kind": "lstm" if isinstance(trace.layers[-1].forward, LSTMPass) else "rnn",
        "sizes": [_size(layer.forward, layer.reverse is not None) for layer in trace.layers],
        "residual": any(layer.carried is not None for layer in trace.layers),
        "temperature": trace.temperature,
        "parts": [
            {
                "name": part.name,
                "start": part.start,
                "stop": part.stop,
                "keys": list(part.keys),
                "known": list(part.known),
            }
            for part in trace.parts
        ],
        "start_transitions": packed(scores.start_transitions, "float64"),
        "end_transitions": packed(scores.end_transitions, "float64"),
        "transitions": packed(scores.transitions, "float64"),
        "breaks": list(trace.breaks),
        "goes_on": table.goes_on.tolist(),
        "table": {
            "opens": table.opens.tolist(),
            "inner": table.inner.tolist(),
            "labels": table.span_labels.tolist(),
            "open_ended": table.open_ended,
        },
        "tags": [trace.labels.index(tag) for tag in trace.tags],
        "chances": list(trace.sentence.scores or ()),
        "fast": None if trace.fast_path_agrees else list(trace.fast_tags),
        "spans": [[span.text, span.label, span.score] for span in trace.sentence.spans],
    }


def _size(forward: LSTMPass | RNNPass, both: bool) -> dict[str, Any]:
    return {"units": int(forward.h.shape[1]), "both": both}


def _weights(trace: Trace) -> dict[str, Any] | None:
    """x and all weights behind it, as the archive stores them; None where its files are gone, or another model's."""
    emission = f"{weights_prefix(trace.head or MAIN_HEAD)}emission."
    try:
        arrays = trace.archive.stored_arrays(lambda name: name.startswith(("encoder.", emission)))
    except ModelError:
        return None
    if not np.array_equal(widened(arrays).get(f"{emission}weight", 0.0), trace.emission_weight):
        return None

    def stored(name: str) -> dict[str, Any]:
        return packed_as_stored(arrays[name], arrays.get(name + STEP))

    suffixes = {"forward": ""} if trace.layers[0].reverse is None else {"forward": "", "reverse": "_reverse"}
    layers = [
        {
            name: {kind: stored(f"encoder.{kind}_l{number}{suffix}") for kind in _KINDS}
            for name, suffix in suffixes.items()
        }
        for number in range(len(trace.layers))
    ]
    return {
        "x": packed(trace.x, "float32"),
        "layers": layers,
        "values": None,
        "emissions": None,
        "emission_weight": stored(f"{emission}weight"),
        "emission_bias": stored(f"{emission}bias"),
    }


def _values(trace: Trace) -> dict[str, Any]:
    """The last layer's values, rounded to float32, and the emissions, in place of all that they are computed from."""
    top = trace.layers[-1]
    passes = {"forward": top.forward} if top.reverse is None else {"forward": top.forward, "reverse": top.reverse}
    names = "ifgoch" if isinstance(top.forward, LSTMPass) else "h"
    values: dict[str, Any] = {
        direction: {name: packed(getattr(one, name), "float32") for name in names} for direction, one in passes.items()
    }
    if top.carried is not None:
        values["carried"] = packed(top.carried, "float32")
    return {
        "layers": None,
        "values": values,
        "emissions": packed(trace.emissions, "float64"),
        "emission_weight": packed(trace.emission_weight, "float32"),
        "emission_bias": packed(trace.emission_bias, "float32"),
    }


def _bare(trace: Trace) -> dict[str, Any]:
    """The emissions alone, from which tags are decoded."""
    return {"layers": None, "values": None, "emissions": packed(trace.emissions, "float64")}
