"""`gatewise tune`: a search for good settings, in a study that can be resumed."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.interrupt import INTERRUPTED, stopping
from gatewise.cli.options import (
    before_torch,
    columns_option,
    config_option,
    device_option,
    seed_option,
    settings_option,
    show,
    split_columns,
    wanted_config,
)

if TYPE_CHECKING:
    from rich.table import Table

    from gatewise.training.study import Trial
    from gatewise.training.tune import Search

SHOWN = 10  # trials in the table
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def _seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """`90`, `90s`, `30m` or `2h`, in seconds."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value)
    if found is None:
        raise click.BadParameter(f"expected a time such as 90s, 30m or 2h, found {value!r}", ctx=ctx, param=param)
    return float(found[1]) * _UNITS[found[2]]


@click.command()
@click.argument("train_file", metavar="TRAIN", type=click.Path(path_type=Path))
@click.option(
    "--dev", type=click.Path(path_type=Path), required=True, help="Labeled text that settings are compared on."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The study's folder.")
@click.option("--trials", type=click.IntRange(min=1), default=20, show_default=True, help="Trials in the whole study.")
@click.option("--timeout", callback=_seconds, metavar="TIME", help="Begin no trial after so long: 90s, 30m, 2h.")
@click.option("--space", "space_file", type=click.Path(path_type=Path), help="What to search, see docs/tuning.md.")
@click.option("--resume", is_flag=True, help="Go on with the study that is in the folder.")
@config_option
@settings_option
@seed_option
@device_option
@columns_option
def tune(
    train_file: Path,
    dev: Path,
    output: Path,
    trials: int,
    timeout: float | None,
    space_file: Path | None,
    resume: bool,
    config: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    device: str | None,
    columns: str,
) -> None:
    """Search for good settings: train on TRAIN with one set of them after the other, and compare the scores on dev.

    The first trial is the configuration as given. The best one is kept in OUTPUT/best.toml, for gatewise train
    --config. Ctrl-C ends the search; the trial at hand is lost, all others are kept for --resume.
    """
    from rich.console import Console

    from gatewise.cli.progress import describe
    from gatewise.cli.trials import LiveTrials
    from gatewise.training.extras import training_extra, tuning_extra

    wanted = wanted_config(config, settings, seed=seed, device=device)
    before_torch()
    with training_extra():
        import gatewise.training.run  # noqa: F401 - stands on torch and onnx
        from gatewise.training.space import read_space
        from gatewise.training.splits import Files, read_splits
    with tuning_extra():
        from gatewise.training.tune import search

    corpus = read_splits(wanted, Files(train=train_file, dev=dev, columns=split_columns(columns)))
    space = read_space(space_file, corpus.config)
    console = Console(stderr=True, highlight=False, emoji=False)
    console.print(describe(corpus.config, corpus.splits))
    with LiveTrials(console, corpus.config.task.kind, of=trials) as watcher, stopping() as should_stop:
        found = search(
            corpus,
            wanted,
            space,
            output,
            watcher,
            trials=trials,
            timeout=timeout,
            resume=resume,
            should_stop=should_stop,
        )
    _tell(found, "accuracy" if corpus.config.task.kind == "tags" else "F1", train_file, dev, trials)


def _tell(found: Search, score_name: str, train_file: Path, dev: Path, trials: int) -> None:
    if found.trials:
        show(trials_table(found.trials, score_name))
    if found.best is not None:
        first = found.trials[0].score
        given = "" if first is None else f"; the configuration as given: {first:.2f}"
        click.echo(f"best: trial {found.best.number}, {score_name} {found.best.score:.2f}{given}")
        best = shlex.join(["gatewise", "train", str(train_file), "--dev", str(dev)])
        click.echo(f"{best} --config {shlex.quote(str(found.folder / 'best.toml'))} -o MODEL", err=True)
    if found.stopped:
        click.echo(f"stopped after {len(found.trials)} of {trials} trials; go on with --resume", err=True)
        sys.exit(INTERRUPTED)


def trials_table(trials: Sequence[Trial], score_name: str) -> Table:
    """The best trials first, their settings in columns."""
    from rich import box
    from rich.table import Table

    ordered = sorted(trials, key=lambda trial: (trial.state != "complete", -(trial.score or 0.0)))
    table = Table(box=box.SIMPLE, padding=0)
    for name in (
        "trial",
        score_name,
        "epochs",
        *(key.rpartition(".")[2].replace("_", "\n") for key in trials[0].values),
    ):
        table.add_column(name, justify="right", vertical="bottom")
    for trial in ordered[:SHOWN]:
        score = "–" if trial.score is None else f"{trial.score:.2f}"
        pruned = trial.state != "complete"
        table.add_row(
            str(trial.number),
            score,
            f"{trial.epochs}{'†' if pruned else ''}",
            *(str(value) for value in trial.values.values()),
            style="dim" if pruned else None,
        )
    notes = ["† stopped early"] if any(trial.state != "complete" for trial in ordered[:SHOWN]) else []
    notes += [f"{len(ordered) - SHOWN} more"] if len(ordered) > SHOWN else []
    table.caption = "; ".join(notes) or None
    table.caption_justify = "left"
    return table
