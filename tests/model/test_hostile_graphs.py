"""Graphs from strangers: whatever gatewise does not write is refused before onnxruntime sees it.

The graphs are made and broken with the `onnx` package; test_graph_reader.py has what the reader makes of good ones.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import gatewise  # noqa: E402
from gatewise.errors import ModelError  # noqa: E402
from gatewise.model.archive import open_model  # noqa: E402

pytestmark = pytest.mark.torch

Change = Callable[[Any], object]  # of a ModelProto


@pytest.fixture
def model(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of v1-spans, whose graph holds every array and must never be run."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("onnxruntime was handed the graph")

    monkeypatch.setattr(onnxruntime, "InferenceSession", never)
    return Path(shutil.copytree(stored / "v1-spans", tmp_path / "model"))


def refusal(model: Path) -> str:
    with pytest.raises(ModelError) as refused:
        gatewise.load(model)
    message = str(refused.value)
    assert message.isprintable()
    assert message.startswith(f"{model}{os.sep}model.onnx: ")
    return message.removeprefix(f"{model}{os.sep}model.onnx: ")


def constant(proto: Any, name: str, array: np.ndarray) -> str:
    proto.graph.initializer.append(numpy_helper.from_array(array, name))
    return name


def node(operator: str, inputs: list[str], output: str = "made", at: int = 0, **attributes: Any) -> Change:
    """Insert a node at a place in the order of nodes."""
    return lambda proto: proto.graph.node.insert(at, helper.make_node(operator, inputs, [output], **attributes))


def fed(operator: str, arrays: list[np.ndarray], inputs: list[str], at: int = 0, **attributes: Any) -> Change:
    """The same with constants among the inputs, which are called c0, c1, …"""

    def change(proto: Any) -> None:
        for number, array in enumerate(arrays):
            constant(proto, f"c{number}", array)
        node(operator, inputs, at=at, **attributes)(proto)

    return change


def first_constant(change: Change) -> Change:
    return lambda proto: change(proto.graph.initializer[0])


def of_node(operator: str, change: Change) -> Change:
    return lambda proto: change(next(node for node in proto.graph.node if node.op_type == operator))


def external(tensor: Any, path: str = "/etc/passwd") -> None:
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    for key, value in (("location", path), ("offset", "0"), ("length", "4")):
        tensor.external_data.add(key=key, value=value)


def with_external_attribute(proto: Any) -> None:
    tensor = numpy_helper.from_array(np.ones(3, "f4"), "inner")
    external(tensor, "../../secret")
    proto.graph.node.append(helper.make_node("Constant", [], ["made"], value=tensor))


def with_subgraph(operator: str, **attributes: str) -> Change:
    body = helper.make_graph([helper.make_node("Identity", ["tokens"], ["y"])], "body", [], [])

    def change(proto: Any) -> None:
        graphs = dict.fromkeys(attributes.values(), body)
        proto.graph.node.append(helper.make_node(operator, ["tokens"], ["made"], **graphs))

    return change


def with_function(proto: Any) -> None:
    inside = [helper.make_node("Identity", ["a"], ["b"])]
    opset = [helper.make_opsetid("", 17)]
    proto.functions.append(helper.make_function("mine", "f", ["a"], ["b"], inside, opset))
    proto.graph.node.append(helper.make_node("f", ["tokens"], ["made"], domain="mine"))


def sparse(proto: Any) -> None:
    values, indices = numpy_helper.from_array(np.ones(1, "f4"), "s"), numpy_helper.from_array(np.zeros(1, "i8"))
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [10**12]))


def plain_numbers(tensor: Any) -> None:
    array = numpy_helper.to_array(tensor)
    tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.FLOAT, array.shape, array.ravel().tolist()))


def recast(kind: str) -> Change:
    def change(tensor: Any) -> None:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(kind), tensor.name))

    return first_constant(change)


def poison(value: float) -> Change:
    def change(tensor: Any) -> None:
        array = numpy_helper.to_array(tensor).copy()
        array[1, 1] = value
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    return first_constant(change)


def doubled(times: int) -> Change:
    """x beside x, beside both of these, …: twice as many numbers with every node."""

    def change(proto: Any) -> None:
        last = "x"
        for number in range(times):
            proto.graph.node.append(helper.make_node("Concat", [last, last], [f"x{number}"], axis=2))
            last = f"x{number}"

    return change


def squared(proto: Any) -> None:
    """Every place with every place of the same sentence: it grows with the square of the length."""
    proto.graph.node.append(helper.make_node("Less", ["tokens", "tokens"], ["sized"]))
    axes = [constant(proto, f"axis{number}", np.array([number])) for number in (0, 1)]
    for number, axis in enumerate(axes):
        proto.graph.node.append(helper.make_node("Unsqueeze", ["sized", axis], [f"turned{number}"]))
    proto.graph.node.append(helper.make_node("Where", ["turned0", "turned1", "turned1"], ["made"]))


def batch_first(proto: Any) -> None:
    of_node("Add", lambda add: add.output.__setitem__(0, "inner"))(proto)
    proto.graph.node.append(helper.make_node("Transpose", ["inner"], ["emissions"], perm=[1, 0, 2]))


def widened_twice(proto: Any) -> None:
    table = constant(proto, "table", np.ones((50, 50), "f2"))
    for number in range(2):
        proto.graph.node.append(helper.make_node("Cast", [table], [f"wide{number}"], to=TensorProto.FLOAT))


WRITTEN = "expected a graph that gatewise wrote, found {}; do not use it, get the model again from where it was made"
DAMAGED = "expected an ONNX graph, found a damaged file ({}); copy it again"
REFUSED: dict[str, tuple[Change, str]] = {
    "external data": (first_constant(external), WRITTEN.format("weights outside the folder's model.safetensors")),
    "external data in a node": (with_external_attribute, WRITTEN.format("an array inside a node")),
    "if": (with_subgraph("If", a="then_branch", b="else_branch"), WRITTEN.format("a graph inside a node")),
    "loop": (with_subgraph("Loop", a="body"), WRITTEN.format("a graph inside a node")),
    "scan": (with_subgraph("Scan", a="body"), WRITTEN.format("a graph inside a node")),
    "function": (with_function, WRITTEN.format("functions")),
    "sparse": (sparse, WRITTEN.format("sparse arrays")),
    "other domain": (
        lambda proto: proto.graph.node.append(helper.make_node("Evil", ["x"], ["made"], domain="com.example")),
        WRITTEN.format("the operator com.example.Evil"),
    ),
    "other domain of an allowed name": (
        lambda proto: proto.graph.node.append(helper.make_node("Add", ["x", "x"], ["made"], domain="com.microsoft")),
        WRITTEN.format("the operator com.microsoft.Add"),
    ),
    **{
        operator: (node(operator, ["lengths"]), WRITTEN.format(f"the operator {operator}"))
        for operator in ("ConstantOfShape", "Expand", "Tile", "RandomNormalLike", "Resize", "Pad", "StringNormalizer")
    },
    "huge dims": (
        first_constant(lambda tensor: tensor.dims.__setitem__(0, 10**15)),
        DAMAGED.format("token_embedding.weight of shape (1000000000000000, 6) in 1,056 bytes"),
    ),
    "dims past 64 bits": (first_constant(lambda tensor: tensor.dims.extend([2**60] * 3)), DAMAGED.format("{}")),
    "negative dims": (first_constant(lambda tensor: tensor.dims.extend([-1, -1])), DAMAGED.format("{}")),
    "no bytes": (first_constant(lambda tensor: tensor.ClearField("raw_data")), DAMAGED.format("{}")),
    "float64": (recast("f8"), WRITTEN.format("token_embedding.weight with numbers of kind 11")),
    "strings": (
        first_constant(lambda tensor: setattr(tensor, "data_type", TensorProto.STRING)),
        WRITTEN.format("token_embedding.weight with numbers of kind 8"),
    ),
    "plain numbers": (first_constant(plain_numbers), WRITTEN.format("numbers that are not plain bytes")),
    "nan": (poison(float("nan")), DAMAGED.format("token_embedding.weight with numbers that are not finite")),
    "infinity": (poison(float("-inf")), DAMAGED.format("token_embedding.weight with numbers that are not finite")),
    "two of one name": (
        lambda proto: constant(proto, "token_embedding.weight", np.ones(2, "f4")),
        DAMAGED.format("two constants of one name"),
    ),
    "constant for an input": (
        lambda proto: constant(proto, "tokens", np.ones((2, 2), "i8")),
        WRITTEN.format("a constant in the place of the input tokens"),
    ),
    "range of constants": (
        fed("Range", [np.array(0), np.array(10**12), np.array(1)], ["c0", "c1", "c2"]),
        WRITTEN.format("Range (made) of constants alone"),
    ),
    "range of an input": (
        fed("Range", [np.array(0), np.array(1)], ["c0", "lengths", "c1"]),
        WRITTEN.format("Range (made) with sizes that are not fixed"),
    ),
    "sum of constants": (
        fed("Add", [np.ones((500, 1), "f4"), np.ones((1, 500), "f4")], ["c0", "c1"]),
        WRITTEN.format("Add (made) of constants alone"),
    ),
    "sum with constants": (
        fed("Add", [np.ones((5000, 1, 1, 1), "f4")], ["x", "c0"], at=99),
        WRITTEN.format("made of shape (5000, 2, 3, 14) for 6 tokens"),
    ),
    "gather with constants": (
        fed("Gather", [np.zeros(100_000, "i8")], ["lengths", "c0"]),
        WRITTEN.format("made of shape (100000,) for 6 tokens"),
    ),
    "product": (
        fed("MatMul", [np.ones((14, 9000), "f4")], ["x", "c0"], at=99),
        WRITTEN.format("made of shape (2, 3, 9000) for 6 tokens"),
    ),
    "doubled": (doubled(40), WRITTEN.format("x8 of shape (2, 3, 7168) for 6 tokens")),
    "squared": (
        squared,
        WRITTEN.format("made of shape (1000003, 1000003, 1009) for 1,009,003,027 tokens"),
    ),
    "nodes": (
        lambda proto: [node("Identity", ["x"], f"x{number}", at=9999)(proto) for number in range(90)],
        WRITTEN.format("100 nodes, where such a model has at most 80"),
    ),
    "widened twice": (widened_twice, WRITTEN.format("a constant that is widened twice")),
    "cast to strings": (node("Cast", ["tokens"], to=TensorProto.STRING), WRITTEN.format("Cast (made) with inputs {}")),
    "other hidden size": (
        of_node("LSTM", lambda lstm: lstm.attribute[1].__setattr__("i", 10**9)),
        WRITTEN.format("LSTM (states_l0) with inputs that do not fit"),
    ),
    "more attributes": (
        of_node("LSTM", lambda lstm: lstm.attribute.append(helper.make_attribute("activations", ["Affine"] * 6))),
        WRITTEN.format("LSTM (states_l0) with the attributes direction, hidden_size, activations"),
    ),
    "attribute twice": (
        of_node("LSTM", lambda lstm: lstm.attribute.append(lstm.attribute[0])),
        DAMAGED.format("two attributes of one name"),
    ),
    "unknown value": (
        node("Tanh", ["nowhere"]),
        WRITTEN.format("Tanh (made) with inputs or outputs of other names than expected"),
    ),
    "made twice": (
        node("Tanh", ["x"], "x", at=99),
        WRITTEN.format("Tanh (x) with inputs or outputs of other names than expected"),
    ),
    "out of order": (
        lambda proto: proto.graph.node.append(proto.graph.node.pop(0)),
        WRITTEN.format("{} with inputs or outputs of other names than expected"),
    ),
    "a negative axis": (node("Concat", ["tokens", "tokens"], axis=-1), WRITTEN.format("Concat (made) with inputs {}")),
    "no axis": (node("Concat", ["tokens", "tokens"]), WRITTEN.format("Concat (made) with inputs that do not fit")),
    "a reshape to anything": (
        fed("Reshape", [np.array([10**6, -1])], ["tokens", "c0"]),
        WRITTEN.format("Reshape (made) with inputs that do not fit"),
    ),
    "padding": (
        fed("Conv", [np.ones((1, 3, 3), "f4")], ["emissions", "c0"], at=99, pads=[10**9, 10**9]),
        WRITTEN.format("Conv (made) with inputs that do not fit"),
    ),
    "batch before time": (batch_first, WRITTEN.format("the output emissions in another shape than (time, batch, 13)")),
    "sum of what does not fit": (
        of_node("Add", lambda add: add.input.__setitem__(0, "x")),
        WRITTEN.format("Add (emissions) with inputs that do not fit"),
    ),
    "metadata": (
        lambda proto: proto.metadata_props.add(key="ort_config", value="{}"),
        WRITTEN.format("remarks of another program"),
    ),
    "value info": (
        lambda proto: proto.graph.value_info.add(name="x"),
        WRITTEN.format("shapes of values inside"),
    ),
    "an input more": (
        lambda proto: proto.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [10**9])),
        "expected inputs tokens, bigrams, lengths and outputs x (14), emissions (13), found tokens, bigrams, lengths, "
        "more and x (14), emissions (13); this is the graph of another model, copy the whole folder again",
    ),
    "no graph": (lambda proto: proto.ClearField("graph"), DAMAGED.format("no graph in it")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_gatewise_does_not_write_is_refused(model: Path, name: str) -> None:
    change, message = REFUSED[name]
    proto = onnx.load(model / "model.onnx")
    change(proto)
    (model / "model.onnx").write_bytes(proto.SerializeToString())
    found = refusal(model)
    start, _, end = message.partition("{}")
    assert found.startswith(start)
    assert found.endswith(end)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content + content, "ir_version of a model twice"),
        (lambda content: content + b"\x08\x08", "ir_version of a model twice"),
        (lambda content: content + b"\x0b\x0c", "wire type 3"),
        (lambda content: content + b"\x82\x7d\x01x", "field 2000 of a model, which there is not"),
        (lambda content: content + b"\xff" * 12, "a number that does not end"),
        (lambda content: content + b"\x12\x7f", "a field of 127 bytes where 0 are left"),
        (lambda content: content + b"\x15abcd", "producer_name of a model in wire type 5"),
        (lambda content: content + b"\x42\x00" * 200_000, "more than 200,000 fields"),
        (lambda content: content[:-1], ""),
        (lambda content: b"", "no graph in it"),
        (lambda content: b"\x12\x01\xff" + content[2:], ""),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_bytes_that_are_no_graph_are_refused(model: Path, change: Callable[[bytes], bytes], message: str) -> None:
    (model / "model.onnx").write_bytes(change((model / "model.onnx").read_bytes()))
    found = refusal(model)
    assert found.startswith(DAMAGED.partition("{}")[0] + message)


def test_the_good_graph_would_have_passed(model: Path) -> None:
    """With the same fixture: what is refused above is refused for its own sake."""
    assert open_model(model).graph().content == (model / "model.onnx").read_bytes()
    with pytest.raises(ModelError, match="onnxruntime was handed the graph"):
        gatewise.load(model)
