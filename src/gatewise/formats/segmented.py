"""Segmented text, as the corpora of the SIGHAN bakeoffs come: a sentence a line, its words apart by white space.

In: a path. Out: sentences of words without tags. The text of a sentence is its words joined as `sentence_from_forms`
joins them: the white space of the file says where words end, and does not stand in Chinese text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gatewise.formats.broken import ESCAPE, OnBroken, attempt
from gatewise.formats.source import Located, Source, numbered_lines
from gatewise.text import Sentence
from gatewise.text.sentence import sentence_from_forms


def locate_segmented(path: Source, *, broken: OnBroken | None = None) -> Iterator[Located]:
    """The sentences of segmented text, read as they are asked for; empty lines are empty sentences.

    With `broken`, which is told of them, lines that cannot be read are left out.
    """
    for number, line in numbered_lines(path, errors="strict" if broken is None else ESCAPE):
        sentence = attempt(path, [(number, line)], partial(_sentence, line), broken)
        if sentence is not None:
            yield Located(sentence=sentence, lines=(number,) * max(1, len(sentence)))


def _sentence(line: str) -> Sentence:
    return sentence_from_forms(line.split())
