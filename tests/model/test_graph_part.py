"""A part of a graph, run by onnxruntime beside the whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import gatewise
from gatewise.model.archive import open_model
from gatewise.model.graph_file import parse_graph
from gatewise.runtime.session import Session

MODELS = Path(__file__).parent.parent / "data" / "models"
NAMES = ["v1-integers", "v2-integers", "v2-forms-cnn", "v2-heads", "v2-language-model", "v2-lexicon"]


@pytest.mark.parametrize("name", NAMES)
def test_the_part_for_x_makes_the_same_x(name: str, tmp_path: Path) -> None:
    archive = open_model(MODELS / name)
    graph = archive.graph()
    part = graph.part_for("x")
    parsed = parse_graph(part.content)
    assert list(parsed.outputs) == ["x"]
    assert len(parsed.nodes) < len(parse_graph(graph.content).nodes)
    assert not any(
        output.startswith("states_l0") for node in parsed.nodes for output in node.outputs
    )  # the encoder is gone
    assert part.arrays.keys() == parsed.placed.keys() <= graph.arrays.keys()
    for which, content in (("whole", graph.content), ("part", part.content)):
        (tmp_path / which).mkdir()
        (tmp_path / which / "model.onnx").write_bytes(content)
        shutil.copy(MODELS / name / "model.safetensors", tmp_path / which)
    tagger = gatewise.load(MODELS / name)
    batch = Session(archive).encode([tagger.tokenize(text) for text in ("小明 住在 北京", "the old dog")])
    whole, alone = (
        onnxruntime.InferenceSession(str(tmp_path / which / "model.onnx")).run(["x"], batch.feeds())[0]
        for which in ("whole", "part")
    )
    np.testing.assert_array_equal(alone, whole)
