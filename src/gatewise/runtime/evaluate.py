"""Scoring a tagger on a labeled file, the way its users would run it.

In: a tagger and a gold file. Out: `Scores`. Token tasks are scored on the gold tokens; joint segmentation starts
from the raw text of each sentence, so that a wrong word boundary costs what it costs in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gatewise.errors import FormatError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.corpus import read_corpus, read_words
from gatewise.model.scoring import Scores, score_tags, score_words
from gatewise.runtime.tagger import Tagger
from gatewise.text.segment import word_spans
from gatewise.text.sentence import Sentence, Span


def evaluate_file(tagger: Tagger, path: str | Path, columns: Sequence[str] = DEFAULT_COLUMNS) -> Scores:
    """What the tagger scores on this file.

    Raises FormatError for a file that cannot be read, or that holds no sentence.
    """
    task = tagger.archive.config.task
    if task.kind == "segmentation":
        gold = list(read_words(path, task))
        _expect_sentences(gold, path)
        predicted = tagger.tag_many(sentence.text for sentence in gold)
        return score_words([word_spans(words) for words in gold], [_spans_of(sentence) for sentence in predicted])
    gold = list(read_corpus(path, task, columns))
    _expect_sentences(gold, path)
    tagged = tagger.tag_sentences(gold)
    return score_tags([s.tags or () for s in gold], [s.tags or () for s in tagged], task.scheme)


def _spans_of(sentence: Sentence) -> list[Span]:
    return [Span(start=span.start, end=span.end, label=span.label) for span in sentence.spans]


def _expect_sentences(gold: Sequence[Sentence], path: str | Path) -> None:
    if not gold:
        raise FormatError(f"{path}: expected at least one sentence, found none; check the path and the format")
