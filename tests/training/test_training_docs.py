"""docs/python.md: its examples run, from a folder with three small files in it; docs/tuning.md: it says what is so."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import gatewise
from gatewise.cli.find_lr import find_lr
from gatewise.cli.tune import tune
from gatewise.training.space import DEFAULT_SPACE

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = [pytest.mark.source, pytest.mark.torch]


def test_the_examples_of_the_python_page_run(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in ("train", "dev", "test"):
        shutil.copy(tiny / "spans.conll", tmp_path / f"{split}.conll")
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(DOCS / "python.md"), module_relative=False, encoding="utf-8")
    assert (failed, tried > 12) == (0, True)


def test_every_argument_of_train_is_on_the_page() -> None:
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    rows = "\n".join(re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", rows)) == set(inspect.signature(gatewise.train).parameters)


def test_the_tuning_page_shows_the_default_space_and_knows_its_options() -> None:
    page = (DOCS / "tuning.md").read_text(encoding="utf-8")
    assert f"```toml\n{DEFAULT_SPACE.strip()}\n```" in page
    known = {name for command in (find_lr, tune) for option in command.params for name in option.opts}
    told = set(re.findall(r"(?<![\w-])--[a-z]+(?![\w-])", page))
    assert told <= known | {"--test", "--seeds"}  # of gatewise train
    assert {"--trials", "--timeout", "--space", "--resume", "--low", "--high", "--steps", "--json", "--dev"} <= told
