"""A hand-written network as JSON: the stable contract of `gatewise explain --network … --format json`.

In: a `NetworkRun`. Out: a dict of plain lists, numbers and texts, exact in every digit; whole numbers are int.
The keys are described in docs/networks.md.
"""

from __future__ import annotations

from typing import Any

from gatewise.network import DirectionRun, NetworkRun, Step


def network_json(run: NetworkRun) -> dict[str, Any]:
    """One layer in one direction has everything in `steps`; more have tokens in `steps` and cells in `layers`.

    >>> from gatewise.network import read_network
    >>> network_json(read_network("article").run(gates="step"))["outputs"]
    [[0], [2], [0], [0]]
    """
    tags = [None if tag is None else tag.name for tag in run.tags]
    content: dict[str, Any] = {"network": run.network.name, "gates": run.gates}
    if run.is_simple:
        steps = run.layers[0].forward.steps
        content["steps"] = [_step(step) | {"tag": tag} for step, tag in zip(steps, tags, strict=True)]
    else:
        content["steps"] = [
            {"t": t, "token": token, "output": _numbers(output), "tag": tag}
            for t, (token, output, tag) in enumerate(zip(run.tokens, run.output_vectors, tags, strict=True), start=1)
        ]
        content["layers"] = [
            {"reverse" if direction.reverse else "forward": _steps(direction) for direction in layer.directions}
            for layer in run.layers
        ]
    return content | {"outputs": [_numbers(vector) for vector in run.output_vectors], "tags": tags}


def _steps(direction: DirectionRun) -> list[dict[str, Any]]:
    return [_step(step) for step in direction.steps]


def _step(step: Step) -> dict[str, Any]:
    """One step; an RNN has `pre` in place of gates, and neither c_prev nor c; a neuron has no h_prev."""
    content: dict[str, Any] = {"t": step.t, "token": step.token, "x": _numbers(step.x)}
    if step.h_prev:
        content["h_prev"] = _numbers(step.h_prev)
    if not step.c:
        return content | {"pre": _numbers(unit.pre for unit in step.linear["h"]), "h": _numbers(step.h)}
    content["c_prev"] = _numbers(step.c_prev)
    for gate in "figo":
        units = step.linear[gate]
        content[gate] = {"pre": _numbers(unit.pre for unit in units), "value": _numbers(unit.value for unit in units)}
    return content | {"c": _numbers(step.c), "h": _numbers(step.h)}


def _numbers(values: Any) -> list[float]:
    return [int(value) if value.is_integer() and abs(value) < 2**53 else value for value in values]
