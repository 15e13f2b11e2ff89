"""`gatewise train`: labeled text in, a model folder out, with a live view of how it goes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gatewise.cli.evaluate import scores_table
from gatewise.cli.options import columns_option, split_columns
from gatewise.errors import MissingExtraError


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
@columns_option
def train(
    train_file: Path,
    dev: Path | None,
    test: Path | None,
    output: Path,
    config: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    columns: str,
) -> None:
    """Train a tagger on TRAIN: columns with tags in any scheme or plain tags, CoNLL-U, or JSON Lines."""
    from rich.console import Console

    from gatewise.cli.progress import LiveProgress, describe
    from gatewise.model.config import read_config

    if seed is not None:
        settings = (*settings, f"training.seed={seed}")
    wanted = read_config(config, settings)
    # OpenMP threads that wait spin for long, and beside another busy process that costs far more than its share of time
    # (benchmarks/RESULTS.md); it must be said before torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    try:
        from gatewise.training.run import Files, read_splits, run_training
    except ImportError as error:
        raise MissingExtraError(
            f'training needs torch and onnx ({error.name} is missing): pip install "gatewise[train]"'
        ) from error

    console = Console(stderr=True, highlight=False, emoji=False)
    files = Files(train=train_file, dev=dev, test=test, columns=split_columns(columns))
    corpus = read_splits(wanted, files)
    console.print(describe(corpus.config, {"train": corpus.train, "dev": corpus.dev}))
    with LiveProgress(console, corpus.config.task.kind) as listener:
        result = run_training(corpus, files, output, listener)
    for split, scores in result.scores.items():
        Console(highlight=False, emoji=False).print(scores_table(scores, title=f"{output.name} on {split}"))
    click.echo(f"model: {result.folder}", err=True)
