"""The live view of a training run: loss, tokens a second, dev score, time left.

In: the events of `training.events`. Out: a table that grows by a line an epoch, and a bar below it, on stderr.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

if TYPE_CHECKING:
    from gatewise.model.config import Config, HeadConfig
    from gatewise.text.sentence import Sentence
    from gatewise.training.events import BatchReport, EpochReport

STEPS = 10_000  # of the bar


def describe(config: Config, splits: Mapping[str, Sequence[Sentence]]) -> Table:
    """The resolved configuration and the size of the data, before anything is trained."""
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, split in splits.items():
        if split:
            table.add_row(name, f"{len(split):,} sentences, {sum(map(len, split)):,} tokens")
    for section, values in config.to_dict().items():
        if section == "heads":
            for name, head in values.items():
                table.add_row(f"head {name}", ", ".join(f"{key} {value}" for key, value in head.items() if value != ""))
        elif isinstance(values, dict):
            known = ", ".join(f"{key} {value}" for key, value in values.items() if value != "")
            if known and section != "card":
                table.add_row(section, known)
    return table


class LiveProgress:
    """A listener for training that draws; off a terminal it prints a line an epoch."""

    def __init__(self, console: Console, kind: str, heads: Mapping[str, HeadConfig] | None = None) -> None:
        self.score_name = _score_name(kind)
        self.heads = {name: f"{name} {_score_name(head.kind)}" for name, head in (heads or {}).items()}
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[status]}"),
            console=console,
            transient=True,
            expand=True,
        )
        self.bar = self.progress.add_task("epoch 1", total=STEPS, status="")
        self.headed = False

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.progress.stop()

    def on_answers(self, share: float) -> None:
        """Move the bar while teachers are asked."""
        self.progress.update(self.bar, completed=share * STEPS, description="teachers", status="")

    def on_batch(self, report: BatchReport) -> None:
        """Move the bar."""
        left = duration(report.seconds_left)
        self.progress.update(
            self.bar,
            completed=report.fraction * STEPS,
            description=f"epoch {report.epoch}/{report.epochs}",
            status=f"loss {report.loss:.3f}  {report.tokens_per_second:,.0f} tokens/s  at most {left} left",
        )

    def on_epoch(self, report: EpochReport) -> None:
        """Add a line."""
        if not self.headed:
            self.headed = True
            further = "".join(f"  {title}" for title in self.heads.values())
            heads = f"{'epoch':>7}{'loss':>10}{'tokens/s':>12}{'dev ' + self.score_name:>14}{further}{'time':>9}"
            self.progress.console.print(heads, style="bold")
        score = "–" if report.dev_score is None else f"{report.dev_score:.2f}"
        further = ""
        for name, title in self.heads.items():
            shown = f"{100 * report.heads[name].main:.2f}" if name in report.heads else "–"
            further += f"  {shown:>{cell_len(title)}}"
        self.progress.console.print(
            f"{report.epoch:>4}/{report.epochs:<2}{report.loss:>10.3f}{report.tokens_per_second:>12,.0f}"
            f"{score:>14}{further}{duration(report.seconds):>9}{'  best so far' if report.is_best else ''}"
        )


def _score_name(kind: str) -> str:
    return "accuracy" if kind == "tags" else "F1"


def duration(seconds: float) -> str:
    """`1:05` or `1:02:03`."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
