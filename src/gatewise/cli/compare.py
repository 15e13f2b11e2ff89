"""`gatewise compare`: two outputs against the same gold data, and whether their difference is more than chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.evaluate import conlleval_option, format_interval, seed_option
from gatewise.cli.options import columns_option, expect_choice, show, split_columns

if TYPE_CHECKING:
    from rich.table import Table

    from gatewise.model.scoring import Scores
    from gatewise.runtime.compare import Comparison


@click.command()
@click.argument("a")
@click.argument("b")
@click.argument("gold", type=click.Path(path_type=Path))
@click.option(
    "--task", default="auto", show_default=True, help="tags, spans, segmentation; auto: by model, or by GOLD."
)
@click.option("--top", type=click.IntRange(min=0), default=5, show_default=True, help="How many sentences to show.")
@click.option("--rounds", type=click.IntRange(min=1), default=10_000, show_default=True, help="Rounds of the test.")
@click.option("--resamples", type=click.IntRange(min=1), default=1000, show_default=True, help="For the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@conlleval_option
@seed_option
@columns_option
def compare(
    a: str,
    b: str,
    gold: Path,
    task: str,
    top: int,
    rounds: int,
    resamples: int,
    as_json: bool,
    conlleval: bool,
    seed: int,
    columns: str,
) -> None:
    """Compare A and B on GOLD; each is a bundled model, a model folder, or a labeled file of what was predicted."""
    from gatewise.runtime.compare import KINDS, compare_outputs

    found = compare_outputs(
        a,
        b,
        gold,
        split_columns(columns),
        kind=expect_choice("--task", task, KINDS),
        conlleval=conlleval,
        seed=seed,
        resamples=resamples,
        rounds=rounds,
    )
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
        return
    show(comparison_table(found, title=f"{gold.name}: {len(found.a.sentences)} sentences ({found.kind})"))
    for line in verdict(found):
        show(line)
    if top and found.sentences:
        show(sentences_table(found, top))


def comparison_table(found: Comparison, *, title: str) -> Table:
    """Both outputs, a line each."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    table.add_column("", overflow="fold")
    for name in ("precision", "recall", found.a.main_name, "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for letter, name, scores in (("A", found.name_a, found.a), ("B", found.name_b, found.b)):
        table.add_row(f"{letter} {name}", *_cells(scores))
    return table


def verdict(found: Comparison) -> list[str]:
    """The difference, its interval and p value, and in how many sentences each is better."""
    test, better = found.significance, found.fewer_errors
    interval = "" if found.difference is None else f", {format_interval(found.difference)}"
    return [
        f"B - A: {100 * test.difference:+.2f}{interval}",
        f"p = {test.p_value:.4f} (approximate randomization, {test.rounds} rounds)",
        f"fewer errors: A in {better['a']} sentences, B in {better['b']}, neither in {better['neither']}",
    ]


def sentences_table(found: Comparison, top: int) -> Table:
    """The sentences in which the two differ most, with the number of errors of each."""
    from rich import box
    from rich.table import Table

    title = "sentences that differ most, and their errors"
    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold", expand=True)
    for name, width in (("number", 6), ("A", 4), ("B", 4)):
        table.add_column(name, justify="right", width=width)
    table.add_column("text", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in found.sentences[:top]:
        table.add_row(str(row.number), str(row.errors_a), str(row.errors_b), row.text)
    return table


def _cells(scores: Scores) -> tuple[str, ...]:
    interval = scores.interval
    both = ("", "")
    if scores.spans is not None:
        overall = scores.spans.overall
        both = (f"{100 * overall.precision:.2f}", f"{100 * overall.recall:.2f}")
    return (
        *both,
        f"{100 * scores.main:.2f}",
        "" if interval is None else f"{100 * interval.low:.2f} to {100 * interval.high:.2f}",
    )
