"""One pass of a hand-written network, with every operand of every formula.

In: a `Network`, the tokens with their vectors, the gate activation. Out: a frozen `NetworkRun`. The equations are those
of `gatewise.lstm`, in float64; here their numbers are put side by side, input before hidden state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gatewise.errors import NetworkError
from gatewise.lstm import GATE_ACTIVATIONS, Activations, LSTMPass, LSTMState, NeuronPass, NeuronWeights
from gatewise.lstm.shapes import Array
from gatewise.network.nearest import did_you_mean
from gatewise.network.passes import AnyPass, AnyWeights, pass_layers
from gatewise.network.records import DirectionRun, LayerRun, LinearUnit, NetworkRun, Step, Vector

if TYPE_CHECKING:
    from gatewise.network.network import Network, Tag


MAX_VALUES = 4_000_000  # values of linear layers in one run; each is an object of some hundred bytes
GIVE_INPUTS = "give the vectors of one with --inputs FILE, or in Python with inputs="


def run_network(
    network: Network, sentence: Sequence[str] | None, gates: str | None, inputs: ArrayLike | None
) -> NetworkRun:
    """Run `network`; see `Network.run`."""
    activations = _activations(network, gates)
    tokens, x = _read(network, None if sentence is None else tuple(sentence), inputs)
    _check_size(network, len(tokens))
    with np.errstate(over="ignore", invalid="ignore"):
        passes = pass_layers(x, network, activations)
    layers = []
    for number, (layer, weights, starts) in enumerate(zip(passes, network.weights, network.starts, strict=True), 1):
        forward = _direction(layer.forward, weights.forward, starts.forward, tokens, layer=number, reverse=False)
        reverse = None
        if layer.reverse is not None and weights.reverse is not None and starts.reverse is not None:
            reverse = _direction(layer.reverse, weights.reverse, starts.reverse, tokens, layer=number, reverse=True)
        layers.append(LayerRun(forward=forward, reverse=reverse))
        _check_finite(network, layers[-1])
    outputs = tuple(_floats(row) for row in passes[-1].output)
    return NetworkRun(
        network=network,
        gates=activations.gate if network.kind == "lstm" else None,
        tokens=tokens,
        layers=tuple(layers),
        output_vectors=outputs,
        tags=tuple(_nearest_tag(output, network.tags) for output in outputs),
    )


def _read(network: Network, tokens: tuple[str, ...] | None, inputs: ArrayLike | None) -> tuple[tuple[str, ...], Array]:
    """The tokens and x (time, input_size): what was given, else the network's own."""
    size = network.input_size
    if inputs is None and tokens is None:
        tokens, inputs = network.sentence, network.inputs
        if not tokens and inputs is None and not network.vectors:
            raise NetworkError(f"{network.source}: expected a sentence, found none in the file; {GIVE_INPUTS}")
    if inputs is None:
        vectors = [_vector(network, token) for token in tokens or ()]
        return tokens or (), np.array(vectors, dtype=np.float64).reshape(len(vectors), size)
    x = np.asarray(inputs, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != size:
        raise NetworkError(f"inputs: expected shape (time, {size}), the input of {network.source}, found {x.shape}")
    if not np.isfinite(x).all():
        raise NetworkError("inputs: expected finite numbers, found others")
    if tokens is not None and len(tokens) != len(x):
        raise NetworkError(f"inputs: expected one row a token, {len(tokens)}, found {len(x)}; give as many of both")
    return tuple(f"x{t}" for t in range(1, len(x) + 1)) if tokens is None else tokens, x


def _check_size(network: Network, time: int) -> None:
    rows = sum(len(one.weight_ih) for layer in network.weights for one in (layer.forward, layer.reverse) if one)
    if time * rows > MAX_VALUES:
        raise NetworkError(
            f"{network.source}: expected at most {MAX_VALUES // rows:,} tokens for a network of this size, found"
            f" {time:,}; run a part of them"
        )


def _activations(network: Network, gates: str | None) -> Activations:
    if gates is None:
        return network.activations
    if network.kind != "lstm":
        raise NetworkError(
            f"{network.source}: a {network.kind} has no gates; leave the choice of gates ({gates!r}) out"
        )
    if gates not in GATE_ACTIVATIONS:
        raise NetworkError(
            f"gates: expected one of {', '.join(GATE_ACTIVATIONS)}, found {gates!r}"
            f"{did_you_mean(gates, GATE_ACTIVATIONS)}"
        )
    return replace(network.activations, gate=gates)


def _vector(network: Network, token: str) -> Vector:
    if not network.vectors:
        raise NetworkError(
            f"{network.source}: token {token!r} has no vector, for the network has none of its own; {GIVE_INPUTS}"
        )
    if token not in network.vectors:
        known = " ".join(network.vectors)
        raise NetworkError(
            f"{network.source}: token {token!r} has no vector; add it under [vectors], "
            f"or use the tokens that have one: {known}"
        )
    return network.vectors[token]


def _floats(array: object) -> Vector:
    return tuple(float(value) for value in np.asarray(array))


def _direction(
    run: AnyPass, weights: AnyWeights, start: LSTMState, tokens: tuple[str, ...], *, layer: int, reverse: bool
) -> DirectionRun:
    lines = _lines(weights)
    return DirectionRun(
        layer=layer,
        reverse=reverse,
        units=weights.hidden,
        start_h=_floats(start.h),
        start_c=_floats(start.c),
        steps=tuple(_step(token, run, lines, t) for t, token in enumerate(tokens)),
        arrays=run,
    )


def _check_finite(network: Network, layer: LayerRun) -> None:
    for direction in layer.directions:
        for step in direction.reading_order:
            pres = (unit.pre for units in step.linear.values() for unit in units)
            if not all(map(math.isfinite, (*step.h, *step.c, *pres))):
                raise NetworkError(
                    f"{network.source}: expected finite numbers, found an overflow in layer {direction.layer} at step "
                    f"{step.t} ({step.token}); use smaller weights, or tanh in place of identity"
                )


def _step(token: str, run: AnyPass, lines: Sequence[_Line], t: int) -> Step:
    return Step(
        t=t + 1,
        token=token,
        x=_floats(run.x[t]),
        h_prev=() if isinstance(run, NeuronPass) else _floats(run.h_prev[t]),
        c_prev=_floats(run.c_prev[t]) if isinstance(run, LSTMPass) else (),
        linear=_linear(run, lines, t),
        c=_floats(run.c[t]) if isinstance(run, LSTMPass) else (),
        c_activated=_floats(run.c_activated[t]) if isinstance(run, LSTMPass) else (),
        h=_floats(run.h[t]),
    )


class _Line(NamedTuple):
    """One row of the weights, on [x, h], and its biases: the same at every step."""

    weights: Array
    bias: float | None
    bias_hh: float | None


def _lines(weights: AnyWeights) -> list[_Line]:
    blocks = [weights.weight_ih] if isinstance(weights, NeuronWeights) else [weights.weight_ih, weights.weight_hh]
    rows = np.concatenate(blocks, axis=1, dtype=np.float64)  # (units, input_size + hidden)
    rows.setflags(write=False)
    bias_ih, bias_hh = weights.bias_ih, getattr(weights, "bias_hh", None)
    return [
        _Line(
            weights=row,
            bias=None if bias_ih is None else float(bias_ih[number]),
            bias_hh=None if bias_hh is None else float(bias_hh[number]),
        )
        for number, row in enumerate(rows)
    ]


def _linear(run: AnyPass, lines: Sequence[_Line], t: int) -> dict[str, tuple[LinearUnit, ...]]:
    values = _floats(run.values[t] if isinstance(run, LSTMPass) else run.h[t])
    pres = _floats(run.pre[t])
    operands = _floats(run.x[t])
    if not isinstance(run, NeuronPass):
        operands += _floats(run.h_prev[t])
    units = tuple(
        LinearUnit(weights=line.weights, operands=operands, bias=line.bias, bias_hh=line.bias_hh, pre=pre, value=value)
        for line, pre, value in zip(lines, pres, values, strict=True)
    )
    if not isinstance(run, LSTMPass):
        return {"h": units}
    blocks = dict(zip("ifgo", range(4), strict=True))
    return {gate: units[blocks[gate] * run.hidden : (blocks[gate] + 1) * run.hidden] for gate in "figo"}


def _nearest_tag(output: Vector, tags: tuple[Tag, ...]) -> Tag | None:
    """The tag whose output is nearest by Euclidean distance; the first of two equally near ones."""
    return min(tags, key=lambda tag: sum((a - b) ** 2 for a, b in zip(output, tag.output, strict=True)), default=None)
