"""`gatewise errors`: a model's errors on a labeled file, in one page to look through."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from gatewise.cli.options import columns_option, lang_option, split_columns, writing


@click.command()
@click.argument("model")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--html", "page", type=click.Path(path_type=Path), required=True, metavar="OUT", help="The page to write."
)
@lang_option
@columns_option
def errors(model: str, file: Path, page: Path, lang: Literal["en", "zh"], columns: str) -> None:
    """Write the errors of MODEL (a bundled name or a folder) on FILE as one offline HTML page."""
    from gatewise.explain.errors_page import errors_page
    from gatewise.model.answers import read_gold
    from gatewise.runtime import load
    from gatewise.runtime.mistakes import find_mistakes

    tagger = load(model)
    gold = read_gold(file, tagger.archive.config.task, split_columns(columns))
    marked = list(find_mistakes(tagger, gold))
    with writing(page) as stream:
        stream.write(errors_page(marked, model=model, file=file.name, lang=lang))
    found = sum(len(sentence.mistakes) for sentence in marked)
    wrong = sum(bool(sentence.mistakes) for sentence in marked)
    click.echo(f"{page}: {found:,} error(s) in {wrong:,} of {len(marked):,} sentence(s)", err=True)
