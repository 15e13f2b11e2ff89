"""docs/networks.md and its Chinese version: the examples run, every key is described, the errors are the real ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gatewise.errors import NetworkError
from gatewise.explain import network_json, network_text, render_text
from gatewise.network import EXAMPLES, parse_network, read_network
from gatewise.network.read import KEYS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "networks.md", DOCS / "networks.zh-CN.md"]
BLOCK = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.source


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_run(page, tmp_path):
    assert blocks(page)
    for number, block in enumerate(blocks(page)):
        run = parse_network(block.encode(), f"example{number}.toml").run()
        assert network_json(run)["outputs"]
        assert "…" not in render_text(network_text(run), width=80)
    path = tmp_path / "my.toml"
    path.write_text(blocks(page)[0], encoding="utf-8")
    run = read_network(path).run()
    assert run.outputs == [0, 2, 0, 4]
    assert [tag.name for tag in run.tags] == ["名词", "动词", "名词", "动词"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_and_example_is_described(page):
    text = page.read_text(encoding="utf-8")
    for word in (*KEYS, *EXAMPLES, "x", "h", "bias", "gate", "candidate", "output", "en", "zh"):
        assert f"`{word}`" in text, word


def test_the_errors_are_the_real_ones():
    text = PAGES[0].read_text(encoding="utf-8")
    article = read_network("article").source
    assert article == "article.toml"
    source = blocks(PAGES[0])[0]
    for old, new in (
        ("forget    = { x = [[0, 100,    0]]", "forget    = { x = [[0, 100]]"),
        ("forget    =", "forgot    ="),
        ('"小", "明"]', '"小", "红"]'),
    ):
        with pytest.raises(NetworkError) as error:
            parse_network(source.replace(old, new).encode(), "my.toml")
        assert str(error.value) in text
