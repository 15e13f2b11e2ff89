"""docs/lstm-step-by-step.md and its Chinese version: the code gives what is printed, the pictures are the page's."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "lstm-step-by-step.md", DOCS / "lstm-step-by-step.zh-CN.md"]
pytestmark = pytest.mark.source


def code(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_gives_what_is_printed(page: Path) -> None:
    test = doctest.DocTestParser().get_doctest("\n".join(code(page)), {}, page.name, str(page), 0)
    assert len(test.examples) > 15
    told: list[str] = []
    assert doctest.DocTestRunner().run(test, out=told.append).failed == 0, "".join(told)


def test_both_languages_have_the_same_code() -> None:
    english, chinese = (re.sub(r"noun|名词|verb|动词|\ben\b|\bzh\b", "", "".join(code(page))) for page in PAGES)
    assert english == chinese


@pytest.fixture(scope="module")
def images() -> ModuleType:
    """docs/make_images.py."""
    spec = importlib.util.spec_from_file_location("make_images", DOCS / "make_images.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def content(svg: str) -> list[Any]:
    """What is drawn, without the style, which another browser writes in other words."""
    parts = [part for part in ElementTree.fromstring(svg).iter() if not part.tag.endswith("style")]
    return [(part.tag, sorted(part.attrib.items()), (part.text or "").strip()) for part in parts]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pictures_are_what_the_page_draws_now(browser: Any, images: ModuleType, lang: str) -> None:
    for name in images.PAGE_PICTURES:
        file = DOCS / "images" / f"{name}{'' if lang == 'en' else '.zh-CN'}.svg"
        stored = file.read_text(encoding="utf-8")
        assert content(stored) == content(images.page_picture(browser, name, lang)), "run: python docs/make_images.py"
        assert any(f"images/{file.name}" in page.read_text(encoding="utf-8") for page in PAGES)
