"""`gatewise calibrate`: fit a temperature on held-out text, and put it into a model folder that is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import columns_option, show, split_columns

if TYPE_CHECKING:
    from rich.table import Table

    from gatewise.model.calibration import CalibrationChange


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("dev", type=click.Path(path_type=Path))
@click.option("--test", type=click.Path(path_type=Path), help="Labeled text that shows whether it holds elsewhere too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@columns_option
def calibrate(model: Path, dev: Path, test: Path | None, as_json: bool, columns: str) -> None:
    """Make the probabilities of MODEL (a folder) mean what they say: fit a temperature on DEV, and store it.

    DEV is labeled text that the model was not trained on. No tag changes. The temperature goes into config.json, the
    figures into the card, README.md. `gatewise train --dev` does this by itself; this is for other models, and other
    texts.
    """
    from gatewise.errors import FormatError
    from gatewise.model.archive import open_model
    from gatewise.model.calibrated import store_temperature
    from gatewise.model.card import with_calibrations
    from gatewise.model.corpus import read_corpus
    from gatewise.runtime import Tagger
    from gatewise.runtime.calibration import calibrate as fit_on_dev

    archive = open_model(model)
    tagger = Tagger(archive)
    golds = {}
    for split, path in (("dev", dev), ("test", test)):
        if path is not None:
            golds[split] = list(read_corpus(path, archive.config.task, split_columns(columns)))
            if not any(map(len, golds[split])):
                raise FormatError(f"{path}: expected at least one sentence, found none; check the path and the format")
    chosen, changes = fit_on_dev(tagger, golds)
    store_temperature(model, chosen.temperature, with_calibrations(archive.card, changes))
    if as_json:
        found = {
            "temperature": chosen.temperature,
            "before": archive.temperature,
            "doubt": chosen.doubt or None,
            "left_out": chosen.fit.left_out,
            "calibration": {split: change.to_dict() for split, change in changes.items()},
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    show(_table(changes, title=f"{model.name}: expected calibration error, in percent"))
    if chosen.doubt:
        click.echo(chosen.doubt, err=True)
    click.echo(f"{model}: temperature {chosen.temperature:g} is stored, it was {archive.temperature:g}", err=True)


def calibration_line(changes: Mapping[str, CalibrationChange], doubt: str) -> str:
    """`temperature 1.64: expected calibration error of spans on dev 6.25 → 1.45 %, …`, or why it is 1."""
    if doubt:
        return f"temperature 1: {doubt}"
    temperature = changes["dev"].after.temperature
    told = []
    for split, change in changes.items():
        name, (before, after) = list(change.tables.items())[-1]
        told.append(f"of {name} on {split} {100 * before.expected_error:.2f} → {100 * after.expected_error:.2f} %")
    return f"temperature {temperature:g}: expected calibration error {', '.join(told)}"


def _table(changes: Mapping[str, CalibrationChange], *, title: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    names = ("split", "of", "count", "mean probability", "right", "at temperature 1", "stored")
    for name in names:
        table.add_column(name, justify="left" if name in names[:2] else "right")
    for split, change in changes.items():
        for name, (before, after) in change.tables.items():
            shares = (f"{100 * share:.2f}" for share in (after.confidence, after.accuracy))
            errors = (f"{100 * found.expected_error:.2f}" for found in (before, after))
            table.add_row(split, name, str(after.count), *shares, *errors)
    return table
