"""The page of a trained model computes what the trace has: every number of random taggers, in a real browser."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gatewise.crf import forward_backward, n_best, viterbi
from gatewise.explain.packed import packed_size
from gatewise.explain.trace_document import _decisions, _values, trace_document
from gatewise.explain.web_page import import_map
from gatewise.lstm import Layer, LSTMPass, memory_ledger
from gatewise.runtime import Tagger, Trace, read_trace
from gatewise.runtime.trace import run_encoder

pytest.importorskip("onnx")
pytestmark = pytest.mark.torch

TOLERANCE = 1e-9
COMPUTE = """async (jobs) => {
  const { compute, contributions, readModel, rivalOf, runnersUp, throughScores, weightsOf } = await import("gatewise/tagging.js");
  const { cellLedger, scoreLedger } = await import("gatewise/ledger.js");
  const plain = (key, value) => (value instanceof Float64Array ? [...value] : typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
  return JSON.stringify(JSON.parse(jobs).map(([document, changes]) => {
    const model = readModel(document), result = compute(model, { order: model.tokens.map((_, n) => n), holds: [], forced: [], forbidden: [], ...changes });
    if (!result.path) return result;
    const all = [...Array(result.time).keys()], pass = result.top?.forward, rival = all.map((t) => rivalOf(result, t));
    const scores = model.emission_weight ? all.map((t) => weightsOf(model, result.path[t], rival[t])) : null;
    const units = (work) => (pass?.c ? all.map((t) => [...Array(pass.units).keys()].map((unit) => work(t, unit))) : null);
    return { ...result, rival, nbest: runnersUp(model, result, 5), through: throughScores(model, result),
      contributions: model.emission_weight ? all.map((t) => contributions(model, result, t, result.path[t], rival[t])) : null,
      cells: units((t, unit) => cellLedger(pass, t, unit, result.time)),
      ledgers: pass?.c ? all.map((t) => scoreLedger(result.top, t, scores[t].weights, scores[t].bias, result.time)) : null };
  }), plain);
}"""  # fmt: skip  # noqa: E501

Compute = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def computed(browser: Any) -> Compute:
    """Computes documents with the page's own modules, or with a text changed in one of them."""

    def run(jobs: list[tuple[dict[str, Any], dict[str, Any]]], name: str = "", old: str = "", new: str = "") -> Any:
        addresses = import_map()
        if name:
            head, _, body = addresses[f"gatewise/{name}"].partition(",")
            text = b64decode(body).decode()
            assert text.count(old) == 1, old
            addresses[f"gatewise/{name}"] = f"{head},{b64encode(text.replace(old, new).encode()).decode()}"
        page = browser.new_page()
        content = json.dumps({"imports": addresses})
        page.set_content(f'<title>equations</title><script type="importmap">{content}</script>')
        found = json.loads(page.evaluate(COMPUTE, json.dumps(jobs)))
        page.close()
        return found

    return run


def numbers(values: Any) -> Any:
    """Nested lists as an array; infinities came as texts."""
    return np.array(values, dtype=object).astype(np.float64)


def layer_pairs(layers: Any, found: list[dict[str, Any]]) -> Iterator[tuple[str, Any, Any]]:
    assert len(layers) == len(found)
    for n, (layer, other) in enumerate(zip(layers, found, strict=True)):
        for name in ("forward", "reverse"):
            one, there = getattr(layer, name), other[name]
            assert (one is None) == (there is None)
            if one is None:
                continue
            gates = one.values if isinstance(one, LSTMPass) else one.h
            yield f"layer {n} {name} pre", one.pre, there["pre"]
            yield f"layer {n} {name} gates", gates, there["gates"]
            yield f"layer {n} {name} h", one.h, there["h"]
            if isinstance(one, LSTMPass):
                yield f"layer {n} {name} c", one.c, there["c"]
        yield f"layer {n} output", layer.output, other["output"]


def trace_pairs(trace: Trace, found: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Every number of both sides, with its name."""
    yield from layer_pairs(trace.layers, found["layers"])
    yield "emissions", trace.emissions, found["emissions"]
    yield "marginals", trace.marginals, found["marginals"]
    scores = [found["marginals"][t][tag] for t, tag in enumerate(found["path"])]
    yield "scores", np.array(trace.sentence.scores), scores
    ranked = n_best(steered(trace), trace.scores, 5)
    yield "n best", ranked.scores, [one["score"] for one in found["nbest"]]
    yield "chance of the best", [trace.sentence.path_probability], [found["nbest"][0]["chance"]]


def steered(trace: Trace) -> Any:
    """The emissions, with tags that a gap excludes at minus infinity: by the letters of the tags alone."""
    changed = trace.emissions.copy()
    for t in trace.breaks:
        for tag, label in enumerate(trace.labels):
            if trace.scheme != "plain" and label[0] in "IE":
                changed[t, tag] = -np.inf
    return changed


def apart(pairs: Iterator[tuple[str, Any, Any]]) -> list[str]:
    """The names of what differs by more than the tolerance, relative to magnitudes of 1 and more."""
    wrong = []
    for name, expected, found in pairs:
        mine, theirs = np.asarray(expected, dtype=float).ravel(), numbers(found).ravel()
        if mine.shape != theirs.shape:
            wrong.append(name)
            continue
        finite = np.isfinite(mine)
        same = np.array_equal(mine[~finite], theirs[~finite])
        if not same or (abs(mine - theirs)[finite] > TOLERANCE * np.maximum(1, abs(mine[finite]))).any():
            wrong.append(name)
    return wrong


def test_the_random_taggers_are_of_every_kind(models: list[tuple[Tagger, Trace]]) -> None:
    configs = [tagger.archive.config for tagger, _ in models]
    assert {config.encoder.kind for config in configs} == {"lstm", "rnn"}
    assert {config.encoder.bidirectional for config in configs} == {True, False}
    assert {config.output.kind for config in configs} == {"crf", "softmax"}
    assert {config.archive.numbers for config in configs} == {"float16", "float32", "int8"}
    assert {len(trace.layers) for _, trace in models} == {1, 2, 3}
    assert any(trace.layers[-1].carried is not None for _, trace in models)
    assert any(trace.breaks for _, trace in models)


def test_every_number_of_twenty_random_taggers(models: list[tuple[Tagger, Trace]], computed: Compute) -> None:
    found = computed([(trace_document(trace), {}) for tagger, trace in models])
    for (_, trace), one in zip(models, found, strict=True):
        assert apart(trace_pairs(trace, one)) == [], trace.model
        assert [trace.labels[tag] for tag in one["path"]] == list(trace.tags)
        ranked = n_best(steered(trace), trace.scores, 5)
        assert [way["tags"] for way in one["nbest"]] == ranked.tags.tolist()


def test_ledgers_add_up_and_are_those_of_the_equations(models: list[tuple[Tagger, Trace]], computed: Compute) -> None:
    gated = [(tagger, trace) for tagger, trace in models if isinstance(trace.layers[-1].forward, LSTMPass)]
    for (_, trace), one in zip(gated, computed([(trace_document(pair[1]), {}) for pair in gated]), strict=True):
        forward = trace.layers[-1].forward
        assert isinstance(forward, LSTMPass)
        shares = memory_ledger(forward).shares
        mine = numbers([[cell["sources"] for cell in row] for row in one["cells"]]).transpose(0, 2, 1)
        np.testing.assert_allclose(mine, shares, rtol=1e-9, atol=1e-12)
        for t, (tag, rival, ledger) in enumerate(zip(one["path"], one["rival"], one["ledgers"], strict=True)):
            lead = trace.emissions[t, tag] - trace.emissions[t, rival]
            assert ledger["total"] == pytest.approx(lead, abs=1e-9)
            assert sum(ledger["sources"]) + ledger["other"] == pytest.approx(lead, abs=1e-9)
            np.testing.assert_allclose(ledger["sources"], shared_out(trace, t, tag, rival), rtol=1e-9, atol=1e-9)
            bias = trace.emission_bias[tag] - trace.emission_bias[rival]
            assert sum(one["contributions"][t]) + bias == pytest.approx(lead, abs=1e-9)
        for t, reading in enumerate(read_trace(trace, units=1)):
            assert trace.labels[one["rival"][t]] == reading.rival
            assert max(one["contributions"][t]) == pytest.approx(reading.units[0].contribution, abs=1e-9)


def shared_out(trace: Trace, t: int, tag: int, rival: int) -> Any:
    """Each w·h of a lead in the proportion of the cell's own shares, by plain loops."""
    top, sources = trace.layers[-1], np.zeros(len(trace))
    weights = trace.emission_weight[tag] - trace.emission_weight[rival]
    offset = 0
    for one in (top.forward, top.reverse):
        if not isinstance(one, LSTMPass):
            continue
        shares = memory_ledger(one).shares[t]  # (source, hidden)
        for unit in range(one.hidden):
            if one.c[t, unit]:
                sources += weights[offset + unit] * one.h[t, unit] * shares[:, unit] / one.c[t, unit]
        offset += one.hidden
    return sources


def changed_trace(tagger: Tagger, trace: Trace, order: list[int], holds: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Layers and emissions with other tokens and held gates: a held gate is one whose row says so whatever it reads."""
    arrays = tagger.archive.arrays(lambda name: name.startswith("encoder."))
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    hidden = tagger.archive.config.encoder.hidden
    for one in holds:
        suffix = f"l{one['layer']}{'_reverse' if one['direction'] == 'reverse' else ''}"
        block = {"i": 0, "f": 1, "g": 2, "o": 3, "h": 0}[one["gate"]] * hidden
        rows = slice(block, block + hidden) if one["unit"] is None else block + one["unit"]
        for kind in ("weight_ih", "weight_hh", "bias_hh"):
            wide[f"encoder.{kind}_{suffix}"][rows] = 0
        through_tanh = one["gate"] in "gh"
        wide[f"encoder.bias_ih_{suffix}"][rows] = 60 * one["value"] if through_tanh else 1e4 * (2 * one["value"] - 1)
    layers = run_encoder(trace.x[order], wide, tagger.archive)
    return layers, layers[-1].output @ trace.emission_weight.T + trace.emission_bias


def random_changes(trace: Trace, seed: int) -> dict[str, Any]:
    """Some tokens left out or repeated, gates of single units and of whole directions held."""
    chance = np.random.default_rng(seed)
    order = [n for n in range(len(trace)) for _ in range(chance.choice((0, 1, 1, 2)))] or [0]
    gates = "ifgo" if isinstance(trace.layers[-1].forward, LSTMPass) else "h"
    holds = []
    for n, layer in enumerate(trace.layers):
        for direction in ["forward"] if layer.reverse is None else ["forward", "reverse"]:
            unit = None if chance.random() < 0.3 else int(chance.integers(layer.forward.h.shape[1]))
            gate = gates[chance.integers(len(gates))]
            holds.append(
                {"layer": n, "direction": direction, "unit": unit, "gate": gate, "value": int(chance.integers(2))}
            )
    return {"order": order, "holds": holds}


def test_what_if_is_what_the_equations_say(models: list[tuple[Tagger, Trace]], computed: Compute) -> None:
    changes = [random_changes(trace, seed) for seed, (_, trace) in enumerate(models)]
    found = computed([(trace_document(pair[1]), change) for pair, change in zip(models, changes, strict=True)])
    for (tagger, trace), change, one in zip(models, changes, found, strict=True):
        layers, emissions = changed_trace(tagger, trace, **change)
        pairs = [pair for pair in layer_pairs(layers, one["layers"]) if not pair[0].endswith("pre")]
        assert apart(iter([*pairs, ("emissions", emissions, one["emissions"])])) == [], (trace.model, change)
        if not trace.breaks:
            lengths = np.array([len(emissions)])
            best = viterbi(emissions[:, None], lengths, trace.scores).tags[:, 0]
            assert one["path"] == best.tolist()


def test_a_gap_stays_where_a_token_is_left_out(models: list[tuple[Tagger, Trace]], computed: Compute) -> None:
    trace = next(trace for _, trace in models if trace.breaks and len(trace) > trace.breaks[0] + 1)
    at = trace.breaks[0]
    order = [n for n in range(len(trace)) if n != at]
    [one] = computed([(trace_document(trace), {"order": order})])
    for tag, label in enumerate(trace.labels):
        assert (one["steered"][at][tag] == "-Infinity") == (label[0] in "IE")


def test_forced_and_forbidden_tags(models: list[tuple[Tagger, Trace]], computed: Compute) -> None:
    chosen = [(tagger, trace) for tagger, trace in models if not trace.breaks]
    jobs = []
    for _, trace in chosen:
        own = [trace.labels.index(tag) for tag in trace.tags]
        jobs.append((trace_document(trace), {"forbidden": [{"t": len(own) - 1, "tag": own[-1]}]}))
        second = n_best(trace.emissions, trace.scores, 2)
        if len(second.tags) > 1:
            t = int(np.flatnonzero(second.tags[0] != second.tags[1])[0])
            jobs[-1][1]["forced"] = [{"t": t, "tag": int(second.tags[1][t])}]
    for (tagger, trace), (_, change), one in zip(chosen, jobs, computed(jobs), strict=True):
        emissions = trace.emissions.copy()
        for forbidden in change["forbidden"]:
            emissions[forbidden["t"], forbidden["tag"]] = -np.inf
        for forced in change.get("forced", ()):
            others = [tag for tag in range(len(trace.labels)) if tag != forced["tag"]]
            emissions[forced["t"], others] = -np.inf
        ranked = n_best(emissions, trace.scores, 1)
        if not len(ranked.tags):
            assert one["path"] is None
            continue
        assert one["path"] == ranked.tags[0].tolist()
        scaled = trace.scores.scaled(1 / tagger.temperature)
        sums = forward_backward((emissions / tagger.temperature)[:, None], np.array([len(trace)]), scaled)
        np.testing.assert_allclose(numbers(one["marginals"]), sums.marginals[:, 0], atol=1e-9)


def test_best_scores_through_every_tag(models: list[tuple[Tagger, Trace]], computed: Compute) -> None:
    """Against a path that is made to go there."""
    trace = next(trace for _, trace in models if 3 <= len(trace) <= 8 and not trace.breaks)
    [one] = computed([(trace_document(trace), {})])
    for t in range(len(trace)):
        for tag in range(len(trace.labels)):
            forced = trace.emissions.copy()
            forced[t, [other for other in range(len(trace.labels)) if other != tag]] = -np.inf
            ranked = n_best(forced, trace.scores, 1)
            expected = ranked.scores[0] if len(ranked.tags) else -np.inf
            assert float(one["through"][t][tag]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("encoder.js", "{ i: 0, f: 1, g: 2, o: 3 }", "{ i: 1, f: 0, g: 2, o: 3 }"),  # holds the wrong gate
        ("encoder.js", "gates[units + n] * c_prev[n] + gates[n]", "gates[n] * c_prev[n] + gates[units + n]"),
        ("encoder.js", 'time, true, held("reverse")', 'time, false, held("reverse")'),
        ("encoder.js", "model.residual && index ? below : null", "null"),
        (
            "crf.js",
            "tags.map((tag) => last[tag] + transitions[tag][to])",
            "tags.map((tag) => last[tag] + transitions[to][tag])",
        ),
        ("crf.js", "tags.filter((from) => legal(from, to))", "tags.filter((from) => legal(to, from))"),
        ("crf.js", "tags.filter((to) => legal(from, to))", "tags.filter((to) => legal(to, from))"),
        ("crf.js", "start[tag] + value)], beta", "value)], beta"),
        ("tagging.js", "cooled(model.temperature", "cooled(1"),
        ("packed.js", "2 ** (exponent - 15)", "2 ** (exponent - 16)"),
        ("packed.js", "steps[Math.floor(n / width)]", "steps[0]"),
        ("packed.js", "view.getInt8(at)", "view.getUint8(at)"),
    ],
)
def test_a_mutation_is_noticed(models: Any, computed: Compute, name: str, old: str, new: str) -> None:
    changes = [random_changes(trace, seed) for seed, (_, trace) in enumerate(models)]
    plain = computed([(trace_document(pair[1]), {}) for pair in models], name, old, new)
    held = computed(
        [(trace_document(pair[1]), change) for pair, change in zip(models, changes, strict=True)], name, old, new
    )
    wrong = []
    for (tagger, trace), change, one, other in zip(models, changes, plain, held, strict=True):
        if not one["path"] or not other["path"]:
            wrong.append("path")
            continue
        wrong += apart(trace_pairs(trace, one))
        layers, _ = changed_trace(tagger, trace, **change)
        wrong += apart(pair for pair in layer_pairs(layers, other["layers"]) if not pair[0].endswith("pre"))
        wrong += [] if [trace.labels[tag] for tag in one["path"]] == list(trace.tags) else ["tags"]
    assert wrong


IN_TURN = """async ([document, all]) => {
  const { compute, readModel } = await import("gatewise/tagging.js");
  const kept = readModel(document), none = { order: kept.tokens.map((_, n) => n), holds: [], forced: [], forbidden: [] };
  const numbers = ({ layers, emissions, steered, path, marginals }) => JSON.stringify([layers.map(({ output }) => [...output]), emissions, steered, path, marginals]);
  return all.map((changes) => [kept, readModel(document)].map((model) => numbers(compute(model, { ...none, ...changes }))));
}"""  # noqa: E501


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("stringify([order, holds])", "stringify([order])"),
        ("stringify([order, holds])", "stringify([holds])"),
    ],
)
def test_one_change_after_the_other_is_as_each_alone(models: Any, browser: Any, old: str, new: str) -> None:
    """What is kept of the change before never shows: not its tokens, not its gates, not its tags."""
    _, trace = max(models, key=lambda pair: len(pair[1]) * (pair[1].layers[-1].reverse is not None))
    held, order = random_changes(trace, 4)["holds"][:1], list(range(len(trace)))
    twice = [0, *order]
    changes = [
        {},
        {"holds": held},
        {"forbidden": [{"t": 0, "tag": 0}]},
        {"order": twice, "holds": held},
        {"order": twice},
        {"order": order[1:]},
        {"forced": [{"t": 0, "tag": 1}], "holds": held},
        {},
    ]
    addresses = import_map()
    head, _, body = addresses["gatewise/tagging.js"].partition(",")
    text = b64decode(body).decode()
    assert text.count(old) == 1 or not old
    addresses["gatewise/tagging.js"] = f"{head},{b64encode(text.replace(old, new).encode()).decode()}"
    page = browser.new_page()
    content = json.dumps({"imports": addresses})
    page.set_content(f'<title>in turn</title><script type="importmap">{content}</script>')
    found = page.evaluate(IN_TURN, [trace_document(trace), changes])
    page.close()
    assert all(kept == alone for kept, alone in found) == (not old)
    assert len({alone for _, alone in found}) == len(changes) - 1


def test_what_is_too_large_is_left_out_step_by_step(models: list[tuple[Tagger, Trace]], computed: Compute) -> None:
    trace = max((trace for _, trace in models), key=lambda one: sum(layer.output.size for layer in one.layers))
    sizes = [packed_size(trace_document(trace, most=most)) for most in (10**9, 0)]
    assert [trace_document(trace, most=most)["left_out"] for most in (*sizes, 0)] == ["", "values", "values"]
    [one] = computed([(trace_document(trace, most=0), {})])
    assert [trace.labels[tag] for tag in one["path"]] == list(trace.tags)
    assert apart(iter([("marginals", trace.marginals, one["marginals"])])) == []


def test_a_layer_without_its_weights(models: Any, computed: Compute) -> None:
    for _, trace in models:
        content = _decisions(trace) | _values(trace) | {"left_out": "weights"}
        [one] = computed([(content, {})])
        top: Layer[Any] = trace.layers[-1]
        np.testing.assert_allclose(numbers(one["top"]["output"]), top.output.ravel(), atol=1e-5)
        np.testing.assert_allclose(numbers(one["top"]["forward"]["h"]), top.forward.h.ravel(), atol=1e-6)
        assert apart(iter([("emissions", trace.emissions, one["emissions"])])) == []
