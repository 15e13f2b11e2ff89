"""What each entry loads: help and import stay light, tagging needs no torch, and training says what it lacks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gatewise
from gatewise.cli.main import COMMANDS

Run = Any  # the fixture `gatewise_command`
HEAVY = {"torch", "onnx", "numpy", "onnxruntime", "safetensors", "click", "rich", "conllu", "regex"}


def loaded_after(code: str, stdin: str = "") -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after this code."""
    return {name.partition(".")[0] for name in modules_after(code, stdin)}


def modules_after(code: str, stdin: str = "") -> set[str]:
    """All modules that a fresh interpreter has loaded after this code."""
    after = f"import sys\ntry:\n    {code}\nfinally:\n    print('|'.join(sys.modules), file=sys.stderr)"
    done = run_python(after, stdin)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split("|"))


def run_python(code: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], input=stdin, capture_output=True, text=True, encoding="utf-8", check=False
    )


def command(*arguments: object) -> str:
    """Code that runs the command line."""
    return f"sys.argv = {['gatewise', *map(str, arguments)]!r}; import gatewise.cli; gatewise.cli.main()"


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_after("import gatewise; gatewise.GatewiseError; gatewise.__version__") & HEAVY


def test_help_loads_click_alone() -> None:
    assert loaded_after(command("--help")) & HEAVY == {"click"}


def test_tagging_chinese_loads_nothing_heavy_but_what_it_runs_on(stored: Path) -> None:
    from_python = f"import gatewise; t = gatewise.load({str(stored / 'v1-spans')!r}); t.tag('小明'); t.trace('小明')"
    for code in (from_python, command("tag", "-m", stored / "v1-segmentation")):
        found = loaded_after(code, "小明住在北京。\n")
        assert {"numpy", "onnxruntime"} <= found
        assert not found & {"torch", "onnx", "rich", "regex"}  # no character here needs a pattern of regex


def test_a_pattern_is_compiled_when_a_text_needs_it(stored: Path) -> None:
    load = f"import gatewise; t = gatewise.load({str(stored / 'v1-spans')!r})"
    assert "regex" in loaded_after(f"{load}; t.tag('e\u0301')")


def test_tagging_loads_nothing_that_only_explaining_or_training_needs(stored: Path) -> None:
    found = modules_after(command("tag", "-m", stored / "v1-calibrated"), "小明住在北京。\n")
    unused = r"gatewise\.(explain|lstm|network|training|model\.(card|calibration)|runtime\.(trace|reading))(\..*)?"
    assert "gatewise.runtime.decode" in found
    assert not [name for name in found if re.fullmatch(unused, name)]
    assert not [name for name in found if name.startswith(("google.protobuf", "flatbuffers", "asyncio"))]


def test_evaluating_loads_neither_torch_nor_onnx(stored: Path, tiny: Path) -> None:
    found = loaded_after(command("evaluate", stored / "v1-spans", tiny / "spans.conll"))
    assert not found & {"torch", "onnx"}


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_training_without_its_extra_says_how_to_get_it(tiny: Path, tmp_path: Path, missing: str) -> None:
    run = command("train", tiny / "spans.conll", "-o", tmp_path / "model")
    done = run_python(f"import sys; sys.modules[{missing!r}] = None; {run}")
    assert done.returncode == 2
    line = r'error: training needs torch and onnx \((torch|onnx) is missing\): pip install "gatewise\[train\]"\n'
    assert re.fullmatch(line, done.stderr)
    assert not (tmp_path / "model").exists()


def test_public_names_are_there_and_wrong_ones_are_not() -> None:
    assert all(getattr(gatewise, name) is not None for name in gatewise.__all__)
    with pytest.raises(AttributeError, match="module 'gatewise' has no attribute 'lode'"):
        _ = gatewise.lode
    assert len(set(gatewise.__all__)) == len(gatewise.__all__)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(gatewise_command: Run, name: str) -> None:
    for option in ("--help", "-h"):
        ran = gatewise_command(name, option)
        assert (ran.code, ran.err) == (0, "")
        assert re.match(rf"Usage: .*{name} .*\n\n  [A-Z]", ran.out)
        assert "--help" in ran.out


def test_the_top_names_every_command_and_its_version(gatewise_command: Run) -> None:
    ran = gatewise_command("--help")
    assert ran.code == 0
    for name, purpose in COMMANDS.items():
        assert f"  {name} " in ran.out
        assert purpose.split()[0] in ran.out
    assert gatewise_command("--version").out == f"gatewise, version {gatewise.__version__}\n"
