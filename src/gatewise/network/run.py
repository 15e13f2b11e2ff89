"""One pass of a hand-written network, with every operand of every formula.

In: a `Network`, the tokens, the gate activation. Out: a frozen `NetworkRun`. The equations are those of
`gatewise.lstm`, in float64; here their numbers are put side by side, input before hidden state.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gatewise.errors import NetworkError
from gatewise.lstm import GATE_ACTIVATIONS, Activations, LSTMPass, LSTMState, NeuronPass, NeuronWeights
from gatewise.network.nearest import did_you_mean
from gatewise.network.passes import AnyPass, AnyWeights, pass_layers
from gatewise.network.records import DirectionRun, LayerRun, LinearUnit, NetworkRun, Step, Term, Vector

if TYPE_CHECKING:
    from gatewise.network.network import Network, Tag


def run_network(network: Network, tokens: tuple[str, ...], gates: str | None) -> NetworkRun:
    """Run `network` on `tokens`; see `Network.run`."""
    activations = _activations(network, gates)
    input_size = len(next(iter(network.vectors.values())))
    vectors = [_vector(network, token) for token in tokens]
    x = np.array(vectors, dtype=np.float64).reshape(len(tokens), input_size)  # (time, input_size)
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
    return DirectionRun(
        layer=layer,
        reverse=reverse,
        units=weights.hidden,
        start_h=_floats(start.h),
        start_c=_floats(start.c),
        steps=tuple(_step(token, run, weights, t) for t, token in enumerate(tokens)),
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


def _step(token: str, run: AnyPass, weights: AnyWeights, t: int) -> Step:
    return Step(
        t=t + 1,
        token=token,
        x=_floats(run.x[t]),
        h_prev=() if isinstance(run, NeuronPass) else _floats(run.h_prev[t]),
        c_prev=_floats(run.c_prev[t]) if isinstance(run, LSTMPass) else (),
        linear=_linear(run, weights, t),
        c=_floats(run.c[t]) if isinstance(run, LSTMPass) else (),
        c_activated=_floats(run.c_activated[t]) if isinstance(run, LSTMPass) else (),
        h=_floats(run.h[t]),
    )


def _linear(run: AnyPass, weights: AnyWeights, t: int) -> dict[str, tuple[LinearUnit, ...]]:
    values = _floats(run.values[t] if isinstance(run, LSTMPass) else run.h[t])
    operands = _floats(run.x[t])
    rows = weights.weight_ih
    if not isinstance(weights, NeuronWeights) and not isinstance(run, NeuronPass):
        operands += _floats(run.h_prev[t])
        rows = np.concatenate([weights.weight_ih, weights.weight_hh], axis=1)  # (units, input_size + hidden)
    units = tuple(
        LinearUnit(
            terms=tuple(Term(weight=weight, value=value) for weight, value in zip(_floats(row), operands, strict=True)),
            bias=None if weights.bias_ih is None else float(weights.bias_ih[number]),
            pre=float(run.pre[t, number]),
            value=values[number],
        )
        for number, row in enumerate(rows)
    )
    if not isinstance(run, LSTMPass):
        return {"h": units}
    blocks = dict(zip("ifgo", range(4), strict=True))
    return {gate: units[blocks[gate] * run.hidden : (blocks[gate] + 1) * run.hidden] for gate in "figo"}


def _nearest_tag(output: Vector, tags: tuple[Tag, ...]) -> Tag | None:
    """The tag whose output is nearest by Euclidean distance; the first of two equally near ones."""
    return min(tags, key=lambda tag: sum((a - b) ** 2 for a, b in zip(output, tag.output, strict=True)), default=None)
