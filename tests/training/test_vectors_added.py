"""Entries of a file of vectors that training has not seen: behind the vocabulary, and read when a text has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.errors import ConfigError  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.runtime import load  # noqa: E402
from gatewise.text.vocabulary import Vocabulary  # noqa: E402
from gatewise.training.run import run_training  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402
from gatewise.training.vectors import with_entries_of  # noqa: E402

pytestmark = pytest.mark.torch

TINY = Path(__file__).parents[1] / "data" / "tiny"
FILE = "6 2\nthe 1 0\nZebra 0.6 0.8\nzebra 3 4\nx19 0 -1\ncat 0 2\nemu 5 5\n"


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.txt"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("count", "entries"),
    [
        (0, ("cat", "the")),
        (1, ("cat", "the")),  # which training has seen
        (2, ("cat", "the", "zebra")),
        (3, ("cat", "the", "zebra")),  # the same key again
        (4, ("cat", "the", "zebra", "x00")),
        (99, ("cat", "the", "zebra", "x00", "emu")),
    ],
)
def test_the_first_so_many_join_behind_the_others(vectors: Path, count: int, entries: tuple[str, ...]) -> None:
    assert with_entries_of(vectors, Vocabulary(entries=("cat", "the")), 2, count).entries == entries


def train(vectors: Path, folder: Path, added: int) -> Path:
    table = {
        "features": {"token_dim": 2, "vectors": str(vectors), "vectors_added": added},
        "encoder": {"hidden": 4},
        "training": {"epochs": 2, "threads": 1},
        "archive": {"numbers": "float32"},
    }
    files = Files(train=TINY / "tags.conll", dev=TINY / "tags.conll")
    run_training(read_splits(config_from_dict(table, where="test"), files), files, folder)
    return folder


@pytest.mark.parametrize("added", [0, 4])
def test_a_tagger_reads_them_in_words_that_training_did_not_have(vectors: Path, tmp_path: Path, added: int) -> None:
    trace = load(train(vectors, tmp_path / "model", added)).trace("the Zebra yak")
    (token,) = [part for part in trace.parts if part.name == "token"]
    assert token.known == (True, added == 4, False)
    if not added:
        np.testing.assert_array_equal(trace.x[1], trace.x[2])  # both are the unknown
        return
    # No step has changed it: `zebra`, written like its key, by the number that makes all found 1 long on average
    found = {"the": (1, 0), "zebra": (3, 4), "x00": (0, -1), "cat": (0, 2)}
    np.testing.assert_allclose(
        trace.x[1], np.array([3, 4]) / np.mean([np.hypot(*row) for row in found.values()]), rtol=1e-5
    )


def test_a_number_below_zero_is_refused(vectors: Path) -> None:
    with pytest.raises(ConfigError, match=r"features\.vectors_added: expected a whole number of at least 0, found -1"):
        config_from_dict({"features": {"vectors": str(vectors), "vectors_added": -1}}, where="test")
