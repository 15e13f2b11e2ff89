"""Keras files, made by Keras itself (tests/data/keras), against what Keras computed with them."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from gatewise.errors import InteropError
from gatewise.interop import keras as reader
from gatewise.interop import read_lstm
from gatewise.network.weights import lstm_from_tensors

h5py = pytest.importorskip("h5py")

FOLDER = Path(__file__).parents[1] / "data" / "keras"
STORED = json.loads((FOLDER / "outputs.json").read_text(encoding="utf-8"))
ORDERS = [order for order in permutations("ifgo") if order != tuple("ifgo")]
CASES = [("sequential.keras", None), ("sequential.h5", None), ("functional.keras", "lower")]


def gap(path: Path, prefix: str | None = None) -> float:
    """The widest gap between our pass over the imported weights and Keras's own, over all sentences."""
    from gatewise.lstm import run_layers

    lstm = lstm_from_tensors(read_lstm(path, prefix).tensors, "here")
    expected = STORED[path.stem]
    gaps = []
    for x, states in zip(STORED["inputs"], expected, strict=True):
        layers = run_layers(np.array(x), lstm.weights, start_states=lstm.starts)
        gaps.append(np.abs(layers[-1].output - np.array(states)).max())
    return max(gaps)


@pytest.mark.parametrize(("name", "prefix"), CASES)
def test_parity(name, prefix):
    assert gap(FOLDER / name, prefix) < 1e-6


@pytest.mark.parametrize("order", ORDERS, ids="".join)
@pytest.mark.parametrize("name", ["sequential.keras", "sequential.h5"])
def test_every_other_order_of_the_gates_is_noticed(name, order, monkeypatch):
    monkeypatch.setattr(reader, "ORDER", "".join(order))
    assert gap(FOLDER / name) > 1e-3


def test_the_mapping_says_what_became_of_each_tensor():
    found = [
        (one.source, one.source_shape, one.target, one.array.shape, one.change)
        for one in read_lstm(FOLDER / "sequential.keras").mapping
    ]
    assert found == [
        ("bidirectional/forward/kernel", (2, 12), "weight_ih_l0", (12, 2), "i|f|c|o → i|f|g|o, transposed"),
        ("bidirectional/forward/recurrent_kernel", (3, 12), "weight_hh_l0", (12, 3), "i|f|c|o → i|f|g|o, transposed"),
        ("bidirectional/forward/bias", (12,), "bias_ih_l0", (12,), "i|f|c|o → i|f|g|o"),
        ("", (), "bias_hh_l0", (12,), "zeros"),
        ("bidirectional/backward/kernel", (2, 12), "weight_ih_l0_reverse", (12, 2), "i|f|c|o → i|f|g|o, transposed"),
        (
            "bidirectional/backward/recurrent_kernel",
            (3, 12),
            "weight_hh_l0_reverse",
            (12, 3),
            "i|f|c|o → i|f|g|o, transposed",
        ),
        ("bidirectional/backward/bias", (12,), "bias_ih_l0_reverse", (12,), "i|f|c|o → i|f|g|o"),
        ("", (), "bias_hh_l0_reverse", (12,), "zeros"),
        ("lstm_1/kernel", (6, 16), "weight_ih_l1", (16, 6), "i|f|c|o → i|f|g|o, transposed"),
        ("lstm_1/recurrent_kernel", (4, 16), "weight_hh_l1", (16, 4), "i|f|c|o → i|f|g|o, transposed"),
    ]


def test_both_formats_hold_the_same():
    zipped, flat = (read_lstm(FOLDER / f"sequential.{ending}").tensors for ending in ("keras", "h5"))
    assert list(zipped) == list(flat)
    for name, array in zipped.items():
        np.testing.assert_array_equal(array, flat[name])


def test_several_chains_ask_for_one():
    with pytest.raises(InteropError) as error:
        read_lstm(FOLDER / "functional.keras")
    assert str(error.value).endswith(
        "functional.keras: expected one chain of LSTM layers, found 2: 'lower', 'other'; choose one with --prefix"
    )
    assert read_lstm(FOLDER / "functional.keras", "other").tensors["weight_hh_l0"].shape == (8, 2)
    with pytest.raises(InteropError, match=r"--prefix: expected one of 'lower', 'other', found 'upper'"):
        read_lstm(FOLDER / "functional.keras", "upper")


def keras_2_file(path: Path, *, units: int = 2) -> dict[str, np.ndarray]:
    """A file in the layout of Keras 2: another configuration, `:0` in names, nested lists for inbound nodes."""
    random = np.random.default_rng(5)
    arrays = {
        "kernel": random.normal(size=(3, 4 * units)),
        "recurrent_kernel": random.normal(size=(units, 4 * units)),
        "bias": random.normal(size=4 * units),
    }
    cell = {"name": "lstm", "units": units, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x"}, "name": "x", "inbound_nodes": []},
        {"class_name": "LSTM", "config": cell, "name": "lstm", "inbound_nodes": [[["x", 0, 0, {}]]]},
    ]
    with h5py.File(path, "w") as stream:
        stream.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {"layers": layers}})
        group = stream.create_group("model_weights/lstm/lstm/lstm_cell")
        for name, array in arrays.items():
            group[f"{name}:0"] = array
    return arrays


def test_the_layout_of_keras_2(tmp_path):
    path = tmp_path / "old.h5"
    arrays = keras_2_file(path)
    found = read_lstm(path).tensors
    np.testing.assert_array_equal(found["weight_ih_l0"], arrays["kernel"].T)
    np.testing.assert_array_equal(found["weight_hh_l0"], arrays["recurrent_kernel"].T)
    np.testing.assert_array_equal(found["bias_ih_l0"], arrays["bias"])
    assert not found["bias_hh_l0"].any()
