"""ONNX files that are damaged, or made to read other files or to fill the memory: each is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gatewise.errors import InteropError
from gatewise.interop import read_lstm

pytestmark = pytest.mark.torch
onnx = pytest.importorskip("onnx")


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A file with one LSTM of 2 units and 3 inputs."""
    random = np.random.default_rng(3)
    shapes = {"w": (1, 8, 3), "r": (1, 8, 2), "b": (1, 16)}
    stored = [
        onnx.numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    value = onnx.helper.make_tensor_value_info
    nodes = [
        onnx.helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], name="lstm", hidden_size=2),
        onnx.helper.make_node("Identity", ["y"], ["z"]),
    ]
    inputs, outputs = [value("x", 1, ["time", "batch", 3])], [value("z", 1, None)]
    graph = onnx.helper.make_graph(nodes, "g", inputs, outputs, stored)
    path = tmp_path / "whole.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    return path


def changed(path: Path, change) -> Path:
    model = onnx.load(path)
    change(model.graph)
    path.write_bytes(model.SerializeToString())
    return path


def test_external_data_are_read_from_beside_the_model_alone(whole, tmp_path):
    model = onnx.load(whole)
    (tmp_path / "inside").mkdir()
    onnx.save_model(
        model, tmp_path / "inside" / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0
    )
    expected, found = read_lstm(whole), read_lstm(tmp_path / "inside" / "m.onnx")
    for name, array in expected.tensors.items():
        np.testing.assert_array_equal(array, found.tensors[name])
    (tmp_path / "inside" / "m.data").rename(tmp_path / "m.data")
    with pytest.raises(InteropError, match=r"tensor 'w': expected its data, found none"):
        read_lstm(tmp_path / "inside" / "m.onnx")
    content = (tmp_path / "inside" / "m.onnx").read_bytes()
    outside = onnx.load_model_from_string(content)
    for tensor in outside.graph.initializer:
        tensor.external_data[0].value = "../m.data"
    (tmp_path / "inside" / "m.onnx").write_bytes(outside.SerializeToString())
    with pytest.raises(InteropError, match=r"tensor 'w': expected its data, found none"):
        read_lstm(tmp_path / "inside" / "m.onnx")


def test_a_shape_of_4_gigabytes_without_its_numbers_is_told(whole):
    def promise(graph):
        graph.initializer[0].dims[:] = [1, 2**18, 2**12]

    with pytest.raises(InteropError, match=r"tensor 'w': expected its data, found none"):
        read_lstm(changed(whole, promise))


def test_numbers_that_are_not_finite_are_told(whole):
    def break_one(graph):
        array = onnx.numpy_helper.to_array(graph.initializer[1]).copy()
        array[0, 3, 1] = np.nan
        graph.initializer[1].CopyFrom(onnx.numpy_helper.from_array(array, "r"))

    with pytest.raises(InteropError, match=r"whole\.onnx: r: expected finite numbers, found others; the weights are"):
        read_lstm(changed(whole, break_one))


def test_names_that_are_no_utf8_are_read(whole):
    content = whole.read_bytes()
    assert content.count(b"lstm") == 1
    whole.write_bytes(content.replace(b"lstm", b"ls\xfft"))
    assert read_lstm(whole).place == "ls\ufffdt"


def test_no_lstm_and_no_onnx(whole, tmp_path):
    with pytest.raises(InteropError, match=r"expected the operator LSTM, found 'Identity'$"):
        read_lstm(changed(whole, lambda graph: graph.node.pop(0)))
    for content in (b"", b"hello, this is text", b"\x08\x08"):
        (tmp_path / "no.onnx").write_bytes(content)
        with pytest.raises(InteropError, match=r"no\.onnx: expected an ONNX model, found "):
            read_lstm(tmp_path / "no.onnx")


def refusal(path: Path) -> str | None:
    """What is said of a file, None where it is imported."""
    try:
        read_lstm(path)
    except InteropError as error:
        return str(error)
    return None


def test_changed_bytes_never_end_in_a_traceback(whole, tmp_path):
    content = whole.read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "changed.onnx"
    for number in range(200):
        broken = bytearray(content[: int(random.integers(1, len(content)))] if number % 2 else content)
        for position in random.integers(0, len(broken), size=number % 7):
            broken[position] = int(random.integers(256))
        path.write_bytes(bytes(broken))
        sentence = refusal(path)
        assert sentence is None or sentence.startswith(str(tmp_path))
