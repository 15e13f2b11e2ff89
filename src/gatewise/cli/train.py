"""`gatewise train`: labeled text in, a model folder out, with a live view of how it goes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from gatewise.cli.evaluate import scores_table
from gatewise.cli.options import columns_option, split_columns
from gatewise.errors import MissingExtraError

if TYPE_CHECKING:
    from gatewise.training.run import Corpus, Files, RunResult

INTERRUPTED = 128 + signal.SIGINT  # the exit code of a command that Ctrl-C ended


@click.command()
@click.argument("train_file", metavar="TRAIN", type=click.Path(path_type=Path))
@click.option(
    "--dev", type=click.Path(path_type=Path), help="Labeled text that decides when to stop, and what is kept."
)
@click.option("--test", type=click.Path(path_type=Path), help="Labeled text that the saved model is scored on, once.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The model folder to write.")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings, see docs/configuration.md.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One setting, such as encoder.hidden=100.")
@click.option("--seed", type=click.IntRange(min=0), help="The same as --set training.seed=N.")
@click.option(
    "--seeds",
    type=click.IntRange(min=2),
    metavar="N",
    help="Train N models, OUTPUT/seed-1 and so on, and report mean and standard deviation.",
)
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped or killed; the same weights come out.")
@columns_option
def train(
    train_file: Path,
    dev: Path | None,
    test: Path | None,
    output: Path,
    config: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    seeds: int | None,
    resume: bool,
    columns: str,
) -> None:
    """Train a tagger on TRAIN: columns with tags in any scheme or plain tags, CoNLL-U, JSON Lines, Parquet, and more.

    Ctrl-C stops after the step at hand and saves the state; --resume goes on from there, or from the last state that a
    killed run saved. Several processes train one model under torch's launcher:
    torchrun --nproc-per-node 2 -m gatewise train …
    """
    from gatewise.model.config import read_config

    if seed is not None:
        settings = (*settings, f"training.seed={seed}")
    wanted = read_config(config, settings)
    # OpenMP threads that wait spin for long, and beside another busy process that costs far more than its share of time
    # (benchmarks/RESULTS.md); it must be said before torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    try:
        from gatewise.training.run import Files, read_splits
    except ImportError as error:
        raise MissingExtraError(
            f'training needs torch and onnx ({error.name} is missing): pip install "gatewise[train]"'
        ) from error

    files = Files(train=train_file, dev=dev, test=test, columns=split_columns(columns))
    corpus = read_splits(wanted, files)
    if seeds is None:
        _train_one(corpus, files, output, resume=resume)
    else:
        _train_several(corpus, files, output, seeds=seeds, resume=resume)


def _train_one(corpus: Corpus, files: Files, output: Path, *, resume: bool) -> RunResult | None:
    """One run with its live view, and its scores on stdout."""
    from rich.console import Console

    from gatewise.cli.progress import LiveProgress, describe
    from gatewise.training.loop import StoppedError
    from gatewise.training.run import run_training

    speaks = os.environ.get("RANK", "0") == "0"  # of the processes that torch's launcher starts
    console = Console(stderr=True, highlight=False, emoji=False, quiet=not speaks)
    console.print(describe(corpus.config, {"train": corpus.train, "dev": corpus.dev}))
    try:
        with LiveProgress(console, corpus.config.task.kind) as listener, _stopping() as should_stop:
            result = run_training(corpus, files, output, listener, resume=resume, should_stop=should_stop)
    except StoppedError as stopped:
        click.echo(str(stopped), err=True)
        sys.exit(INTERRUPTED)
    if result is not None:
        for split, scores in result.scores.items():
            table = scores_table(scores, title=f"{output.name} on {split}")
            Console(highlight=False, emoji=False).print(table)
        click.echo(f"model: {result.folder}", err=True)
    return result


def _train_several(corpus: Corpus, files: Files, output: Path, *, seeds: int, resume: bool) -> None:
    """A run for each of the seeds from the configuration's on; those that are done already stay as they are."""
    from gatewise.runtime import load
    from gatewise.runtime.evaluate import evaluate_file

    first = corpus.config.training.seed
    found: dict[str, list[float]] = {}
    for seed in range(first, first + seeds):
        folder = output / f"seed-{seed}"
        if resume and (folder / "README.md").exists():
            splits = {"dev": files.dev, "test": files.test}
            scored = {
                name: evaluate_file(load(folder), path, files.columns)
                for name, path in splits.items()
                if path is not None
            }
            click.echo(f"model: {folder} (done before)", err=True)
        else:
            training = replace(corpus.config.training, seed=seed)
            result = _train_one(
                replace(corpus, config=replace(corpus.config, training=training)), files, folder, resume=resume
            )
            if result is None:
                continue
            scored = result.scores
        for split, scores in scored.items():
            found.setdefault(split, []).append(100 * scores.main)
    for split, values in found.items():
        each = ", ".join(f"{value:.2f}" for value in values)
        click.echo(f"{split}: {mean(values):.2f} ± {stdev(values):.2f} over {seeds} seeds ({each})")


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Ctrl-C, or a polite kill, asks the run to stop after the step at hand; a second one stops at once."""
    asked = False
    before: dict[int, Any] = {}

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        nonlocal asked
        asked = True
        give_back()

    before |= {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        give_back()
