"""The states of a language model as parts of x, three times: by the equations of `lstm/` from the strings, in torch as
training batches them, and in the graph as the runtime feeds it; and mutations that must show.

Weights are random and asymmetric, sentences ragged, tokens of one and of many characters, and the padding's embedding
holds garbage.
"""

from __future__ import annotations

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
from safetensors.numpy import save_file  # noqa: E402

from gatewise.lstm import LSTMWeights, run_lstm  # noqa: E402
from gatewise.model.archive import ModelArchive, legality_of  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.model.features import build_vocabularies, count_keys  # noqa: E402
from gatewise.model.numbers import stored, widened  # noqa: E402
from gatewise.runtime import windows  # noqa: E402
from gatewise.runtime.session import Session  # noqa: E402
from gatewise.text.sentence import Sentence, sentence_from_forms  # noqa: E402
from gatewise.text.vocabulary import Vocabulary  # noqa: E402
from gatewise.training.batches import collate, encode_sentences  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402

pytestmark = pytest.mark.torch

LABELS = ("B-X", "I-X", "O")
HIDDEN, DIM = 5, 3
KNOWN = Vocabulary(entries=("\n", "小", "明", " ", "e", "a", "n", "i", "住", "在"))
CHARACTERS = [
    sentence_from_forms(list(text), ["O"] * len(text)) for text in ("小明住在龘nie", "明", "在eea", "aie明小")
]
WORDS = [
    sentence_from_forms(forms, ["O"] * len(forms))
    for forms in (["an", "e", "naian", "小明", "zz"], ["e"], ["👩‍👧", "an", "在"], ["in", "a"])
]
Float64s = npt.NDArray[np.float64]
Arrays = dict[str, npt.NDArray[Any]]


