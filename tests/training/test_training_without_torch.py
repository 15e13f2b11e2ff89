"""What trains is there without torch, loads nothing heavy until it is called, and then says what is missing."""

from __future__ import annotations

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
    assert last == (
        f"gatewise.errors.MissingExtraError: training needs torch and onnx ({missing} is missing):"
        ' pip install "gatewise[train]"'
    )
    assert not (tmp_path / "model").exists()
