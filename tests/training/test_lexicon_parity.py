"""Word sets three times: by hand from the strings, in torch as training batches them, in the graph as the runtime feeds
it; in all numbers that are stored; and mutations that must show."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import gatewise  # noqa: E402
from gatewise.errors import ModelError  # noqa: E402
from gatewise.explain import render_text, trace_json, trace_text  # noqa: E402
from gatewise.explain.trace_page import trace_page  # noqa: E402
from gatewise.model.archive import legality_of, open_model, save_model  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.model.lexicon import Lexicon  # noqa: E402
from gatewise.model.numbers import stored, widened  # noqa: E402
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
LEXICON = Lexicon(
    entries=("中国", "人民", "国", "人民大学"), others=("中国人民", "国人", "民大", "a股"), weights=(7, 2, 5, 1)
)
SENTENCES = [
    sentence_from_forms(list(text)) for text in ("中国人民大学", "国", "在龘", "炒A股人民", "民大中国人民大学人")
]
Float64s = npt.NDArray[np.float64]


def make_config(numbers: str = "float32", **features: Any) -> Config:
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "features": {"token_dim": 3, "bigram_dim": 0, "lexicon": "words", "lexicon_dim": 4, **features},
        "encoder": {"hidden": 5},
        "archive": {"numbers": numbers},
    }
    return config_from_dict(table, where="test")


def vocabularies() -> dict[str, Vocabulary]:
    return {"tokens": Vocabulary(entries=("中", "国", "人", "在")), "lexicon": LEXICON}


def make_arrays(config: Config) -> dict[str, npt.NDArray[np.float32]]:
    sizes = {name: vocabulary.size for name, vocabulary in vocabularies().items()}
    draw = np.random.default_rng(11)
    shapes = parameter_shapes(config, sizes=sizes, num_tags=len(LABELS))
    return {name: (draw.normal(size=shape) * 0.7).astype(np.float32) for name, shape in shapes.items()}


def make(folder: Path, config: Config) -> Tagger:
    """A model of random weights; the padding's rows are random too."""
    arrays = stored(config, make_arrays(config))
    save_model(
        folder,
        config=config,
        scheme="BIO",
        labels=LABELS,
        vocabularies=vocabularies(),
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card="",
    )
    return load(folder, threads=1)


def by_hand(table: Float64s, sentence: Sentence, kinds: str = "BMES") -> Float64s:
    """The word sets' part of x (time, 4 * dim), from every stretch of the text."""
    text = "".join(sentence.forms).lower()
    weights = dict.fromkeys(LEXICON.others, 1) | dict(zip(LEXICON.entries, LEXICON.weights, strict=True))
    sets: dict[tuple[int, str], list[str]] = {}
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            if (word := text[start:end]) in weights:
                for place in range(start, end):
                    kind = "S" if end - start == 1 else "B" if place == start else "E" if place == end - 1 else "M"
                    sets.setdefault((place, kind), []).append(word)
    x = np.zeros((len(text), len(kinds), table.shape[1]))
    for place in range(len(text)):
        for number, kind in enumerate(kinds):
            words = sets.get((place, kind), [])
            total = sum(weights[word] for word in words)
            for word in words:
                row = LEXICON.entries.index(word) + 2 if word in LEXICON.entries else 1
                x[place, number] += weights[word] / total * table[row]
    return x.reshape(len(text), -1)


def by_graph(tagger: Tagger, sentences: Sequence[Sentence] = SENTENCES) -> list[Float64s]:
    """The word sets' part of x, all sentences in one batch."""
    session = tagger._workers.session
    x, _ = session.inputs_and_emissions(session.encode(sentences))
    return [x[: len(sentence), column, 3:].astype(np.float64) for column, sentence in enumerate(sentences)]


def network_of(tagger: Tagger) -> TaggerNetwork:
    archive = tagger.archive
    sizes = {name: vocabulary.size for name, vocabulary in archive.vocabularies.items()}
    network = TaggerNetwork(archive.config, sizes=sizes, legality=archive.legality)
    stored_arrays = archive.arrays(lambda _: True)
    for name, array in network.arrays().items():
        array.copy_(torch.from_numpy(stored_arrays[name]))
    return network.eval()


