"""docs/tagging.md: its Python runs, its commands exist, its table of weights is read as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gatewise.runtime import read_dictionary

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "tagging.md"

pytestmark = pytest.mark.source


def test_its_python_runs() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = re.findall(r"(?<!<!-- needs a file -->\n)```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 3
    done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "叫小" in done.stdout


def test_its_options_exist() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for command in ("tag", "evaluate"):
        done = subprocess.run(
            [sys.executable, "-m", "gatewise", command, "--help"], capture_output=True, text=True, check=True
        )
        for said in re.findall(rf"gatewise {command} [^`\n]*", text):
            for option in re.findall(r"--[a-z-]+", said):
                assert option in done.stdout, (said, option)


def test_its_dictionary_is_one(tmp_path: Path) -> None:
    [block] = re.findall(r"```\n(创新办.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    path = tmp_path / "words.txt"
    path.write_text(block, encoding="utf-8")
    assert list(read_dictionary(path).words) == ["创新办", "云计算", "凱特琳", "台中"]
