"""What labels mean: the tag sets in wide use, each label in English and in Chinese, one TOML file a set.

In: the labels of a model. Out: the `TagSet` that explains most of them, or none. A label that no set holds has no
meaning here; none is ever guessed. Each file names its source; the wording is this project's own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ENOUGH = 2 / 3
_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a label stands for, in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSet:
    """A tag set: its short name (`upos`), its title, where its definitions stand, and label → meaning."""

    name: str
    title: str
    source: str
    meanings: Mapping[str, Meaning]


@cache
def tag_sets() -> tuple[TagSet, ...]:
    """Every tag set that is known here, in alphabetical order of the names."""
    return tuple(_read(path) for path in sorted(_FOLDER.glob("*.toml")))


def find_tag_set(labels: Collection[str]) -> TagSet | None:
    """The set that explains most of these labels; of equals, the smallest.

    None when no set explains two labels in three: where so much is foreign, what looks alike may mean something else.

    >>> find_tag_set(["PER", "LOC", "ORG", "MISC"]).name
    'conll2003'
    """
    wanted = set(labels)
    ranked = [(len(wanted & known.meanings.keys()), -len(known.meanings), known) for known in tag_sets()]
    covered, _, best = max(ranked, key=lambda entry: entry[:2])
    return best if wanted and covered >= _ENOUGH * len(wanted) else None


def _read(path: Path) -> TagSet:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    meanings = {label: Meaning(en=en, zh=zh) for label, (en, zh) in table["labels"].items()}
    return TagSet(name=path.stem, title=table["title"], source=table["source"], meanings=meanings)
