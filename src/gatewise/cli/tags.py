"""`gatewise tags`: what a model's labels mean, how often training saw them, and an example of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import click

from gatewise.cli.options import lang_option, show

if TYPE_CHECKING:
    from rich.console import Group

    from gatewise.model.archive import ModelArchive
    from gatewise.model.heads import ModelHead

_WORDS = {
    "en": {
        "label": "label",
        "count": "in training",
        "meaning": "meaning",
        "example": "example",
        "set": "Meanings: {title}\n{source}",
        "unknown": "No tag set known here explains these labels; none is guessed.",
        "some": "Without a meaning, for this tag set does not hold them: {labels}",
        "no_counts": "This model was saved without counts and examples; training it again stores them.",
        "scheme": "Scheme {scheme}",
        "head": "head",
    },
    "zh": {
        "label": "标签",
        "count": "训练中出现",
        "meaning": "含义",
        "example": "例子",
        "set": "含义依据：{title}\n{source}",
        "unknown": "没有已知的标注集能解释这些标签；不作猜测。",
        "some": "此标注集中没有、因而不给出含义的标签：{labels}",
        "no_counts": "保存此模型时没有记录次数和例子；重新训练即可记录。",
        "scheme": "标注方案 {scheme}",
        "head": "输出头",
    },
}


@click.command()
@click.argument("model")
@lang_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the meanings in both languages.")
def tags(model: str, lang: Literal["en", "zh"], as_json: bool) -> None:
    """Explain every label of MODEL (a bundled name or a folder): its meaning, its count in training, an example."""
    from gatewise.model.archive import open_model
    from gatewise.model.bundled import find_model

    found = describe_labels(open_model(find_model(model)))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        show(_page(found, lang))


def describe_labels(archive: ModelArchive) -> dict[str, Any]:
    """Every label of every head with all that is known of it; null stands for what is not known."""
    described = {"model": archive.name, **_describe_head(archive.head())}
    if archive.heads:
        described["heads"] = {name: _describe_head(head) for name, head in archive.heads.items()}
    return described


def _describe_head(head: ModelHead) -> dict[str, Any]:
    from gatewise.model.label_facts import bare_labels
    from gatewise.text.tagsets import find_tag_set

    labels = bare_labels(head.labels, head.scheme)
    known = find_tag_set(labels)
    meanings = known.meanings if known else {}
    facts = head.facts
    return {
        "scheme": head.scheme,
        "tag_set": {"name": known.name, "title": known.title, "source": known.source} if known else None,
        "labels": [
            {
                "label": label,
                "count": facts.counts.get(label, 0) if facts.counts else None,
                "meaning": {"en": meanings[label].en, "zh": meanings[label].zh} if label in meanings else None,
                "example": facts.examples.get(label),
            }
            for label in labels
        ],
    }


def _page(found: dict[str, Any], lang: Literal["en", "zh"]) -> Group:
    """A table for the main head, and one for each further head."""
    from rich.console import Group

    titles = {name: f"{found['model']} · {_WORDS[lang]['head']} {name}" for name in found.get("heads", {})}
    further = [_table(head, titles[name], lang) for name, head in found.get("heads", {}).items()]
    return Group(_table(found, found["model"], lang), *further)


def _table(found: dict[str, Any], name: str, lang: Literal["en", "zh"]) -> Group:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    words = _WORDS[lang]
    title = f"{name} · {words['scheme'].format(scheme=found['scheme'])}"
    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    table.add_column(words["label"], overflow="fold")
    table.add_column(words["count"], justify="right")
    table.add_column(words["meaning"], overflow="fold")
    table.add_column(words["example"], overflow="fold")
    for entry in sorted(found["labels"], key=lambda entry: (-(entry["count"] or 0), entry["label"])):
        count = "" if entry["count"] is None else f"{entry['count']:,}"
        meaning = entry["meaning"][lang] if entry["meaning"] else ""
        table.add_row(Text(entry["label"] or "–"), count, meaning, Text(entry["example"] or ""))
    return Group(table, *(Text(note) for note in _notes(found, words)))


def _notes(found: dict[str, Any], words: dict[str, str]) -> list[str]:
    unknown = [entry["label"] for entry in found["labels"] if entry["meaning"] is None]
    notes = []
    if found["tag_set"]:
        notes.append(words["set"].format(**found["tag_set"]))
        if unknown:
            notes.append(words["some"].format(labels=", ".join(unknown)))
    elif unknown:
        notes.append(words["unknown"])
    if all(entry["count"] is None for entry in found["labels"]):
        notes.append(words["no_counts"])
    return notes
