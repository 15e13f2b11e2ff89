"""The page's equations against Python's: a hundred random networks in one session of a real browser, every number."""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gatewise.explain.network_document import network_document
from gatewise.explain.web_page import import_map
from gatewise.network import DirectionRun, Network, NetworkRun, Step, parse_network

TOLERANCE = 1e-12
RUN_ALL = """async ([module, documents]) => {
  const { runNetwork } = await import(module);
  const plain = (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
  return JSON.stringify(JSON.parse(documents).map(runNetwork), plain);
}"""


def random_network(seed: int) -> Network:
    """Any kind, sizes, layers, directions, starts, activations, with and without biases."""
    chance = random.Random(seed)
    kind = ("lstm", "lstm", "rnn", "neuron")[seed % 4]

    def row(size: int) -> list[float]:
        return [round(chance.gauss(0, 1.3), chance.choice((1, 16))) for _ in range(size)]

    def linear(units: int, inputs: int, bias: bool) -> dict[str, Any]:
        content: dict[str, Any] = {"x": [row(inputs) for _ in range(units)]}
        if kind != "neuron":
            content["h"] = [row(units) for _ in range(units)]
        return content | ({"bias": row(units)} if bias else {})

    def direction(inputs: int) -> dict[str, Any]:
        units, bias = chance.randint(1, 4), chance.random() < 0.5
        states = {"lstm": ("h", "c"), "rnn": ("h",), "neuron": ()}[kind]
        start = {"start": {state: row(units) for state in states}} if states and chance.random() < 0.7 else {}
        if kind != "lstm":
            return linear(units, inputs, bias) | start
        gates = ("forget", "input", "candidate", "output")
        return {gate: linear(units, inputs, bias and chance.random() < 0.8) for gate in gates} | start

    features = chance.randint(1, 5)
    tokens = [f"t{n}" for n in range(chance.randint(1, 4))]
    inputs, layers = features, []
    for _ in range(chance.randint(1, 3)):
        layer = {"forward": direction(inputs)}
        if kind != "neuron" and chance.random() < 0.5:
            layer["reverse"] = direction(inputs)
        inputs = sum(len((part.get("forget") or part)["x"]) for part in layer.values())
        layers.append(layer)
    values = ("tanh", "identity") if len(layers) == 1 else ("tanh",)  # three layers of identities grow beyond sense
    activations = {"output": chance.choice(values)}
    if kind == "lstm":
        activations |= {"gate": chance.choice(("sigmoid", "step")), "candidate": chance.choice(values)}
    content = {
        "kind": kind,
        "sentence": chance.choices(tokens, k=chance.randint(1, 7)),
        "vectors": {token: row(features) for token in tokens},
        "activations": activations,
        "layers": layers,
        "tags": [{"name": f"g{n}", "output": row(inputs)} for n in range(chance.randint(0, 3))],
    }
    return parse_network(toml(content).encode(), f"seed{seed}.toml")


def toml(value: Any) -> str:
    """A table as TOML: inline tables all the way down."""

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key} = {inline(entry)}" for key, entry in value.items()) + "}"
        return "[" + ", ".join(map(inline, value)) + "]" if isinstance(value, list) else json.dumps(value)

    return "".join(f"{key} = {inline(entry)}\n" for key, entry in value.items())


@pytest.fixture(scope="module")
def computed(browser: Any) -> Callable[..., list[dict[str, Any]]]:
    """Runs documents with the page's own module, or with a text changed inside it."""
    page = browser.new_page()
    page.set_content("<title>equations</title>")

    def run(documents: list[dict[str, Any]], old: str = "", new: str = "") -> list[dict[str, Any]]:
        address = import_map()["gatewise/lstm.js"]
        if old:
            head, _, body = address.partition(",")
            text = b64decode(body).decode()
            assert text.count(old) == 1, old
            address = f"{head},{b64encode(text.replace(old, new).encode()).decode()}"
        return json.loads(page.evaluate(RUN_ALL, [address, json.dumps(documents)]))  # type: ignore[no-any-return]

    return run


