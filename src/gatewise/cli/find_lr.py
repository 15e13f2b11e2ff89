"""`gatewise find-lr`: the learning-rate range test, with its curve."""

from __future__ import annotations

import json
import sys
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
    split_columns,
    wanted_config,
)

if TYPE_CHECKING:
    from gatewise.training.rate_range import RangeTest

RATE = click.FloatRange(min=0, min_open=True)


@click.command("find-lr")
@click.argument("train_file", metavar="TRAIN", type=click.Path(path_type=Path))
@click.option(
    "--dev", type=click.Path(path_type=Path), help="Labeled text: the loss is that of a few of its sentences."
)
@config_option
@settings_option
@seed_option
@device_option
@click.option("--low", type=RATE, default=1e-5, show_default=True, help="The rate of the first step.")
@click.option("--high", type=RATE, default=1.0, show_default=True, help="The rate of the last step.")
@click.option("--steps", type=click.IntRange(min=20), default=100, show_default=True, help="How many steps.")
@columns_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def find_lr(
    train_file: Path,
    dev: Path | None,
    config: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    device: str | None,
    low: float,
    high: float,
    steps: int,
    columns: str,
    as_json: bool,
) -> None:
    """Find a learning rate for TRAIN: a fresh network takes steps at rates that rise, until its loss explodes.

    Suggested is a tenth of the highest rate at which the smoothed loss is as good as at its lowest. Nothing is written.
    """
    from rich.console import Console

    from gatewise.training.extras import training_extra

    wanted = wanted_config(config, settings, seed=seed, device=device)
    before_torch()
    with training_extra():
        from gatewise.training.prepare import prepare
        from gatewise.training.rate_range import find_learning_rate
        from gatewise.training.splits import Files, read_splits
        from gatewise.training.stopping import StoppedError

    corpus = read_splits(wanted, Files(train=train_file, dev=dev, columns=split_columns(columns)))
    prepared = prepare(corpus.config, corpus.train, corpus.dev, columns=corpus.columns)
    status = Console(stderr=True, highlight=False, emoji=False).status("step 0")
    try:
        with status, stopping() as should_stop:
            found = find_learning_rate(
                prepared,
                low=low,
                high=high,
                steps=steps,
                on_step=lambda step: status.update(f"step {step} of at most {steps}"),
                should_stop=should_stop,
            )
    except StoppedError as stopped:
        click.echo(str(stopped), err=True)
        sys.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(to_dict(found)))
    else:
        click.echo("\n".join(describe(found, on="a few dev sentences" if dev else "the batches")))


def to_dict(found: RangeTest) -> dict[str, object]:
    """The whole test, for JSON; a loss that is not finite is null."""
    return {
        "suggestion": found.suggestion,
        "rule": "a tenth of highest_good",
        "steepest": found.steepest,
        "lowest": found.lowest,
        "highest_good": found.highest_good,
        "diverged": found.diverged,
        "rates": found.rates,
        "losses": [loss if abs(loss) < float("inf") else None for loss in found.losses],
        "smoothed": found.smoothed,
    }


def describe(found: RangeTest, *, on: str) -> list[str]:
    """The curve and what it says, at most 80 columns wide."""
    from gatewise.cli.plot import Curve, plot

    curve = Curve(x=found.rates, y=found.smoothed, points=found.losses, mark=found.suggestion)
    end = "the loss exploded" if found.diverged else "the loss never exploded; a higher --high may show more"
    return [
        f"Loss in nats a token on {on}, over the learning rate.",
        "dots: smoothed   ·: each step   │: the suggestion",
        "",
        *plot(curve),
        "",
        f"{len(found.rates)} steps; {end}.",
        f"The loss falls fastest at {found.steepest:.2g}, is lowest at {found.lowest:.2g}, and as good up to"
        f" {found.highest_good:.2g}.",
        f"Suggested, a tenth of that: --set training.learning_rate={found.suggestion:.2g}",
    ]
