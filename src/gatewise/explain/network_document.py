"""A hand-written network as a JSON document: what its TOML file says, complete, for a page that recomputes it.

In: a `Network`. Out: a dict with the keys of the file (docs/networks.md) and all defaults filled in; `vectors` is a
list of [token, vector] and keeps its order whatever the tokens are. `web/lstm.js` runs it, `web/toml.js` writes it as
a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gatewise.lstm import LSTMState, LSTMWeights, NeuronWeights
from gatewise.network import Network, Wording
from gatewise.network.passes import AnyWeights

WRITTEN = {"forget": 1, "input": 0, "candidate": 2, "output": 3}  # a gate's table in the file → its block in i|f|g|o


def network_document(
    network: Network, sentence: tuple[str, ...] | None = None, gates: str | None = None
) -> dict[str, Any]:
    """The network with another sentence or other gates than its own, where those are given."""
    activations = {"gate": gates or network.activations.gate} if network.kind == "lstm" else {}
    if network.kind == "lstm":
        activations["candidate"] = network.activations.candidate
    layers = []
    for weights, starts in zip(network.weights, network.starts, strict=True):
        layer = {"forward": _direction(weights.forward, starts.forward)}
        if weights.reverse is not None and starts.reverse is not None:
            layer["reverse"] = _direction(weights.reverse, starts.reverse)
        layers.append(layer)
    return {
        "name": network.name,
        "kind": network.kind,
        "title": _wording(network.title),
        "description": _wording(network.description),
        "sentence": list(network.sentence if sentence is None else sentence),
        "vectors": [[token, numbers(vector)] for token, vector in network.vectors.items()],
        "activations": activations | {"output": network.activations.output},
        "layers": layers,
        "tags": [
            {"output": numbers(tag.output), "name": tag.name, "en": tag.wording.en, "zh": tag.wording.zh}
            for tag in network.tags
        ],
    }


def numbers(values: Iterable[float]) -> list[float]:
    """Exact numbers; whole ones are int."""
    return [int(value) if value == int(value) and abs(value) < 2**53 else value for value in map(float, values)]


def _direction(weights: AnyWeights, start: LSTMState) -> dict[str, Any]:
    if isinstance(weights, LSTMWeights):
        size = weights.hidden
        content: dict[str, Any] = {
            gate: _linear(
                weights.weight_ih[block * size : (block + 1) * size],
                weights.weight_hh[block * size : (block + 1) * size],
                None if weights.bias_ih is None else weights.bias_ih[block * size : (block + 1) * size],
            )
            for gate, block in WRITTEN.items()
        }
        return content | {"start": {"h": numbers(start.h), "c": numbers(start.c)}}
    if isinstance(weights, NeuronWeights):
        return _linear(weights.weight_ih, None, weights.bias_ih)
    return _linear(weights.weight_ih, weights.weight_hh, weights.bias_ih) | {"start": {"h": numbers(start.h)}}


def _linear(x: Any, h: Any, bias: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"x": [numbers(row) for row in x]}
    if h is not None:
        content["h"] = [numbers(row) for row in h]
    return content | {"bias": None if bias is None else numbers(bias)}


def _wording(wording: Wording) -> dict[str, str]:
    return {"en": wording.en, "zh": wording.zh}
