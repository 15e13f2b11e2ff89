"""docs/archive.md, held against what is written and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gatewise.model.archive_files import LARGEST, MOST_TAGS
from gatewise.model.distilled import DISTILLED_KEY
from gatewise.model.graph_shapes import OPERATORS
from gatewise.model.strict_json import MOST_CONTAINERS, MOST_DIGITS
from gatewise.model.weights import LARGEST_HEADER

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "archive.md").read_text(encoding="utf-8") if (ROOT / "docs").exists() else ""

pytestmark = pytest.mark.source


def test_its_python_runs() -> None:
    [block] = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert f"# {done.stdout}" in block


def test_every_key_that_was_ever_written_is_documented(stored: Path) -> None:
    section = TEXT.split("### config.json")[1].split("###")[0]
    documented = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    written = {key for path in stored.glob("*/config.json") for key in json.loads(path.read_text(encoding="utf-8"))}
    written.add(DISTILLED_KEY)  # no stored model was taught; test_distillation.py reads one
    assert set(documented) == written
    assert len(documented) == len(written)


def test_limits_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `([\w.]+)` \| [^|]+ \| (\d+ [MG]iB)", TEXT, flags=re.MULTILINE))
    units = {"MiB": 2**20, "GiB": 2**30}
    sizes = {name: int(said.split()[0]) * units[said.split()[1]] for name, said in rows.items()}
    assert sizes == {name: most + most % 2 for name, most in LARGEST.items()}  # 2 GiB less a byte are said to be 2 GiB
    assert LARGEST_HEADER == 2**20
    for number in (MOST_TAGS, MOST_CONTAINERS, MOST_DIGITS):
        assert f"at most {number:,}" in TEXT.replace("\n", " ")


def test_operators_are_those_of_the_code() -> None:
    listed = re.findall(r"`(\w+)`", TEXT.split("- operators:")[1].split("all of ONNX's own")[0])
    assert listed == [name for _, name in OPERATORS]
    assert [name for domain, name in OPERATORS if domain] == ["DynamicQuantizeLSTM"]
