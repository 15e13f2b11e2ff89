"""What the tests of several rooms share: the tiny corpora, the stored tiny models, the command line
run in process, and the system's Chromium, driven by Playwright."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from gatewise.runtime import Tagger, load

settings.register_profile("gatewise", deadline=None)  # a busy machine is not a failure
settings.load_profile("gatewise")

DATA = Path(__file__).parent / "data"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The folder of the hand-made corpora: spans.conll, segmentation.conllu, chunks.conll, tags.conll."""
    return DATA / "tiny"


@pytest.fixture(scope="session")
def stored() -> Path:
    """The folder of the stored tiny models; `make_tiny_models.py` says what is in each."""
    return DATA / "models"


@pytest.fixture(scope="session")
def taggers(stored: Path) -> dict[str, Tagger]:
    """Every stored tiny model, loaded: `v1-spans`, `v1-segmentation`, `v1-softmax-rnn`, `v1-tags`."""
    return {path.parent.name: load(path.parent) for path in sorted(stored.glob("*/config.json"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def gatewise_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `gatewise ARGUMENTS…` in this process, with `stdin` as its standard input."""
    from gatewise.cli import main

    def run(*arguments: object, stdin: str | bytes = "") -> Ran:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "argv", ["gatewise", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        monkeypatch.setenv("COLUMNS", "100")
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        out, err = capsys.readouterr()
        return Ran(code=code, out=out, err=err)

    return run


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests that need one; skipped where Playwright or Chromium is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium or Chrome is installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()
