"""`gatewise evaluate`: what a model scores on a labeled file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import columns_option, show, split_columns

if TYPE_CHECKING:
    from rich.table import Table

    from gatewise.model.scoring import Scores


@click.command()
@click.argument("model")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@columns_option
def evaluate(model: str, file: Path, as_json: bool, columns: str) -> None:
    """Score MODEL (a bundled name or a folder) on FILE: precision, recall and F1 of each label, or accuracy."""
    from gatewise.runtime import load
    from gatewise.runtime.evaluate import evaluate_file

    scores = evaluate_file(load(model), file, split_columns(columns))
    if as_json:
        click.echo(json.dumps(scores.to_dict(), ensure_ascii=False, indent=1))
    else:
        show(scores_table(scores, title=f"{model} on {file.name}"))


def scores_table(scores: Scores, *, title: str) -> Table:
    """The scores as people read them, in percent."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    table.add_column("label")
    for name in ("precision", "recall", "F1", "in gold"):
        table.add_column(name, justify="right")
    for label, counts in scores.per_label.items():
        fractions = (counts.precision, counts.recall, counts.f1)
        table.add_row(label, *(f"{100 * value:.2f}" for value in fractions), str(counts.gold))
    table.add_section()
    if scores.spans is not None:
        overall = scores.spans.overall
        fractions = (overall.precision, overall.recall, overall.f1)
        table.add_row(
            "all, with labels", *(f"{100 * value:.2f}" for value in fractions), str(overall.gold), style="bold"
        )
    if scores.words is not None:
        fractions = (scores.words.precision, scores.words.recall, scores.words.f1)
        table.add_row(
            "words alone", *(f"{100 * value:.2f}" for value in fractions), str(scores.words.gold), style="bold"
        )
    if scores.accuracy is not None:
        accuracy = scores.accuracy
        table.add_row("accuracy", "", "", f"{100 * accuracy.accuracy:.2f}", str(accuracy.total), style="bold")
    return table
