"""What the tests of the network page share: pages opened from disk in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatewise.explain import network_page
from gatewise.network import parse_network, read_network


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A page in the browser; `errors` are its console's, `requests` what it asked for beyond its own file."""

    page: Any
    errors: list[str]
    requests: list[str]

    def text(self, selector: str) -> str:
        """The text of the first match."""
        return str(self.page.locator(selector).first.text_content())

    def texts(self, selector: str) -> list[str]:
        """The texts of all matches, SVG included."""
        return [str(text) for text in self.page.locator(selector).all_text_contents()]

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def key(self, name: str) -> Any:
        """The element with this data-key."""
        return self.page.locator(f'[data-key="{name}"]')

    def focused(self) -> str:
        """The data-key of the element that has the focus, else its name."""
        return str(self.page.evaluate("document.activeElement.dataset.key ?? document.activeElement.tagName"))


Pool = dict[str, list[Opened]]


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Pages that no test uses now, by their options: a new one takes far longer than another address in an old one."""
    return {}


def new_page(browser: Any, options: dict[str, Any]) -> Opened:
    one = Opened(page=browser.new_context(**options).new_page(), errors=[], requests=[])
    one.page.on("console", lambda message: one.errors.append(message.text))
    one.page.on("pageerror", lambda error: one.errors.append(str(error)))
    one.page.on("dialog", lambda dialog: one.errors.append(dialog.message))
    one.page.on("request", lambda request: one.requests.append(request.url))
    return one


@pytest.fixture
def opened(browser: Any, pool: Pool, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a network's page: `opened("article", lang="zh", hash="#…")`, or the bytes of a TOML file for its name.

    At the end, no page may have said a word on its console or asked for anything.
    """
    used: list[tuple[str, Opened]] = []

    def visit(network: str | bytes = "article", *, lang: Any = "en", hash: str = "", **options: Any) -> Opened:
        parsed = read_network(network) if isinstance(network, str) else parse_network(network, "test.toml")
        file = tmp_path / f"page{len(used)}.html"
        file.write_text(network_page(parsed, lang=lang), encoding="utf-8")
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
        key = repr(sorted(settings.items()))
        free = pool.setdefault(key, [])
        one = free.pop() if free else new_page(browser, settings)
        used.append((key, one))
        one.page.goto(file.as_uri() + hash)
        one.page.wait_for_selector("main")
        return one

    yield visit
    for key, one in used:
        inside = ("data:", "blob:", tmp_path.as_uri())
        assert one.errors == []
        assert [url for url in one.requests if not url.startswith(inside)] == []
        one.requests.clear()
        pool[key].append(one)
