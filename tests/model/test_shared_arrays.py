"""Arrays that graph and weights share stand once, and who reads them anew finds what was there.

The oracles are the `onnx` package and onnxruntime, which read such a folder by ONNX's own rules for external data.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from onnx import TensorProto, numpy_helper  # noqa: E402
from safetensors.numpy import load_file, save  # noqa: E402

import gatewise  # noqa: E402
from gatewise.errors import ModelError  # noqa: E402
from gatewise.model.archive import open_model  # noqa: E402
from gatewise.model.bundled import bundled_models, find_model  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.features import features_of  # noqa: E402
from gatewise.model.numbers import stored as stored_numbers  # noqa: E402
from gatewise.model.parameters import parameter_shapes  # noqa: E402
from gatewise.model.shared_arrays import LEAST, stored_places, without_shared_arrays  # noqa: E402
from gatewise.native.library import VARIABLE  # noqa: E402
from gatewise.runtime.session import Session  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402

pytestmark = pytest.mark.torch

VERSION_2 = sorted(path.name for path in (Path(__file__).parents[1] / "data" / "models").glob("v2-*/"))


def whole_graph(settings: dict[str, Any]) -> tuple[bytes, dict[str, np.ndarray]]:
    """A graph with every array in it, and the arrays of the model."""
    config = config_from_dict(settings, where="test")
    sizes = {feature.name: 40 + number for number, feature in enumerate(features_of(config.features))}
    shapes, chance = parameter_shapes(config, sizes=sizes, num_tags=4), np.random.default_rng(5)
    random = {name: chance.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays = dict(stored_numbers(config, random))
    return onnx_graph(config, arrays), {name: np.ascontiguousarray(array) for name, array in arrays.items()}


FEATURES = {"token_dim": 5, "bigram_dim": 4, "characters": "cnn", "shape_dim": 4, "affix_length": 2}
SETTINGS = [
    {"features": FEATURES, "encoder": {"hidden": 4, "kind": kind}, "archive": {"numbers": numbers}}
    for kind, numbers in (("lstm", "float32"), ("lstm", "float16"), ("lstm", "int8"), ("rnn", "float32"))
]


@pytest.mark.parametrize("settings", SETTINGS, ids=["float32", "float16", "int8", "rnn"])
def test_onnx_reads_the_whole_graph_again(settings: dict[str, Any], tmp_path: Path) -> None:
    whole, arrays = whole_graph(settings)
    weights = save(arrays)
    thin = without_shared_arrays(whole, weights)
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "model.onnx").write_bytes(thin)
    onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
    again, first = onnx.load(str(tmp_path / "model.onnx")), onnx.load_from_string(whole)
    assert [node.SerializeToString() for node in again.graph.node] == [
        node.SerializeToString() for node in first.graph.node
    ]
    ours, theirs = (
        {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer} for model in (again, first)
    )
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        assert ours[name].dtype == array.dtype
        np.testing.assert_array_equal(ours[name], array)
    shared = {
        name
        for name, array in theirs.items()
        if name in arrays and array.nbytes >= LEAST and array.tobytes() == arrays[name].tobytes()
    }
    assert {entry.name for entry in onnx.load_from_string(thin).graph.initializer if entry.external_data} == shared
    assert "token_embedding.weight" in shared
    assert len(whole) - len(thin) > sum(arrays[name].nbytes - 120 for name in shared)


def test_what_only_looks_alike_stays_in_the_graph() -> None:
    whole, arrays = whole_graph(SETTINGS[0])
    arrays["token_embedding.weight"] = arrays["token_embedding.weight"].copy()
    arrays["token_embedding.weight"][3, 2] += 1
    thin = onnx.load_from_string(without_shared_arrays(whole, save(arrays)))
    placed = {entry.name: bool(entry.external_data) for entry in thin.graph.initializer}
    assert not placed["token_embedding.weight"]
    assert placed["bigram_embedding.weight"]


def test_places_change_with_the_weights() -> None:
    whole, arrays = whole_graph(SETTINGS[2])
    first = save(arrays)
    second = save({"a_new_one": np.ones(1000, np.float32), **arrays})
    assert stored_places(first) != {name: place for name, place in stored_places(second).items() if name in arrays}
    assert without_shared_arrays(without_shared_arrays(whole, first), second) == without_shared_arrays(whole, second)


@pytest.mark.parametrize("name", VERSION_2)
def test_onnxruntime_alone_finds_the_same_emissions(monkeypatch: pytest.MonkeyPatch, stored: Path, name: str) -> None:
    """Given the folder and nothing of gatewise; what is fed in is what the tagger feeds."""
    monkeypatch.setenv(VARIABLE, "onnxruntime")
    tagger, session = gatewise.load(stored / name), Session(open_model(stored / name))
    alone = onnxruntime.InferenceSession(str(stored / name / "model.onnx"), providers=["CPUExecutionProvider"])
    batch = session.encode([tagger.tokenize(text) for text in ("小明 住在 北京", "the old dog")])
    [wanted] = alone.run(["emissions"], batch.feeds())
    np.testing.assert_array_equal(session.emissions(batch), wanted)


@pytest.mark.parametrize("name", bundled_models())
def test_no_table_of_a_bundled_model_stands_twice(name: str) -> None:
    folder = find_model(name)
    weights = (folder / "model.safetensors").stat().st_size
    tables = sum(array.nbytes for key, array in load_file(folder / "model.safetensors").items() if "embedding" in key)
    assert (folder / "model.onnx").stat().st_size < weights - tables + 100_000


# Places from strangers

Change = Callable[[Any], object]  # of the first array that has a place


def say(key: str, value: str) -> Change:
    def change(tensor: Any) -> None:
        next(entry for entry in tensor.external_data if entry.key == key).value = value

    return change


def moved(by: int) -> Change:
    def change(tensor: Any) -> None:
        entry = next(entry for entry in tensor.external_data if entry.key == "offset")
        entry.value = str(int(entry.value) + by)

    return change


def grown(tensor: Any) -> None:
    tensor.dims[0] += 1
    entry = next(entry for entry in tensor.external_data if entry.key == "length")
    entry.value = str(int(entry.value) + 4 * tensor.dims[1])


def as_other_numbers(tensor: Any) -> None:
    """Twice as many numbers of half the size."""
    tensor.data_type = TensorProto.FLOAT16
    tensor.dims[0] *= 2


WRITTEN = "expected a graph that gatewise wrote, found {}"
DAMAGED = "expected an ONNX graph, found a damaged file ({})"
MOVED = DAMAGED.format("token_embedding.weight at another place than it has in model.safetensors")
OUTSIDE = WRITTEN.format("weights outside the folder's model.safetensors")
REFUSED: dict[str, tuple[Change, str]] = {
    "elsewhere": (say("location", "/etc/passwd"), OUTSIDE),
    "a way out": (say("location", "../model.safetensors"), OUTSIDE),
    "another file of the folder": (say("location", "config.json"), OUTSIDE),
    "a further key": (lambda tensor: tensor.external_data.add(key="checksum", value="0"), OUTSIDE),
    "a key twice": (lambda tensor: tensor.external_data.add(key="location", value="model.safetensors"), OUTSIDE),
    "no length": (lambda tensor: tensor.external_data.pop(), OUTSIDE),
    "no place": (lambda tensor: tensor.ClearField("external_data"), OUTSIDE),
    "a place and numbers": (
        lambda tensor: setattr(tensor, "raw_data", b"\0" * 4),
        WRITTEN.format("an array in two places or in none"),
    ),
    "a place that does not count": (
        lambda tensor: setattr(tensor, "data_location", TensorProto.DEFAULT),
        WRITTEN.format("an array in two places or in none"),
    ),
    "no number": (say("offset", "-8"), DAMAGED.format("an array whose place is no number")),
    "other digits": (say("offset", "１２"), DAMAGED.format("an array whose place is no number")),
    "far too many digits": (say("offset", "9" * 4000), DAMAGED.format("an array whose place is no number")),
    "a byte further": (moved(1), MOVED),
    "far beyond the end": (moved(10**12), MOVED),
    "longer": (grown, MOVED),
    "a shape that does not fit": (
        lambda tensor: tensor.dims.append(10**9),
        DAMAGED.format("token_embedding.weight of shape (24, 5, 1000000000) in 480 bytes"),
    ),
    "other numbers": (
        as_other_numbers,
        DAMAGED.format("token_embedding.weight in another kind of numbers than in model.safetensors"),
    ),
    "no such array": (
        lambda tensor: setattr(tensor, "name", "other"),
        DAMAGED.format("other at another place than it has in model.safetensors"),
    ),
    "a step that there is not": (
        lambda tensor: setattr(tensor, "name", "emission.weight.step"),
        DAMAGED.format("emission.weight.step at another place than it has in model.safetensors"),
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_a_place_that_is_not_just_so_is_refused(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, message: str
) -> None:
    model = without_sums(Path(shutil.copytree(stored / "v2-tags", tmp_path / "model")))
    graph = onnx.load(str(model / "model.onnx"), load_external_data=False)
    tensor = next(entry for entry in graph.graph.initializer if entry.external_data)
    assert tensor.name == "token_embedding.weight"
    open_model(model).graph()  # which passes
    change(tensor)
    (model / "model.onnx").write_bytes(graph.SerializeToString())

    def never(*_: object, **__: object) -> None:
        raise AssertionError("onnxruntime was handed the graph")

    monkeypatch.setattr(onnxruntime, "InferenceSession", never)
    with pytest.raises(ModelError) as refused:
        gatewise.load(model)
    assert str(refused.value).startswith(f"{model / 'model.onnx'}: {message}")


def test_numbers_that_are_not_finite_are_refused_in_their_place(stored: Path, tmp_path: Path) -> None:
    model = without_sums(Path(shutil.copytree(stored / "v2-tags", tmp_path / "model")))
    arrays = load_file(model / "model.safetensors")
    arrays["token_embedding.weight"][2, 1] = np.nan
    (model / "model.safetensors").write_bytes(save(arrays))
    with pytest.raises(ModelError, match=r"token_embedding\.weight with numbers that are not finite"):
        gatewise.load(model)


def without_sums(model: Path) -> Path:
    description = json.loads((model / "config.json").read_text(encoding="utf-8"))
    del description["files"]
    (model / "config.json").write_text(json.dumps(description), encoding="utf-8")
    return model
