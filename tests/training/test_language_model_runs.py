"""Taggers that read a language model, whole runs: what is saved, that nothing of the language model is trained, that
its folder is not needed any more, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.errors import ConfigError, ModelError  # noqa: E402
from gatewise.explain import render_text, trace_text  # noqa: E402
from gatewise.explain.trace_page import trace_page  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.language_model import (  # noqa: E402
    LanguageModel,
    language_model_shapes,
    open_language_model,
    save_language_model,
)
from gatewise.runtime import load  # noqa: E402
from gatewise.text.vocabulary import Vocabulary  # noqa: E402
from gatewise.training.batches import collate, encode_sentences  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.predict import predict  # noqa: E402
from gatewise.training.run import run_training  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402

pytestmark = pytest.mark.torch

HIDDEN, DIM = 6, 3
CHARACTERS = ("\n", "小", "明", "北", "京", "在", "我", " ", "e", "t", "a")


def make_language_model(folder: Path, seed: int = 1, characters: tuple[str, ...] = CHARACTERS) -> Path:
    """A folder of random weights."""
    draw = np.random.default_rng(seed)
    shapes = language_model_shapes(hidden=HIDDEN, dim=DIM, size=len(characters) + 2)
    arrays = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    model = LanguageModel(hidden=HIDDEN, dim=DIM, vocabulary=Vocabulary(entries=characters), arrays=arrays)
    save_language_model(folder, model, card="# made up\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_language_model(tmp_path / "lm")


def table_of(folder: Path, numbers: str = "float32", **features: Any) -> dict[str, Any]:
    return {
        "encoder": {"hidden": 5},
        "features": {"token_dim": 5, "bigram_dim": 3, "language_model": str(folder), **features},
        "training": {"epochs": 4, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "threads": 1},
        "archive": {"numbers": numbers},
    }


@pytest.mark.parametrize(
    ("file", "spaces", "features"),
    [
        ("spans.conll", "none", {}),
        ("tags.conll", "between", {"language_model_dim": 4, "shape_dim": 2}),
        ("chunks.conll", "between", {"characters": "lstm"}),
    ],
)
def test_the_saved_model_says_what_torch_says_without_the_folder(
    tiny: Path, tmp_path: Path, folder: Path, file: str, spaces: str, features: dict[str, Any]
) -> None:
    files = Files(train=tiny / file, dev=tiny / file)
    corpus = read_splits(config_from_dict(table_of(folder, **features), where="test"), files)
    assert corpus.config.features.language_model_spaces == spaces
    result = run_training(corpus, files, tmp_path / "model")
    assert result is not None
    given = open_language_model(folder)
    shutil.rmtree(folder)
    tagger = load(result.folder)
    archive = tagger.archive
    arrays = archive.arrays(lambda _: True)
    for name, array in given.arrays.items():  # nothing of it was trained
        np.testing.assert_array_equal(arrays[name], array)
    assert archive.vocabularies["language_model"].entries == CHARACTERS
    if "language_model_dim" in features:
        for suffix in ("", "_reverse"):
            assert np.abs(arrays[f"language_model.projection{suffix}.bias"]).max() > 0  # it began at 0
    sizes = {name: vocabulary.size for name, vocabulary in archive.vocabularies.items()}
    network = TaggerNetwork(archive.config, sizes=sizes, legality=archive.legality)
    assert arrays.keys() == network.arrays().keys()
    for name, array in network.arrays().items():
        array.copy_(torch.from_numpy(arrays[name]))
    sentences = [*corpus.train, *(tagger.tokenize(text) for text in ("我saw𠮷𠮷2024", "龘"))]
    encoded = encode_sentences(sentences, tagger._workers.session._encoder, {})
    [batch] = collate(encoded, [range(len(sentences))])
    network.eval()
    with torch.no_grad():
        x, emissions = network.inputs(batch.inputs), network(batch.inputs, batch.lengths)
    session = tagger._workers.session
    graph_x, graph_emissions = session.inputs_and_emissions(session.encode(sentences))
    for column, sentence in enumerate(sentences):
        inside = slice(len(sentence)), column
        np.testing.assert_allclose(graph_x[inside], x.numpy()[inside], atol=2e-6)
        np.testing.assert_allclose(graph_emissions[inside], emissions.numpy()[inside], atol=2e-5)
    predicted = predict(network, encoded, tagger.labels)
    assert [sentence.tags for sentence in tagger.tag_sentences(sentences)] == predicted


def test_it_is_explained(tiny: Path, tmp_path: Path, folder: Path) -> None:
    files = Files(train=tiny / "spans.conll", dev=tiny / "spans.conll")
    corpus = read_splits(config_from_dict(table_of(folder), where="test"), files)
    result = run_training(corpus, files, tmp_path / "model")
    assert result is not None
    tagger = load(result.folder)
    trace = tagger.trace("我在 龘京")
    assert trace.fast_path_agrees
    parts = {part.name: part for part in trace.parts}
    assert [(part.name, part.start, part.stop) for part in trace.parts] == [
        ("token", 0, 5),
        ("bigram_before", 5, 8),
        ("bigram_after", 8, 11),
        ("lm_forward", 11, 17),
        ("lm_reverse", 17, 23),
    ]
    assert parts["lm_reverse"].keys == ("我", "在", "龘", "京")
    assert parts["lm_reverse"].known == (True, True, False, True)
    text = render_text(trace_text(trace, lang="en"), width=120)
    assert "language model forward 6, language model reverse 6" in text
    assert "正向语言模型 6、反向语言模型 6" in render_text(trace_text(trace, lang="zh"), width=120)
    page = trace_page(tagger, "我在京")
    assert '"lm_forward"' in page


def test_int8_is_a_quarter_and_says_nearly_the_same(tiny: Path, tmp_path: Path, folder: Path) -> None:
    files = Files(train=tiny / "spans.conll", dev=tiny / "spans.conll")
    states = {}
    for numbers in ("float32", "int8"):
        corpus = read_splits(config_from_dict(table_of(folder, numbers), where="test"), files)
        result = run_training(corpus, files, tmp_path / numbers)
        assert result is not None
        session = load(result.folder)._workers.session
        x, _ = session.inputs_and_emissions(session.encode(corpus.train[:4]))
        states[numbers] = x[: len(corpus.train[0]), 0, 11:]
    assert 0 < np.abs(states["int8"] - states["float32"]).max() < 0.05


def test_another_language_model_is_another_run(tiny: Path, tmp_path: Path, folder: Path) -> None:
    from gatewise.training.prepare import prepare

    fingerprints = set()
    for seed in (1, 2):
        shutil.rmtree(folder)
        make_language_model(folder, seed)
        config = config_from_dict(table_of(folder), where="test")
        corpus = read_splits(config, Files(train=tiny / "spans.conll"))
        fingerprints.add(prepare(corpus.config, corpus.train).fingerprint())
    assert len(fingerprints) == 2


def refused(tiny: Path, table: dict[str, Any]) -> str:
    with pytest.raises((ModelError, ConfigError)) as caught:
        read_splits(config_from_dict(table, where="test"), Files(train=tiny / "spans.conll"))
    return str(caught.value)


def test_what_is_no_language_model_is_refused_before_training(tiny: Path, tmp_path: Path, stored: Path) -> None:
    missing = tmp_path / "none"
    assert refused(tiny, table_of(missing)) == (
        f"{missing}: expected the folder of a language model (gatewise pretrain), found nothing"
    )
    tagger = stored / "v1-spans"
    assert refused(tiny, table_of(tagger)) == (
        f"{tagger / 'config.json'}: expected kind 'language_model', found 'tagger'; give the folder that gatewise"
        " pretrain has written"
    )


def test_sizes_that_are_not_the_folder_s_are_refused(tiny: Path, folder: Path) -> None:
    assert refused(tiny, table_of(folder, language_model_hidden=7)) == (
        f"features.language_model_hidden: expected 6, as {folder} has it, found 7; leave it out"
    )
    table = table_of(folder, language_model_embedding=7)
    table["features"]["language_model"] = ""
    assert refused(tiny, table) == (
        "features.language_model_embedding: expected 0, as no features.language_model has it, found 7; leave it out"
    )