def pairs(run: NetworkRun, found: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Every number of both sides, with its place."""
    assert len(found["layers"]) == len(run.layers)
    for layer, other in zip(run.layers, found["layers"], strict=True):
        assert (layer.reverse is None) == (other["reverse"] is None)
        for direction in layer.directions:
            there = other["reverse" if direction.reverse else "forward"]
            assert (direction.units, direction.layer) == (there["units"], there["layer"])
            yield from _direction(direction, there)
    for t, (mine, theirs) in enumerate(zip(run.output_vectors, found["outputs"], strict=True)):
        yield from _vector(f"output {t}", mine, theirs)


def _direction(direction: DirectionRun, there: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    for step, other in zip(direction.steps, there["steps"], strict=True):
        where = f"layer {direction.layer} {'reverse' if direction.reverse else 'forward'} t {step.t}"
        assert (step.t, step.token) == (other["t"], other["token"])
        yield from _step(where, step, other)


def _step(where: str, step: Step, other: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    for name in ("x", "h_prev", "c_prev", "c", "c_activated", "h"):
        yield from _vector(f"{where} {name}", getattr(step, name), other[name])
    assert list(step.linear) == list(other["linear"])
    for letter, units in step.linear.items():
        for unit, found in zip(units, other["linear"][letter], strict=True):
            yield from _vector(f"{where} {letter} weights", [term.weight for term in unit.terms], found["weights"])
            yield from _vector(f"{where} {letter} values", [term.value for term in unit.terms], found["values"])
            assert (unit.bias is None) == (found["bias"] is None)
            yield f"{where} {letter} bias", unit.bias or 0.0, found["bias"] or 0.0
            yield f"{where} {letter} pre", unit.pre, found["pre"]
            yield f"{where} {letter} value", unit.value, found["value"]


def _vector(where: str, mine: Any, theirs: Any) -> Iterator[tuple[str, float, float]]:
    assert len(mine) == len(theirs), where
    for n, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        yield f"{where} {n}", a, b


def apart(runs: list[NetworkRun], found: list[dict[str, Any]]) -> list[str]:
    """The places where the two sides differ by more than 1e-12, relative to magnitudes of 1 and more."""
    return [
        f"{run.network.source} {where}: {a} {b}"
        for run, other in zip(runs, found, strict=True)
        for where, a, b in pairs(run, other)
        if abs(a - b) > TOLERANCE * max(1.0, abs(a))
    ]


NETWORKS = [random_network(seed) for seed in range(100)]


def test_a_hundred_random_networks_to_the_last_digits(computed: Any) -> None:
    runs = [network.run() for network in NETWORKS]
    found = computed([network_document(network) for network in NETWORKS])
    assert sum(1 for run, other in zip(runs, found, strict=True) for _ in pairs(run, other)) > 10_000
    assert apart(runs, found) == []
    for run, other in zip(runs, found, strict=True):
        assert [None if tag is None else tag.name for tag in run.tags] == [tag and tag["name"] for tag in other["tags"]]
        assert run.gates == other["gates"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('f: "forget", i: "input"', 'f: "input", i: "forget"'),  # gates exchanged
        ("f[n] * seen.c_prev[n] + i[n] * g[n]", "i[n] * seen.c_prev[n] + f[n] * g[n]"),
        ("reverse ? [...x.keys()].reverse() :", "reverse ? [...x.keys()] :"),  # the wrong direction
        ("weights, index + 1, reverse);", "weights, index + 1, !reverse);"),
        ("activations.candidate : activations.gate", "activations.output : activations.gate"),
        ("pre = dot(row, x) + (bias ?? 0)", "pre = dot(row, x)"),
    ],
)  # fmt: skip
def test_a_mutation_is_noticed(computed: Any, old: str, new: str) -> None:
    runs = [network.run() for network in NETWORKS[:40]]
    documents = [network_document(network) for network in NETWORKS[:40]]
    assert apart(runs, computed(documents, old, new))


def test_the_document_carries_other_gates_and_sentences(computed: Any) -> None:
    network = parse_network(
        b'kind="lstm"\nsentence=["a"]\nvectors={a=[1],b=[-0.5]}\n[[layers]]\n[layers.forward]\n'
        b"forget={x=[[0]],h=[[0]]}\ninput={x=[[2]],h=[[0]]}\ncandidate={x=[[1]],h=[[0]]}\noutput={x=[[3]],h=[[0]]}\n",
        "n.toml",
    )
    run = network.run(["b", "a"], gates="step")
    [found] = computed([network_document(network, ("b", "a"), "step")])
    assert apart([run], [found]) == []
    assert found["tokens"] == ["b", "a"]


def test_what_overflows_is_told(computed: Any) -> None:
    """Python refuses such a network; the page shows where it happens."""
    network = parse_network(
        b'kind="rnn"\nsentence=["a","a","a"]\nvectors={a=[1e200]}\nactivations={output="identity"}\n'
        b"layers=[{forward={x=[[1]],h=[[1e200]]}}]\n",
        "n.toml",
    )
    [found] = computed([network_document(network)])
    assert found["outputs"][0] == [1e200]
    assert found["outputs"][1] == ["Infinity"]
