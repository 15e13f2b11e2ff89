"""`gatewise train --seeds`: several models, their mean and standard deviation, and going on where it was stopped."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

pytestmark = pytest.mark.torch

Run = Any  # the fixture `gatewise_command`
SMALL = [
    "features.token_dim=4", "features.bigram_dim=0", "encoder.hidden=5", "training.epochs=6",
    "training.learning_rate=0.03", "training.threads=1", "training.batch_size=4",
]  # fmt: skip


def train(command: Run, tiny: Path, folder: Path, *options: object) -> Any:
    corpus = tiny / "spans.conll"
    settings = [part for setting in SMALL for part in ("--set", setting)]
    return command("train", corpus, "--dev", corpus, "--test", corpus, "-o", folder, *settings, *options)


def test_three_seeds_and_what_they_score(gatewise_command: Run, tiny: Path, tmp_path: Path) -> None:
    ran = train(gatewise_command, tiny, tmp_path / "all", "--seeds", 3, "--seed", 4)
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in (tmp_path / "all").iterdir() if not path.name.endswith(".run")) == [
        "seed-4", "seed-5", "seed-6",
    ]  # fmt: skip
    scores = []
    for seed in (4, 5, 6):
        folder = tmp_path / "all" / f"seed-{seed}"
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))["config"]
        assert stored["training"]["seed"] == seed
        report = json.loads(gatewise_command("evaluate", folder, tiny / "spans.conll", "--json").out)
        scores.append(100 * report["F1"])
    for split in ("dev", "test"):
        [line] = [line for line in ran.out.splitlines() if line.startswith(f"{split}: ")]
        found = [float(number) for number in re.findall(r"\d+\.\d+", line)]
        assert found == pytest.approx([mean(scores), stdev(scores), *scores], abs=0.006)
        assert "over 3 seeds" in line
    assert stdev(scores) > 0

    alone = train(gatewise_command, tiny, tmp_path / "one", "--seed", 5)
    assert alone.code == 0
    one, among = (folder / "model.safetensors" for folder in (tmp_path / "one", tmp_path / "all" / "seed-5"))
    assert one.read_bytes() == among.read_bytes()

    (tmp_path / "all" / "seed-6" / "README.md").unlink()  # as if it had been stopped
    again = train(gatewise_command, tiny, tmp_path / "all", "--seeds", 3, "--seed", 4, "--resume")
    assert again.code == 0, again.err
    assert again.err.count("done before") == 2
    assert again.out.splitlines()[-2:] == ran.out.splitlines()[-2:]


def test_a_run_that_is_complete_is_not_done_again_and_another_one_is(
    gatewise_command: Run, tiny: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    first = train(gatewise_command, tiny, folder, "--seed", 4, "--resume")
    assert first.code == 0
    made = (folder / "model.safetensors").stat().st_mtime_ns
    again = train(gatewise_command, tiny, folder, "--seed", 4, "--resume")
    assert (again.code, again.out) == (0, first.out)
    assert "done before" in again.err
    assert (folder / "model.safetensors").stat().st_mtime_ns == made
    other = train(gatewise_command, tiny, folder, "--seed", 5, "--resume")
    assert other.code == 0
    assert "done before" not in other.err
    assert (folder / "model.safetensors").stat().st_mtime_ns > made


def test_one_seed_is_not_several(gatewise_command: Run, tiny: Path, tmp_path: Path) -> None:
    ran = train(gatewise_command, tiny, tmp_path / "all", "--seeds", 1)
    assert ran.code == 2
    assert "--seeds" in ran.err
