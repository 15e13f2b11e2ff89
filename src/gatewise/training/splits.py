"""The splits of a training run: which file each head reads for train, dev and test, read and checked.

In: a configuration and labeled files, or sentences in memory. Out: a `Corpus` with the configuration that they decided,
or an error, before any time is spent on training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatewise.errors import TrainingError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.answers import read_gold
from gatewise.model.config import Config
from gatewise.model.corpus import head_columns, resolve_config
from gatewise.model.given import Data
from gatewise.model.heads import MAIN_HEAD, task_of
from gatewise.model.label_facts import label_facts
from gatewise.model.labeled import Reading, labeled_for, read_labeled
from gatewise.text.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The labeled files of a run, or sentences in memory; `columns` says how column files are laid out."""

    train: Data
    dev: Data | None = None
    test: Data | None = None
    columns: Sequence[str] = DEFAULT_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The splits of a run, read, and the configuration they decided.

    With further heads, sentences of all their files stand here, each with the tags of the heads it is labeled for.
    `columns` says how column files of the run are laid out.
    """

    config: Config
    train: list[Sentence]
    dev: list[Sentence]
    test: list[Sentence] = field(default_factory=list)
    columns: Sequence[str] = DEFAULT_COLUMNS

    @property
    def splits(self) -> dict[str, list[Sentence]]:
        """The splits that are there, by name, without their empty sentences: those labeled for the main head as
        `train`, `dev` and `test`, those for others as `train (ner)`, …"""
        found = self.splits_of(MAIN_HEAD)
        for head in self.config.heads:
            found |= {f"{name} ({head})": split for name, split in self.splits_of(head).items()}
        return found

    def splits_of(self, head: str) -> dict[str, list[Sentence]]:
        """The same of one head, as `train`, `dev` and `test`."""
        named = {"train": self.train, "dev": self.dev, "test": self.test}
        labeled = {name: labeled_for(split, head) for name, split in named.items()}
        return {name: [s for s in split if len(s)] for name, split in labeled.items() if split}


def read_splits(config: Config, files: Files) -> Corpus:
    """Read all files, of all heads, and decide what the configuration left to the data.

    Raises FormatError, ConfigError or TrainingError, before any time is spent on training.
    """
    config = resolve_config(config, files.train, files.columns)
    splits: dict[str, list[Sentence]] = {}
    for name in ("train", "dev", "test"):
        readings = readings_of(config, files, name)
        splits[name] = read_labeled(readings)
        for reading in readings:
            if not any(map(len, labeled_for(splits[name], reading.head))):
                where = f"heads.{reading.head}: " if reading.head else ""
                raise TrainingError(
                    f"{where}{reading.path}: expected at least one sentence, found none; check the path and the format"
                )
            if name == "test":
                read_gold(reading.path, reading.task, reading.columns)
    _expect_known_labels(config, files, splits["train"], splits["dev"])
    return Corpus(config=config, columns=files.columns, **splits)


def readings_of(config: Config, files: Files, split: str) -> list[Reading]:
    """Which file each head reads for a split (train, dev or test), the main one first; none where it has no file."""
    own: Data | None = getattr(files, split)
    found = []
    if own is not None:
        found.append(Reading(head=MAIN_HEAD, path=own, task=config.task, columns=files.columns))
    for name, head in config.heads.items():
        of_head = getattr(head, split)
        task, columns = task_of(head, config.task), head_columns(head, files.columns)
        if of_head:
            found.append(Reading(head=name, path=Path(of_head), task=task, columns=columns))
        elif own is not None and not head.train:
            found.append(Reading(head=name, path=own, task=task, columns=columns))
    return found


def _expect_known_labels(config: Config, files: Files, train: list[Sentence], dev: list[Sentence]) -> None:
    """Labels that only dev has can never be right; when it has no others, something is wrong with the files."""
    trained_on = {reading.head: reading.path for reading in readings_of(config, files, "train")}
    for reading in readings_of(config, files, "dev"):
        sides = (labeled_for(split, reading.head) for split in (train, dev))
        known, wanted = (label_facts(side, reading.task.scheme).counts for side in sides)
        if wanted and not set(wanted) & set(known):
            where = f"heads.{reading.head}: " if reading.head else ""
            raise TrainingError(
                f"{where}{reading.path}: expected labels that {trained_on[reading.head]} has ({_first(known)}), found"
                f" only others ({_first(wanted)}); check that both files are of one corpus and --columns names the same"
                " column"
            )


def _first(labels: Iterable[str], count: int = 8) -> str:
    names = list(labels)
    return ", ".join(names[:count]) + (", …" if len(names) > count else "") or "none"
