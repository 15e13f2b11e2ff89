"""LSTM nodes of ONNX, in graphs built by hand, against onnxruntime on the same file."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.errors import InteropError
from gatewise.interop import onnx_lstm as reader
from gatewise.interop import read_lstm
from gatewise.lstm import run_layers
from gatewise.network.weights import lstm_from_tensors

pytestmark = pytest.mark.torch
onnx = pytest.importorskip("onnx")

SIZE, BATCH = 3, 2
LENGTHS = (5, 3)
ORDERS = [order for order in permutations("iofg") if order != tuple("iofg")]


class Graph:
    """LSTM nodes of 4 and 2 units with random weights, `both` by layer; attributes and inputs can be changed."""

    def __init__(self, both=(True, False), bias=True, starts=False, change=None, attributes=None, join="usual"):
        self.random = np.random.default_rng(3)
        self.nodes: list[Any] = []
        self.stored: list[Any] = []
        x, size, hidden = "x", SIZE, 4
        for number, two in enumerate(both):
            named = self.weights(number, size, hidden, 2 if two else 1, bias, starts)
            named |= (change or {}).get(number, {})
            inputs = [x, named["w"], named["r"], named["b"], "lengths", named["h"], named["c"], named.get("p", "")]
            kind = {"hidden_size": hidden, "direction": "bidirectional" if two else "forward"}
            kind |= (attributes or {}).get(number, {})
            self.node("LSTM", inputs, [f"y{number}"], name=f"lstm{number}", **kind)
            x, size = self.joined(number, two, hidden, join), hidden * (1 + two)
            hidden = 2
        self.output = x

    def node(self, operator, inputs, outputs, **attributes):
        self.nodes.append(onnx.helper.make_node(operator, inputs, outputs, **attributes))

    def store(self, name, array):
        self.stored.append(onnx.numpy_helper.from_array(array, name))
        return name

    def draw(self, name, *shape):
        return self.store(name, self.random.normal(scale=0.7, size=shape).astype(np.float32))

    def weights(self, number, size, hidden, directions, bias, starts):
        state = (directions, 1, hidden)
        names = {f"{kind}0": self.draw(f"{kind}0_{number}", *state) if starts else "" for kind in "hc"}
        if starts:
            shape = self.store(f"shape{number}", np.array([directions, BATCH, hidden], dtype=np.int64))
            for kind in "hc":
                self.node("Expand", [names[f"{kind}0"], shape], [f"{kind}{number}"])
        return {
            "w": self.draw(f"w{number}", directions, 4 * hidden, size),
            "r": self.draw(f"r{number}", directions, 4 * hidden, hidden),
            "b": self.draw(f"b{number}", directions, 8 * hidden) if bias else "",
            "h": f"h{number}" if starts else "",
            "c": f"c{number}" if starts else "",
        }

    def joined(self, number, two, hidden, join):
        if two:
            perm = [0, 2, 1, 3] if join == "usual" else [0, 2, 3, 1]
            self.node("Transpose", [f"y{number}"], [f"turned{number}"], perm=perm)
            shape = self.store(f"sizes{number}", np.array([0, 0, 2 * hidden], dtype=np.int64))
            self.node("Reshape", [f"turned{number}", shape], [f"out{number}"])
        else:
            axis = self.store(f"axis{number}", np.array([1], dtype=np.int64))
            self.node("Squeeze", [f"y{number}", axis], [f"out{number}"])
        if join == "relu":
            self.node("Relu", [f"out{number}"], [f"relu{number}"])
            return f"relu{number}"
        return f"out{number}"

    def saved(self, path: Path, more_inputs=()) -> Path:
        value = onnx.helper.make_tensor_value_info
        inputs = [
            value("x", onnx.TensorProto.FLOAT, ["time", "batch", SIZE]),
            value("lengths", onnx.TensorProto.INT32, ["batch"]),
            *(value(name, onnx.TensorProto.FLOAT, None) for name in more_inputs),
        ]
        outputs = [value(self.output, onnx.TensorProto.FLOAT, ["time", "batch", "states"])]
        graph = onnx.helper.make_graph(self.nodes, "g", inputs, outputs, self.stored)
        made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        path.write_bytes(made.SerializeToString())
        return path


def sentences() -> list[np.ndarray]:
    random = np.random.default_rng(8)
    return [random.normal(size=(length, SIZE)).astype(np.float32) for length in LENGTHS]


def ours(path: Path, prefix: str | None = None) -> list[np.ndarray]:
    lstm = lstm_from_tensors(read_lstm(path, prefix).tensors, "here")
    return [run_layers(x.astype(np.float64), lstm.weights, start_states=lstm.starts)[-1].output for x in sentences()]


def theirs(path: Path) -> list[np.ndarray]:
    """onnxruntime on both sentences, padded, in one batch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x = np.zeros((max(LENGTHS), BATCH, SIZE), dtype=np.float32)
    for number, rows in enumerate(sentences()):
        x[: len(rows), number] = rows
    (states,) = session.run(None, {"x": x, "lengths": np.array(LENGTHS, dtype=np.int32)})
    return [states[:length, number] for number, length in enumerate(LENGTHS)]


