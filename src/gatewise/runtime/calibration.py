"""Calibration of a tagger on labeled sentences: how far its probabilities can be taken at their word, and a fit.

In: a tagger and gold sentences in its tokens and tags, as `model.corpus.read_corpus` reads them. Out: reliability
tables, or the temperature under which the gold tags are most likely.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gatewise.crf import LabeledBatch, TemperatureFit, fit_temperature
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.calibration import Calibration, reliability
from gatewise.model.corpus import read_corpus
from gatewise.model.heads import MAIN_HEAD
from gatewise.runtime.tagger import Tagger
from gatewise.text.schemes import spans_from_tags
from gatewise.text.sentence import Sentence


def calibration_of_file(
    tagger: Tagger, path: str | Path, columns: Sequence[str] = DEFAULT_COLUMNS, *, head: str = MAIN_HEAD
) -> Calibration:
    """The reliability of a tagger on a labeled file; segmentation is judged on the characters of the gold words."""
    return calibration(tagger, list(read_corpus(path, tagger.archive.head(head).task, columns)), head=head)


def calibration(tagger: Tagger, gold: Sequence[Sentence], *, head: str = MAIN_HEAD) -> Calibration:
    """The reliability of a head's tags and spans; a span is right with the same tokens and the same label."""
    tagged, scheme = tagger.tag_sentences(gold, head=head), tagger.archive.head(head).scheme
    tag_scores: list[float] = []
    tag_right: list[bool] = []
    span_scores: list[float] = []
    span_right: list[bool] = []
    for truth, found in zip(gold, tagged, strict=True):
        tag_scores += found.scores or ()
        tag_right += [a == b for a, b in zip(truth.tags or (), found.tags or (), strict=True)]
        if scheme != "plain":
            there = set(spans_from_tags(truth.tags or (), scheme))
            span_right += [span in there for span in spans_from_tags(found.tags or (), scheme)]
            span_scores += [span.score for span in found.spans]
    return Calibration(
        temperature=tagger.temperature if head == MAIN_HEAD else 1.0,  # it is fitted for the main head alone
        tokens=reliability(tag_scores, tag_right),
        spans=None if scheme == "plain" else reliability(span_scores, span_right),
    )


def fit(tagger: Tagger, gold: Sequence[Sentence]) -> TemperatureFit:
    """The temperature that suits gold sentences best, which are not to be those of training nor of the final test.

    It replaces the tagger's own: `tagger.with_temperature(fit(tagger, dev).temperature)`. Sentences with tags that
    the model does not have are left out.
    """
    number = {tag: index for index, tag in enumerate(tagger.labels)}
    known = [s for s in gold if len(s) and all(tag in number for tag in s.tags or ())]
    strange = sum(1 for sentence in gold if len(sentence)) - len(known)
    batches = []
    for chosen, emissions in tagger.emissions(known):
        tags = np.zeros(emissions.shape[:2], dtype=np.intp)
        for column, sentence in enumerate(chosen):
            tags[: len(sentence), column] = [number[tag] for tag in sentence.tags or ()]
        lengths = np.array([len(sentence) for sentence in chosen])
        batches.append(LabeledBatch(emissions=emissions, lengths=lengths, tags=tags))
    found = fit_temperature(batches, tagger.crf_scores)
    return TemperatureFit(
        temperature=found.temperature,
        before=found.before,
        after=found.after,
        sentences=found.sentences,
        left_out=found.left_out + strange,
    )