def distance(left: Sequence[Float64s], right: Sequence[Float64s]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True))


def table_of(tagger: Tagger) -> Float64s:
    return tagger.archive.arrays(lambda name: name.startswith("lexicon"))["lexicon_embedding.weight"].astype(np.float64)


@pytest.mark.parametrize("numbers", ["float32", "float16", "int8"])
def test_by_hand_and_in_the_graph(tmp_path: Path, numbers: str) -> None:
    tagger = make(tmp_path / "model", make_config(numbers))
    table = table_of(tagger)
    wanted = [by_hand(table, sentence) for sentence in SENTENCES]
    assert distance(by_graph(tagger), wanted) < 1e-5
    assert distance(by_graph(tagger, SENTENCES[::-1])[::-1], wanted) < 1e-5
    for sentence in SENTENCES:
        assert distance(by_graph(tagger, [sentence]), [by_hand(table, sentence)]) < 1e-5
    for mutation in ("EMBS", "BEMS", "SMEB"):  # two kinds that trade places
        assert distance(by_graph(tagger), [by_hand(table, sentence, mutation) for sentence in SENTENCES]) > 0.1


def test_in_torch_and_in_the_graph(tmp_path: Path) -> None:
    tagger = make(tmp_path / "model", make_config())
    network = network_of(tagger)
    encoder = FeatureEncoder(tagger.archive.config.features, tagger.archive.vocabularies)
    encoded = encode_sentences(SENTENCES, encoder, {})
    session = tagger._workers.session
    for batch in collate(encoded, [[0, 1, 2, 3, 4], [4, 1], [2], [3, 0, 2]]):
        with torch.no_grad():
            x, emissions = network.inputs(batch.inputs).numpy(), network(batch.inputs, batch.lengths).numpy()
        chosen = [SENTENCES[index] for index in batch.indices]
        graph_x, graph_emissions = session.inputs_and_emissions(session.encode(chosen))
        for column, sentence in enumerate(chosen):
            inside = slice(len(sentence)), column
            hand = by_hand(table_of(tagger), sentence)
            np.testing.assert_allclose(x[inside][:, 3:], hand, rtol=0, atol=1e-5)
            np.testing.assert_allclose(graph_x[inside], x[inside], rtol=0, atol=1e-5)
            np.testing.assert_allclose(graph_emissions[inside], emissions[inside], rtol=0, atol=1e-5)


def test_what_is_trained_is_what_is_read_and_padding_gets_nothing(tmp_path: Path) -> None:
    tagger = make(tmp_path / "model", make_config())
    network = network_of(tagger).train()
    network.dropout.rate = network.encoder.dropout.rate = 0.0
    encoder = FeatureEncoder(tagger.archive.config.features, tagger.archive.vocabularies)
    [batch] = collate(encode_sentences(SENTENCES, encoder, {}), [[0, 1, 2]])
    network(batch.inputs, batch.lengths)[0].square().sum().backward()
    gradient = dict(network.inputs.tables())["lexicon_embedding.weight"].take_gradient()
    assert gradient is not None
    by_id = dict(zip(gradient.ids.tolist(), gradient.gradient, strict=True))
    assert set(by_id) == {0, 1, 2, 3, 4, 5}
    assert not by_id[0].any()
    assert all(by_id[row].any() for row in range(1, 6))


