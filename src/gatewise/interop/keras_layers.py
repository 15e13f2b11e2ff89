"""Which layers of a Keras model are LSTMs, and which of them read one another, from the model's configuration.

In: the configuration, of a Sequential or a Functional model, as Keras 2 and 3 write it. Out: chains of LSTM layers, by
the name of the first. What the equations here do not have (other activations, sums of directions, a single reverse
direction, initial states from other layers) is refused in a sentence, never left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatewise.errors import InteropError
from gatewise.interop.chains import chained
from gatewise.interop.imported import listed

PASSING = {"Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "Masking"}
ACTIVATIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}
MODELS = ("Sequential", "Functional", "Model")


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasLSTM:
    """An LSTM layer; `group` is the name that the layer's weights have in a .keras file, `below` what it reads."""

    name: str
    group: str
    units: int
    is_both: bool
    has_bias: bool
    gives_all: bool
    is_stateful: bool
    below: tuple[str, ...]


def lstm_chains(model: Mapping[str, Any], where: str) -> dict[str, tuple[KerasLSTM, ...]]:
    """Chains of LSTM layers, each reading all outputs of the one before, by the name of the first."""
    layers = list(_layers(model, where))
    lstms: dict[str, KerasLSTM] = {}
    passing: dict[str, str] = {}
    for entry, group, below in layers:
        name = entry["config"]["name"]
        if entry["class_name"] in PASSING and len(below) == 1:
            passing[name] = below[0]
        elif (inner := _lstm_of(entry)) is not None:
            lstms[name] = _read(entry, inner, group, below, where)
    if not lstms:
        found = sorted({entry["class_name"] for entry, _, _ in layers})
        raise InteropError(f"{where}: expected an LSTM layer, found {listed(found) or 'no layer'}")
    return _chains(lstms, passing, where)


def _layers(model: Mapping[str, Any], where: str) -> Iterator[tuple[Any, str, tuple[str, ...]]]:
    """Each layer's entry, the name of its group of weights, and the layers that it reads."""
    kind, config = model["class_name"], model["config"]
    if kind not in MODELS:
        raise InteropError(
            f"{where}: expected a Sequential or Functional model, found {kind!r}; import its LSTM layers from a model"
            " of one of these kinds"
        )
    entries = config["layers"] if isinstance(config, Mapping) else config
    seen: Counter[str] = Counter()
    before: tuple[str, ...] = ()
    for entry in entries:
        name = _snake(entry["class_name"])
        group = f"{name}_{seen[name]}" if seen[name] else name
        seen[name] += 1
        below = before if kind == "Sequential" else tuple(_read_by(entry.get("inbound_nodes", [])))
        yield entry, group, below
        before = (entry["config"]["name"],)


def _snake(name: str) -> str:
    """`InputLayer` → `input_layer`, `LSTM` → `lstm`: the name of a group."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _read_by(nodes: Any) -> Iterator[str]:
    """The layer behind each input but masks: Keras 3 has `keras_history`, Keras 2 lists of [name, 0, 0, …]."""
    if isinstance(nodes, Mapping):
        if "keras_history" in nodes:
            if nodes.get("dtype") != "bool":
                yield nodes["keras_history"][0]
            return
        for key, value in nodes.items():
            if key != "mask":
                yield from _read_by(value)
    elif isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            yield nodes[0]
            nodes = nodes[3:]
        for node in nodes:
            yield from _read_by(node)


def _lstm_of(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The configuration of the LSTM that a layer is, or that a Bidirectional has inside."""
    if entry["class_name"] == "Bidirectional" and _is_keras(entry):
        entry = entry["config"]["layer"]
    return dict(entry["config"]) if entry["class_name"] == "LSTM" and _is_keras(entry) else None


def _is_keras(entry: Mapping[str, Any]) -> bool:
    """Whether the class is Keras's own: a class of one's own may have the same name and other equations."""
    return str(entry.get("module") or "keras").startswith(("keras", "tf_keras"))


def _read(
    entry: Mapping[str, Any], lstm: Mapping[str, Any], group: str, below: tuple[str, ...], where: str
) -> KerasLSTM:
    name, is_both = entry["config"]["name"], entry["class_name"] == "Bidirectional"
    place = f"{where}: layer {name!r}"
    directions = [lstm]
    if is_both:
        if (merge := entry["config"].get("merge_mode", "concat")) != "concat":
            raise InteropError(f"{place}: expected merge_mode='concat', found {merge!r}; there is no such layer here")
        reverse = (entry["config"].get("backward_layer") or {}).get("config", lstm)
        directions.append(reverse)
    for one in directions:
        _check_cell(one, place)
    if bool(lstm.get("go_backwards")) or (is_both and directions[1]["units"] != lstm["units"]):
        raise InteropError(
            f"{place}: expected a forward LSTM, or two equal ones in a Bidirectional, found another form"
        )
    if len(below) > 1:
        raise InteropError(
            f"{place}: expected one input, found {listed(below)}; initial states cannot come from layers"
        )
    return KerasLSTM(
        name=name,
        group=group,
        units=int(lstm["units"]),
        is_both=is_both,
        has_bias=bool(lstm.get("use_bias", True)),
        gives_all=bool(lstm.get("return_sequences")),
        is_stateful=bool(lstm.get("stateful")),
        below=below,
    )


def _check_cell(lstm: Mapping[str, Any], place: str) -> None:
    for key, wanted in ACTIVATIONS.items():
        found = lstm.get(key, wanted)
        if isinstance(found, Mapping):  # a serialized function: {"class_name": "function", "config": "tanh", …}
            found = found.get("config")
        if found != wanted:
            raise InteropError(
                f"{place}: expected {key}={wanted!r}, found {found!r}; the equations here do not have it"
            )


def _chains(lstms: Mapping[str, KerasLSTM], passing: Mapping[str, str], where: str) -> dict[str, tuple[KerasLSTM, ...]]:
    below: dict[str, str | None] = {}
    for name, layer in lstms.items():
        lower = layer.below[0] if layer.below else ""
        for _ in passing:
            lower = passing.get(lower, lower)
        below[name] = lower if lower in lstms and lstms[lower].gives_all else None
    chains = {first: tuple(lstms[name] for name in chain) for first, chain in chained(below).items()}
    if not chains:
        raise InteropError(f"{where}: expected an LSTM layer that reads an input, found a circle of layers")
    return chains
