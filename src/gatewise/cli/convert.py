"""`gatewise convert`: labeled text from one format or scheme to another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import columns_option, expect_choice, split_columns, writing
from gatewise.errors import ConfigError

if TYPE_CHECKING:
    from gatewise.text.sentence import Sentence


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--from", "source_format", default="auto", show_default=True, help="conll, conllu, jsonl.")
@click.option("--to", "target_format", default="auto", show_default=True, help="conll, conllu, jsonl, inline.")
@click.option("--scheme", help="Scheme of the tags that are written: BIO, BIOES, BMES.")
@columns_option
def convert(source: str, target: str, source_format: str, target_format: str, scheme: str | None, columns: str) -> None:
    """Read IN, write OUT (- is stdout); formats come from the names unless they are given."""
    from gatewise.formats import FORMATS, OUTPUT_FORMATS, format_of_name, read_sentences, write_sentences

    expect_choice("--from", source_format, ("auto", *FORMATS))
    if target_format == "auto":
        target_format = format_of_name(target) or "conll"
    expect_choice("--to", target_format, OUTPUT_FORMATS)
    named = None if source_format == "auto" else source_format
    sentences = read_sentences(source, named, split_columns(columns))
    if scheme is not None:
        sentences = _in_scheme(source, named, split_columns(columns), scheme)
    with writing(None if target == "-" else Path(target)) as stream:
        write_sentences(sentences, stream, target_format)


def _in_scheme(source: str, named: str | None, columns: tuple[str, ...], scheme: str) -> Iterator[Sentence]:
    """The sentences with their tags in another scheme; the file's own is detected, and verified line by line."""
    from gatewise.formats import detect_file_scheme, read_sentences
    from gatewise.text.schemes import check_scheme, convert_tags

    check_scheme(scheme)
    if source == "-":
        raise ConfigError(
            "-: expected a file, for its scheme is found by reading it twice, found standard input; save it"
        )
    found = detect_file_scheme(source, named, columns).scheme
    for sentence in read_sentences(source, named, columns, scheme=found):
        yield sentence.with_tags(convert_tags(sentence.tags or (), found, scheme))
