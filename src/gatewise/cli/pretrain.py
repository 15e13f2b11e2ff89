"""`gatewise pretrain`: raw text in, a character language model out, whose states taggers read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.interrupt import INTERRUPTED, stopping
from gatewise.cli.options import before_torch

if TYPE_CHECKING:
    from gatewise.training.character_stream import RawText
    from gatewise.training.pretrain import PretrainReport

COUNT = click.IntRange(min=1)


@click.command()
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--dev", type=click.Path(path_type=Path), help="Held-out text; default: one line in a hundred of TEXT.")
@click.option("--hidden", type=COUNT, default=256, show_default=True, help="Units in each direction.")
@click.option("--dim", type=COUNT, default=64, show_default=True, help="Numbers that a character is embedded in.")
@click.option("--vocabulary", type=COUNT, default=5000, show_default=True, help="The most characters that are known.")
@click.option("--epochs", type=COUNT, default=1, show_default=True, help="How often the text is read.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Stop after so many for each direction, if that comes first; 0: never.",
)
@click.option("--lanes", type=COUNT, default=64, show_default=True, help="Places of the text that are read at once.")
@click.option("--window", type=COUNT, default=64, show_default=True, help="Characters that a gradient reaches back.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=0.004,
    show_default=True,
    help="The highest; it rises for 100 steps, then falls to 0.",
)
@click.option(
    "--threads", type=COUNT, default=2, show_default=True, help="With 2 or more both directions are learned at once."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Decides all that is random.")
@click.option("--save-seconds", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Between states.")
@click.option(
    "--report-seconds", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Between report lines."
)
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped or killed.")
def pretrain(
    texts: tuple[Path, ...], output: Path, dev: Path | None, threads: int, resume: bool, **settings: float
) -> None:
    """Learn a character language model from TEXT, files of raw text, plain or gzip, a sentence or paragraph a line.

    A tagger reads its states with --set features.language_model=OUTPUT. Ctrl-C stops after the step at hand and saves
    the state; --resume goes on from there, or from the last state that a killed run saved.
    """
    from gatewise.training.extras import training_extra

    before_torch()
    with training_extra():
        from gatewise.training.pretrain import PretrainSettings
        from gatewise.training.pretrain_run import run_pretraining
        from gatewise.training.stopping import StoppedError

    try:
        with stopping() as should_stop:
            reports = run_pretraining(
                texts,
                output,
                PretrainSettings(**settings),  # type: ignore[arg-type]  # click has made each what it must be
                dev=dev,
                threads=threads,
                resume=resume,
                on_text=_tell_text,
                on_report=_tell,
                should_stop=should_stop,
            )
    except StoppedError as stopped:
        click.echo(str(stopped), err=True)
        sys.exit(INTERRUPTED)
    for direction, report in reports.items():
        click.echo(f"{direction}: {report.dev_bits:.3f} bits a character, perplexity {report.perplexity:.2f}")
    click.echo(f"language model: {output}", err=True)


def _tell_text(text: RawText) -> None:
    click.echo(
        f"{len(text.train):,} characters to learn from, {len(text.dev):,} held out ({text.unknown:.2%} unknown),"
        f" {len(text.vocabulary.entries):,} known",
        err=True,
    )


def _tell(report: PretrainReport) -> None:
    click.echo(
        f"{report.direction:<8}{report.fraction:>5.0%}  {report.characters:>12,} characters  {report.seconds:>6.0f} s"
        f"  {report.characters_per_second:>8,.0f}/s  train {report.train_bits:.3f}  held out {report.dev_bits:.3f} bits"
        f"  perplexity {report.perplexity:.1f}",
        err=True,
    )