def gap(path: Path) -> float:
    return max(np.abs(a - b).max() for a, b in zip(ours(path), theirs(path), strict=True))


@pytest.mark.parametrize("both", [(False,), (True,), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("starts", [False, True])
def test_parity(both, bias, starts, tmp_path):
    assert gap(Graph(both, bias, starts).saved(tmp_path / "m.onnx")) < 1e-6


@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_every_other_order_of_the_gates_is_noticed(order, tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "ORDER", "".join(order))
    assert gap(Graph((True,)).saved(tmp_path / "m.onnx")) > 1e-3


def test_the_mapping_says_what_became_of_each_tensor(tmp_path):
    found = read_lstm(Graph((False,), starts=True).saved(tmp_path / "m.onnx"))
    assert [(one.source, one.source_shape, one.target, one.array.shape, one.change) for one in found.mapping] == [
        ("w0[0]", (1, 16, 3), "weight_ih_l0", (16, 3), "i|o|f|c → i|f|g|o"),
        ("r0[0]", (1, 16, 4), "weight_hh_l0", (16, 4), "i|o|f|c → i|f|g|o"),
        ("b0[0]", (1, 32), "bias_ih_l0", (16,), "i|o|f|c → i|f|g|o, first half"),
        ("b0[0]", (1, 32), "bias_hh_l0", (16,), "i|o|f|c → i|f|g|o, second half"),
        ("h0_0[0]", (1, 4), "h0_l0", (4,), "as it was"),
        ("c0_0[0]", (1, 4), "c0_l0", (4,), "as it was"),
    ]


REFUSED = {
    "reverse": (
        {"both": (False,), "attributes": {0: {"direction": "reverse"}}},
        "LSTM 'lstm0': expected the direction forward or bidirectional, found 'reverse'; a lone reverse direction has "
        "no place in a network here",
    ),
    "activations": (
        {"both": (False,), "attributes": {0: {"activations": ["Sigmoid", "Relu", "Tanh"]}}},
        "LSTM 'lstm0': expected the activations Sigmoid, Tanh, Tanh, found ['Sigmoid', 'Relu', 'Tanh']",
    ),
    "clip": (
        {"both": (False,), "attributes": {0: {"clip": 2.0}}},
        "LSTM 'lstm0': expected clip 0, found 2.0; it is not imported",
    ),
    "coupled": (
        {"both": (False,), "attributes": {0: {"input_forget": 1}}},
        "LSTM 'lstm0': expected input_forget 0, found 1; it is not imported",
    ),
    "batch first": (
        {"both": (False,), "attributes": {0: {"layout": 1}}},
        "LSTM 'lstm0': expected layout 0, found 1; it is not imported",
    ),
    "peepholes": (
        {"both": (False,), "change": {0: {"p": "b0"}}},
        "LSTM 'lstm0': expected no peepholes, found 'b0'; the equations here have none",
    ),
    "weights given": (
        {"both": (False,), "change": {0: {"w": "given"}}},
        "LSTM 'lstm0': expected stored weights 'given', found that the graph computes them or takes them as an input; "
        "fold its constants first",
    ),
    "shape": (
        {"both": (False,), "change": {0: {"b": "w0"}}},
        "w0: expected shape (1, 32), found (1, 16, 3)",
    ),
    "start computed": (
        {"both": (False,), "change": {0: {"h": "y0"}}},
        "LSTM 'lstm0': expected a start state that is stored or given, found that the graph computes 'y0'; only its "
        "weights could be kept, so it is not imported",
    ),
    "start that differs": (
        {"both": (False,), "change": {0: {"h": "w0"}}},
        "w0: expected one start state for all sentences, (1, 1, 4), found (1, 16, 3); it is not imported",
    ),
    "two": (
        {"both": (True, False), "join": "relu"},
        "expected one chain of LSTM nodes, found 2: 'lstm0', 'lstm1'; choose one with --prefix",
    ),
    "mixed directions": (
        {"both": (True, False), "join": "mixed"},
        "expected one chain of LSTM nodes, found 2: 'lstm0', 'lstm1'; choose one with --prefix",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_lstm_is_refused(name, tmp_path):
    arguments, sentence = REFUSED[name]
    path = Graph(**arguments).saved(tmp_path / "m.onnx")
    with pytest.raises(InteropError) as error:
        read_lstm(path)
    assert str(error.value) == f"{path}: {sentence}"


def test_start_states_that_are_given_at_run_time_are_told(tmp_path):
    graph = Graph((False,), change={0: {"h": "given", "c": "given"}})
    found = read_lstm(graph.saved(tmp_path / "m.onnx", more_inputs=["given"]))
    assert found.remarks == ("LSTM lstm0: its start states are inputs of the graph, zeros are taken",)
    assert "h0_l0" not in found.tensors


def test_a_chain_can_be_chosen(tmp_path):
    path = Graph((True, False), join="relu").saved(tmp_path / "m.onnx")
    assert read_lstm(path, "lstm1").tensors["weight_hh_l0"].shape == (8, 2)