def make_config(spaces: str, numbers: str = "float32", **features: Any) -> Config:
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "features": {
            "token_dim": 2,
            "bigram_dim": 0,
            "language_model": "somewhere",
            "language_model_hidden": HIDDEN,
            "language_model_embedding": DIM,
            "language_model_spaces": spaces,
            **features,
        },
        "encoder": {"hidden": 4},
        "archive": {"numbers": numbers},
    }
    return config_from_dict(table, where="test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A network and everything around it; `arrays` as the archive stores them."""

    config: Config
    sentences: Sequence[Sentence]
    vocabularies: dict[str, Vocabulary]
    network: TaggerNetwork
    arrays: Arrays
    folder: Path

    def by_hand(self, spaces: str) -> list[Float64s]:
        """The states of each sentence, (time, 2 * size)."""
        return [by_equations(self.arrays, sentence.forms, spaces) for sentence in self.sentences]

    def by_torch(self) -> list[Float64s]:
        encoder = FeatureEncoder(self.config.features, self.vocabularies)
        [batch] = collate(encode_sentences(self.sentences, encoder, {}), [list(range(len(self.sentences)))])
        with torch.no_grad():
            x = self.network.inputs(dict(batch.inputs)).numpy()
        return cut(x, self.sentences)

    def session(self, mutate: Callable[[Any], None] | None = None) -> Session:
        graph = onnx.load_from_string(onnx_graph(self.config, self.arrays))
        if mutate:
            mutate(graph)
        (self.folder / "model.onnx").write_bytes(graph.SerializeToString())
        save_file(dict(self.arrays), self.folder / "model.safetensors")
        archive = ModelArchive(
            folder=self.folder,
            config=self.config,
            scheme="BIO",
            labels=LABELS,
            vocabularies=self.vocabularies,
            legality=legality_of(LABELS, "BIO"),
        )
        return Session(archive, threads=1)

    def by_graph(self, mutate: Callable[[Any], None] | None = None) -> list[Float64s]:
        session = self.session(mutate)
        return cut(session.inputs_and_emissions(session.encode(self.sentences))[0], self.sentences)


def cut(x: Any, sentences: Sequence[Sentence]) -> list[Float64s]:
    """The language model's part of x, each sentence without its padding."""
    return [np.asarray(x[: len(one), column, 2:], dtype=np.float64) for column, one in enumerate(sentences)]


def make_case(folder: Path, sentences: Sequence[Sentence], spaces: str, numbers: str = "float32", **more: Any) -> Case:
    config = make_config(spaces, numbers, **more)
    counts = count_keys(config.features, [sentence.forms for sentence in sentences])
    vocabularies = build_vocabularies(config.features, counts) | {"language_model": KNOWN}
    sizes = {name: vocabulary.size for name, vocabulary in vocabularies.items()}
    network = TaggerNetwork(config, sizes=sizes, legality=legality_of(LABELS, "BIO")).eval()
    generator = torch.Generator().manual_seed(3)
    for array in network.arrays().values():
        array.copy_(torch.randn(array.shape, generator=generator) * 0.7)
    arrays = stored(config, {name: array.numpy() for name, array in network.arrays().items()})
    for name, array in network.arrays().items():
        array.copy_(torch.from_numpy(widened(arrays)[name]))
    return Case(
        config=config, sentences=sentences, vocabularies=vocabularies, network=network, arrays=arrays, folder=folder
    )


# The oracle: from strings and arrays to states, by the equations that the explainer runs


def text_and_places(forms: Sequence[str], spaces: str) -> tuple[str, list[int], list[int]]:
    """By joining strings and counting them."""
    text, first, last = "\n", [], []
    for number, form in enumerate(forms):
        if number and spaces == "between":
            text += " "
        first.append(len(text))
        text += form
        last.append(len(text) - 1)
    return text + "\n", first, last


def by_equations(arrays: Mapping[str, npt.NDArray[Any]], forms: Sequence[str], spaces: str) -> Float64s:
    wide = {name: array.astype(np.float64) for name, array in widened(arrays).items()}
    text, first, last = text_and_places(forms, spaces)
    ids = [KNOWN.entries.index(one) + 2 if one in KNOWN.entries else 1 for one in text]
    found = []
    for suffix, places in (("", last), ("_reverse", first)):
        weights = LSTMWeights(
            **{
                kind: wide[f"language_model.{kind}_l0{suffix}"]
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
        )
        x = wide[f"language_model.embedding{suffix}.weight"][ids]
        states = run_lstm(x, weights, reverse=bool(suffix)).h[places]
        if (name := f"language_model.projection{suffix}.weight") in wide:
            bias = wide[name.replace("weight", "bias")]
            states = np.tanh(states @ wide[name].T + bias)
        found.append(states)
    return np.concatenate(found, axis=1)


CASES = {
    "characters": (CHARACTERS, "none", {}),
    "words": (WORDS, "between", {}),
    "words without spaces": (WORDS, "none", {}),
    "a layer on the states": (WORDS, "between", {"language_model_dim": 4}),
    "among all else": (WORDS, "between", {"language_model_dim": 2}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_equations_torch_and_the_graph_say_the_same(tmp_path: Path, name: str) -> None:
    sentences, spaces, more = CASES[name]
    case = make_case(tmp_path, sentences, spaces, **more)
    size = 2 * (more.get("language_model_dim") or HIDDEN)
    for hand, torchs, graph in zip(case.by_hand(spaces), case.by_torch(), case.by_graph(), strict=True):
        assert hand.shape[1] == size
        np.testing.assert_allclose(torchs, hand, atol=1e-6)
        np.testing.assert_allclose(graph, hand, atol=1e-6)


def test_a_batch_does_not_change_what_a_sentence_gets(tmp_path: Path) -> None:
    for number, numbers in enumerate(("float32", "int8")):
        case = make_case(tmp_path, WORDS, "between", numbers)
        session = case.session()
        together = cut(session.inputs_and_emissions(session.encode(WORDS))[0], WORDS)
        for sentence, found in zip(WORDS, together, strict=True):
            [alone] = cut(session.inputs_and_emissions(session.encode([sentence]))[0], [sentence])
            np.testing.assert_allclose(found, alone, atol=(1e-6, 1e-6)[number])


@pytest.mark.parametrize("numbers", ["float16", "int8"])
def test_smaller_numbers_say_nearly_the_same(tmp_path: Path, numbers: str) -> None:
    case = make_case(tmp_path, WORDS, "between", numbers)
    kinds = {name: array.dtype for name, array in case.arrays.items() if name.startswith("language_model.")}
    if numbers == "int8":
        assert kinds["language_model.weight_hh_l0_reverse"] == kinds["language_model.embedding.weight"] == np.int8
    else:
        assert set(kinds.values()) == {np.dtype(np.float16)}
    for hand, graph in zip(case.by_hand("between"), case.by_graph(), strict=True):
        np.testing.assert_allclose(graph, hand, atol=1e-6 if numbers == "float16" else 0.03)


# Mutations


def nodes_of(graph: Any, operator: str) -> list[Any]:
    """The language model's, forward first: those of the encoder come after."""
    return [node for node in graph.graph.node if node.op_type == operator][:2]


def swap_directions(graph: Any) -> None:
    for node in nodes_of(graph, "LSTM"):
        [attribute] = [one for one in node.attribute if one.name == "direction"]
        attribute.CopyFrom(helper.make_attribute("direction", "forward" if attribute.s == b"reverse" else "reverse"))


def swap_weights(graph: Any) -> None:
    forward, reverse = nodes_of(graph, "LSTM")
    forward.input[2], reverse.input[2] = reverse.input[2], forward.input[2]


def swap_places(graph: Any) -> None:
    for node in graph.graph.node:
        if node.output[0] in ("lm_forward.places", "lm_reverse.places"):
            other = {"language_model_first": "language_model_last", "language_model_last": "language_model_first"}
            node.input[0] = other[node.input[0]]


def forget_lengths(graph: Any) -> None:
    for node in nodes_of(graph, "LSTM"):
        node.input[4] = ""


MUTATIONS = [swap_directions, swap_weights, swap_places, forget_lengths]


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
def test_a_mutated_graph_is_noticed(tmp_path: Path, mutate: Callable[[Any], None]) -> None:
    case = make_case(tmp_path, WORDS, "between")
    right, wrong = np.concatenate(case.by_hand("between")), np.concatenate(case.by_graph(mutate))
    assert np.abs(right - wrong).max() > 0.01


def test_a_space_between_words_counts(tmp_path: Path) -> None:
    case = make_case(tmp_path, WORDS, "between")
    right, wrong = np.concatenate(case.by_hand("between")), np.concatenate(case.by_hand("none"))
    assert np.abs(right - wrong).max() > 0.01


def test_windows_of_a_long_sentence_agree_with_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    words = ["an", "naian", "e", "小明", "住"]
    sentence = sentence_from_forms([words[number] for number in draw.integers(0, 5, size=400)])
    session = make_case(tmp_path, WORDS, "between").session()
    batch = session.encode([sentence])
    whole = session.emissions(batch)
    monkeypatch.setattr("gatewise.runtime.session.WINDOW", 100)
    monkeypatch.setattr(windows, "WINDOW", 100)
    monkeypatch.setattr(windows, "MARGIN", 64)
    seen = []
    original = session._run
    monkeypatch.setattr(session, "_run", lambda names, part: seen.append(part) or original(names, part))
    monkeypatch.setattr("gatewise.runtime.session.MARGIN", 64)
    np.testing.assert_allclose(session.emissions(batch), whole, atol=1e-4)
    assert len(seen) >= 4


def test_a_batch_that_is_run_in_parts_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_case(tmp_path, WORDS, "between").session()
    sentences = [*WORDS] * 3
    batch = session.encode(sentences)
    whole = session.emissions(batch)
    monkeypatch.setattr("gatewise.runtime.session.RUN_PLACES", 6)
    monkeypatch.setattr("gatewise.runtime.session.RUN_SENTENCES", 1)
    assert len(batch.runs()) > 3
    parts = session.emissions(batch)
    for column, sentence in enumerate(sentences):
        np.testing.assert_allclose(parts[: len(sentence), column], whole[: len(sentence), column], atol=1e-6)
