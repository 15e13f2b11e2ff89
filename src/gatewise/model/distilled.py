"""What a model was distilled from: enough to do it again.

In: the teachers of a training run and the raw text that they labeled. Out: a `Distilled`, as config.json, the model
card, metrics.jsonl and the report tell it. Paths stand as they were given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatewise.model.archive_files import CONFIG_FILE, read_file
from gatewise.model.config import DistillationConfig

DISTILLED_KEY = "distilled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """A model that taught: its path, its name, and the SHA-256 of its config.json, which has those of the other files
    and the temperature."""

    path: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """The teachers, on how many labeled sentences they were asked, and how many sentences and tokens of which raw file
    they labeled."""

    teachers: tuple[Teacher, ...]
    labeled_sentences: int = 0
    raw: str = ""
    raw_sentences: int = 0
    raw_tokens: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)

    def rows(self, settings: DistillationConfig) -> Mapping[str, str]:
        """What there is to tell, in short, for tables."""
        found = {f"teacher {one.path}": f"{one.name}, SHA-256 of its config.json {one.sha256}" for one in self.teachers}
        if self.labeled_sentences:
            share = f"{self.labeled_sentences:,} labeled sentences, weight {settings.weight:g} beside gold tags"
            found["distilled on"] = share
        if self.raw:
            share = f"{self.raw_sentences:,} sentences, {self.raw_tokens:,} tokens, loss weight {settings.raw_weight:g}"
            found[f"raw text {self.raw}"] = share
        return found


def teacher_of(path: str, name: str, folder: Path) -> Teacher:
    """The teacher that was given as `path`, a model of this name in this folder."""
    return Teacher(path=path, name=name, sha256=hashlib.sha256(read_file(folder / CONFIG_FILE)).hexdigest())
