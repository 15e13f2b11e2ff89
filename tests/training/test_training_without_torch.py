"""What trains is there without torch, loads nothing heavy until it is called, and then says what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False)


def test_looking_at_the_names_loads_no_torch() -> None:
    done = run_python(
        "import sys, gatewise; gatewise.train, gatewise.StopTraining, gatewise.TrainResult;"
        " print({'torch', 'onnx', 'optuna'} & set(sys.modules))"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_training_from_python_says_what_is_missing(tiny: Path, tmp_path: Path, missing: str) -> None:
    call = f"gatewise.train(train={str(tiny / 'spans.conll')!r}, output={str(tmp_path / 'model')!r})"
    done = run_python(f"import sys, gatewise; sys.modules[{missing!r}] = None; {call}")
    last = done.stderr.rstrip("\n").rpartition("\n")[2]
    told = r"training needs torch and onnx \((torch|onnx) is missing\): pip install \"gatewise\[train\]\""
    assert re.fullmatch(f"gatewise.errors.MissingExtraError: {told}", last)
    assert not (tmp_path / "model").exists()


@pytest.mark.torch
@pytest.mark.parametrize("missing", ["optuna", "tomli_w"])
def test_tuning_says_what_is_missing(tiny: Path, tmp_path: Path, missing: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    if missing == "tomli_w":
        pytest.importorskip("optuna")
    corpus = str(tiny / "spans.conll")
    arguments = ["gatewise", "tune", corpus, "--dev", corpus, "-o", str(tmp_path / "study")]
    done = run_python(
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = {arguments!r}; import gatewise.cli as c; c.main()"
    )
    assert done.returncode == 2
    assert done.stderr == (
        f'error: tuning needs optuna and tomli-w ({missing} is missing): pip install "gatewise[tune]"\n'
    )
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("command", ["find-lr", "tune"])
def test_the_commands_say_that_torch_is_missing(tiny: Path, tmp_path: Path, command: str) -> None:
    corpus = str(tiny / "spans.conll")
    arguments = ["gatewise", command, corpus, *(["--dev", corpus, "-o", str(tmp_path / "s")] * (command == "tune"))]
    done = run_python(
        f"import sys; sys.modules['torch'] = None; sys.argv = {arguments!r}; import gatewise.cli as c; c.main()"
    )
    assert (done.returncode, done.stderr) == (
        2,
        'error: training needs torch and onnx (torch is missing): pip install "gatewise[train]"\n',
    )
