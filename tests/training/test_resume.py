"""A run that is killed, stopped, or out of disk goes on, and ends with the weights of one that never was: bit for bit.

Real processes are killed at random steps; which steps they were is in the message of a failure.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from safetensors import safe_open

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from safetensors.torch import save_file  # noqa: E402

from gatewise.training.checkpoint import read_checkpoint  # noqa: E402

pytestmark = pytest.mark.torch

# Without a dev split the last weights are kept, so that every step counts.
CONFIG = """
[features]
token_dim = 12
bigram_dim = 8
[encoder]
hidden = 16
layers = 2
[training]
epochs = 12
batch_size = 2
warmup_steps = 9
dropout = 0.3
word_dropout = 0.1
threads = 1
checkpoint_seconds = 0
"""
KILLS = 4
PATIENCE = 120  # seconds until a process that does not get on is a failure


def command(tiny: Path, folder: Path, *options: str) -> list[str]:
    config = folder.parent / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    corpus = str(tiny / "spans.conll")
    settings = ["--config", str(config), *options]
    return [sys.executable, "-m", "gatewise", "train", corpus, "-o", str(folder), *settings]


def finished(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=PATIENCE)


def steps_done(folder: Path) -> int:
    """From the file's head, read in one go, because the file may be replaced at any moment."""
    try:
        content = (folder.with_name(folder.name + ".run") / "checkpoint.safetensors").read_bytes()
    except FileNotFoundError:
        return 0
    head = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return int(json.loads(head["__metadata__"]["state"])["step"])


def stopped(arguments: Sequence[str], folder: Path, step: int, number: signal.Signals) -> int:
    """Start, wait until `step` is on the disk, send the signal; returns the exit code."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while steps_done(folder) < step and process.poll() is None:
        assert time.monotonic() < deadline, f"step {step} never came"
        time.sleep(0.002)
    process.send_signal(number)
    return process.wait()


@pytest.fixture(scope="module")
def whole(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nothing came between."""
    folder = tmp_path_factory.mktemp("whole") / "model"
    ran = finished(command(tiny, folder))
    assert ran.returncode == 0, ran.stderr
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    names = ("model.safetensors", "model.onnx", "vocabulary.json", "config.json")
    return {name: (folder / name).read_bytes() for name in names}


def test_a_process_killed_at_random_steps_ends_with_the_same_bits(
    tiny: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    folder = tmp_path / "model"
    most = 9 * 6  # of 12 epochs of 6 batches, so that a slow signal still comes in time
    steps = sorted(random.SystemRandom().sample(range(1, most), KILLS))
    for number, step in enumerate(steps):
        arguments = command(tiny, folder, *(["--resume"] if number else []))
        assert stopped(arguments, folder, step, signal.SIGKILL) == -signal.SIGKILL, steps
        assert steps_done(folder) >= step
        assert not folder.exists()
    ran = finished(command(tiny, folder, "--resume"))
    assert ran.returncode == 0, (steps, ran.stderr)
    assert contents(folder) == whole, f"killed at steps {steps}"
    assert not (tmp_path / "model.run" / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_saves_its_state_first(
    tiny: Path, tmp_path: Path, whole: dict[str, bytes], number: signal.Signals
) -> None:
    folder = tmp_path / "model"
    seldom = ("--set", "training.checkpoint_seconds=100000")
    log = tmp_path / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(command(tiny, folder, *seldom), stdout=stream, stderr=stream)
        deadline = time.monotonic() + PATIENCE
        while "1/12" not in log.read_text() and process.poll() is None:  # the first epoch is over
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + signal.SIGINT
    assert "stopped at step" in log.read_text()
    assert "go on with --resume" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert steps_done(folder) >= 6
    ran = finished(command(tiny, folder, "--resume", *seldom))
    assert ran.returncode == 0, ran.stderr
    assert contents(folder) == whole | {"config.json": contents(folder)["config.json"]}


def test_a_full_disk_is_told_and_loses_nothing(tiny: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    folder = tmp_path / "model"
    assert stopped(command(tiny, folder), folder, 10, signal.SIGKILL) == -signal.SIGKILL
    before = steps_done(folder)
    size = (tmp_path / "model.run" / "checkpoint.safetensors").stat().st_size

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    full = subprocess.run(
        command(tiny, folder, "--resume"), capture_output=True, text=True, check=False, preexec_fn=little_room
    )
    assert full.returncode == 2
    assert "checkpoint.safetensors: the training's state cannot be saved" in full.stderr
    assert "make room on the disk and go on with --resume" in full.stderr
    assert "Traceback" not in full.stderr
    assert steps_done(folder) == before
    assert not list((tmp_path / "model.run").glob("*.part"))
    assert finished(command(tiny, folder, "--resume")).returncode == 0
    assert contents(folder) == whole


def test_a_checkpoint_in_the_way_and_one_of_another_run_are_refused(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    assert stopped(command(tiny, folder), folder, 3, signal.SIGKILL) == -signal.SIGKILL
    again = finished(command(tiny, folder))
    assert again.returncode == 2
    assert "expected no unfinished run, found one; go on with --resume, or delete" in again.stderr
    for other in ("encoder.hidden=17", "training.dropout=0.31", "training.seed=2"):
        ran = finished(command(tiny, folder, "--resume", "--set", other))
        assert ran.returncode == 2, other
        assert "expected the checkpoint of this configuration and this data, found another's" in ran.stderr
    checkpoint = tmp_path / "model.run" / "checkpoint.safetensors"
    os.truncate(checkpoint, checkpoint.stat().st_size // 2)
    ran = finished(command(tiny, folder, "--resume"))
    assert ran.returncode == 2
    assert "expected a checkpoint, found a damaged file" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_what_a_step_depends_on_is_all_in_the_checkpoint(tiny: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    """A mutation: with one array of the checkpoint changed, the run must not end with the same bits."""
    folder = tmp_path / "model"
    assert stopped(command(tiny, folder), folder, 20, signal.SIGKILL) == -signal.SIGKILL
    path = tmp_path / "model.run" / "checkpoint.safetensors"
    found = read_checkpoint(path)
    assert found is not None
    kinds = {name.partition("/")[0] for name in found.arrays}
    assert kinds == {"weight", "exp_avg", "exp_avg_sq", "mean", "seen", "best"}
    with safe_open(str(path), framework="pt") as stream:
        metadata = stream.metadata()
    arrays = {name: array.clone() for name, array in found.arrays.items()}
    arrays["exp_avg_sq/emission.weight"] *= 1.5
    save_file(arrays, path, metadata)
    assert finished(command(tiny, folder, "--resume")).returncode == 0
    assert contents(folder)["model.safetensors"] != whole["model.safetensors"]
