"""The heads of a model: the main one, which `[task]` describes, and the further ones of `[heads.NAME]`.

In: a resolved configuration, labels, the `heads` of a config.json. Out: frozen `ModelHead`s, and the names under which
a head's weights and emissions are found. All heads read the states of one encoder; each has labels, scheme, emission
layer and transitions of its own, and is decoded on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewise.errors import ModelError, SchemeError
from gatewise.model.config import Config, HeadConfig, TaskConfig
from gatewise.model.label_facts import LabelFacts, bare_labels, facts_from_dict

MAIN_HEAD = ""  # its weights, emissions and tags stand without a name
RESTORE = "the file was changed, restore it or train again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHead:
    """One head: what it tags (`task`, all decided), its tags in the order of its emissions, and how they are scored.

    `output` is crf or softmax; `facts` is what training saw of its labels.
    """

    name: str
    task: TaskConfig
    output: str
    labels: tuple[str, ...]
    facts: LabelFacts = field(default_factory=LabelFacts)

    @property
    def scheme(self) -> str:
        return self.task.scheme

    @property
    def breaks_at_gaps(self) -> bool:
        """Whether white space always ends a span: in segmentation, unless words hold spaces (docs/adr/0005)."""
        return self.task.kind == "segmentation" and self.task.spaces == "between"


def weights_prefix(name: str) -> str:
    """What the names of a head's weights begin with: `heads.ner.`, nothing for the main head."""
    return f"heads.{name}." if name else ""


def emissions_name(name: str) -> str:
    """The graph's output of a head: `emissions.ner`, `emissions` for the main head."""
    return f"emissions.{name}" if name else "emissions"


def task_of(head: HeadConfig, main: TaskConfig) -> TaskConfig:
    """A further head's settings as a task; its tokens are those of the main head."""
    return TaskConfig(
        kind=head.kind, tokenizer=main.tokenizer, scheme=head.scheme, column=head.column, spaces=head.spaces
    )


def heads_to_dict(heads: Mapping[str, ModelHead]) -> dict[str, Any]:
    """What config.json says of the further heads beside their settings; nothing at all where there are none."""
    if not heads:
        return {}
    return {
        "heads": {
            name: {"scheme": head.scheme, "labels": list(head.labels), **head.facts.to_dict()}
            for name, head in heads.items()
        }
    }


def heads_from_dict(description: Mapping[str, Any], config: Config, *, where: str) -> dict[str, ModelHead]:
    """The further heads that a config.json describes, in the order of the configuration.

    Raises ModelError where the description does not fit the configuration or holds a wrong value.
    """
    tables = description.get("heads", {})
    if not isinstance(tables, dict) or set(tables) != set(config.heads):
        found = ", ".join(map(str, tables)) or "none" if isinstance(tables, dict) else repr(tables)
        raise ModelError(
            f"{where}: heads: expected those of the configuration ({', '.join(config.heads) or 'none'}), found {found};"
            f" {RESTORE}"
        )
    return {name: _head_from_dict(name, tables[name], config, f"{where}: heads.{name}") for name in config.heads}


def _head_from_dict(name: str, table: Any, config: Config, where: str) -> ModelHead:
    settings = config.heads[name]
    if not isinstance(table, dict):
        raise ModelError(f"{where}: expected an object, found {table!r}; {RESTORE}")
    undecided = "auto" in (settings.kind, settings.scheme, settings.output)
    if undecided or table.get("scheme") != settings.scheme:
        raise ModelError(
            f"{where}: expected a decided head in the scheme {table.get('scheme')!r}, found {settings.scheme},"
            f" {settings.kind}, {settings.output}; {RESTORE}"
        )
    labels = strings(table, "labels", where)
    try:
        facts = facts_from_dict(table, bare_labels(labels, settings.scheme), where=where)
    except SchemeError as error:
        raise ModelError(f"{where}: labels: {error}") from error
    task = task_of(settings, config.task)
    return ModelHead(name=name, task=task, output=settings.output, labels=labels, facts=facts)


def strings(table: Mapping[str, Any], key: str, where: object) -> tuple[str, ...]:
    """The list of strings under `key`, each there once; raises ModelError for anything else."""
    entries = table.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise ModelError(
            f"{where}: {key}: expected a list of strings, found {type(entries).__name__}; restore the file"
        )
    if len(set(entries)) != len(entries):
        raise ModelError(f"{where}: {key}: expected each entry once, found one twice; restore the file")
    return tuple(entries)
