"""Labeled data as it is given: a path, or sentences that are in memory already under a name.

In: either of them. Out: what `formats` would say of a file, so that training and scoring need not care which it was.
Messages name the sentence (and the token) where those of a file name the line; both count from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewise import formats
from gatewise.errors import FormatError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.text import CorpusProblem, Detection, Sentence, find_problem, judge_tags

MEMORY = "sentences"  # the format of what is in memory, beside those of files


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GivenSentences:
    """Tagged sentences and what to call them in messages; for segmentation their tokens are words."""

    name: str
    sentences: tuple[Sentence, ...]

    def __str__(self) -> str:
        return self.name


Data = str | Path | GivenSentences


def detect_format(data: Data) -> str:
    """The format of a file, or `sentences`."""
    return MEMORY if isinstance(data, GivenSentences) else formats.detect_format(data)


def detect_scheme_of(data: Data, columns: Sequence[str] = DEFAULT_COLUMNS) -> Detection:
    """The scheme of the tags and the reason; raises FormatError where no scheme explains them."""
    if not isinstance(data, GivenSentences):
        return formats.detect_file_scheme(data, columns=columns)
    found = judge_tags(sentence.tags or () for sentence in data.sentences)
    if isinstance(found, CorpusProblem):
        raise FormatError(f"{data}: sentence {found.sentence + 1}, token {found.index + 1}: {found.message}")
    return found


def read_sentences(
    data: Data, *, columns: Sequence[str] = DEFAULT_COLUMNS, column: str | None = None, scheme: str | None = None
) -> Iterator[Sentence]:
    """The sentences; with a scheme, each must be tagged and its tags legal. Raises FormatError where they are not."""
    if not isinstance(data, GivenSentences):
        return formats.read_sentences(data, columns=columns, column=column, scheme=scheme)
    return _checked(data, scheme)


def read_segmented(data: Data) -> Iterator[Sentence]:
    """The sentences of a file of segmented text: words apart by white space, without tags."""
    return formats.read_sentences(str(data), "segmented")


def _checked(data: GivenSentences, scheme: str | None) -> Iterator[Sentence]:
    for number, sentence in enumerate(data.sentences, start=1):
        if scheme is not None and len(sentence):
            if sentence.tags is None:
                raise FormatError(
                    f"{data}: sentence {number}: expected a tag for every token, found none; tag it with with_tags"
                )
            if problem := find_problem(sentence.tags, scheme):
                raise FormatError(f"{data}: sentence {number}, token {problem.index + 1}: {problem.message}")
        yield sentence
