"""`gatewise train`: labeled text in, a model folder out, with a live view of how it goes."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING

import click

from gatewise.cli.calibrate import calibration_line
from gatewise.cli.evaluate import scores_table
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
from gatewise.cli.train_warnings import warning_lines

if TYPE_CHECKING:
    from gatewise.model.scoring import Scores
    from gatewise.training.splits import Corpus, Files


@click.command()
@click.argument("train_file", metavar="TRAIN", type=click.Path(path_type=Path))
@click.option(
    "--dev", type=click.Path(path_type=Path), help="Labeled text that decides when to stop, and what is kept."
)
@click.option("--test", type=click.Path(path_type=Path), help="Labeled text that the saved model is scored on, once.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The model folder to write.")
@config_option
@settings_option
@seed_option
@device_option
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
    device: str | None,
    seeds: int | None,
    resume: bool,
    columns: str,
) -> None:
    """Train a tagger on TRAIN: columns with tags in any scheme or plain tags, CoNLL-U, JSON Lines, Parquet, and more.

    Ctrl-C stops after the step at hand and saves the state; --resume goes on from there, or from the last state that a
    killed run saved; a run that is complete is not done again. Several processes train one model under torch's
    launcher: torchrun --nproc-per-node 2 -m gatewise train …
    """
    from gatewise.training.extras import training_extra

    wanted = wanted_config(config, settings, seed=seed, device=device)
    before_torch()
    with training_extra():
        import gatewise.training.run  # noqa: F401 - before any file is read, so that what is missing is told at once
        from gatewise.training.splits import Files, read_splits

    files = Files(train=train_file, dev=dev, test=test, columns=split_columns(columns))
    corpus = read_splits(wanted, files)
    if seeds is None:
        _train_one(corpus, files, output, resume=resume)
    else:
        _train_several(corpus, files, output, seeds=seeds, resume=resume)


ByHead = dict[str, "dict[str, Scores]"]  # what a model scores, by head and split


def _train_one(corpus: Corpus, files: Files, output: Path, *, resume: bool) -> ByHead | None:
    """One run with its live view, and its scores on stdout; None in the processes that do not save."""
    from rich.console import Console

    from gatewise.cli.progress import LiveProgress, describe
    from gatewise.model.card import numbers_told, vectors_found
    from gatewise.model.heads import MAIN_HEAD
    from gatewise.training.run import run_training
    from gatewise.training.stopping import StoppedError

    speaks = os.environ.get("RANK", "0") == "0"  # of the processes that torch's launcher starts
    if resume and _is_done(corpus, output):
        return _told(output, _scores_of(corpus, files, output), "done before") if speaks else None
    console = Console(stderr=True, highlight=False, emoji=False, quiet=not speaks)
    console.print(describe(corpus.config, corpus.splits))
    if speaks:
        main = corpus.splits_of(MAIN_HEAD)
        paths = [Path(str(path)) for path in (files.train, files.dev, files.test) if path is not None]
        for line in warning_lines(main, corpus.config.task.scheme, paths, files.columns):
            click.echo(line, err=True)
    kind, heads = corpus.config.task.kind, corpus.config.heads
    try:
        with LiveProgress(console, kind, heads) as listener, stopping() as should_stop:
            result = run_training(corpus, files, output, listener, resume=resume, should_stop=should_stop)
    except StoppedError as stopped:
        click.echo(str(stopped), err=True)
        sys.exit(INTERRUPTED)
    if result is None:
        return None
    if vectors := vectors_found(result.config, result.facts):
        click.echo(f"pretrained vectors: {vectors}", err=True)
    if (distilled := result.facts.distilled) is not None:
        for what, said in distilled.rows(result.config.distillation).items():
            click.echo(f"{what}: {said}", err=True)
    if result.facts.numbers_scores is not None:
        click.echo(f"stored as {numbers_told(result.config, result.facts)}", err=True)
    if result.calibrations:
        click.echo(calibration_line(result.calibrations, result.doubt), err=True)
    told = _told(result.folder, {MAIN_HEAD: result.scores, **result.head_scores})
    click.echo(f"report: {result.report}", err=True)
    return told


def _is_done(corpus: Corpus, folder: Path) -> bool:
    """Whether the model of this configuration is there, and no run under its name is unfinished."""
    from gatewise.model.archive import CARD_FILE, open_model
    from gatewise.training.choose_numbers import decides
    from gatewise.training.run import CHECKPOINT_FILE, run_folder

    if not (folder / CARD_FILE).exists() or (run_folder(folder) / CHECKPOINT_FILE).exists():
        return False
    return decides(open_model(folder).config, corpus.config)


def _scores_of(corpus: Corpus, files: Files, folder: Path) -> ByHead:
    from gatewise.runtime import load
    from gatewise.training.run import score_model

    return score_model(load(folder), corpus.config, files)


def _told(folder: Path, scores: ByHead, remark: str = "") -> ByHead:
    """The scores, after they were printed, a table a head and split."""
    from rich.console import Console

    for head, by_split in scores.items():
        name = f"{folder.name}, head {head}," if head else folder.name
        for split, found in by_split.items():
            Console(highlight=False, emoji=False).print(scores_table(found, title=f"{name} on {split}"))
    click.echo(f"model: {folder}" + (f" ({remark})" if remark else ""), err=True)
    return scores


def _train_several(corpus: Corpus, files: Files, output: Path, *, seeds: int, resume: bool) -> None:
    """A run for each of the seeds from the configuration's on; those that are done already stay as they are."""
    first = corpus.config.training.seed
    found: dict[str, list[float]] = {}
    for seed in range(first, first + seeds):
        training = replace(corpus.config.training, seed=seed)
        one = replace(corpus, config=replace(corpus.config, training=training))
        for head, by_split in (_train_one(one, files, output / f"seed-{seed}", resume=resume) or {}).items():
            for split, scores in by_split.items():
                found.setdefault(f"{head} {split}".lstrip(), []).append(100 * scores.main)
    for split, values in found.items():
        each = ", ".join(f"{value:.2f}" for value in values)
        click.echo(f"{split}: {mean(values):.2f} ± {stdev(values):.2f} over {seeds} seeds ({each})")
