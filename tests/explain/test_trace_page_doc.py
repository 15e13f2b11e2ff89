"""docs/trace-page.md and its Chinese version: their command runs, their numbers and headings are those of the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from gatewise.explain.web_page import WEB, read_json

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"en": DOCS / "trace-page.md", "zh": DOCS / "trace-page.zh-CN.md"}
pytestmark = pytest.mark.source


@pytest.mark.parametrize("lang", PAGES)
def test_the_command_writes_the_page(
    gatewise_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    text = PAGES[lang].read_text(encoding="utf-8")
    [line] = re.findall(r"^\$ gatewise (.*)$", text, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    assert gatewise_command(*shlex.split(line)).code == 0
    size = len((tmp_path / "page.html").read_bytes())
    assert 0.7e6 < size < 0.9e6, "about 0.8 MB"
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", PAGES)
def test_the_parts_are_called_as_on_the_page_and_the_limits_are_the_code_s(lang: str) -> None:
    text, words = PAGES[lang].read_text(encoding="utf-8"), read_json(f"trace.{lang}.json")
    for key in ("sentence", "memory", "tags"):
        assert words[key] in text, key
    for module, name in (("sentence", "MOST_COLUMNS"), ("life", "MOST"), ("memory", "MOST"), ("lattice", "MOST")):
        code = (WEB / f"{module}.js").read_text(encoding="utf-8")
        [most] = re.findall(rf"\b{name} = (\d+)", code)
        assert most in text, module
