"""`gatewise convert`: labeled text from one format or scheme to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import columns_option, expect_choice, split_columns, writing
from gatewise.errors import FormatError, SchemeError

if TYPE_CHECKING:
    from gatewise.formats import Alignment
    from gatewise.formats.labeled_text import Tally
    from gatewise.formats.source import Located, Source
    from gatewise.text.sentence import Sentence

_NAMES = "conll, conllu, jsonl, doccano, label-studio, prodigy, cluener, parquet, docbin"


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--from", "source_format", default="auto", show_default=True, help=f"{_NAMES}, text; auto: found out.")
@click.option("--to", "target_format", default="auto", show_default=True, help=f"{_NAMES}, inline; auto: by name.")
@click.option("--scheme", help="Scheme of the tags that are written: IOB1, BIO, BIOES, BMES, BILOU.")
@click.option("--tokenizer", default="auto", show_default=True, help="For text: characters, words, whitespace.")
@click.option("--on-misaligned", default="error", show_default=True, help="Spans cutting a token: error, expand, drop.")
@click.option("--repair", is_flag=True, help="Make tags that break their scheme legal, and say how many.")
@columns_option
def convert(
    source: str,
    target: str,
    source_format: str,
    target_format: str,
    scheme: str | None,
    tokenizer: str,
    on_misaligned: str,
    repair: bool,
    columns: str,
) -> None:
    """Read IN (- is stdin), write OUT (- is stdout); formats come from names and content unless they are given."""
    from gatewise.formats import FORMATS, Alignment, detect_format
    from gatewise.formats.losses import Losses
    from gatewise.formats.source import rereadable
    from gatewise.text.schemes import check_scheme

    expect_choice("--from", source_format, ("auto", *FORMATS))
    target_format = _target_format(target, target_format)
    if scheme is not None:
        check_scheme(scheme)
    alignment = Alignment(scheme=scheme or "BIO", tokenizer=tokenizer, on_misaligned=on_misaligned, notify=_say)
    with rereadable(source) as path:
        job = _Job(
            path=path,
            format=detect_format(path) if source_format == "auto" else source_format,
            columns=split_columns(columns),
            scheme=scheme,
            alignment=alignment,
            repair=repair,
        )
        losses = Losses(target_format)
        found = job.scheme_of_tags(target_format)
        _write(losses.passing(job.sentences(found)), target, target_format, scheme or found)
    for line in losses.lines():
        _say(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is read, and what becomes of it."""

    path: Source
    format: str
    columns: tuple[str, ...]
    scheme: str | None
    alignment: Alignment
    repair: bool

    def scheme_of_tags(self, target_format: str) -> str | None:
        """The scheme that the source's tags are in, where somebody has to know; it costs a reading of the file."""
        from gatewise.formats import SPAN_FORMATS, detect_file_scheme

        if self.format in SPAN_FORMATS:
            return self.alignment.scheme
        if self.format == "text" or not (self.scheme or self.repair or target_format in SPAN_FORMATS):
            return None
        try:
            return detect_file_scheme(self.path, self.format, self.columns).scheme
        except FormatError:
            if not self.repair:
                raise
            return self._scheme_of_prefixes()

    def sentences(self, found: str | None) -> Iterator[Sentence]:
        """The sentences with their tags as they are to be written."""
        from gatewise.formats import read_text
        from gatewise.formats.labeled_text import Tally

        if self.format == "text":
            yield from read_text(self.path, tokenizer=self.alignment.tokenizer)
            return
        tally = Tally()
        repaired = 0
        for located in self._located():
            if located.sentence.tags is None:
                yield self._tagged(located, tally)
            elif found is None:
                yield located.sentence
            else:
                sentence, changed = self._in_scheme(located, located.sentence, found)
                repaired += changed
                yield sentence
        tally.say(self.path, _say)
        if self.repair:
            _say(f"{self.path}: {repaired} tags repaired ({found})")

    def _located(self) -> Iterator[Located]:
        from gatewise.formats import locate_sentences

        return locate_sentences(self.path, self.format, self.columns, alignment=self.alignment)

    def _tagged(self, located: Located, tally: Tally) -> Sentence:
        """Spans of a sentence without tags become tags."""
        from gatewise.formats.labeled_text import tag_from_own_spans

        where = f"{self.path}:{located.lines[0]}"
        return tag_from_own_spans(where, located.sentence, self.alignment, tally)

    def _in_scheme(self, located: Located, sentence: Sentence, found: str) -> tuple[Sentence, int]:
        """The tags in the scheme asked for, and how many had to be repaired before."""
        from gatewise.text.repair import repair_tags
        from gatewise.text.schemes import convert_tags, find_problem

        tags = sentence.tags or ()
        changed = 0
        try:
            if self.repair and found != "plain":
                repair = repair_tags(tags, found)
                tags, changed = repair.tags, repair.changed
            if problem := find_problem(tags, found):
                raise FormatError(f"{self.path}:{located.lines[problem.index]}: {problem.message}")
            return sentence.with_tags(convert_tags(tags, found, self.scheme or found)), changed
        except SchemeError as error:
            raise FormatError(f"{self.path}:{located.lines[0]}: {error}") from error

    def _scheme_of_prefixes(self) -> str:
        """The scheme that the prefixes of broken tags point to."""
        prefixes = {tag[:1] for located in self._located() for tag in located.sentence.tags or ()}
        for letters, scheme in (("LU", "BILOU"), ("M", "BMES"), ("ES", "BIOES")):
            if prefixes & set(letters):
                return scheme
        return "BIO"


def _target_format(target: str, asked: str) -> str:
    from gatewise.formats import BINARY_FORMATS, OUTPUT_FORMATS, format_of_name

    if asked == "auto":
        if target.removesuffix(".gz").lower().endswith(".json"):
            raise FormatError(f"{target}: expected --to, for several formats are named .json; set --to label-studio")
        asked = format_of_name(target) or "conll"
    expect_choice("--to", asked, (*OUTPUT_FORMATS, *BINARY_FORMATS))
    if asked in BINARY_FORMATS and target == "-":
        raise FormatError(f"-: expected a file for {asked}, found standard output; name a file")
    return asked


def _write(sentences: Iterator[Sentence], target: str, format: str, scheme: str | None) -> None:
    from gatewise.formats import BINARY_FORMATS, write_binary, write_sentences

    if format in BINARY_FORMATS:
        write_binary(sentences, target, format)
        return
    with writing(None if target == "-" else Path(target)) as stream:
        write_sentences(sentences, stream, format, scheme=scheme)


def _say(message: str) -> None:
    click.echo(message, err=True)
