"""The live view of a search: a line for each trial, and a bar below with the trial at hand.

In: the events of `training.tune`. Out: lines on stderr.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gatewise.cli.progress import duration

if TYPE_CHECKING:
    from gatewise.training.events import EpochReport
    from gatewise.training.study import Trial


class LiveTrials:
    """A watcher of a search that draws; off a terminal it prints a line a trial."""

    def __init__(self, console: Console, kind: str, *, of: int) -> None:
        self.score_name, self.of = "accuracy" if kind == "tags" else "F1", of
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[status]}"),
            console=console,
            transient=True,
            expand=True,
        )
        self.bar = self.progress.add_task("trial 1", total=of, status="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.progress.stop()

    def on_trial(self, number: int) -> None:
        """A trial begins."""
        self.progress.update(self.bar, description=f"trial {number}/{self.of}", completed=number - 1, status="")

    def on_epoch(self, report: EpochReport) -> None:
        """The bar moves within the trial."""
        score = f"{self.score_name} {report.dev_score or 0.0:.2f}"
        self.progress.update(
            self.bar, advance=1 / report.epochs, status=f"epoch {report.epoch}/{report.epochs}  {score}"
        )

    def on_result(self, trial: Trial, *, is_best: bool) -> None:
        """A trial is over."""
        score = "–" if trial.score is None else f"{trial.score:.2f}"
        epochs = f"{trial.epochs} epoch{'' if trial.epochs == 1 else 's'}"
        note = f"  stopped: {trial.why}" if trial.why else "  best so far" if is_best else ""
        self.progress.console.print(
            f"trial {trial.number:>3}/{self.of:<3} {self.score_name} {score:>6} {epochs:>10}"
            f" {duration(trial.seconds):>8}{note}"
        )
