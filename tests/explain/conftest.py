"""What the tests of the network page share: the system's Chromium, driven by Playwright, and pages opened from disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatewise.explain import network_page
from gatewise.network import parse_network, read_network

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests that need one; skipped where Playwright or Chromium is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium or Chrome is installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


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


@pytest.fixture(scope="session")
def contexts(browser: Any) -> Callable[..., Any]:
    """One window for each set of options: making one takes longer than a test."""
    made: dict[str, Any] = {}

    def context(**options: Any) -> Any:
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = browser.new_context(**options)
        return made[key]

    return context


@pytest.fixture
def opened(contexts: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a network's page: `opened("article", lang="zh", hash="#…")`, or the bytes of a TOML file for its name.

    At the end, no page may have said a word on its console or asked for anything.
    """
    everything: list[Opened] = []

    def visit(network: str | bytes = "article", *, lang: Any = "en", hash: str = "", **options: Any) -> Opened:
        parsed = read_network(network) if isinstance(network, str) else parse_network(network, "test.toml")
        file = tmp_path / "page.html"
        file.write_text(network_page(parsed, lang=lang), encoding="utf-8")
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
        one = Opened(page=contexts(**settings).new_page(), errors=[], requests=[])
        everything.append(one)
        one.page.on("console", lambda message: one.errors.append(message.text))
        one.page.on("pageerror", lambda error: one.errors.append(str(error)))
        one.page.on("request", lambda request: one.requests.append(request.url))
        one.page.goto(file.as_uri() + hash)
        one.page.wait_for_selector("main")
        return one

    yield visit
    for one in everything:
        assert one.errors == []
        assert all(
            url.startswith(("data:", "blob:")) or url.split("#")[0].endswith("page.html") for url in one.requests
        )
        one.page.close()
