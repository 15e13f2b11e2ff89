"""docs/import.md: its Python and its commands run one after the other, and print what the page shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gatewise.interop import keras, onnx_lstm, pytorch

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "import.md"
TEXT = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""

pytestmark = [pytest.mark.source, pytest.mark.torch]


def python(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=folder,
        env=os.environ | {"COLUMNS": "80", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def test_it_can_be_followed(tmp_path: Path) -> None:
    making, reading = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    python(tmp_path, "-c", making)
    [console] = re.findall(r"```console\n(.*?)```", TEXT, flags=re.DOTALL)
    commands = re.findall(r"^\$ gatewise (.*)\n((?:(?!\$).*\n)*)", console, flags=re.MULTILINE)
    assert len(commands) == 2
    for command, output in commands:
        found = python(tmp_path, "-m", "gatewise", *shlex.split(command))
        for shown in filter(None, (part.strip("\n") for part in output.split("…\n"))):
            assert shown in found
    [again] = re.findall(r"^`gatewise (explain .*?)`", TEXT, flags=re.MULTILINE)
    assert "cat" in python(tmp_path, "-m", "gatewise", *shlex.split(again))
    python(tmp_path, "-c", reading + "\nassert len(forget) == 2 and all(0 < value < 1 for value in forget)")


def test_its_options_exist(tmp_path: Path) -> None:
    known = "".join(python(tmp_path, "-m", "gatewise", command, "--help") for command in ("import", "explain", "tag"))
    for option in re.findall(r"(?<=[ `])--?[a-z]+", TEXT):
        assert option in known, option


def test_its_table_has_the_orders_of_the_readers() -> None:
    for name, order, candidate in (
        ("PyTorch", pytorch.ORDER, "g"),
        ("Keras", keras.ORDER, "c"),
        ("ONNX", onnx_lstm.ORDER, "c"),
    ):
        assert f"| {name} | {', '.join(order.replace('g', candidate))} | {candidate} |" in TEXT
