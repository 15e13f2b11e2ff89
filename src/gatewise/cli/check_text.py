"""The report of `gatewise check` as people read it: tables of sizes and labels, then the findings with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

    from gatewise.formats.source import Source
    from gatewise.text.hygiene import CheckReport

_STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "note": {"fg": "cyan"},
}
_SHOWN_LABELS = 60


def finding_lines(
    report: CheckReport, paths: Mapping[str, Source], findings: Sequence[Mapping[str, Any]], limit: int
) -> Iterator[str]:
    """One line a finding with its count, then the places of each kind, `limit` at most, never wrapped."""
    for finding in findings:
        level = click.style(f"{finding['level']:8}", **_STYLES[finding["level"]])
        yield f"{level}{finding['count']:>9,}  {finding['message']}"
    if not findings:
        yield click.style("Nothing to report.", fg="green", bold=True)
    for title, places in _details(report, paths, limit):
        yield ""
        yield click.style(title, bold=True)
        yield from (f"  {place}" for place in places)


def size_table(report: CheckReport) -> Table:
    """How large each split is, and where its longest sentences stand."""
    table = _table("Sizes", "split", "sentences", "tokens", "characters", "mean length", "longest")
    for name, facts in report.splits.items():
        longest = "".join(f"{tokens:,} (line {place.line})" for tokens, place in facts.longest[:1])
        mean = facts.tokens / facts.sentences if facts.sentences else 0.0
        table.add_row(
            name, f"{facts.sentences:,}", f"{facts.tokens:,}", f"{facts.characters:,}", f"{mean:.1f}", longest
        )
    return table


def label_table(report: CheckReport) -> Table:
    """The labels of all splits, the most frequent first."""
    from rich.text import Text

    totals: dict[str, int] = {}
    for facts in report.splits.values():
        for label, count in facts.labels.items():
            totals[label] = totals.get(label, 0) + count
    ordered = sorted(totals, key=lambda label: (-totals[label], label))
    table = _table(f"Labels (scheme {report.scheme})", "label", *report.splits)
    for label in ordered[:_SHOWN_LABELS]:
        table.add_row(Text(label or "–"), *(f"{facts.labels.get(label, 0):,}" for facts in report.splits.values()))
    if len(ordered) > _SHOWN_LABELS:
        table.add_row(f"and {len(ordered) - _SHOWN_LABELS:,} more", *("" for _ in report.splits))
    return table


def _details(report: CheckReport, paths: Mapping[str, Source], limit: int) -> Iterator[tuple[str, list[str]]]:
    if report.illegal:
        shown = [f"{paths[i.place.split]}:{i.place.line}: {i.message}" for i in report.illegal]
        yield _headline("Illegal tags", len(shown), report.illegal_count), shown
    for repeat in report.repeats:
        if repeat.places:
            title = "Duplicates in" if repeat.split == repeat.other else f"Leaks from {repeat.other} into"
            shown = [f"{paths[a.split]}:{a.line} is {paths[b.split]}:{b.line}" for a, b in repeat.places]
            yield _headline(f"{title} {repeat.split}", len(shown), repeat.exact), shown
    if report.suspects:
        shown = []
        for suspect in report.suspects:
            usages = ", ".join(f"{use.label or '–'} {use.count:,}×" for use in suspect.usages)
            rare = suspect.usages[-1]
            shown.append(f"{suspect.text}: {usages}; {rare.label or '–'} first at {paths[rare.split]}:{rare.line}")
        yield _headline("Strings labeled in more than one way", len(shown), report.suspect_count), shown
    if report.odd_characters:
        shown = [
            f"{odd.code}, {odd.kind}: {odd.count:,}×, first at {paths[odd.split]}:{odd.line}"
            for odd in report.odd_characters[:limit]
        ]
        yield _headline("Odd characters", len(shown), len(report.odd_characters)), shown
    if report.odd_tokens:
        shown = [f"{paths[place.split]}:{place.line}: {form!r}" for form, place in report.odd_tokens]
        yield _headline("Tokens with odd white space", len(shown), report.odd_token_count), shown


def _headline(title: str, shown: int, of: int) -> str:
    return f"{title}, {shown:,} of {of:,}" if shown < of else title


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table
