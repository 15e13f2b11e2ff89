"""Tagging with the native kernel and with the graph's layers: the same tags but where rounding the states decides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gatewise
from gatewise.errors import ConfigError, ModelError
from gatewise.native.library import VARIABLE, native_kernel
from gatewise.runtime import Tagger

MODELS = Path(__file__).parent.parent / "data" / "models"
TEXTS = {
    "zh": ["我叫小明，今年在北京大学读书。", "周末", "他们 昨天 去 了 上海 的 图书馆 看书。" * 5, "吃"],
    "en-ner": [
        "Alan Turing was born in London.",
        "lol",
        "Tesla opened a new factory near Berlin last Monday, he said.",
    ],
    str(MODELS / "v2-integers"): ["小明 住在 北京", "the old dog", "小明"],
}

needs_kernel = pytest.mark.skipif(
    native_kernel() is None, reason="no native kernel for this processor, or none was built"
)


def tagger_with(monkeypatch: pytest.MonkeyPatch, kernel: str, model: str) -> Tagger:
    monkeypatch.setenv(VARIABLE, kernel)
    return gatewise.load(model, threads=1)


def emissions_of(tagger: Tagger, texts: list[str]) -> dict[str, np.ndarray]:
    found = {}
    for sentences, emissions in tagger.emissions([tagger.tokenize(text) for text in texts]):
        for column, sentence in enumerate(sentences):
            found[sentence.text] = emissions[: len(sentence), column]
    return found


@needs_kernel
@pytest.mark.parametrize("model", TEXTS)
def test_emissions_are_near_those_of_the_graph(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    texts = TEXTS[model]
    found, wanted = (emissions_of(tagger_with(monkeypatch, name, model), texts) for name in ("", "onnxruntime"))
    for text in texts:
        finite = np.isfinite(wanted[text])
        assert np.array_equal(finite, np.isfinite(found[text]))
        differences = np.abs(found[text][finite] - wanted[text][finite])
        assert 0 < differences.max() < 0.1  # another kernel, within what rounding the states does
        assert np.abs(wanted[text][finite]).mean() > 0.3


@needs_kernel
@pytest.mark.parametrize("model", TEXTS)
def test_a_sentence_alone_and_in_a_batch_is_the_same_bit_for_bit(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    tagger = tagger_with(monkeypatch, "", model)
    together = emissions_of(tagger, TEXTS[model])
    for text in TEXTS[model]:
        np.testing.assert_array_equal(emissions_of(tagger, [text])[text], together[text])


@needs_kernel
def test_with_and_without_tiles_nothing_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = TEXTS["zh"]
    first, second = (list(tagger_with(monkeypatch, name, "zh").tag_many(texts)) for name in ("", "vnni"))
    assert first == second


@needs_kernel
def test_every_head_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = TEXTS["en-ner"]
    first, second = (tagger_with(monkeypatch, name, "en-ner").tag(texts[0]) for name in ("", "onnxruntime"))
    assert first.heads.keys() == second.heads.keys() == {"biomedical", "upos"}
    for name in first.heads:
        assert first.heads[name].tags == second.heads[name].tags


@needs_kernel
def test_the_trace_has_the_x_that_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (tagger_with(monkeypatch, name, "zh").trace(TEXTS["zh"][0]) for name in ("", "onnxruntime"))
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(first.emissions, second.emissions)  # the equations'
    assert first.sentence.tags == second.sentence.tags


@needs_kernel
@pytest.mark.parametrize("model", ["zh", str(MODELS / "v2-integers")])
def test_x_that_is_looked_up_is_the_graphs(model: str) -> None:
    session = gatewise.load(model, threads=1)._workers.session
    layers = session._layers
    assert layers is not None
    batch = session.encode([gatewise.load(model, threads=1).tokenize(text) for text in TEXTS[model]])
    [x] = session._graph.run(["x"], batch.feeds())
    size = session._input_size
    np.testing.assert_array_equal(layers.looked_up(batch.inputs)[..., :size], layers.counted(x)[..., :size])
    reads_characters = gatewise.load("en-ner", threads=1)._workers.session._layers
    assert layers.looks_up
    assert reads_characters is not None
    assert not reads_characters.looks_up


@needs_kernel
def test_a_model_that_is_looked_up_does_without_onnxruntime() -> None:
    """It takes a tenth of a second to import, and 30 MB."""
    code = "import sys, gatewise; gatewise.load('zh').tag('我叫小明'); print('onnxruntime' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "False"


@needs_kernel
@pytest.mark.parametrize("model", ["zh", "en-ner"])
def test_batches_side_by_side_need_a_session_of_their_own_where_there_is_a_graph(
    monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """Loading twice takes twice the time; the native kernel is one for all threads."""
    shared = []
    for kernel in ("", "onnxruntime"):
        monkeypatch.setenv(VARIABLE, kernel)
        workers = gatewise.load(model, threads=2)._workers
        shared.append(workers.narrow() is workers.session)
        assert workers.narrow() is workers.narrow()
    assert shared == [model == "zh", False]


@needs_kernel
def test_an_id_past_the_end_of_a_table_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    session = tagger_with(monkeypatch, "", "zh")._workers.session
    batch = session.encode([gatewise.load("zh").tokenize("我叫小明")])
    batch.inputs["tokens"][1, 0] = 10**6
    with pytest.raises(ModelError, match=r"expected a graph that fits the vocabulary, .*\(id 1000000 in a table of"):
        session.emissions(batch)


@pytest.mark.parametrize("kernel", ["", "onnxruntime", "vnni"])
def test_float_models_run_in_their_graph(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    tagger = tagger_with(monkeypatch, kernel, str(MODELS / "v2-segmentation"))
    monkeypatch.delenv(VARIABLE)
    assert tagger.tag("我叫小明") == gatewise.load(MODELS / "v2-segmentation").tag("我叫小明")


def test_what_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "cuda")
    with pytest.raises(ConfigError, match=r"^GATEWISE_KERNEL: expected onnxruntime or vnni, found 'cuda'; unset it"):
        gatewise.load("zh")
