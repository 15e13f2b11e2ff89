"""docs/heads.md: its configuration is read, and its commands and its Python run, one after the other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.model.config_reading import read_config

pytestmark = [pytest.mark.source, pytest.mark.torch]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "heads.md"


def test_the_worked_example_works(tiny: Path, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    [toml], [commands], [python] = (
        re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("toml", "sh", "python")
    )
    (tmp_path / "heads.toml").write_text(toml, encoding="utf-8")
    assert list(read_config(tmp_path / "heads.toml").heads) == ["xpos", "ner"]
    shutil.copy(tiny.parent / "zh_gsdsimp_sample" / "sample.conllu", tmp_path / "train.conllu")
    shutil.copy(tiny / "spans.conll", tmp_path / "names.tsv")
    said = {}
    for line in commands.splitlines():
        command = line.partition("#")[0].strip()
        call = command.replace("gatewise ", f"{sys.executable} -m gatewise ")
        if " train " in command:
            call += " --set training.epochs=2 --set encoder.hidden=20"
        bash = shutil.which("bash")
        assert bash
        done = subprocess.run([bash, "-c", call], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        said[command] = done.stdout
    assert len(said) == 7
    assert any('"heads": {"xpos": ' in out for out in said.values())
    assert any("Head: ner. " in out for out in said.values())
    done = subprocess.run([sys.executable, "-c", python], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("('xpos', 'ner')\n")
