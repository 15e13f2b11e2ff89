"""The bar of a job on a terminal: how much of the files is read, tokens a second, time left.

In: the progress of `gatewise.jobs`, chunk by chunk. Out: one line on stderr that goes at the end, and a sentence.
"""

from __future__ import annotations

from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn

from gatewise.cli.progress import duration
from gatewise.jobs import JobProgress


class JobBar:
    """A listener for `Listeners.progress` that draws."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, emoji=False, markup=False)
        self._bar = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[status]}"),
            console=self.console,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("", total=None, status="")
        self._begun = monotonic()
        self._first: JobProgress | None = None  # where a run that goes on began

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, message: str) -> None:
        """A sentence above the bar."""
        self.console.print(message)

    def update(self, now: JobProgress) -> None:
        """Move the bar."""
        seconds = monotonic() - self._begun
        if self._first is None:  # what came before the first chunk, loading and passing over, is no measure
            self._first, self._begun = now, monotonic()
            seconds = 0.0
        self._bar.update(self._task, total=now.total, completed=now.done, status=_status(self._first, now, seconds))


def _status(first: JobProgress, now: JobProgress, seconds: float) -> str:
    """`1.2/3.4 GB  412,345 tokens/s  1:05 left`; what cannot be known yet is left out."""
    parts = []
    if now.total is not None:
        parts.append(f"{decimal(now.done)} of {decimal(now.total)}")
    if seconds > 0:
        parts.append(f"{(now.tokens - first.tokens) / seconds:,.0f} tokens/s")
        read = now.done - first.done
        if now.total is not None and read > 0:
            parts.append(f"{duration((now.total - now.done) * seconds / read)} left")
    if now.rejected:
        parts.append(f"{now.rejected:,} put aside")
    return "  ".join(parts)
