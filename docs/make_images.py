"""Draw the pictures of the documents: `python docs/make_images.py`. What they show is what the commands print.

The pictures of the page need Playwright (in the test extra), a Chromium of the system and a Chinese font (Debian's
fonts-noto-cjk); without them they stay.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

import gatewise
from gatewise.explain import network_page, network_text, trace_page, trace_text
from gatewise.explain.web_page import WEB

IMAGES = Path(__file__).resolve().parent / "images"
WIDTH = 86


def draw(name: str, title: str, shown: RenderableType) -> None:
    """What a command prints, as a vector image of a terminal."""
    console = Console(
        record=True, width=WIDTH, file=StringIO(), force_terminal=True, highlight=False, color_system="truecolor"
    )
    console.print(shown)
    console.save_svg(str(IMAGES / name), title=title, unique_id=name.removesuffix(".svg").replace(".", "-"))


# name of the file → network, what is clicked before, which picture of the page
PAGE_PICTURES = {
    "forgets-chain": (WEB / "lessons" / "forgets.toml", (), "chain"),
    "article-chain": ("article", (), "chain"),
    "article-cell": ("article", ("gates-sigmoid", "transport-last"), "cell"),
}
DRAWN = """async (name) => (await import("gatewise/drawing.js")).drawnPicture(name)"""


@contextmanager
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


def page_picture(chromium: Any, name: str, lang: Any) -> str:
    """One picture of a page, as the page itself exports it."""
    network, clicks, picture = PAGE_PICTURES[name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(network_page(gatewise.read_network(network), lang=lang), encoding="utf-8")
        page = chromium.new_context(bypass_csp=True, color_scheme="light").new_page()
        page.goto(file.as_uri())
        for key in clicks:
            page.click(f'[data-key="{key}"]')
        drawn = str(page.evaluate(DRAWN, picture))
        page.context.close()
    return drawn + "\n"


def photograph(chromium: Any, name: str, lang: Any) -> None:
    """The page of the article's network, at the step where step and sigmoid gates part."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(network_page(gatewise.read_network("article"), lang=lang), encoding="utf-8")
        page = chromium.new_page(viewport={"width": 1280, "height": 1260}, color_scheme="light")
        page.goto(file.as_uri())
        page.click('[data-key="gates-sigmoid"]')
        page.click('[data-key="transport-last"]')
        page.screenshot(path=str(IMAGES / name))
        page.close()


def photograph_trace(chromium: Any, name: str, lang: Any) -> None:
    """The page of the bundled model on one text, with a tag that is another one under a change."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(trace_page(gatewise.load("zh"), "小明住在北京，他喜欢读书。", lang=lang), encoding="utf-8")
        page = chromium.new_page(viewport={"width": 1280, "height": 1180}, color_scheme="light")
        page.goto(file.as_uri())
        page.click('[data-key="token-3"]')
        page.select_option('[data-key="force-other"]', label="S-ADP")
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=str(IMAGES / name))
        page.close()


def draw_pages() -> None:
    """All pictures of pages, in both languages."""
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=True).stdout:
        sys.exit("expected a font with Chinese characters, found none; install fonts-noto-cjk")
    with browser() as chromium:
        for lang, ending in (("en", ""), ("zh", ".zh-CN")):
            photograph(chromium, f"page{ending}.png", lang)
            photograph_trace(chromium, f"trace-page{ending}.png", lang)
            for name in PAGE_PICTURES:
                (IMAGES / f"{name}{ending}.svg").write_text(page_picture(chromium, name, lang), encoding="utf-8")


if __name__ == "__main__":
    trace = gatewise.load("zh").trace("我叫小明")
    run = gatewise.read_network("article").run()
    draw("zh.svg", 'gatewise explain "我叫小明"', trace_text(trace, lang="en"))
    draw("zh.zh-CN.svg", 'gatewise explain "我叫小明" --lang zh', trace_text(trace, lang="zh"))
    draw("article.svg", "gatewise explain", network_text(run, lang="en"))
    draw("article.zh-CN.svg", "gatewise explain --lang zh", network_text(run, lang="zh"))
    draw_pages()
