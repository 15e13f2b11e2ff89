"""docs/lexicon.md: its Python says what it says, and the settings that it names are there."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from gatewise.model.config import FeaturesConfig
from gatewise.model.word_sets import SET_INPUTS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "lexicon.md").read_text(encoding="utf-8") if (ROOT / "docs").exists() else ""

pytestmark = pytest.mark.source


def test_its_python_says_what_it_says() -> None:
    [block] = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == re.findall(r"print.*  # (.*)", block)


def test_the_parts_and_settings_are_those_of_the_code() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE)) == SET_INPUTS
    named = set(re.findall(r"features\.(\w+)", TEXT))
    assert named == {one.name for one in fields(FeaturesConfig) if one.name.startswith("lexicon")}
