"""Calibration of a tagger on labeled sentences: how far its probabilities can be taken at their word, and a fit.

In: a tagger and gold sentences in its tokens and tags, as `model.corpus.read_corpus` reads them. Out: reliability
tables, or the temperature under which the gold tags are most likely, and whether to take it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gatewise.crf import LabeledBatch, TemperatureFit, fit_temperature
from gatewise.crf.temperature import HIGHEST, LOWEST
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.calibration import Calibration, CalibrationChange, reliability
from gatewise.model.corpus import read_corpus
from gatewise.model.heads import MAIN_HEAD
from gatewise.runtime.tagger import Tagger
from gatewise.text.schemes import spans_from_tags
from gatewise.text.sentence import Sentence

DIGITS = 4  # of a temperature that is kept; more are noise
FIT_TOKENS = 50_000  # that a temperature is fitted on at most


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTemperature:
    """What the fit found, and the temperature that is taken: the fitted one, or 1 where `doubt` says why."""

    fit: TemperatureFit
    temperature: float
    change: CalibrationChange
    doubt: str = ""


def choose_temperature(tagger: Tagger, gold: Sequence[Sentence]) -> ChosenTemperature:
    """Fit a temperature on held-out sentences, and take it unless that would make scores say less what they mean.

    The fit makes whole taggings likely; what users filter by are the scores of spans, or of tags where a model marks no
    spans. If their expected calibration error on the same sentences rises, the temperature stays 1 (ADR 0022).
    """
    found = fit(tagger, evenly(gold, FIT_TOKENS))
    fitted = round(found.temperature, DIGITS)
    before = calibration(tagger.with_temperature(1.0), gold)
    refused = CalibrationChange(before=before, after=before)
    if doubt := _doubt_of_fit(found):
        return ChosenTemperature(fit=found, temperature=1.0, change=refused, doubt=doubt)
    change = CalibrationChange(before=before, after=calibration(tagger.with_temperature(fitted), gold))
    name, (old, new) = list(change.tables.items())[-1]
    if not old.count:
        name, (old, new) = "tags", change.tables["tags"]
    if new.expected_error > old.expected_error:
        doubt = (
            f"with the fitted temperature {fitted:g} the expected calibration error of {name} rises from"
            f" {old.expected_error:.2%} to {new.expected_error:.2%}"
        )
        return ChosenTemperature(fit=found, temperature=1.0, change=refused, doubt=doubt)
    return ChosenTemperature(fit=found, temperature=fitted, change=change)


def calibrate(
    tagger: Tagger, splits: Mapping[str, Sequence[Sentence]]
) -> tuple[ChosenTemperature, dict[str, CalibrationChange]]:
    """The temperature that the split `dev` suggests, and what it changes on each split."""
    chosen = choose_temperature(tagger, splits["dev"])
    others = {
        name: calibration_change(tagger, gold, chosen.temperature) for name, gold in splits.items() if name != "dev"
    }
    return chosen, {"dev": chosen.change, **others}


def calibration_change(tagger: Tagger, gold: Sequence[Sentence], temperature: float) -> CalibrationChange:
    """What a temperature changes on other sentences than those it was fitted on."""
    before = calibration(tagger.with_temperature(1.0), gold)
    after = before if temperature == 1 else calibration(tagger.with_temperature(temperature), gold)
    return CalibrationChange(before=before, after=after)


def evenly(sentences: Sequence[Sentence], tokens: int) -> list[Sentence]:
    """Every n-th sentence, so many that they have about this number of tokens at most; all where they have no more."""
    step = max(1, math.ceil(sum(map(len, sentences)) / tokens))
    return list(sentences[::step])


def _doubt_of_fit(found: TemperatureFit) -> str:
    if not found.sentences:
        return "there is no sentence whose tags the model knows"
    if not LOWEST * 1.01 < found.temperature < HIGHEST / 1.01:
        return "the fit has no optimum: the sentences are too few, or all right, or all wrong"
    return ""


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
    return replace(found, left_out=found.left_out + strange)
