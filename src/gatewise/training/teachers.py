"""What trained models say of the sentences of a run, asked once before the first step.

In: model folders, and sentences in tokens. Out: `Lessons`: for each sentence the mean of the teachers' distributions
over tag paths, as far as a linear chain can tell it from another, in the student's order of tags. Teachers are run by
the runtime, under their temperatures, and need no torch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt

from gatewise.errors import TrainingError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.config import Config
from gatewise.model.distilled import Distilled, teacher_of
from gatewise.runtime.posteriors import Posterior, posteriors
from gatewise.runtime.tagger import Tagger, load
from gatewise.text.sentence import Sentence
from gatewise.training.raw_sentences import draw_raw
from gatewise.training.soft_tags import Counts, SoftSentence, SoftTags, soft_tags

LEAST = 1e-6  # what is less probable, or expected less often, counts as 0; the rest is scaled to the whole
SLICE = 4096  # sentences whose answers of all teachers are held beside each other

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What is learned from teachers: `said` has a row for each of the `labeled` training sentences, whose weight is 0
    where they were not asked, and then for each of `raw`. `asked` is what decides all that, `distilled` is for those
    who read of it."""

    raw: tuple[Sentence, ...]
    labeled: int
    said: SoftTags
    distilled: Distilled
    asked: tuple[object, ...]

    def soft_tags(self, config: Config) -> SoftTags:
        """The same, with the weights of the configuration."""
        settings, weights = config.distillation, self.said.weights.clone()
        weights[: self.labeled] *= settings.weight
        weights[self.labeled :] *= settings.raw_weight
        return replace(self.said, weights=weights, gold_share=1 - settings.weight)


def lessons_of(
    config: Config,
    labels: Sequence[str],
    train: Sequence[Sentence],
    *,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    known: Lessons | None = None,
    on_answers: Callable[[float], None] = lambda _: None,
) -> Lessons | None:
    """Ask the teachers of a resolved configuration about the sentences labeled for the main head, whose tags `labels`
    are, and about raw text; None where there is nothing to ask. `known` are lessons on the same training sentences,
    which are given back where the same was asked; `on_answers` is told which share of the answers is there.

    Raises ModelError for a teacher that cannot be opened, TrainingError for one that tags otherwise, FormatError and
    TrainingError for raw text that cannot be read or is none.
    """
    settings = config.distillation
    if not settings.teachers or not (settings.weight or settings.raw):
        return None
    drawn_by = (settings.raw, settings.raw_sentences, config.training.seed) if settings.raw else ()
    asked = (settings.teachers, bool(settings.weight), *drawn_by, config.task, tuple(labels), tuple(columns))
    if known is not None and known.asked == asked:
        return known
    taggers = [_opened(path, config, labels) for path in settings.teachers]
    raw: list[Sentence] = []
    if settings.raw:
        draw, tokenizer = random.Random(f"{config.training.seed}/raw"), config.task.tokenizer
        raw = draw_raw(settings.raw, tokenizer, most=settings.raw_sentences, draw=draw, columns=columns)
    asked_about = [number for number, one in enumerate(train) if settings.weight and one.tags is not None]
    asked_about += range(len(train), len(train) + len(raw))
    sentences = [*train, *raw]
    answers = mean_of(taggers, labels, [sentences[number] for number in asked_about], on_answers)
    by_number = dict(zip(asked_about, answers, strict=True))
    said = soft_tags([by_number.get(number) for number in range(len(sentences))])
    teachers = zip(settings.teachers, taggers, strict=True)
    return Lessons(
        raw=tuple(raw),
        labeled=len(train),
        said=said,
        asked=asked,
        distilled=Distilled(
            teachers=tuple(teacher_of(path, one.name, one.archive.folder) for path, one in teachers),
            labeled_sentences=len(asked_about) - len(raw),
            raw=settings.raw,
            raw_sentences=len(raw),
            raw_tokens=sum(map(len, raw)),
        ),
    )


