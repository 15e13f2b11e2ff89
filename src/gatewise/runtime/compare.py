"""Two outputs for the same gold data: is one better, by how much, and is that more than chance?

In: two sources (a model's name or folder, or a labeled file) and a gold file. Out: a frozen `Comparison`. Nothing is
compared but answers to the very same tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gatewise.errors import ConfigError, FormatError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.answers import (
    Answers,
    answers_from,
    check_same_text,
    read_gold,
    read_prediction,
    score_answers,
)
from gatewise.model.bundled import bundled_models
from gatewise.model.config import TaskConfig
from gatewise.model.corpus import resolve_task
from gatewise.model.scoring import Scores
from gatewise.runtime.evaluate import tagger_answers
from gatewise.runtime.tagger import Tagger, load
from gatewise.text.metrics import Counts
from gatewise.text.resampling import (
    Interval,
    Significance,
    bootstrap_difference,
    bootstrap_interval,
    randomization_test,
)

KINDS = ("auto", "tags", "spans", "segmentation")
SCHEMES = {"tags": "plain", "spans": "BIOES", "segmentation": "BIOES"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceDifference:
    """A sentence (numbered from 1) in which one makes more errors: gold spans missed and predicted spans wrong."""

    number: int
    text: str
    errors_a: int
    errors_b: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both scores with intervals, B minus A with interval and p value, and the sentences, most different first."""

    kind: str
    name_a: str
    name_b: str
    a: Scores
    b: Scores
    difference: Interval | None
    significance: Significance
    sentences: tuple[SentenceDifference, ...]

    @property
    def fewer_errors(self) -> dict[str, int]:
        """In how many sentences A, B, or neither makes fewer errors."""
        a = sum(s.errors_a < s.errors_b for s in self.sentences)
        return {"a": a, "b": len(self.sentences) - a, "neither": len(self.a.sentences) - len(self.sentences)}

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "task": self.kind,
            "a": {"name": self.name_a, **self.a.to_dict()},
            "b": {"name": self.name_b, **self.b.to_dict()},
            "difference": {
                "value": self.significance.difference,
                "interval": asdict(self.difference) if self.difference else None,
                "p_value": self.significance.p_value,
                "rounds": self.significance.rounds,
            },
            "fewer_errors": self.fewer_errors,
            "sentences": [asdict(sentence) for sentence in self.sentences],
        }


def compare_outputs(
    a: str,
    b: str,
    gold: str | Path,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    *,
    kind: str = "auto",
    conlleval: bool = False,
    seed: int = 0,
    resamples: int = 1000,
    rounds: int = 10_000,
) -> Comparison:
    """Score two outputs against a gold file and test their difference; `kind` is what files of labels are read as.

    Raises ConfigError when the two are for different tasks, FormatError when their tokens are not gold's.
    """
    sources = {name: _open(name) for name in (a, b)}
    task = _task(sources, gold, columns, kind, conlleval=conlleval)
    sentences = read_gold(gold, task, columns, conlleval=conlleval)
    truth = answers_from(str(gold), sentences, task, conlleval=conlleval)
    answers = []
    for name in (a, b):
        if tagger := sources[name]:
            found = tagger_answers(tagger, sentences, name=name)
        else:
            labeled = read_prediction(name, task, columns, conlleval=conlleval)
            found = answers_from(name, labeled, task, conlleval=conlleval)
        answers.append(check_same_text(truth, found))
    scores = [score_answers(truth, found) for found in answers]
    scores = [replace(s, interval=bootstrap_interval(s.sentences, seed=seed, resamples=resamples)) for s in scores]
    counts_a, counts_b = scores[0].sentences, scores[1].sentences
    return Comparison(
        kind=task.kind,
        name_a=a,
        name_b=b,
        a=scores[0],
        b=scores[1],
        difference=bootstrap_difference(counts_a, counts_b, seed=seed, resamples=resamples),
        significance=randomization_test(counts_a, counts_b, seed=seed, rounds=rounds),
        sentences=_differences(truth, counts_a, counts_b),
    )


def _open(name: str) -> Tagger | None:
    """The model of this name, or None where it is a file."""
    if name in bundled_models() or Path(name).is_dir():
        return load(name)
    if not Path(name).exists():
        known = ", ".join(bundled_models())
        raise FormatError(
            f"{name}: expected a bundled model ({known}), a model folder or a labeled file, found nothing by that name"
        )
    return None


def _task(
    sources: dict[str, Tagger | None], gold: str | Path, columns: Sequence[str], kind: str, *, conlleval: bool
) -> TaskConfig:
    """The task that all are read for: the models', or else the one asked for, or else what the gold file holds."""
    found = {name: tagger.archive.config.task for name, tagger in sources.items() if tagger}
    kinds = {name: task.kind for name, task in found.items()} | ({} if kind == "auto" else {"--task": kind})
    if len(set(kinds.values())) > 1:
        named = " and ".join(f"{name} ({its_kind})" for name, its_kind in kinds.items())
        raise ConfigError(f"expected outputs of the same kind, found {named}; compare two that do the same task")
    if len({task.column for task in found.values()}) > 1:
        named = " and ".join(f"{name} ({task.column})" for name, task in found.items())
        raise ConfigError(f"expected models of the same column, found {named}; compare two that do the same task")
    if found:
        return next(iter(found.values()))
    if conlleval and kind == "auto":
        kind = "spans"
    if kind == "auto":
        return resolve_task(TaskConfig(), gold, columns)
    return TaskConfig(kind=kind, scheme=SCHEMES[kind])


def _differences(gold: Answers, a: Sequence[Counts], b: Sequence[Counts]) -> tuple[SentenceDifference, ...]:
    rows = [
        SentenceDifference(number=number, text=sentence.text, errors_a=_errors(x), errors_b=_errors(y))
        for number, (sentence, x, y) in enumerate(zip(gold.sentences, a, b, strict=True), start=1)
        if _errors(x) != _errors(y)
    ]
    return tuple(sorted(rows, key=lambda row: (-abs(row.errors_a - row.errors_b), row.number)))


def _errors(counts: Counts) -> int:
    return counts.gold + counts.predicted - 2 * counts.correct
