"""What a job is asked for, and whether that goes together.

In: the options of `gatewise tag`. Out: the same, checked, with what follows from them: which heads are asked, whether
probabilities are computed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatewise.errors import ConfigError
from gatewise.formats import DEFAULT_COLUMNS

_WITH_SCORES = ("jsonl", "parquet")  # formats that hold probabilities; for others none are computed
_WITH_HEADS = ("jsonl", "conll")  # formats that hold what further heads say; for others none is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How files are tagged and written, as the options of `gatewise tag` are called."""

    target: str = "inline"
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    split: bool = False
    n_best: int | None = None
    constrain: Path | None = None
    dictionary: Path | None = None
    hard_dictionary: bool = False
    min_score: float | None = None
    neighbors: int | None = None
    head: str = ""

    def __post_init__(self) -> None:
        if self.n_best is not None and (self.target != "jsonl" or self.min_score is not None):
            found = "--min-score" if self.target == "jsonl" else f"--to {self.target}"
            raise ConfigError(f"--n-best: expected --to jsonl and no --min-score, found {found}; change that")
        if self.n_best is not None and self.neighbors is not None:
            raise ConfigError("--n-best: expected no --neighbors, which change the best tags alone; leave one out")
        if self.hard_dictionary and self.dictionary is None:
            raise ConfigError("--hard-dictionary: expected a dictionary, found none; add --dictionary FILE")

    @property
    def scores(self) -> bool:
        """Whether probabilities are computed."""
        return self.target in _WITH_SCORES or self.min_score is not None

    @property
    def asked_head(self) -> str | None:
        """The one head that is asked; None for all of them."""
        return None if not self.head and self.target in _WITH_HEADS else self.head

    def identity(self) -> dict[str, Any]:
        """What decides what comes out, by the option's name; files by their path, size and time."""
        values = {f"--{name.replace('_', '-')}": value for name, value in asdict(self).items()}
        values["--to"] = values.pop("--target")
        values["--columns"] = ",".join(self.columns)
        for name in ("--constrain", "--dictionary"):
            values[name] = None if (path := values[name]) is None else _file(path)
        return values


def _file(path: Path) -> list[Any]:
    try:
        status = path.stat()
    except OSError:  # whoever reads it says what is wrong
        return [str(path)]
    return [str(path), status.st_size, status.st_mtime_ns]