@pytest.mark.parametrize("numbers", ["float32", "int8"])
def test_runs_and_windows_say_the_same_as_one_batch(
    tmp_path: Path, numbers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = make(tmp_path / "model", make_config(numbers))
    many = [SENTENCES[n % 5] for n in range(40)]
    session = tagger._workers.session
    batch = session.encode(many)
    whole = session.emissions(batch)
    monkeypatch.setattr("gatewise.runtime.session.RUN_PLACES", 24)
    monkeypatch.setattr("gatewise.runtime.session.RUN_SENTENCES", 1)
    assert len(batch.runs()) > 5
    cut = session.emissions(batch)
    for column, sentence in enumerate(many):
        np.testing.assert_array_equal(cut[: len(sentence), column], whole[: len(sentence), column])
    long = sentence_from_forms([form for sentence in many for form in sentence.forms])
    alone = session.encode([long])
    wanted = session.emissions(alone)
    monkeypatch.setattr("gatewise.runtime.session.WINDOW", 16)
    monkeypatch.setattr("gatewise.runtime.session.MARGIN", 8)
    part = alone.stretch(20, 47)
    assert len(part.inputs["tokens"]) == 27
    assert part.inputs["lexicon"].shape[1] < alone.inputs["lexicon"].shape[1] / 3
    x = session._run(["x"], part)[0]
    np.testing.assert_allclose(x, session._run(["x"], alone)[0][20:47], rtol=0, atol=1e-6)
    assert wanted.shape == (len(long), 1, 3)


def test_mixed_with_features_of_forms(tmp_path: Path) -> None:
    """Beside a network inside words, batches stay whole; x has the sets between sentences' and forms' parts."""
    config = make_config(characters="cnn", shape_dim=2)
    extra = {"characters": Vocabulary(entries=("中", "A")), "shapes": Vocabulary(entries=("c",))}
    everything = vocabularies() | extra
    sizes = {name: vocabulary.size for name, vocabulary in everything.items()}
    network = TaggerNetwork(config, sizes=sizes, legality=legality_of(LABELS, "BIO"))
    with torch.no_grad():
        network.initialize()
    arrays = {name: array.numpy() for name, array in network.eval().arrays().items()}
    graph = onnx_graph(config, arrays)
    save_model(
        tmp_path / "model",
        config=config,
        scheme="BIO",
        labels=LABELS,
        vocabularies=everything,
        arrays=arrays,
        graph=graph,
        card="",
    )
    tagger = load(tmp_path / "model")
    trace = tagger.trace("中国人民大学")
    assert [part.name for part in trace.parts] == [
        "token", "lexicon_B", "lexicon_M", "lexicon_E", "lexicon_S", "characters", "shape",
    ]  # fmt: skip
    table = arrays["lexicon_embedding.weight"].astype(np.float64)
    np.testing.assert_allclose(trace.x[:, 3:19], by_hand(table, SENTENCES[0]), rtol=0, atol=1e-6)
    assert trace.fast_path_agrees


def test_the_explanation_names_the_words(tmp_path: Path) -> None:
    tagger = make(tmp_path / "model", make_config())
    trace = tagger.trace("中国人民大学")
    parts = {part.name: part for part in trace.parts}
    assert parts["lexicon_B"].keys == ("中国 中国人民", "国人", "人民 人民大学", "民大", "", "")
    assert parts["lexicon_E"].keys == ("", "中国", "国人", "人民 中国人民", "民大", "人民大学")
    assert parts["lexicon_B"].known == (False, False, True, False, True, True)
    assert (parts["lexicon_B"].start, parts["lexicon_S"].stop) == (3, 19)
    found = json.loads(json.dumps(trace_json(trace)))["input_parts"]
    assert [part["name"] for part in found if "words" in part] == [f"lexicon_{kind}" for kind in "BMES"]
    assert found[1]["words"][0] == [
        {"word": "中国", "share": 0.875, "known": True},
        {"word": "中国人民", "share": 0.125, "known": False},
    ]
    text = " ".join(render_text(trace_text(trace), width=120).split())
    assert "B words 4, M words 4, E words 4, S words 4" in text
    assert "中国 中国人民?" in text
    chinese = "".join(render_text(trace_text(trace, lang="zh"), width=120).splitlines())
    assert "词首 4、词中 4、词尾 4、独字词 4" in chinese
    page = trace_page(tagger, "中国人民大学")
    assert "lexicon_B" in page
    table = table_of(tagger)
    for part in list(parts.values())[1:]:  # what is said is what was computed
        for t, words in enumerate(part.members):
            rows = [LEXICON.entries.index(one.word) + 2 if one.known else 1 for one in words]
            mean = sum((one.share * table[row] for one, row in zip(words, rows, strict=True)), np.zeros(4))
            np.testing.assert_allclose(trace.x[t, part.start : part.stop], mean, rtol=0, atol=1e-6)


# Archives of strangers


def test_a_graph_without_the_sets_is_refused(tmp_path: Path) -> None:
    tagger = make(tmp_path / "model", make_config())
    graph = onnx.load(tmp_path / "model" / "model.onnx")
    description = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    del description["files"]
    (tmp_path / "model" / "config.json").write_text(json.dumps(description), encoding="utf-8")

    def refusal(mutate: Callable[[Any], None]) -> str:
        changed = onnx.ModelProto()
        changed.CopyFrom(graph)
        mutate(changed.graph)
        (tmp_path / "model" / "model.onnx").write_bytes(changed.SerializeToString())
        with pytest.raises(ModelError) as refused:
            gatewise.load(tmp_path / "model")
        return str(refused.value)

    def without(inner: Any) -> None:
        inner.input.remove(next(one for one in inner.input if one.name == "lexicon_E"))

    def keeps_the_axis(inner: Any) -> None:
        [node] = [one for one in inner.node if one.op_type == "ReduceSum"]
        node.attribute[0].i = 1

    def swollen(inner: Any) -> None:
        [node] = [one for one in inner.node if one.output[0] == "lexicon.weighted"]
        node.input[1] = "lexicon_B"

    assert tagger.archive.graph()
    assert "expected inputs tokens, lexicon, lexicon_B, lexicon_M, lexicon_E, lexicon_S, lexicon_shares" in refusal(
        without
    )
    assert "ReduceSum (lexicon.means) with inputs that do not fit" in refusal(keeps_the_axis)
    assert "found Mul (lexicon.weighted) with inputs that do not fit" in refusal(swollen)


def test_a_vocabulary_of_another_lexicon_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "model", make_config())
    description = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    del description["files"]
    (tmp_path / "model" / "config.json").write_text(json.dumps(description), encoding="utf-8")
    path = tmp_path / "model" / "vocabulary.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["lexicon"].pop()
    content["lexicon_weights"].pop()
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match=r"lexicon_embedding\.weight: expected shape \(5, 4\), found shape \(6, 4\)"):
        open_model(tmp_path / "model")
    del content["lexicon_weights"]
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(
        ModelError, match=r"vocabulary\.json: lexicon_weights: expected a list of 3 weights, found NoneType"
    ):
        open_model(tmp_path / "model")