def mean_of(
    taggers: Sequence[Tagger],
    labels: Sequence[str],
    sentences: Sequence[Sentence],
    on_answers: Callable[[float], None] = lambda _: None,
) -> Iterator[SoftSentence]:
    """The mean of the taggers' distributions over paths, of each non-empty sentence; `labels` numbers the tags.

    Expected counts of a mixture are the means of those of its parts, so that nothing is approximated here but what is
    below `LEAST`.
    """
    answers = count(1)

    def answered() -> None:
        on_answers(next(answers) / (len(sentences) * len(taggers)))

    for start in range(0, len(sentences), SLICE):
        yield from _mean_of(taggers, labels, sentences[start : start + SLICE], answered)


def _mean_of(
    taggers: Sequence[Tagger], labels: Sequence[str], sentences: Sequence[Sentence], answered: Callable[[], None]
) -> Iterator[SoftSentence]:
    said: list[list[SoftSentence]] = [[] for _ in sentences]
    number = {tag: index for index, tag in enumerate(labels)}
    for tagger in taggers:
        order = np.array([number[tag] for tag in tagger.labels])
        for index, one in posteriors(tagger, sentences):
            said[index].append(_sparse(one, order))
            answered()
    for sentence, of_teachers in zip(sentences, said, strict=True):
        tags = _summed([one.tags for one in of_teachers])
        moves = _summed([one.moves for one in of_teachers])
        place = tags.places // len(labels)
        yield SoftSentence(
            tags=_scaled(tags, 1 / np.bincount(place, weights=tags.values)[place]),
            moves=_scaled(moves, (len(sentence) - 1) / max(moves.values.sum(), LEAST)),
        )


def _sparse(one: Posterior, order: npt.NDArray[np.intp]) -> SoftSentence:
    """The same without what is next to nothing; tag k of the teacher is the student's `order[k]`."""
    return SoftSentence(
        tags=_counts(one.marginals, np.arange(len(one.marginals)), order), moves=_counts(one.transitions, order, order)
    )


def _counts(table: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Counts:
    """The entries of a table that count, row r as `rows[r]`, column c as `columns[c]`."""
    row, column = np.nonzero(table > LEAST)
    places = rows[row] * len(columns) + columns[column]
    return Counts(places=places.astype(np.int32), values=table[row, column].astype(np.float32))


def _summed(parts: Sequence[Counts]) -> Counts:
    """The sum of several tables, in the order of the places."""
    places, index = np.unique(np.concatenate([one.places for one in parts]), return_inverse=True)
    values = np.bincount(index, weights=np.concatenate([one.values for one in parts]), minlength=len(places))
    return Counts(places=places, values=values.astype(np.float32))


def _scaled(counts: Counts, factor: Floats | float) -> Counts:
    return counts._replace(values=(counts.values * factor).astype(np.float32))


def _opened(path: str, config: Config, labels: Sequence[str]) -> Tagger:
    """A teacher; one that does not tag what the student is to tag is refused."""
    tagger = load(path)
    task, own = tagger.archive.config.task, config.task
    for what, found, expected in (("kind", task.kind, own.kind), ("scheme", task.scheme, own.scheme)):
        if found != expected:
            raise TrainingError(
                f"distillation.teachers: {path}: expected a teacher of task.{what} {expected}, as this run has it,"
                f" found {found}; train it with the same [task], or name another"
            )
    if task.tokenizer != own.tokenizer and "characters" in (task.tokenizer, own.tokenizer):
        raise TrainingError(
            f"distillation.teachers: {path}: expected a teacher whose tokens are those of the tokenizer"
            f" {own.tokenizer}, found {task.tokenizer}; train it on text that is cut alike, or name another"
        )
    if set(tagger.labels) != set(labels):
        lacking, more = sorted(set(labels) - set(tagger.labels)), sorted(set(tagger.labels) - set(labels))
        parts = [f"{verb} {_first(tags)}" for verb, tags in (("without", lacking), ("with", more)) if tags]
        raise TrainingError(
            f"distillation.teachers: {path}: expected a teacher with the {len(labels)} tags of the training split,"
            f" found one {' and '.join(parts)}; train it on the same labels, or name another"
        )
    return tagger


def _first(tags: Sequence[str], count: int = 5) -> str:
    return ", ".join(tags[:count]) + (", …" if len(tags) > count else "")
