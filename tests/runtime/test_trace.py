"""The trace: what is shown is what was tagged, and every number follows from the ones before it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gatewise.crf import viterbi
from gatewise.lstm import LSTMPass, RNNPass, memory_ledger
from gatewise.runtime import Tagger, Trace, read_trace

TEXTS = (
    "小明住在北京。",
    "我 saw 她 in the park .",
    "龘",
    "The old man has seen 42 cats",
    "王芳和👩‍👧去大学读书，今天。",
)
MODELS = ("v1-spans", "v1-segmentation", "v1-softmax-rnn", "v1-tags")


@pytest.fixture(params=[(name, text) for name in MODELS for text in TEXTS], ids=lambda param: f"{param[0]}-{param[1]}")
def case(request: pytest.FixtureRequest, taggers: dict[str, Tagger]) -> tuple[Tagger, Trace]:
    name, text = request.param
    return taggers[name], taggers[name].trace(text)


def passes(trace: Trace) -> list[LSTMPass | RNNPass]:
    both = [(layer.forward, layer.reverse) for layer in trace.layers]
    return [one for pair in both for one in pair if one is not None]


def test_what_is_shown_is_what_was_tagged(case: tuple[Tagger, Trace]) -> None:
    tagger, trace = case
    sentence = tagger.tag(trace.sentence.text)
    assert trace.tags == trace.fast_tags == sentence.tags
    assert trace.fast_path_agrees
    assert trace.sentence.tokens == sentence.tokens
    assert trace.sentence.scores == pytest.approx(sentence.scores, abs=1e-4)
    assert [(span.start, span.end, span.label) for span in trace.sentence.spans] == [
        (span.start, span.end, span.label) for span in sentence.spans
    ]
    assert (trace.model, trace.scheme, trace.labels) == (tagger.name, tagger.scheme, tagger.labels)


def test_emissions_are_those_of_the_fast_path_and_follow_from_the_states(case: tuple[Tagger, Trace]) -> None:
    tagger, trace = case
    fast_x, fast = tagger._workers.session.inputs_and_emissions(tagger._workers.session.encode([trace.sentence]))
    np.testing.assert_allclose(trace.emissions, fast[:, 0], rtol=0, atol=1e-5)
    assert np.array_equal(trace.x, fast_x[:, 0])
    states = trace.layers[-1].output
    np.testing.assert_allclose(trace.emissions, states @ trace.emission_weight.T + trace.emission_bias, atol=1e-12)
    below = trace.x
    for layer in trace.layers:
        assert np.array_equal(layer.forward.x, below)
        below = layer.output
    assert {array.dtype for array in (trace.x, trace.emissions, trace.marginals, states)} == {np.dtype(np.float64)}


def test_marginals_are_probabilities_and_hold_the_scores_of_the_tags(case: tuple[Tagger, Trace]) -> None:
    _, trace = case
    assert trace.marginals.shape == trace.emissions.shape == (len(trace), len(trace.labels))
    np.testing.assert_allclose(trace.marginals.sum(axis=1), 1.0, atol=1e-9)
    chosen = [trace.labels.index(tag) for tag in trace.tags]
    assert trace.sentence.scores == pytest.approx(trace.marginals[np.arange(len(trace)), chosen])


def test_the_best_path_of_the_numbers_shown_is_the_one_shown(taggers: dict[str, Tagger]) -> None:
    for text in ("小明住在北京。", "我叫李，从上海来。"):
        trace = taggers["v1-spans"].trace(text)
        best = viterbi(trace.emissions[:, None], np.array([len(trace)]), trace.scores).tags[:, 0]
        assert tuple(trace.labels[tag] for tag in best) == trace.tags


def test_the_ledger_adds_up_to_the_cell(case: tuple[Tagger, Trace]) -> None:
    _, trace = case
    for one in passes(trace):
        if isinstance(one, LSTMPass):
            ledger = memory_ledger(one)
            np.testing.assert_allclose(ledger.shares.sum(axis=1) + ledger.start, one.c, atol=1e-12)


def test_all_units_together_make_the_lead(case: tuple[Tagger, Trace]) -> None:
    _, trace = case
    states = trace.layers[-1].output.shape[1]
    for t, reading in enumerate(read_trace(trace, units=states, sources=len(trace))):
        tag, rival = trace.labels.index(reading.tag), trace.labels.index(reading.rival)
        assert reading.tag == trace.tags[t]
        assert reading.probability == trace.marginals[t, tag]
        assert reading.rival_probability == np.delete(trace.marginals[t], tag).max() == trace.marginals[t, rival]
        assert reading.lead == pytest.approx(trace.emissions[t, tag] - trace.emissions[t, rival])
        assert len(reading.units) == states
        contributions = [unit.contribution for unit in reading.units]
        assert contributions == sorted(contributions, reverse=True)
        assert sum(contributions) + reading.bias_lead == pytest.approx(reading.lead, abs=1e-12)
        for unit in reading.units:
            assert unit.contribution == unit.weight * unit.h
            one = getattr(trace.layers[-1], unit.direction)
            assert unit.h == one.h[t, unit.unit]
            if isinstance(one, LSTMPass):
                assert unit.cell == {name: getattr(one, name)[t, unit.unit] for name in "ifgoc"}
                assert unit.h == pytest.approx(unit.cell["o"] * np.tanh(unit.cell["c"]))
            else:
                assert not unit.cell


def test_memory_and_openness_are_those_of_the_last_layer(case: tuple[Tagger, Trace]) -> None:
    _, trace = case
    top = trace.layers[-1]
    if isinstance(top.forward, RNNPass):
        assert all(not reading.openness and not reading.memory for reading in read_trace(trace))
        return
    names = ["forward"] if top.reverse is None else ["forward", "reverse"]
    for t, reading in enumerate(read_trace(trace, sources=len(trace))):
        assert list(reading.openness) == list(reading.memory) == names
        for name in names:
            one, openness, shares = getattr(top, name), reading.openness[name], reading.memory[name]
            for gate in "ifo":
                assert getattr(openness, gate) == pytest.approx(getattr(one, gate)[t].mean())
            assert sum(share.share for share in shares) == pytest.approx(1.0)
            assert [share.share for share in shares] == sorted((share.share for share in shares), reverse=True)
            assert all((share.token <= t) if name == "forward" else (share.token >= t) for share in shares)
            assert len({share.token for share in shares}) == len(shares)
    assert read_trace(trace, sources=1)[-1].memory["forward"][0] == reading.memory["forward"][0]


def test_a_reading_is_short_unless_it_is_asked_to_be_long(taggers: dict[str, Tagger]) -> None:
    readings = read_trace(taggers["v1-spans"].trace("小明住在北京。"))
    assert [len(reading.units) for reading in readings] == [3] * 7
    assert [len(reading.memory["forward"]) for reading in readings] == [1, 2, 3, 3, 3, 3, 3]
    assert [len(reading.memory["reverse"]) for reading in readings] == [3, 3, 3, 3, 3, 2, 1]


@pytest.mark.parametrize("text", ["", " \r\n"])
@pytest.mark.parametrize("name", MODELS)
def test_a_text_without_tokens(taggers: dict[str, Tagger], name: str, text: str) -> None:
    trace = taggers[name].trace(text)
    assert len(trace) == 0
    assert (trace.sentence.text, trace.tags, trace.fast_tags, trace.sentence.spans) == (text, (), (), ())
    assert trace.emissions.shape == trace.marginals.shape == (0, len(trace.labels))
    assert trace.fast_path_agrees
    assert read_trace(trace) == ()


def test_when_the_fast_path_differs_the_trace_says_so_with_both(
    taggers: dict[str, Tagger], monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = taggers["v1-spans"]
    right = tagger._workers.session.inputs_and_emissions
    monkeypatch.setattr(
        tagger._workers.session, "inputs_and_emissions", lambda *asked: (right(*asked)[0], -right(*asked)[1])
    )
    trace = tagger.trace("小明住在北京。")
    assert trace.tags == tagger.tag("小明住在北京。").tags
    assert trace.fast_tags != trace.tags
    assert len(trace.fast_tags) == len(trace)
    assert not trace.fast_path_agrees


def test_a_trace_is_frozen(taggers: dict[str, Tagger]) -> None:
    trace = taggers["v1-spans"].trace("小明")
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.emissions = trace.x  # type: ignore[misc]
    arrays = [trace.x, trace.emissions, trace.emission_weight, trace.emission_bias, trace.marginals]
    for array in [*arrays, *(one.h for one in passes(trace))]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
