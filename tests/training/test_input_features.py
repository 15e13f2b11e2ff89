"""Features of forms, three times: by hand from the strings, in torch as training batches them, and in the graph as the
runtime feeds it; and mutations that must show.

Weights are random and asymmetric, sentences ragged, words of one and of many characters, and whatever belongs to the
padding's id holds garbage.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from onnx import helper  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from gatewise.model.archive import ModelArchive, legality_of  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.model.features import build_vocabularies, count_keys  # noqa: E402
from gatewise.model.parameters import input_size, parameter_shapes  # noqa: E402
from gatewise.runtime.session import Session  # noqa: E402
from gatewise.text.sentence import Sentence, sentence_from_forms  # noqa: E402
from gatewise.text.vocabulary import Vocabulary, normalize  # noqa: E402
from gatewise.training.batches import collate, encode_sentences  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402

pytestmark = pytest.mark.torch

LABELS = ("B-X", "I-X", "O")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
SENTENCES = [
    sentence_from_forms(forms, ["O"] * len(forms))
    for forms in (
        ["EU", "rejects", "a", "German", "call", "to", "EU"],
        [LONG],
        ["I", "saw", "1996-08-22", "."],
        ["北京", "Ａ大学"],
        ["a", "龘", "an", "reject", "and"],
    )
]
Arrays = dict[str, npt.NDArray[np.float32]]
Float64s = npt.NDArray[np.float64]

EVERYTHING = {"bigram_dim": 2, "shape_dim": 3, "affix_length": 3, "affix_dim": 2}


def make_config(numbers: str = "float32", **features: Any) -> Config:
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "features": {
            "token_dim": 3,
            "bigram_dim": 0,
            "form_min_count": 1,
            "bigram_min_count": 1,
            "character_dim": 5,
            "character_hidden": 4,
            "character_filters": 6,
            **features,
        },
        "encoder": {"hidden": 4},
        "archive": {"numbers": numbers},
    }
    return config_from_dict(table, where="test")


def make_vocabularies(config: Config) -> dict[str, Vocabulary]:
    """Of all sentences but the last, so that some keys are unknown."""
    counts = count_keys(config.features, [sentence.forms for sentence in SENTENCES[:-1]])
    return build_vocabularies(config.features, counts)


def make_network(config: Config, vocabularies: Mapping[str, Vocabulary]) -> TaggerNetwork:
    """In float64, its weights representable in the archive's numbers; the padding's rows too are random."""
    sizes = {name: vocabulary.size for name, vocabulary in vocabularies.items()}
    network = TaggerNetwork(config, sizes=sizes, legality=legality_of(LABELS, config.task.scheme)).double()
    generator = torch.Generator().manual_seed(5)
    for array in network.arrays().values():
        values = torch.randn(array.shape, generator=generator) * 0.7
        array.copy_(values.half() if config.archive.numbers == "float16" else values)
    return network.eval()


def arrays_of(network: TaggerNetwork, dtype: str = "float32") -> Arrays:
    return {name: array.numpy().astype(dtype) for name, array in network.arrays().items()}


# The oracle: from strings and arrays to x, a token at a time


def sigmoid(x: Float64s) -> Float64s:
    return 1 / (1 + np.exp(-x))


def last_state(vectors: Sequence[Float64s], weights: Sequence[Float64s]) -> Float64s:
    """The LSTM's h after these vectors, by the book."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    h = c = np.zeros(weight_hh.shape[1])
    for x in vectors:
        i, f, g, o = np.split(weight_ih @ x + weight_hh @ h + bias_ih + bias_hh, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def by_lstm(vectors: Sequence[Float64s], arrays: Mapping[str, Float64s]) -> Float64s:
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    states = []
    for suffix, order in (("", vectors), ("_reverse", vectors[::-1])):
        states.append(last_state(order, [arrays[f"character_lstm.{kind}_l0{suffix}"] for kind in kinds]))
    return np.concatenate(states)


def by_cnn(vectors: Sequence[Float64s], arrays: Mapping[str, Float64s]) -> Float64s:
    weight, bias = arrays["character_cnn.weight"], arrays["character_cnn.bias"]
    zero = np.zeros(weight.shape[1])
    padded = [zero, *vectors, zero]
    windows = [np.stack(padded[at : at + 3], axis=1) for at in range(len(vectors))]  # (dim, 3) each
    return np.array(
        [
            max(math.tanh((kernel * window).sum() + b) for window in windows)
            for kernel, b in zip(weight, bias, strict=True)
        ]
    )


def row(vocabulary: Vocabulary, key: str) -> int:
    return vocabulary.entries.index(key) + 2 if key in vocabulary.entries else 1


def shape_of(form: str) -> str:
    """The shapes of the forms above, by eye."""
    shapes = {
        "EU": "XX",
        "a": "x",
        "an": "xx",
        "to": "xx",
        "and": "xxx",
        "saw": "xxx",
        "I": "X",
        "German": "Xxxxx",
        LONG: "Xxxxx",
        "1996-08-22": "dddd-dd-dd",
        ".": ".",
        "北京": "cc",
        "Ａ大学": "Xcc",
        "龘": "c",
    }
    return shapes.get(form, "xxxx")


def oracle(config: Config, vocabularies: Mapping[str, Vocabulary], arrays: Arrays, sentence: Sentence) -> Float64s:
    """x (time, input_size)."""
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    features, forms = config.features, sentence.forms

    def look_up(singular: str, plural: str, key: str) -> Float64s:
        return wide[f"{singular}_embedding.weight"][row(vocabularies[plural], key)]

    keys = ["<s>", *(normalize(form) for form in forms), "</s>"]
    rows = []
    for t, form in enumerate(forms, start=1):
        parts = [look_up("token", "tokens", keys[t])]
        if features.bigram_dim:
            parts.append(look_up("bigram", "bigrams", keys[t - 1] + keys[t]))
            parts.append(look_up("bigram", "bigrams", keys[t] + keys[t + 1]))
        if features.characters != "none":
            read = form.replace("Ａ", "A")
            read = read[:20] + read[-20:] if len(read) > 40 else read
            vectors = [look_up("character", "characters", character) for character in read]
            parts.append((by_lstm if features.characters == "lstm" else by_cnn)(vectors, wide))
        if features.shape_dim:
            parts.append(look_up("shape", "shapes", shape_of(form)))
        lengths = range(1, features.affix_length + 1) if features.affix_dim else ()
        parts += [look_up("prefix", "prefixes", keys[t][:n] if n <= len(keys[t]) else "") for n in lengths]
        parts += [look_up("suffix", "suffixes", keys[t][-n:] if n <= len(keys[t]) else "") for n in lengths]
        rows.append(np.concatenate(parts))
    return np.stack(rows)


# The two that are tested


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A network and everything around it."""

    config: Config
    vocabularies: dict[str, Vocabulary]
    network: TaggerNetwork
    arrays: Arrays
    folder: Path

    def by_hand(self, sentences: Sequence[Sentence] = SENTENCES) -> list[Float64s]:
        """x of each sentence."""
        return [oracle(self.config, self.vocabularies, self.arrays, sentence) for sentence in sentences]

    def inputs(self, sentences: Sequence[Sentence] = SENTENCES) -> tuple[dict[str, Tensor], Tensor]:
        """The ids of one batch as training makes it, and its lengths."""
        encoder = FeatureEncoder(self.config.features, self.vocabularies)
        [batch] = collate(encode_sentences(sentences, encoder, {}), [list(range(len(sentences)))])
        return dict(batch.inputs), batch.lengths

    def by_torch(self, sentences: Sequence[Sentence] = SENTENCES) -> list[tuple[Float64s, Float64s]]:
        """x and emissions of each sentence, all in one batch."""
        inputs, lengths = self.inputs(sentences)
        with torch.no_grad():
            return cut(self.network.inputs(inputs).numpy(), self.network(inputs, lengths).numpy(), sentences)

    def by_graph(
        self,
        sentences: Sequence[Sentence] = SENTENCES,
        *,
        arrays: Arrays | None = None,
        mutate: Callable[[Any], None] | None = None,
    ) -> list[tuple[Float64s, Float64s]]:
        """The same as the runtime makes it, from other `arrays`, or from a graph that was changed."""
        graph = onnx.load_from_string(onnx_graph(self.config, arrays or self.arrays))
        if mutate:
            mutate(graph)
        (self.folder / "model.onnx").write_bytes(graph.SerializeToString())
        archive = ModelArchive(
            folder=self.folder,
            config=self.config,
            scheme=self.config.task.scheme,
            labels=LABELS,
            vocabularies=self.vocabularies,
            legality=legality_of(LABELS, self.config.task.scheme),
        )
        session = Session(archive, threads=1)
        return cut(*session.inputs_and_emissions(session.encode(sentences)), sentences)


def cut(x: Any, emissions: Any, sentences: Sequence[Sentence]) -> list[tuple[Float64s, Float64s]]:
    """Each sentence without its padding."""
    return [(x[: len(sentence), b], emissions[: len(sentence), b]) for b, sentence in enumerate(sentences)]


def distance(left: Sequence[Float64s], right: Sequence[Float64s]) -> float:
    for a, b in zip(left, right, strict=True):
        assert a.shape == b.shape
    return max(float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True))


def first(pairs: Sequence[tuple[Float64s, Float64s]]) -> list[Float64s]:
    return [x for x, _ in pairs]


def second(pairs: Sequence[tuple[Float64s, Float64s]]) -> list[Float64s]:
    return [emissions for _, emissions in pairs]


def make_case(folder: Path, numbers: str = "float32", **features: Any) -> Case:
    config = make_config(numbers, **features)
    vocabularies = make_vocabularies(config)
    network = make_network(config, vocabularies)
    return Case(
        config=config,
        vocabularies=vocabularies,
        network=network,
        arrays=arrays_of(network, numbers),
        folder=folder,
    )


COMBINATIONS = [
    {"characters": characters, **others}
    for characters, others in itertools.product(
        ("none", "lstm", "cnn"),
        ({}, {"bigram_dim": 2}, {"shape_dim": 3}, {"affix_length": 2, "affix_dim": 3}, EVERYTHING),
    )
]


@pytest.mark.parametrize("features", COMBINATIONS, ids=str)
def test_by_hand_in_torch_and_in_the_graph_it_is_the_same(tmp_path: Path, features: dict[str, Any]) -> None:
    case = make_case(tmp_path, **features)
    by_hand, torch_found, graph_found = case.by_hand(), case.by_torch(), case.by_graph()
    assert by_hand[0].shape == (7, input_size(case.config))
    assert distance(by_hand, first(torch_found)) < 1e-10
    assert distance(by_hand, first(graph_found)) < 2e-6
    assert distance(second(torch_found), second(graph_found)) < 1e-5
    assert np.concatenate(by_hand).std(axis=0).min() > 0.01  # so that the bounds say something


@pytest.mark.parametrize("characters", ["lstm", "cnn"])
def test_in_half_precision_the_graph_widens_the_same_numbers(tmp_path: Path, characters: str) -> None:
    case = make_case(tmp_path, "float16", characters=characters, **EVERYTHING)
    assert case.arrays["character_embedding.weight"].dtype == np.float16
    assert distance(case.by_hand(), first(case.by_graph())) < 2e-6
    assert distance(second(case.by_torch()), second(case.by_graph())) < 1e-5


@pytest.mark.parametrize("features", COMBINATIONS, ids=str)
def test_parameter_shapes_are_those_of_the_network(tmp_path: Path, features: dict[str, Any]) -> None:
    case = make_case(tmp_path, **features)
    sizes = {name: vocabulary.size for name, vocabulary in case.vocabularies.items()}
    wanted = parameter_shapes(case.config, sizes=sizes, num_tags=len(LABELS))
    assert {name: array.shape for name, array in case.arrays.items()} == wanted


@pytest.mark.parametrize("characters", ["lstm", "cnn"])
def test_neither_other_words_nor_other_sentences_leak(tmp_path: Path, characters: str) -> None:
    case = make_case(tmp_path, characters=characters, **EVERYTHING)
    for run, bound in ((case.by_torch, 1e-12), (case.by_graph, 2e-6)):
        together = run(SENTENCES)
        alone = [run([sentence])[0] for sentence in SENTENCES]
        turned = run(SENTENCES[::-1])[::-1]
        for part in (first, second):
            assert distance(part(together), part(alone)) < bound
            assert distance(part(together), part(turned)) < bound


@pytest.mark.parametrize("characters", ["lstm", "cnn"])
def test_padding_gets_no_gradient_and_gives_none(tmp_path: Path, characters: str) -> None:
    case = make_case(tmp_path, characters=characters, **EVERYTHING)
    inputs, lengths = case.inputs()
    network = case.network.train()
    network.dropout.rate = network.encoder.dropout.rate = 0.0
    inside = torch.arange(len(inputs["tokens"]))[:, None] < lengths

    def gradients(extra: int) -> dict[str, Tensor]:
        """By weight, of the sum of squared emissions, with `extra` more padding after the characters of each form."""
        longer = {**inputs, "characters": nn.functional.pad(inputs["characters"], (0, 0, 0, extra))}
        network.zero_grad()
        network(longer, lengths)[inside].square().sum().backward()
        found = {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}
        for name, table in network.inputs.tables():
            ids, gradient = table.take_gradient()
            assert ids[0] == 0, name
            assert not gradient[0].any(), name  # the row of the padding
            found[name] = gradient
        return {name: gradient.clone() for name, gradient in found.items()}

    short, long = gradients(0), gradients(4)
    assert any(name.startswith("inputs.spelling") for name in short)
    for name, gradient in short.items():
        torch.testing.assert_close(gradient, long[name], rtol=0, atol=1e-12, msg=name)


def test_each_distinct_form_is_read_once(tmp_path: Path) -> None:
    case = make_case(tmp_path, characters="lstm", shape_dim=2)
    inputs, _ = case.inputs()
    distinct = {form for sentence in SENTENCES for form in sentence.forms}
    assert inputs["characters"].shape == (40, len(distinct) + 1)  # and the padding's
    assert inputs["shapes"].shape == (1, len(distinct) + 1)
    assert inputs["spelling_lengths"].min() == 1
    alone, _ = case.inputs(SENTENCES[1:2])
    assert alone["characters"].shape == (40, 1)  # nothing is padded here


def test_unknown_characters_are_learned_by_losing_known_ones(tmp_path: Path) -> None:
    case = make_case(tmp_path, characters="cnn", shape_dim=2)
    inputs, _ = case.inputs()
    case.network.inputs.set_unknown_rates(
        {"characters": torch.ones(case.vocabularies["characters"].size).index_fill(0, torch.tensor([0]), 0.0)}
    )
    case.network.train()
    replaced = case.network.inputs(inputs)
    unknown = {**inputs, "characters": inputs["characters"].clamp(max=1)}
    case.network.eval()
    wanted = case.network.inputs(unknown)
    torch.testing.assert_close(replaced, wanted)
    assert (replaced - case.network.inputs(inputs)).abs().max() > 0.1


# Mutations: each breaks one side on purpose, and the comparison that passes above must fail


@pytest.mark.parametrize("order", [order for order in itertools.permutations("ifgo") if order != tuple("ifgo")])
def test_permuted_gate_blocks_are_noticed(tmp_path: Path, order: tuple[str, ...]) -> None:
    case = make_case(tmp_path, characters="lstm")
    arrays = dict(case.arrays)
    for name in [name for name in arrays if name.startswith("character_lstm.")]:
        blocks = dict(zip("ifgo", np.split(arrays[name], 4), strict=True))
        arrays[name] = np.concatenate([blocks[gate] for gate in order])
    assert distance(case.by_hand(), first(case.by_graph(arrays=arrays))) > 1e-2


def test_swapped_directions_are_noticed(tmp_path: Path) -> None:
    case = make_case(tmp_path, characters="lstm")
    arrays = dict(case.arrays)
    for name in [name for name in arrays if name.startswith("character_lstm.") and not name.endswith("_reverse")]:
        arrays[name], arrays[f"{name}_reverse"] = arrays[f"{name}_reverse"], arrays[name]
    assert distance(case.by_hand(), first(case.by_graph(arrays=arrays))) > 1e-2


def test_reading_over_the_end_of_a_word_is_noticed(tmp_path: Path) -> None:
    for characters in ("lstm", "cnn"):
        case = make_case(tmp_path, characters=characters)
        inputs, _ = case.inputs()
        inputs["spelling_lengths"] = torch.full_like(inputs["spelling_lengths"], len(inputs["characters"]))
        with torch.no_grad():
            x = case.network.inputs(inputs).numpy()
        assert distance(case.by_hand(), [x[: len(one), b] for b, one in enumerate(SENTENCES)]) > 1e-2


@pytest.mark.parametrize("mask", ["spelling.alone", "spelling.kept"])
def test_a_mask_that_is_dropped_from_the_graph_is_noticed(tmp_path: Path, mask: str) -> None:
    case = make_case(tmp_path, characters="cnn")

    def drop(graph: Any) -> None:
        [node] = [node for node in graph.graph.node if node.output[0] == mask]
        node.CopyFrom(helper.make_node("Identity", [node.input[1]], [mask]))

    assert distance(case.by_hand(), first(case.by_graph(mutate=drop))) > 1e-2


@pytest.mark.parametrize("method", ["masked_fill", "where"])
def test_a_mask_that_is_dropped_from_torch_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    case = make_case(tmp_path, characters="cnn")
    inputs, _ = case.inputs()
    if method == "where":
        monkeypatch.setattr(torch, "where", lambda _, x, __: x)
    else:
        monkeypatch.setattr(Tensor, "masked_fill", lambda x, *_: x)
    with torch.no_grad():
        x = case.network.inputs(inputs).numpy()
    monkeypatch.undo()
    assert distance(case.by_hand(), [x[: len(one), b] for b, one in enumerate(SENTENCES)]) > 1e-2


def test_prefixes_in_place_of_suffixes_are_noticed(tmp_path: Path) -> None:
    case = make_case(tmp_path, affix_length=2, affix_dim=3)
    arrays = dict(case.arrays)
    names = ("prefix_embedding.weight", "suffix_embedding.weight")
    rows = max(len(arrays[name]) for name in names)
    for name, other in (names, names[::-1]):
        arrays[name] = np.resize(case.arrays[other], (rows, 3))
    assert distance(case.by_hand(), first(case.by_graph(arrays=arrays))) > 1e-2
