"""Sentences labeled for several heads: each stands once, with the tags of every head that its file has.

In: which file each head reads, and how. Out: sentences whose `tags` are the main head's, None where nobody labeled
them for it, and whose `heads` hold the tags of the further ones. No corpus needs to have the labels of all heads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from gatewise.errors import FormatError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.config import TaskConfig
from gatewise.model.corpus import read_corpus
from gatewise.model.given import Data, GivenSentences
from gatewise.model.heads import MAIN_HEAD
from gatewise.text.sentence import NO_HEADS, Heads, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file, or sentences in memory, as one head reads it; `task` is resolved."""

    head: str
    path: Data
    task: TaskConfig
    columns: Sequence[str] = DEFAULT_COLUMNS


def read_labeled(readings: Iterable[Reading]) -> list[Sentence]:
    """The sentences of all files, in the order of the files; those of a file that several heads read stand once.

    Raises FormatError for what cannot be read, or where two heads see other tokens in one file.
    """
    files: dict[Data, list[Sentence]] = {}
    for reading in readings:
        found = list(_read(reading))
        place = reading.path if isinstance(reading.path, GivenSentences) else os.path.realpath(reading.path)
        if reading.head == MAIN_HEAD:
            files[place] = found
        else:
            known = files.get(place) or [replace(sentence, tags=None) for sentence in found]
            files[place] = _joined(known, found, reading)
    return [sentence for sentences in files.values() for sentence in sentences]


def labeled_for(sentences: Iterable[Sentence], head: str = MAIN_HEAD) -> list[Sentence]:
    """The sentences that were labeled for this head, with its tags."""
    if head == MAIN_HEAD:
        return [sentence for sentence in sentences if sentence.tags is not None]
    return [sentence.heads[head] for sentence in sentences if head in sentence.heads]


def _read(reading: Reading) -> Iterable[Sentence]:
    try:
        for sentence in read_corpus(reading.path, reading.task, reading.columns):
            # what a file says under heads of its own is not what this run calls by their names
            yield replace(sentence, heads=NO_HEADS) if sentence.heads else sentence
    except FormatError as error:
        raise FormatError(f"heads.{reading.head}: {error}" if reading.head else str(error)) from error


def _joined(known: Sequence[Sentence], found: Sequence[Sentence], reading: Reading) -> list[Sentence]:
    """The sentences with what this head is told of them added."""
    joined = []
    for number, (sentence, labeled) in enumerate(zip_longest(known, found), start=1):
        if sentence is None or labeled is None or sentence.tokens != labeled.tokens:
            raise FormatError(
                f"{reading.path}: sentence {number}: expected the same tokens for all heads, found others for"
                f" heads.{reading.head}; give it the kind and columns that cut the file alike"
            )
        heads = Heads({**sentence.heads, reading.head: replace(labeled, layer=None)})
        joined.append(replace(sentence, heads=heads))
    return joined
