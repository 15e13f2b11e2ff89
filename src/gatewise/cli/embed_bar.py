"""The progress bar of `gatewise embed`: first the files that are read, then the passes over them.

In: files as they are opened, and how many sentences training has read. Out: one line on stderr that goes at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gatewise.cli.progress import duration

if TYPE_CHECKING:
    from gatewise.training.raw_text import TextFile

PAUSE = 0.1  # seconds between two pictures


class EmbedBar:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, *, shown: bool, console: Console | None = None) -> None:
        console = console or Console(stderr=True, highlight=False, emoji=False, markup=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[status]}"),
            console=console,
            transient=True,
            expand=True,
            disable=not (shown and console.is_terminal),
        )
        self._task = self._bar.add_task("reading", total=None, status="")
        self._begun: float | None = None  # when training began
        self._drawn = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def reading(self, files: Sequence[TextFile]) -> Iterator[TextFile]:
        """The files, each of which moves the bar when it has been read."""
        total = sum(file.size or 0 for file in files)
        done = 0
        for file in files:
            self._bar.update(self._task, total=total or None, completed=done, status=str(file.path))
            yield file
            done += file.size or 0

    def trained(self, read: int, total: int, epochs: int) -> None:
        """Move the bar to so many of all sentences, which are read `epochs` times."""
        now = monotonic()
        self._begun = now if self._begun is None else self._begun
        if now - self._drawn < PAUSE:
            return
        self._drawn = now
        left = duration((now - self._begun) * (total - read) / read)
        epoch = min(epochs, 1 + (read - 1) * epochs // total)
        self._bar.update(
            self._task, description=f"epoch {epoch}/{epochs}", total=total, completed=read, status=f"{left} left"
        )
