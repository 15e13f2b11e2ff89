"""docs/distillation.md: its configurations are read, and its commands and its Python run, one after the other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.formats import read_sentences
from gatewise.model.config_reading import read_config

pytestmark = [pytest.mark.source, pytest.mark.torch]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "distillation.md"


def test_the_recipes_work(tiny: Path, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for toml in re.findall(r"```toml\n# (\S+)\n(.*?)```", text, re.DOTALL):
        (tmp_path / toml[0]).write_text(toml[1], encoding="utf-8")
    assert read_config(tmp_path / "distill.toml").distillation.teachers == ("teachers/seed-1", "teachers/seed-2")
    assert read_config(tmp_path / "raw.toml").distillation.raw == "raw.txt"
    for name in ("train.tsv", "dev.tsv"):
        shutil.copy(tiny / "spans.conll", tmp_path / name)
    lines = [sentence.text for sentence in read_sentences(tiny / "segmentation.conllu")]
    (tmp_path / "raw.txt").write_text("\n".join(lines), encoding="utf-8")
    commands = "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).splitlines()
    assert len(commands) == 4
    for command in commands:
        call = command.replace("gatewise ", f"{sys.executable} -m gatewise ")
        if " train " in command:
            call += " --set training.epochs=2 --set encoder.hidden=12"
        bash = shutil.which("bash")
        assert bash
        done = subprocess.run([bash, "-c", call], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        if "raw.toml" in command:
            assert f"raw text raw.txt: {len(lines)} sentences, " in done.stderr
            assert "teacher teachers/seed-1: tagger, SHA-256 of its config.json " in done.stderr
    [python] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    python = python.replace('{"distillation": teaching}', '{"distillation": teaching, "training": {"epochs": 1}}')
    done = subprocess.run([sys.executable, "-c", python], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "('teachers/seed-1', 'teachers/seed-2')\n"


def test_its_table_has_every_setting() -> None:
    from dataclasses import fields

    from gatewise.model.config import DistillationConfig

    documented = re.findall(r"^\| `distillation\.(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == [field.name for field in fields(DistillationConfig)]
