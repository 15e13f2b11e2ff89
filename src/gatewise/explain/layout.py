"""What the terminal views are laid out with: paragraphs that wrap Chinese, and a choice of layouts by width.

In: text or renderables. Out: rich renderables, and their text with `render_text`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

# a piece that must stay on one line: a wide character with the punctuation that belongs to it, or a run of narrow ones
WIDE = "\u2e80-\u303f\u3040-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
PIECE = re.compile(rf"[（“《]*(?:[{WIDE}]|[^\s{WIDE}“”]+)[，。、；：！？）”》]*|\s+|.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A text that wraps between Chinese characters too, never before a comma, with `indent` spaces before each line."""

    text: str
    style: str = ""
    indent: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in wrap(self.text, options.max_width - self.indent):
            yield Text(" " * self.indent + line, style=self.style)


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` terminal columns; a piece that is wider stands alone."""
    lines = [""]
    for match in PIECE.finditer(text):
        piece = match[0]
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstThatFits:
    """The first of several layouts that is not wider than the terminal; the last one when none fits."""

    layouts: tuple[RenderableType, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unlimited = options.update(max_width=100_000)
        for layout in self.layouts[:-1]:
            if Measurement.get(console, unlimited, layout).maximum <= options.max_width:
                yield layout
                return
        yield self.layouts[-1]


def plain_table() -> Table:
    """A table with a line under its head and nothing else; long cells wrap, none is cut."""
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")


def heading(text: str) -> Rule:
    """The title of a section, with a line to the right end."""
    return Rule(Text(text, style="bold"), align="left", style="dim", characters="─")


def render_text(renderable: RenderableType, width: int | None = None, color: bool = False) -> str:
    """The renderable as text of `width` columns (the terminal's when None), with or without color codes."""
    buffer = StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=color,
        color_system="truecolor" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    console.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())
