"""`gatewise convert`: labeled text from one format or scheme to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatewise.cli.options import column_option, columns_option, expect_choice, split_columns, writing
from gatewise.errors import ConfigError, FormatError, SchemeError

if TYPE_CHECKING:
    from gatewise.formats import Alignment
    from gatewise.formats.source import Located, Source
    from gatewise.formats.tally import Tally
    from gatewise.text.sentence import Sentence

_NAMES = "conll, conllu, jsonl, doccano, label-studio, prodigy, cluener, parquet, docbin"


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option(
    "--from", "source_format", default="auto", show_default=True, help=f"{_NAMES}, segmented, text; auto: found out."
)
@click.option("--to", "target_format", default="auto", show_default=True, help=f"{_NAMES}, inline; auto: by name.")
@click.option("--scheme", help="Scheme of the tags that are written: IOB1, BIO, BIOES, BMES, BILOU.")
@click.option("--tokenizer", default="auto", show_default=True, help="For text: characters, words, whitespace.")
@click.option("--on-misaligned", default="error", show_default=True, help="Spans cutting a token: error, expand, drop.")
@click.option("--repair", is_flag=True, help="Make tags that break their scheme legal, and say how many.")
@column_option
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
    column: str | None,
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
        format = detect_format(path) if source_format == "auto" else source_format
        read, written = _places(format, target_format, split_columns(columns), column)
        job = _Job(path=path, format=format, places=read, scheme=scheme, alignment=alignment, repair=repair)
        losses = Losses(target_format)
        found = job.scheme_of_tags(target_format)
        if target_format == "docbin" and written.column is None and job.has_plain_tags(found):
            written = replace(written, column="tag")
            _say(
                f"{target}: tags that mark no spans are written to TAG, not to the entities; read them by --column tag"
            )
        _write(losses.passing(job.sentences(found)), target, target_format, written, scheme or found)
        job.say_line_ends()
    for line in losses.lines():
        _say(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Where a file has what: its columns by place or by name, and the column of the tags."""

    columns: tuple[str, ...]
    column: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is read, and what becomes of it."""

    path: Source
    format: str
    places: _Places
    scheme: str | None
    alignment: Alignment
    repair: bool

    def scheme_of_tags(self, target_format: str) -> str | None:
        """The scheme that the source's tags are in, where somebody has to know; it costs a reading of the file."""
        from gatewise.formats import SPAN_FORMATS, detect_file_scheme

        if self.format in SPAN_FORMATS:
            return self.alignment.scheme
        needed = self.scheme or self.repair or target_format in (*SPAN_FORMATS, "docbin")
        if self.format == "text" or not needed:
            return None
        try:
            places = self.places
            return detect_file_scheme(self.path, self.format, places.columns, column=places.column).scheme
        except FormatError:
            if not self.repair:
                raise
            return self._scheme_of_prefixes()

    def has_plain_tags(self, found: str | None) -> bool:
        """Whether there are tags, and they are plain; `found` is their scheme."""
        from gatewise.formats import locate_sentences

        if found != "plain" or self.format == "text":
            return False
        places = self.places
        located = locate_sentences(self.path, self.format, places.columns, column=places.column)
        return any(one.sentence.tags for one in located)

    def sentences(self, found: str | None) -> Iterator[Sentence]:
        """The sentences with their tags as they are to be written."""
        from gatewise.formats import read_text
        from gatewise.formats.tally import Tally

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

        return locate_sentences(
            self.path,
            self.format,
            self.places.columns,
            column=self.places.column,
            alignment=self.alignment,
            notify=_say,
        )

    def say_line_ends(self) -> None:
        """Tell of bytes of a text file that no format keeps."""
        from gatewise.formats import BINARY_FORMATS
        from gatewise.formats.line_ends import say_line_ends

        if self.format not in BINARY_FORMATS:
            say_line_ends(self.path, _say)

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


def _places(source: str, target: str, columns: tuple[str, ...], column: str | None) -> tuple[_Places, _Places]:
    """What of `--column` is for the source, and what for the target; what is for neither of them is refused."""
    from gatewise.formats.columns import column_names, tag_column

    if (names := column_names(columns)) and "parquet" not in (source, target):
        named = next(f"{part}={name}" for part, name in names.items())
        raise ConfigError(
            f'columns: expected names for a Parquet file, found "{named}" for {source} and {target}; leave it out'
        )
    found: dict[str, str | None] = dict.fromkeys((source, target))
    refused: list[ConfigError] = []
    for format in found:
        try:
            found[format] = tag_column(format, column)
        except ConfigError as error:
            refused.append(error)
    if column is not None and not any(found.values()):
        raise (
            refused[0]
            if refused
            else ConfigError(
                f'column: expected a file in conllu or docbin, found "{column}" for {source} and {target}; leave it out'
            )
        )
    return _Places(columns=columns, column=found[source]), _Places(columns=columns, column=found[target])


def _write(sentences: Iterator[Sentence], target: str, format: str, places: _Places, scheme: str | None) -> None:
    from gatewise.formats import BINARY_FORMATS, write_binary, write_sentences

    if format in BINARY_FORMATS:
        write_binary(sentences, target, format, scheme=scheme, column=places.column, columns=places.columns)
        return
    with writing(None if target == "-" else Path(target)) as stream:
        write_sentences(sentences, stream, format, scheme=scheme, column=places.column, notify=_say)


def _say(message: str) -> None:
    click.echo(message, err=True)
