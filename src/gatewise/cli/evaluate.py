"""`gatewise evaluate`: what a model scores on a labeled file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import columns_option, head_option, neighbors_option, show, split_columns, writing

if TYPE_CHECKING:
    from rich.table import Table

    from gatewise.model.calibration import Reliability
    from gatewise.model.scoring import Scores
    from gatewise.text.confusion import ErrorCounts
    from gatewise.text.metrics import Average, Counts
    from gatewise.text.resampling import Interval

CONFUSIONS = 10  # lines of the table of confused labels

conlleval_option = click.option(
    "--conlleval", is_flag=True, help="Read broken tag sequences as the CoNLL script does, instead of refusing them."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed of the resampling.")


@click.command()
@click.argument("model")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--raw", is_flag=True, help="Start from each sentence's text: the model makes the tokens, too.")
@click.option("--train", type=click.Path(path_type=Path), help="The training file: adds recall of what is not in it.")
@click.option("--confidence", is_flag=True, help="Add a 95 % bootstrap confidence interval of the main score.")
@click.option("--errors-summary", is_flag=True, help="Add kinds of errors, and which label is taken for which.")
@click.option("--calibration", is_flag=True, help="Add how often what the model is so sure of is right.")
@click.option("--calibration-plot", type=click.Path(path_type=Path), help="Draw that as an SVG file.")
@conlleval_option
@seed_option
@neighbors_option
@head_option
@columns_option
def evaluate(
    model: str,
    file: Path,
    as_json: bool,
    raw: bool,
    train: Path | None,
    confidence: bool,
    errors_summary: bool,
    calibration: bool,
    calibration_plot: Path | None,
    conlleval: bool,
    seed: int,
    neighbors: int | None,
    head: str,
    columns: str,
) -> None:
    """Score MODEL (a bundled name or a folder) on FILE: precision, recall and F1 of each label, or accuracy."""
    from gatewise.explain.reliability_plot import reliability_svg
    from gatewise.runtime import load
    from gatewise.runtime.calibration import calibration_of_file
    from gatewise.runtime.evaluate import evaluate_file
    from gatewise.text.resampling import bootstrap_interval

    tagger = load(model) if neighbors is None else load(model).with_neighbors(neighbors)
    if raw and conlleval:
        raise click.UsageError("--raw with --conlleval: expected one of them; raw text has no tags to repair")
    scores = evaluate_file(tagger, file, split_columns(columns), train=train, conlleval=conlleval, head=head, raw=raw)
    if confidence:
        scores = replace(scores, interval=bootstrap_interval(scores.sentences, seed=seed))
    found, name = None, f"{model}, head {head}," if head else model
    if calibration or calibration_plot is not None:
        found = calibration_of_file(tagger, file, split_columns(columns), head=head)
    if calibration_plot is not None and found is not None:
        with writing(calibration_plot) as stream:
            stream.write(reliability_svg(found, title=f"{name} on {file.name}"))
    if as_json:
        whole = scores.to_dict() | ({} if found is None else {"calibration": found.to_dict()})
        click.echo(json.dumps(whole, ensure_ascii=False, indent=1))
        return
    show(scores_table(scores, title=f"{name} on {file.name}"))
    if scores.interval is not None:
        show(f"{scores.main_name} {100 * scores.main:.2f}, {format_interval(scores.interval)}")
    if errors_summary and scores.errors is not None:
        show(kinds_table(scores.errors))
        if scores.errors.confusion:
            show(confusion_table(scores.errors))
    if found is not None:
        for what, table in (("tags", found.tokens), ("spans", found.spans)):
            if table is not None:
                show(reliability_table(table, what, found.temperature))


def scores_table(scores: Scores, *, title: str) -> Table:
    """The scores as people read them, in percent."""
    table = score_columns(title)
    for label, counts in scores.per_label.items():
        table.add_row(label, *in_percent(counts), str(counts.gold))
    table.add_section()
    if scores.spans is not None:
        overall = scores.spans.overall
        table.add_row("all, with labels", *in_percent(overall), str(overall.gold), style="bold")
    if scores.words is not None:
        table.add_row("words alone", *in_percent(scores.words), str(scores.words.gold), style="bold")
    if scores.accuracy is not None:
        accuracy = scores.accuracy
        table.add_row("accuracy", "", "", f"{100 * accuracy.accuracy:.2f}", str(accuracy.total), style="bold")
    if scores.macro is not None:
        table.add_row(f"mean of {scores.macro.labels} labels (macro)", *in_percent(scores.macro), "")
    if scores.tokens is not None:
        table.add_row("token accuracy", "", "", f"{100 * scores.tokens.recall:.2f}", str(scores.tokens.gold))
    if scores.unseen is not None:
        for name, found in (("not in training", scores.unseen.unseen), ("in training", scores.unseen.seen)):
            table.add_row(name, "", f"{100 * found.recall:.2f}", "", str(found.gold))
    return table


def kinds_table(errors: ErrorCounts) -> Table:
    """How many gold and predicted spans are right, and wrong in which way."""
    from rich import box
    from rich.table import Table

    table = Table(title="kinds of errors", box=box.SIMPLE, title_justify="left", title_style="bold")
    for name in ("kind", "in gold", "predicted"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for kind, meaning in _MEANINGS.items():
        table.add_row(meaning, str(errors.gold[kind]), str(errors.predicted[kind]))
    table.add_section()
    table.add_row("all", str(sum(errors.gold.values())), str(sum(errors.predicted.values())))
    return table


def confusion_table(errors: ErrorCounts) -> Table:
    """The labels most often confused, where the edges are right."""
    from rich import box
    from rich.table import Table

    total = sum(errors.confusion.values())
    title = f"right edges, wrong label: {total}"
    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    for name in ("gold", "predicted", "spans"):
        table.add_column(name, justify="right" if name == "spans" else "left", overflow="fold")
    shown = list(errors.confusion.items())[:CONFUSIONS]
    for (gold, predicted), count in shown:
        table.add_row(gold, predicted, str(count))
    if rest := len(errors.confusion) - len(shown):
        table.add_row(f"{rest} more pairs", "", str(total - sum(count for _, count in shown)))
    return table


def reliability_table(table: Reliability, name: str, temperature: float) -> Table:
    """How often what the model is so sure of is right."""
    from rich import box
    from rich.table import Table

    title = f"calibration of {name}: expected error {100 * table.expected_error:.2f} % (temperature {temperature:.3g})"
    shown = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    for column in ("probability", name, "mean", "right"):
        shown.add_column(column, justify="left" if column == "probability" else "right")
    for entry in table.bins:
        if entry.confidence is not None and entry.accuracy is not None:
            mean, right = f"{100 * entry.confidence:.2f}", f"{100 * entry.accuracy:.2f}"
            shown.add_row(f"{entry.low:.1f} to {entry.high:.1f}", str(entry.count), mean, right)
    shown.add_section()
    shown.add_row("all", str(table.count), f"{100 * table.confidence:.2f}", f"{100 * table.accuracy:.2f}")
    return shown


def score_columns(title: str) -> Table:
    """An empty table of scores."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    table.add_column("label", overflow="fold")
    for name in ("precision", "recall", "F1", "in gold"):
        table.add_column(name, justify="right")
    return table


def in_percent(fractions: Counts | Average) -> tuple[str, str, str]:
    """Precision, recall and F1 as they stand in a table."""
    return f"{100 * fractions.precision:.2f}", f"{100 * fractions.recall:.2f}", f"{100 * fractions.f1:.2f}"


def format_interval(interval: Interval) -> str:
    """The interval in words: `95 % interval 87.60 to 89.13 (…)`."""
    return (
        f"{100 * interval.level:g} % interval {100 * interval.low:.2f} to {100 * interval.high:.2f} "
        f"({interval.resamples} resamples)"
    )


_MEANINGS = {
    "correct": "correct",
    "label": "label: right edges, wrong label",
    "boundary": "boundary: right label, wrong edges",
    "both": "both: overlaps another label",
    "missed": "missed: in gold alone",
    "spurious": "spurious: predicted alone",
}
