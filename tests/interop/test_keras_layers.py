"""Configurations of Keras models, those of stored files changed: what is no plain LSTM, and where a chain ends."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from gatewise.errors import InteropError
from gatewise.interop import read_lstm

pytest.importorskip("h5py")

FOLDER = Path(__file__).parents[1] / "data" / "keras"


def changed(tmp_path: Path, change, source: str = "sequential.keras") -> Path:
    """A copy of a stored file whose configuration was changed."""
    path = tmp_path / source
    with zipfile.ZipFile(FOLDER / source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config["config"]["layers"])
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return path


def inner(layers):
    return layers[1]["config"]["layer"]["config"]


REFUSED = {
    "hard sigmoid": (
        lambda layers: inner(layers).update(recurrent_activation="hard_sigmoid"),
        "layer 'bidirectional': expected recurrent_activation='sigmoid', found 'hard_sigmoid'; the equations here do "
        "not have it",
    ),
    "relu of the second direction": (
        lambda layers: layers[1]["config"]["backward_layer"]["config"].update(activation="relu"),
        "layer 'bidirectional': expected activation='tanh', found 'relu'; the equations here do not have it",
    ),
    "sum": (
        lambda layers: layers[1]["config"].update(merge_mode="sum"),
        "layer 'bidirectional': expected merge_mode='concat', found 'sum'; there is no such layer here",
    ),
    "backwards": (
        lambda layers: layers[3]["config"].update(go_backwards=True),
        "layer 'lstm_1': expected a forward LSTM, or two equal ones in a Bidirectional, found another form",
    ),
    "bias": (
        lambda layers: layers[3]["config"].update(use_bias=True),
        "layer lstm_1: expected 'bias', 'kernel', 'recurrent_kernel', found 'kernel', 'recurrent_kernel'",
    ),
    "units": (
        lambda layers: layers[3]["config"].update(units=5),
        "lstm_1/kernel: expected 20 columns, 4 × 5 units, found (6, 16)",
    ),
    "GRU": (
        lambda layers: [layer.update(class_name="GRU") for layer in (layers[1], layers[3])],
        "expected an LSTM layer, found 'Dropout', 'GRU', 'InputLayer'",
    ),
    "a class of one's own": (
        lambda layers: [layer.update(module="mine", class_name="LSTM") for layer in (layers[1], layers[3])],
        "expected an LSTM layer, found 'Dropout', 'InputLayer', 'LSTM'",
    ),
    "no configuration": (
        lambda layers: layers.__setitem__(1, None),
        "expected the configuration of a Keras model, found a damaged one",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_lstm_is_refused(name, tmp_path):
    change, sentence = REFUSED[name]
    path = changed(tmp_path, change)
    with pytest.raises(InteropError) as error:
        read_lstm(path)
    assert str(error.value) == f"{path}: {sentence}"


def test_a_layer_between_breaks_the_chain(tmp_path):
    def normalize(layers):
        layers[2].update(class_name="LayerNormalization")

    with pytest.raises(InteropError, match=r"found 2: 'bidirectional', 'lstm_1'; choose one"):
        read_lstm(changed(tmp_path, normalize))


def test_a_layer_that_gives_its_last_state_alone_ends_the_chain(tmp_path):
    def last_alone(layers):
        inner(layers).update(return_sequences=False)

    with pytest.raises(InteropError, match=r"found 2: 'bidirectional', 'lstm_1'; choose one"):
        read_lstm(changed(tmp_path, last_alone))


def test_initial_states_from_a_layer_are_refused(tmp_path):
    def decode(layers):
        upper = next(layer for layer in layers if layer["name"] == "upper")
        upper["inbound_nodes"][0]["kwargs"]["initial_state"] = [
            {"class_name": "__keras_tensor__", "config": {"dtype": "float32", "keras_history": ["other", 0, 1]}}
        ]

    with pytest.raises(InteropError, match=r"layer 'upper': expected one input, found '.*', 'other'; initial states"):
        read_lstm(changed(tmp_path, decode, "functional.keras"), "lower")


def test_a_circle_of_layers_ends(tmp_path):
    def circle(layers):
        for name, other in (("lower", "spatial_dropout1d"), ("other", "other")):
            layer = next(layer for layer in layers if layer["name"] == name)
            layer["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = other
            inner_config = layer["config"].get("layer", layer)["config"]
            inner_config["return_sequences"] = True

    with pytest.raises(InteropError, match="found a circle of layers"):
        read_lstm(changed(tmp_path, circle, "functional.keras"))
