"""Draw the pictures of the documents: `python docs/make_images.py`. What they show is what the commands print."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console, RenderableType

import gatewise
from gatewise.explain import network_text, trace_text

IMAGES = Path(__file__).resolve().parent / "images"
WIDTH = 86


def draw(name: str, title: str, shown: RenderableType) -> None:
    """What a command prints, as a vector image of a terminal."""
    console = Console(
        record=True, width=WIDTH, file=StringIO(), force_terminal=True, highlight=False, color_system="truecolor"
    )
    console.print(shown)
    console.save_svg(str(IMAGES / name), title=title, unique_id=name.removesuffix(".svg").replace(".", "-"))


if __name__ == "__main__":
    trace = gatewise.load("zh").trace("我叫小明")
    run = gatewise.read_network("article").run()
    draw("zh.svg", 'gatewise explain "我叫小明"', trace_text(trace, lang="en"))
    draw("zh.zh-CN.svg", 'gatewise explain "我叫小明" --lang zh', trace_text(trace, lang="zh"))
    draw("article.svg", "gatewise explain", network_text(run, lang="en"))
    draw("article.zh-CN.svg", "gatewise explain --lang zh", network_text(run, lang="zh"))