# Trained


@pytest.mark.parametrize("numbers", ["float32", "float16", "int8"])
def test_the_saved_model_says_what_torch_says(tiny: Path, tmp_path: Path, numbers: str) -> None:
    words = tmp_path / "words.txt"
    words.write_text("北京 9\n上海\n大学\n京大\n小明\n明\n住在\n在北\n南京\n", encoding="utf-8")
    table = {
        "features": {"token_dim": 5, "bigram_dim": 3, "lexicon": str(words), "lexicon_dim": 4, "lexicon_min_count": 1},
        "encoder": {"hidden": 5},
        "training": {"epochs": 6, "batch_size": 3, "learning_rate": 0.03, "averaging": 0.9, "threads": 1},
        "archive": {"numbers": numbers},
    }
    files = Files(train=tiny / "spans.conll", dev=tiny / "spans.conll")
    corpus = read_splits(config_from_dict(table, where="test"), files)
    result = run_training(corpus, files, tmp_path / "model")
    assert result is not None
    words.unlink()  # the model holds all that it needs
    tagger = load(result.folder)
    assert isinstance(lexicon := tagger.archive.vocabularies["lexicon"], Lexicon)
    assert set(lexicon.words) == {"北京", "上海", "大学", "京大", "小明", "明", "住在", "在北", "南京"}
    assert "| lexicon | 9 words of at most 6 characters, 8 with vectors of their own |" in tagger.archive.card
    sentences = [*corpus.train, *(tagger.tokenize(text) for text in ("小明住在南京大学", "龘", "北京大学在北京"))]
    encoder = FeatureEncoder(tagger.archive.config.features, tagger.archive.vocabularies)
    encoded = encode_sentences(sentences, encoder, {})
    tags = predict(network_of(tagger), encoded, tagger.labels)
    if numbers != "int8":  # whose graph rounds the states
        assert [sentence.tags for sentence in tagger.tag_sentences(sentences)] == tags
    for sentence in sentences:
        trace = tagger.trace(sentence)
        assert list(trace.tags) == list(tags[sentences.index(sentence)])
        assert trace.parts[-1].stop == trace.x.shape[1]
    arrays = tagger.archive.arrays(lambda _: True)
    assert widened(arrays).keys() == arrays.keys()
