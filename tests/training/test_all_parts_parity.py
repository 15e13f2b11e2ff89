"""Tokens, bigrams, word sets, a language model and forms in one x: by the equations from the strings, in torch as
training batches them, in the graph as the runtime feeds it; x and emissions, whole and in parts; and mutations that
must show.

Weights are random and asymmetric, those of padding too; sentences are ragged.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.lstm import LSTMWeights, run_lstm  # noqa: E402
from gatewise.model.archive import save_model  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.model.language_model import LanguageModel, language_model_shapes, save_language_model  # noqa: E402
from gatewise.model.lexicon import Lexicon  # noqa: E402
from gatewise.model.numbers import stored  # noqa: E402
from gatewise.model.parameters import parameter_shapes  # noqa: E402
from gatewise.runtime import Tagger, load  # noqa: E402
from gatewise.text.sentence import Sentence, sentence_from_forms  # noqa: E402
from gatewise.text.vocabulary import Vocabulary  # noqa: E402
from gatewise.training.batches import collate, encode_sentences  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.predict import predict  # noqa: E402
from gatewise.training.run import run_training  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402

pytestmark = pytest.mark.torch

LABELS = ("B-X", "I-X", "O")
WEIGHTS = {"中国": 7, "人民": 2, "国": 5, "人民大学": 1, "中国人民": 1, "国人": 1, "民大": 1}  # of words in a set
KNOWN: dict[str, Vocabulary] = {
    "tokens": Vocabulary(entries=("中", "国", "人", "在")),
    "bigrams": Vocabulary(entries=("<s>中", "国人", "民</s>", "在a")),
    "lexicon": Lexicon(
        entries=("中国", "人民", "国", "人民大学"), others=("中国人民", "国人", "民大"), weights=(7, 2, 5, 1)
    ),
    "language_model": Vocabulary(entries=("\n", "国", "A", "人", "大", "在")),
    "shapes": Vocabulary(entries=("x", "X")),
}
TEXTS = ("中国人民大学", "国", "在a龘", "炒A股人民", "民大中国人民大学人", "在人")
SENTENCES = [sentence_from_forms(list(text)) for text in TEXTS]
SIZES = {"token": 3, "bigram_before": 2, "bigram_after": 2} | {f"lexicon_{kind}": 4 for kind in "BMES"}
ORDER = (*SIZES, "lm_forward", "lm_reverse")
Float64s = npt.NDArray[np.float64]
Arrays = dict[str, Float64s]


def make_config(numbers: str = "float32", **features: Any) -> Config:
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "features": {
            "token_dim": 3,
            "bigram_dim": 2,
            "lexicon": "words",
            "lexicon_dim": 4,
            "language_model": "somewhere",
            "language_model_hidden": 6,
            "language_model_embedding": 3,
            "language_model_spaces": "none",
            **features,
        },
        "encoder": {"hidden": 5},
        "archive": {"numbers": numbers},
    }
    return config_from_dict(table, where="test")


def make(folder: Path, config: Config) -> Tagger:
    """A model of random weights, saved and loaded."""
    vocabularies = KNOWN if config.features.shape_dim else {name: KNOWN[name] for name in KNOWN if name != "shapes"}
    sizes = {name: vocabulary.size for name, vocabulary in vocabularies.items()}
    draw = np.random.default_rng(7)
    shapes = parameter_shapes(config, sizes=sizes, num_tags=len(LABELS))
    arrays = stored(
        config, {name: (draw.normal(size=shape) * 0.7).astype(np.float32) for name, shape in shapes.items()}
    )
    save_model(
        folder,
        config=config,
        scheme="BIO",
        labels=LABELS,
        vocabularies=vocabularies,
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card="",
    )
    return load(folder, threads=1)


# By hand: from the strings and the arrays, by the equations that the explainer runs


def row(name: str, key: str) -> int:
    entries = KNOWN[name].entries
    return entries.index(key) + 2 if key in entries else 1


def states(arrays: Arrays, prefix: str, x: Float64s, suffix: str) -> Float64s:
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = LSTMWeights(**{kind: arrays[f"{prefix}.{kind}_l0{suffix}"] for kind in kinds})
    return run_lstm(x, weights, reverse=bool(suffix)).h


def set_mean(table: Float64s, words: Sequence[str]) -> Float64s:
    total = sum(WEIGHTS[word] for word in words)
    return sum((WEIGHTS[word] / total * table[row("lexicon", word)] for word in words), np.zeros(table.shape[1]))


def words_around(text: str, place: int, kind: str) -> list[str]:
    """Every word of the list that stands so around a place, of all stretches of the text."""
    stretches = [(start, end) for start in range(place + 1) for end in range(place + 1, len(text) + 1)]
    inside = {
        "B": lambda start, end: start == place < end - 1,
        "M": lambda start, end: start < place < end - 1,
        "E": lambda start, end: start < place == end - 1,
        "S": lambda start, end: start == place == end - 1,
    }[kind]
    return [text[start:end] for start, end in stretches if inside(start, end) and text[start:end] in WEIGHTS]


def parts_by_hand(arrays: Arrays, sentence: Sentence) -> dict[str, Float64s]:
    """By name (time, size)."""
    text = "".join(sentence.forms)
    keys = ["<s>", *text.lower(), "</s>"]
    pairs = [row("bigrams", one + other) for one, other in pairwise(keys)]
    found = {
        "token": arrays["token_embedding.weight"][[row("tokens", key) for key in keys[1:-1]]],
        "bigram_before": arrays["bigram_embedding.weight"][pairs[:-1]],
        "bigram_after": arrays["bigram_embedding.weight"][pairs[1:]],
    }
    for kind in "BMES":
        sets = [words_around(text.lower(), place, kind) for place in range(len(text))]
        found[f"lexicon_{kind}"] = np.stack([set_mean(arrays["lexicon_embedding.weight"], words) for words in sets])
    for part, suffix in (("lm_forward", ""), ("lm_reverse", "_reverse")):
        ids = [row("language_model", one) for one in f"\n{text}\n"]
        x = arrays[f"language_model.embedding{suffix}.weight"][ids]
        read = states(arrays, "language_model", x, suffix)[1:-1]
        if (name := f"language_model.projection{suffix}") + ".weight" in arrays:
            read = np.tanh(read @ arrays[f"{name}.weight"].T + arrays[f"{name}.bias"])
        found[part] = read
    if "shape_embedding.weight" in arrays:
        shapes = ["X" if one == "A" else "x" if one == "a" else "c" for one in text]
        found["shape"] = arrays["shape_embedding.weight"][[row("shapes", shape) for shape in shapes]]
    return found


def by_hand(arrays: Arrays, sentence: Sentence, order: Sequence[str] = ORDER) -> tuple[Float64s, Float64s]:
    """x (time, input_size) and emissions (time, num_tags)."""
    parts = parts_by_hand(arrays, sentence)
    x = np.concatenate([parts[name] for name in (*order, "shape") if name in parts], axis=1)
    output = np.concatenate([states(arrays, "encoder", x, suffix) for suffix in ("", "_reverse")], axis=1)
    return x, output @ arrays["emission.weight"].T + arrays["emission.bias"]


# And as it is computed


def arrays_of(tagger: Tagger) -> Arrays:
    arrays = tagger.archive.arrays(lambda _: True)
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def by_graph(tagger: Tagger, sentences: Sequence[Sentence]) -> list[tuple[Float64s, Float64s]]:
    session = tagger._workers.session
    return cut(session.inputs_and_emissions(session.encode(sentences)), sentences)


def by_torch(tagger: Tagger, indices: Sequence[int]) -> list[tuple[Float64s, Float64s]]:
    network = network_of(tagger)
    encoder = FeatureEncoder(tagger.archive.config.features, tagger.archive.vocabularies)
    [batch] = collate(encode_sentences(SENTENCES, encoder, {}), [indices])
    with torch.no_grad():
        found = network.inputs(batch.inputs).numpy(), network(batch.inputs, batch.lengths).numpy()
    return cut(found, [SENTENCES[index] for index in indices])


def network_of(tagger: Tagger) -> TaggerNetwork:
    archive = tagger.archive
    sizes = {name: vocabulary.size for name, vocabulary in archive.vocabularies.items()}
    network = TaggerNetwork(archive.config, sizes=sizes, legality=archive.legality).eval()
    arrays = archive.arrays(lambda _: True)
    for name, array in network.arrays().items():
        array.copy_(torch.from_numpy(arrays[name]))
    return network


def cut(found: tuple[Any, Any], sentences: Sequence[Sentence]) -> list[tuple[Float64s, Float64s]]:
    """Each sentence without its padding."""
    x, emissions = (np.asarray(one, dtype=np.float64) for one in found)
    return [(x[: len(one), column], emissions[: len(one), column]) for column, one in enumerate(sentences)]


BATCHES = ([0, 1, 2, 3, 4, 5], [4, 1], [2], [5, 0, 3])
MORE = {"as they are": {}, "a layer on the states": {"language_model_dim": 2}, "forms": {"shape_dim": 2}}


@pytest.mark.parametrize("more", MORE)
def test_the_equations_torch_and_the_graph_say_the_same(tmp_path: Path, more: str) -> None:
    tagger = make(tmp_path / "model", make_config(**MORE[more]))
    arrays = arrays_of(tagger)
    for indices in BATCHES:
        wanted = [by_hand(arrays, SENTENCES[index]) for index in indices]
        graph = by_graph(tagger, [SENTENCES[index] for index in indices])
        for hand, *computed in zip(wanted, by_torch(tagger, indices), graph, strict=True):
            for found in computed:
                np.testing.assert_allclose(found[0], hand[0], rtol=0, atol=1e-6)
                np.testing.assert_allclose(found[1], hand[1], rtol=0, atol=1e-5)


def test_int8_says_nearly_the_same(tmp_path: Path) -> None:
    """What is looked up is exact, the states of the language model count in steps."""
    tagger = make(tmp_path / "model", make_config("int8"))
    arrays, looked_up = arrays_of(tagger), sum(SIZES.values())
    together = by_graph(tagger, SENTENCES)
    for sentence, (x, _) in zip(SENTENCES, together, strict=True):
        hand = by_hand(arrays, sentence)[0]
        np.testing.assert_allclose(x[:, :looked_up], hand[:, :looked_up], rtol=0, atol=1e-5)
        np.testing.assert_allclose(x[:, looked_up:], hand[:, looked_up:], rtol=0, atol=0.03)
        [(alone, _)] = by_graph(tagger, [sentence])
        np.testing.assert_allclose(alone, x, rtol=0, atol=1e-6)


def swapped(one: str, other: str) -> list[str]:
    other_one = {one: other, other: one}
    return [other_one.get(name, name) for name in ORDER]


MUTATIONS = {
    "begin and end": swapped("lexicon_B", "lexicon_E"),
    "forward and reverse": swapped("lm_forward", "lm_reverse"),
    "before and after": swapped("bigram_before", "bigram_after"),
    "the language model first": ["lm_forward", "lm_reverse", *SIZES],
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_another_order_shows(tmp_path: Path, name: str) -> None:
    tagger = make(tmp_path / "model", make_config())
    arrays = arrays_of(tagger)
    wrong = [by_hand(arrays, sentence, MUTATIONS[name]) for sentence in SENTENCES]
    for computed in (by_torch(tagger, range(len(SENTENCES))), by_graph(tagger, SENTENCES)):
        for kind in (0, 1):  # x and emissions
            apart = [np.abs(found[kind] - hand[kind]).max() for found, hand in zip(computed, wrong, strict=True)]
            assert max(apart) > 0.1


def test_the_trace_names_the_parts_in_the_order_of_x(tmp_path: Path) -> None:
    tagger = make(tmp_path / "model", make_config(shape_dim=2))
    trace = tagger.trace("炒A股人民")
    hand = parts_by_hand(arrays_of(tagger), SENTENCES[3])
    assert [part.name for part in trace.parts] == [*ORDER, "shape"]
    for part in trace.parts:
        np.testing.assert_allclose(trace.x[:, part.start : part.stop], hand[part.name], rtol=0, atol=1e-6)
    assert trace.parts[-1].stop == trace.x.shape[1]
    assert trace.fast_path_agrees
    keys = {part.name: part.keys for part in trace.parts}
    assert keys["token"][1] == "a"
    assert keys["lm_forward"][1] == "A"
    assert keys["lexicon_B"][3] == "人民"


@pytest.mark.parametrize("numbers", ["float32", "int8"])
def test_runs_and_stretches_say_the_same_as_one_batch(
    tmp_path: Path, numbers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = make(tmp_path / "model", make_config(numbers))
    session, many = tagger._workers.session, SENTENCES * 4
    batch = session.encode(many)
    whole = session.emissions(batch)
    monkeypatch.setattr("gatewise.runtime.session.RUN_PLACES", 20)
    monkeypatch.setattr("gatewise.runtime.session.RUN_SENTENCES", 1)
    assert len(batch.runs()) > 4
    in_parts = session.emissions(batch)
    for column, sentence in enumerate(many):
        np.testing.assert_allclose(in_parts[: len(sentence), column], whole[: len(sentence), column], atol=1e-6)


@pytest.mark.parametrize("more", [{}, {"shape_dim": 2}])
def test_a_stretch_of_a_long_sentence_reads_its_own_places(tmp_path: Path, more: dict[str, Any]) -> None:
    tagger = make(tmp_path / "model", make_config(**more))
    session = tagger._workers.session
    long = sentence_from_forms([form for sentence in SENTENCES * 20 for form in sentence.forms])
    alone = session.encode([long])
    part = alone.stretch(60, 340)
    assert part.inputs["lexicon"].shape[1] < alone.inputs["lexicon"].shape[1]
    assert part.inputs["language_model"].shape == (282, 1)
    found = session.inputs_and_emissions(part)[0][:, 0]
    wanted = session.inputs_and_emissions(alone)[0][60:340, 0]
    looked_up = sum(SIZES.values())
    np.testing.assert_allclose(found[:, :looked_up], wanted[:, :looked_up], rtol=0, atol=1e-6)
    inner = slice(100, 180)  # what an LSTM holds of what lies further away has faded
    np.testing.assert_allclose(found[inner], wanted[inner], rtol=0, atol=1e-4)


# Trained


@pytest.mark.parametrize("numbers", ["float32", "int8"])
def test_the_saved_model_says_what_torch_says_without_the_files(tiny: Path, tmp_path: Path, numbers: str) -> None:
    words, folder = tmp_path / "words.txt", tmp_path / "lm"
    words.write_text("北京 9\n上海\n大学\n京大\n小明\n明\n住在\n在北\n南京\n", encoding="utf-8")
    draw, characters = np.random.default_rng(3), ("\n", "小", "明", "北", "京", "在")
    shapes = language_model_shapes(hidden=6, dim=3, size=len(characters) + 2)
    given = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    model = LanguageModel(hidden=6, dim=3, vocabulary=Vocabulary(entries=characters), arrays=given)
    save_language_model(folder, model, card="# made up\n")
    table = {
        "features": {
            "token_dim": 5,
            "bigram_dim": 3,
            "lexicon": str(words),
            "lexicon_dim": 4,
            "lexicon_min_count": 1,
            "language_model": str(folder),
            "language_model_dim": 4,
        },
        "encoder": {"hidden": 5},
        "training": {
            "epochs": 4,
            "batch_size": 3,
            "learning_rate": 0.03,
            "averaging": 0.9,
            "adversarial": 0.5,
            "threads": 1,
        },
        "archive": {"numbers": numbers},
    }
    files = Files(train=tiny / "spans.conll", dev=tiny / "spans.conll")
    corpus = read_splits(config_from_dict(table, where="test"), files)
    result = run_training(corpus, files, tmp_path / "model")
    assert result is not None
    words.unlink()
    shutil.rmtree(folder)
    tagger = load(result.folder)
    arrays = tagger.archive.arrays(lambda _: True)
    for name, array in given.items():  # the language model was not trained
        np.testing.assert_allclose(arrays[name], array, rtol=0, atol=0 if numbers == "float32" else 0.05)
    assert np.abs(arrays["language_model.projection_reverse.bias"]).max() > 0  # the layer on it was
    assert arrays.keys() == network_of(tagger).arrays().keys()
    sentences = [*corpus.train, *(tagger.tokenize(text) for text in ("小明住在南京大学", "龘", "北京大学在北京"))]
    encoder = FeatureEncoder(tagger.archive.config.features, tagger.archive.vocabularies)
    tags = predict(network_of(tagger), encode_sentences(sentences, encoder, {}), tagger.labels)
    for sentence, wanted in zip(sentences, tags, strict=True):
        assert tagger.trace(sentence).parts[-1].stop == 5 + 2 * 3 + 4 * 4 + 2 * 4
        if numbers == "float32":  # int8 rounds the states
            assert tagger.tag_sentences([sentence])[0].tags == wanted
