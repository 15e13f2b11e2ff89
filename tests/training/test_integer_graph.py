"""int8: what is stored, that no batch moves an emission, and what a model loses that is stored so.

The oracle of the stored numbers is plain arithmetic on them; that of the graph is the same sentence alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

import gatewise  # noqa: E402
from gatewise.formats import read_sentences  # noqa: E402
from gatewise.model.config import ArchiveConfig, Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.numbers import BOUNDS, MOST, STEP, stored, stored_shapes, widened  # noqa: E402
from gatewise.model.parameters import parameter_shapes  # noqa: E402
from gatewise.runtime.trace import run_encoder  # noqa: E402
from gatewise.training import export, export_layers  # noqa: E402
from gatewise.training.choose_numbers import Storage, choose_numbers, decides  # noqa: E402

pytestmark = pytest.mark.torch

SIZES = {"tokens": 13, "bigrams": 17}
LENGTHS = (9, 1, 4, 2, 6)
FLOAT_ROUNDING = 5e-6  # of the last product, states times emission weights, which is in float32
SETTINGS = [
    {},
    {"layers": 2, "hidden": 5},
    {"layers": 3, "hidden": 6, "residual": True},
    {"layers": 2, "hidden": 5, "bidirectional": False},
]


def make_config(**encoder: object) -> Config:
    return config_from_dict(
        {
            "task": {"kind": "tags", "scheme": "plain", "tokenizer": "whitespace"},
            "features": {"token_dim": 5, "bigram_dim": 3},
            "encoder": {"hidden": 7, **encoder},
            "output": {"kind": "softmax"},
            "archive": {"numbers": "int8"},
        },
        where="test",
    )


def make_arrays(config: Config, seed: int = 3) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    shapes = parameter_shapes(config, sizes=SIZES, num_tags=4)
    return {name: generator.normal(0.1, 0.6, shape).astype(np.float32) for name, shape in shapes.items()}


def make_batch(lengths: tuple[int, ...], seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    time, batch = max(lengths), len(lengths)
    return {
        "tokens": generator.integers(0, SIZES["tokens"], (time, batch)),
        "bigrams": generator.integers(0, SIZES["bigrams"], (time + 1, batch)),
        "lengths": np.array(lengths, dtype=np.int32),
    }


def run(config: Config, arrays: dict[str, np.ndarray], batch: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    graph = export.onnx_graph(config, arrays)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    x, emissions = session.run(["x", "emissions"], batch)
    return x, emissions


def alone(batch: dict[str, np.ndarray], column: int) -> dict[str, np.ndarray]:
    length = int(batch["lengths"][column])
    return {
        "tokens": batch["tokens"][:length, [column]],
        "bigrams": batch["bigrams"][: length + 1, [column]],
        "lengths": batch["lengths"][[column]],
    }


def test_stored_numbers_are_whole_and_near_and_no_pair_overflows() -> None:
    config = make_config(layers=2, hidden=5)
    arrays = make_arrays(config)
    found = stored(config, arrays)
    shapes = {name: array.shape for name, array in arrays.items()}
    assert {name: array.shape for name, array in found.items()} == stored_shapes(config, shapes)
    back = widened(found)
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        if name + STEP not in found:
            assert np.array_equal(back[name], array)
            continue
        assert found[name].dtype == np.int8
        steps = found[name + STEP][:, None]
        assert np.abs(found[name].astype(int)).max() <= MOST
        assert (np.abs(back[name] - array) <= 0.5001 * steps).all()
        if name.startswith("encoder."):
            counts = np.abs(found[name].astype(int))
            assert (counts[:, 1:] + counts[:, :-1]).max() <= 128
    assert found["token_embedding.weight" + STEP] == found["bigram_embedding.weight" + STEP]


@pytest.mark.parametrize("encoder", SETTINGS, ids=str)
def test_no_batch_moves_an_emission(encoder: dict[str, object]) -> None:
    config = make_config(**encoder)
    arrays = stored(config, make_arrays(config))
    batch = make_batch(LENGTHS, seed=5)
    _, together = run(config, arrays, batch)
    for column, length in enumerate(LENGTHS):
        _, single = run(config, arrays, alone(batch, column))
        assert np.abs(single[:, 0] - together[:length, column]).max() < FLOAT_ROUNDING


@pytest.mark.parametrize("encoder", SETTINGS, ids=str)
def test_the_graph_is_near_the_equations_on_the_stored_weights(encoder: dict[str, object]) -> None:
    config = make_config(**encoder)
    arrays = stored(config, make_arrays(config))
    batch = make_batch(LENGTHS, seed=7)
    x, emissions = run(config, arrays, batch)
    wide = {name: array.astype(np.float64) for name, array in widened(arrays).items()}
    size = 5 + 2 * 3
    assert x.shape[2] == size + BOUNDS
    for column, length in enumerate(LENGTHS):
        states = run_encoder(x[:length, column, :size].astype(np.float64), wide, _Configured(config))[-1].output
        expected = states @ wide["emission.weight"].T + wide["emission.bias"]
        assert np.abs(emissions[:length, column] - expected).max() < 0.1  # emissions are about 2 in size
        assert np.abs(emissions[:length, column] - expected[:, ::-1]).max() > 0.3


def test_without_the_bounds_a_batch_does_move_emissions(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config()
    arrays = stored(config, make_arrays(config))
    monkeypatch.setattr(export_layers, "OPEN", 0.0)  # the further units stay at 0, and bound nothing
    batch = make_batch(LENGTHS, seed=5)
    _, together = run(config, arrays, batch)
    singles = [run(config, arrays, alone(batch, column))[1][:, 0] for column in range(len(LENGTHS))]
    pairs = zip(singles, LENGTHS, strict=True)
    moved = [np.abs(one - together[:length, column]).max() for column, (one, length) in enumerate(pairs)]
    assert max(moved) > 100 * FLOAT_ROUNDING


def test_an_rnn_stores_whole_tables_alone() -> None:
    config = make_config(kind="rnn")
    arrays = stored(config, make_arrays(config))
    assert {name for name in arrays if name.endswith(STEP)} == {
        "token_embedding.weight.step",
        "bigram_embedding.weight.step",
    }
    x, _ = run(config, arrays, make_batch(LENGTHS, seed=5))
    assert x.shape[2] == 5 + 2 * 3


@pytest.mark.parametrize(
    ("lost", "chosen"),
    [
        ([0.0005], Storage(numbers="int8", reach=1.0, scores=(0.4995, 0.5))),
        ([-0.2], Storage(numbers="int8", reach=1.0, scores=(0.7, 0.5))),
        ([0.002, 0.0011, 0.0009], Storage(numbers="int8", reach=0.8, scores=(0.4991, 0.5))),
        ([0.002, 0.002, 0.002, 0.0011], Storage(numbers="float32", scores=(0.5, 0.5))),
    ],
)
def test_auto_takes_the_first_that_loses_nothing_that_counts(lost: list[float], chosen: Storage) -> None:
    left = iter([0.5, *(0.5 - one for one in lost)])
    assert choose_numbers("auto", lambda _: next(left)) == chosen
    assert next(left, None) is None


def test_without_dev_or_when_told_nothing_is_measured() -> None:
    assert choose_numbers("auto", lambda _: None) == Storage(numbers="float32")
    for numbers in ("float32", "float16", "int8"):
        assert choose_numbers(numbers, lambda _: pytest.fail("not to be asked")) == Storage(numbers=numbers)


@pytest.mark.parametrize(
    ("found", "asked", "same"),
    [("int8", "auto", True), ("float32", "auto", True), ("float16", "auto", False), ("int8", "float32", False)],
)
def test_a_saved_model_is_what_was_asked_for(found: str, asked: str, same: bool) -> None:
    one, other = (replace(make_config(), archive=ArchiveConfig(numbers=numbers)) for numbers in (found, asked))
    assert decides(one, other) is same
    assert not decides(replace(one, name="another"), other)


class _Configured:
    def __init__(self, config: Config) -> None:
        self.config = config


@pytest.mark.parametrize("numbers", ["int8", "auto"])
def test_a_trained_model_in_whole_numbers_tags_as_it_is_explained(tiny: Path, tmp_path: Path, numbers: str) -> None:
    settings = {"archive": {"numbers": numbers}, "training": {"epochs": 3}, "encoder": {"hidden": 12}}
    corpus = tiny / "spans.conll"
    result = gatewise.train(settings, train=corpus, dev=corpus, output=tmp_path / "model")
    stored_as = result.config.archive.numbers
    assert stored_as == "int8" if numbers == "int8" else stored_as in ("int8", "float32")
    tagger = gatewise.load(tmp_path / "model")
    sentence = next(iter(read_sentences(corpus, "conll")))
    trace = tagger.trace(replace(sentence, tags=None))
    emissions = tagger._workers.session.emissions(tagger._workers.session.encode([trace.sentence]))[:, 0]
    assert np.abs(emissions - trace.emissions).max() < 0.1
