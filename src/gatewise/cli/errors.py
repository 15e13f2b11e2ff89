"""`gatewise errors`: a model's errors on a labeled file, in one page to look through."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from gatewise.cli.options import columns_option, lang_option, split_columns, writing

EXPLAIN_TOKENS = 30_000  # some 6 MB of the page, and half a minute of work


@click.command()
@click.argument("model")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--html", "page", type=click.Path(path_type=Path), required=True, metavar="OUT", help="The page to write."
)
@lang_option
@columns_option
@click.option(
    "--explain-tokens",
    type=click.IntRange(min=0),
    default=EXPLAIN_TOKENS,
    show_default=True,
    help="How many tokens are explained in the page, sentence by sentence from the first with an error.",
)
def errors(model: str, file: Path, page: Path, lang: Literal["en", "zh"], columns: str, explain_tokens: int) -> None:
    """Write the errors of MODEL (a bundled name or a folder) on FILE as one offline HTML page.

    The page explains each sentence that has errors, number by number.
    """
    from gatewise.explain.errors_page import LONGEST_EXPLAINED, errors_page, page_data
    from gatewise.model.answers import read_gold
    from gatewise.runtime import load
    from gatewise.runtime.mistakes import find_mistakes

    tagger = load(model)
    gold = read_gold(file, tagger.archive.config.task, split_columns(columns))
    with writing(page) as stream:
        marked = find_mistakes(tagger, gold)
        data = page_data(marked, model=model, file=file.name, trace=tagger.trace, explained_tokens=explain_tokens)
        stream.write(errors_page(data, lang))
    found, wrong = sum(len(sentence["errors"]) for sentence in data["shown"]), len(data["shown"])
    click.echo(f"{page}: {found:,} error(s) in {wrong:,} of {data['sentences']:,} sentence(s)", err=True)
    if data["explained"] < wrong:
        click.echo(
            f"{page}: {data['explained']:,} of these {wrong:,} sentence(s) are explained in the page (--explain-tokens"
            f" {explain_tokens}, and at most {LONGEST_EXPLAINED:,} in one sentence); the others name the command that"
            " explains them",
            err=True,
        )
