"""Scoring a tagger on a labeled file, the way its users would run it.

In: a tagger, one of its heads and a gold file. Out: `Scores`. Token tasks are scored on the gold tokens, or from the
raw text of each sentence, as joint segmentation always is, so that a wrong word boundary costs what it costs in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gatewise.errors import ConfigError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.answers import Answer, Answers, answers_from, read_gold, score_answers
from gatewise.model.config import TaskConfig
from gatewise.model.given import Data
from gatewise.model.heads import MAIN_HEAD
from gatewise.model.scoring import Scores
from gatewise.runtime.tagger import Tagger
from gatewise.text.sentence import Sentence, Span


def evaluate_file(
    tagger: Tagger,
    path: Data,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    *,
    train: Data | None = None,
    conlleval: bool = False,
    head: str = MAIN_HEAD,
    raw: bool = False,
) -> Scores:
    """What a head of the tagger (the main one when none is named) scores on this file.

    With `raw`, a tagger of plain tags cuts each sentence's text into tokens itself: a token counts as found when both
    its ends are right, and with its tag when that is right too. `train` is what it was trained on, for
    recall of unseen words. With `conlleval`, broken tags of the file are read as that script reads them, instead of
    being refused.
    Raises FormatError for a file that cannot be read, or that holds no sentence, ModelError for a head that the model
    does not have, and ConfigError for `raw` with a task of spans.
    """
    task = tagger.archive.head(head).task
    if raw and task.kind != "segmentation":
        return _score_raw(tagger, path, columns, task=task, train=train, head=head)
    gold = read_gold(path, task, columns, conlleval=conlleval)
    seen = None
    if train is not None:
        seen = answers_from(str(train), read_gold(train, task, columns, conlleval=conlleval), task, conlleval=conlleval)
    found = tagger_answers(tagger, gold, head=head)
    return score_answers(answers_from(str(path), gold, task, conlleval=conlleval), found, seen)


def tagger_answers(tagger: Tagger, gold: Sequence[Sentence], *, name: str = "", head: str = MAIN_HEAD) -> Answers:
    """What a head makes of the tokens of these sentences, or, for segmentation, of their texts."""
    task = tagger.archive.head(head).task
    if task.kind != "segmentation":
        return answers_from(name, tagger.tag_sentences(gold, scores=False, head=head), task)
    tagged = tagger.tag_many((sentence.text for sentence in gold), scores=False, head=head)
    return Answers(name=name, kind=task.kind, sentences=tuple(map(_words, tagged)))


def _score_raw(
    tagger: Tagger, path: Data, columns: Sequence[str], *, task: TaskConfig, train: Data | None, head: str
) -> Scores:
    if task.kind != "tags":
        raise ConfigError(
            f"--raw: expected a task of plain tags, whose tokens are words, found {task.kind}; leave it off, to score"
            " on the tokens of the file"
        )
    gold = read_gold(path, task, columns)
    tagged = tagger.tag_many((sentence.text for sentence in gold), scores=False, head=head)
    found = _tokens_as_words(str(path), tagged)
    seen = None if train is None else _tokens_as_words(str(train), read_gold(train, task, columns))
    return score_answers(_tokens_as_words(str(path), gold), found, seen)


def _tokens_as_words(name: str, sentences: Iterable[Sentence]) -> Answers:
    """Each token as a word of its sentence's text, labeled with its tag."""
    answers = (
        Answer(
            text=sentence.text,
            forms=sentence.forms,
            spans=tuple(
                Span(start=token.start, end=token.end, label=tag)
                for token, tag in zip(sentence.tokens, sentence.tags or (), strict=True)
            ),
        )
        for sentence in sentences
    )
    return Answers(name=name, kind="segmentation", sentences=tuple(answers))


def _words(sentence: Sentence) -> Answer:
    spans = tuple(Span(start=span.start, end=span.end, label=span.label) for span in sentence.spans)
    return Answer(text=sentence.text, forms=tuple(span.text for span in sentence.spans), spans=spans)
