"""Checkpoints: what was written comes back, and a file that is cut short anywhere is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from gatewise.errors import TrainingError  # noqa: E402
from gatewise.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "run" / "checkpoint.safetensors"
    arrays = {"weight/a": torch.randn(7, 5), "seen/a": torch.arange(9, dtype=torch.int32)}
    write_checkpoint(target, Checkpoint(arrays=arrays, state={"step": 12, "loss": 0.1 + 0.2, "best_score": None}))
    return target


def test_what_was_written_comes_back(path: Path) -> None:
    found = read_checkpoint(path)
    assert found is not None
    assert found.state == {"step": 12, "loss": 0.1 + 0.2, "best_score": None}
    assert {name: (array.dtype, tuple(array.shape)) for name, array in found.arrays.items()} == {
        "weight/a": (torch.float32, (7, 5)),
        "seen/a": (torch.int32, (9,)),
    }
    assert found.arrays["seen/a"].tolist() == list(range(9))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert read_checkpoint(path.with_name("nothing")) is None


def test_a_file_cut_short_anywhere_is_told_in_a_sentence(path: Path) -> None:
    whole = path.read_bytes()
    for length in (0, 4, 8, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(TrainingError, match=r"expected a checkpoint, found a damaged file .*; delete it to start"):
            read_checkpoint(path)
