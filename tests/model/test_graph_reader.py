"""Graphs as the reader sees them: every kind that gatewise writes, its operators and the shapes of what it computes.

What the reader finds, and the shapes that it works out, are held against the `onnx` package and against what
onnxruntime computes.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from onnx import helper, numpy_helper  # noqa: E402

from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.features import features_of  # noqa: E402
from gatewise.model.graph_check import check_graph, signature_of  # noqa: E402
from gatewise.model.graph_file import parse_graph  # noqa: E402
from gatewise.model.graph_shapes import OPERATORS, shapes_of  # noqa: E402
from gatewise.model.numbers import stored  # noqa: E402
from gatewise.model.parameters import parameter_shapes  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402

pytestmark = pytest.mark.torch


def random_arrays(config: Config, num_tags: int, heads: dict[str, int]) -> dict[str, np.ndarray]:
    sizes = {feature.name: 9 + number for number, feature in enumerate(features_of(config.features))}
    shapes = parameter_shapes(config, sizes=sizes, num_tags=num_tags, heads=heads)
    chance = np.random.default_rng(3)
    return {name: chance.normal(size=shape).astype(config.archive.numbers) for name, shape in shapes.items()}


def graph_of(settings: dict[str, Any]) -> tuple[Config, bytes]:
    config = config_from_dict(settings, where="test")
    return config, onnx_graph(config, stored(config, random_arrays(config, 4, dict.fromkeys(config.heads, 3))))


PARTS: list[list[dict[str, Any]]] = [
    [{"bigram_dim": 0}, {"bigram_dim": 2}],
    [{"characters": "none"}, {"characters": "lstm", "character_hidden": 5}, {"characters": "cnn"}],
    [{}, {"shape_dim": 4}],
    [{}, {"affix_length": 3, "affix_dim": 2}],
    [{}, {"lexicon": "words", "lexicon_dim": 5}],
    [{}, {"language_model_hidden": 4, "language_model_embedding": 3, "language_model_dim": 2}],
]
ENCODERS: list[dict[str, Any]] = [
    {"hidden": 5},
    {"hidden": 6, "kind": "rnn", "bidirectional": False},
    {"hidden": 3, "layers": 3, "residual": True},
]
KINDS: list[dict[str, Any]] = [
    {
        "features": {"token_dim": 3, **{key: value for part in parts for key, value in part.items()}},
        "encoder": ENCODERS[number % 3],
        "archive": {"numbers": ("float32", "float16", "int8")[number % 5 % 3]},
        "heads": {"one": {}, "two": {}} if number % 4 == 3 else {},
    }
    for number, parts in enumerate(itertools.product(*PARTS))
]


@pytest.mark.parametrize("settings", KINDS, ids=range(len(KINDS)))
def test_every_kind_of_graph_passes_and_its_shapes_are_known(settings: dict[str, Any]) -> None:
    config, content = graph_of(settings)
    signature = signature_of(config, {"": 4} | dict.fromkeys(config.heads, 3))
    assert check_graph(Path("x"), content, signature, Path("no weights are needed")) == {}
    time, batch, longest, forms = 5, 2, 4, 7
    sizes = {
        "tokens": (time, batch),
        "bigrams": (time + 1, batch),
        "characters": (longest, forms),
        "shapes": (1, forms),
        "prefixes": (3, forms),
        "suffixes": (3, forms),
        "form_of": (time, batch),
        "spelling_lengths": (forms,),
        "lexicon": (longest, forms),
        "lexicon_shares": (longest, forms),
        **dict.fromkeys((f"lexicon_{kind}" for kind in "BMES"), (time, batch)),
        "language_model": (11, batch),
        "language_model_first": (time, batch),
        "language_model_last": (time, batch),
        "language_model_lengths": (1, batch),
        "lengths": (batch,),
    }
    model = onnx.load_from_string(content)
    taken = {entry.name for entry in model.graph.input}
    feeds = {name: np.full(sizes[name], 2, dtype=number_type(name)) for name in taken}
    named = [name for node in model.graph.node for name in node.output if name]
    shown = {entry.name for entry in model.graph.output}
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in named if name not in shown)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    computed = dict(zip(named, session.run(named, feeds), strict=True))
    found = shapes_of(parse_graph(content), {name: sizes[name] for name in taken})
    assert found == {name: value.shape for name, value in computed.items()}


def number_type(name: str) -> type[np.generic]:
    """Of an input of the graph."""
    if name in ("lengths", "spelling_lengths"):
        return np.int32
    return np.float32 if name == "lexicon_shares" else np.int64


def test_every_operator_that_is_allowed_is_written() -> None:
    written = {
        (node.domain, node.op_type)
        for settings in KINDS
        for node in onnx.load_from_string(graph_of(settings)[1]).graph.node
    }
    assert written == set(OPERATORS)


def test_the_reader_finds_what_onnx_finds(stored: Path) -> None:
    contents = [path.read_bytes() for path in stored.glob("v1-*/model.onnx")]
    assert len(contents) >= 5
    for content in [*contents, graph_of(KINDS[-1])[1]]:
        found, model = parse_graph(content), onnx.load_from_string(content)
        assert found.inputs == tuple(entry.name for entry in model.graph.input)
        assert list(found.outputs) == [entry.name for entry in model.graph.output]
        assert list(found.outputs.values()) == [
            entry.type.tensor_type.shape.dim[-1].dim_value for entry in model.graph.output
        ]
        wanted = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
        assert found.constants.keys() == wanted.keys()
        for name, array in wanted.items():
            assert found.constants[name].dtype == array.dtype
            np.testing.assert_array_equal(found.constants[name], array)
        for node, theirs in zip(found.nodes, model.graph.node, strict=True):
            assert (node.operator, node.inputs, node.outputs) == (
                (theirs.domain, theirs.op_type),
                tuple(theirs.input),
                tuple(theirs.output),
            )
            values = {entry.name: helper.get_attribute_value(entry) for entry in theirs.attribute}
            plain = {
                name: tuple(value) if isinstance(value, list) else value.decode() if isinstance(value, bytes) else value
                for name, value in values.items()
            }
            assert node.attributes == plain
