"""`gatewise check`: what is wrong with labeled files, before anyone trains on them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatewise.cli.options import column_option, columns_option, expect_choice, show, split_columns
from gatewise.errors import FormatError

if TYPE_CHECKING:
    from gatewise.formats.source import Source
    from gatewise.text.hygiene import CheckReport
    from gatewise.text.sentence import Sentence

SPLITS = ("train", "dev", "test")
_SPLIT_IN_NAME = re.compile(r"(?<![a-z])(train|dev|test)(?![a-z])")


@click.command()
@click.argument("train", type=click.Path(path_type=Path))
@click.argument("dev", type=click.Path(path_type=Path), required=False)
@click.argument("test", type=click.Path(path_type=Path), required=False)
@click.option("--from", "format", default="auto", show_default=True, help="The format of all files, if not their own.")
@column_option
@columns_option
@click.option("--limit", default=10, show_default=True, type=click.IntRange(min=1), help="Places shown of a kind.")
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too, not on errors alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    train: Path,
    dev: Path | None,
    test: Path | None,
    format: str,
    column: str | None,
    columns: str,
    limit: int,
    strict: bool,
    as_json: bool,
) -> None:
    """Check labeled files (- is stdin): sizes, illegal tags, duplicates, leaks, slips, odd characters.

    Exits with 0 when there is no error, 1 when there is one, 2 when a file cannot be read.
    """
    from gatewise.formats import FORMATS
    from gatewise.formats.source import STANDARD_INPUT, rereadable
    from gatewise.text.hygiene import check_corpus

    expect_choice("--from", format, ("auto", *FORMATS))
    given = [path for path in (train, dev, test) if path is not None]
    if [str(path) for path in given].count(STANDARD_INPUT) > 1:
        raise FormatError("-: expected standard input for one of the files, found it for two; save one of them first")
    paths: dict[str, Source] = dict(name_splits(given))
    named = None if format == "auto" else format
    with ExitStack() as kept:
        paths = {name: kept.enter_context(rereadable(path)) for name, path in paths.items()}
        readings = {name: partial(_read, path, named, split_columns(columns), column) for name, path in paths.items()}
        report = check_corpus(readings, limit=limit)
    findings = judge(report)
    if as_json:
        click.echo(json.dumps(report_json(report, paths, findings), ensure_ascii=False, indent=1))
    else:
        from gatewise.cli.check_text import finding_lines, label_table, size_table

        show(size_table(report))
        show(label_table(report))
        for line in finding_lines(report, paths, findings, limit):
            click.echo(line)
    levels = {finding["level"] for finding in findings}
    if "error" in levels or (strict and "warning" in levels):
        sys.exit(1)


def name_splits(paths: Sequence[Path]) -> dict[str, Path]:
    """Which split each file is: as its name says (`my.test.tsv` is test), or else by its place."""
    found = [_SPLIT_IN_NAME.search(path.name.lower()) for path in paths]
    named = [match[0] for match in found if match]
    names = named if len(set(named)) == len(paths) else list(SPLITS)
    return dict(zip(names, paths, strict=False))


def judge(report: CheckReport) -> list[dict[str, Any]]:
    """The findings, worst first: errors make the files unfit, warnings make scores doubtful, notes are to know."""
    found: list[tuple[str, str, int, str]] = []
    for name, facts in report.splits.items():
        found += [
            ("error", "empty", int(not facts.sentences), f"{name}: an empty file"),
            ("warning", "without tags", facts.without_tags, f"{name}: sentences without tags"),
            ("note", "without tokens", facts.without_tokens, f"{name}: sentences without tokens"),
        ]
    found.append(("error", "illegal tags", report.illegal_count, f"tags that break the scheme {report.scheme}"))
    for repeat in report.repeats:
        inside = repeat.split == repeat.other
        kind, level = ("duplicates", "note") if inside else ("leaks", "warning")
        again = f"{repeat.split}: sentences that stand {'earlier in it' if inside else f'in {repeat.other}'} too"
        found += [
            (level, kind, repeat.exact, f"{again}, word for word"),
            ("note", kind, repeat.normalized - repeat.exact, f"{again}, but for case, width and digits"),
            ("warning", "conflicts", repeat.conflicting, f"{again}, and are tagged otherwise there"),
        ]
    for name, labels in report.only_in.items():
        level = "note" if name == "train" else "warning"  # a label that training lacks is never predicted
        shown = ", ".join(labels)
        found.append((level, "labels in one split", len(labels), f"{name}: labels that no other split has: {shown}"))
    found.append(("note", "suspects", report.suspect_count, "strings labeled in more than one way"))
    found += [(_level(kind), kind, count, f"characters: {text}") for kind, count, text in _odd_kinds(report)]
    found.append(("warning", "odd tokens", report.odd_token_count, "tokens with white space at an end or of odd kinds"))
    order = ("error", "warning", "note")
    found.sort(key=lambda entry: order.index(entry[0]))
    return [{"level": a, "kind": b, "count": n, "message": text} for a, b, n, text in found if n]


def report_json(report: CheckReport, paths: Mapping[str, Source], findings: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole report; lines count from 1 in the file of their split."""
    content = asdict(report)
    for entry, repeat in zip(content["repeats"], report.repeats, strict=True):
        entry["places"] = [[here.line, there.line] for here, there in repeat.places]
    for odd, character in zip(content["odd_characters"], report.odd_characters, strict=True):
        odd["code"] = character.code
    return {"files": {name: str(path) for name, path in paths.items()}, "findings": findings, **content}


def _read(
    path: Source, format: str | None, columns: Sequence[str], column: str | None
) -> Iterable[tuple[Sentence, Sequence[int]]]:
    from gatewise.formats.corpus import locate_sentences

    return ((found.sentence, found.lines) for found in locate_sentences(path, format, columns, column=column))


def _odd_kinds(report: CheckReport) -> list[tuple[str, int, str]]:
    from gatewise.text.odd_characters import KINDS

    counts = {kind: sum(odd.count for odd in report.odd_characters if odd.kind == kind) for kind in KINDS}
    return [(kind, count, f"{kind} ({KINDS[kind]})") for kind, count in counts.items()]


def _level(kind: str) -> str:
    from gatewise.text.odd_characters import SERIOUS

    return "warning" if kind in SERIOUS else "note"
