"""What a character language model reads of sentences, and where in it the tokens stand.

In: the forms of sentences. Out: ids of characters, a second axis of time beside that of tokens, and for each token the
places of its first and its last character. A sentence begins and ends with a line feed, which is what pretraining has
seen between lines; between tokens stands one space, or none, as `SPACES` says. The state of a token is the forward
model's after its last character and the reverse model's after its first: each has read the token whole, and all that
stands on one side of it (contextual string embeddings, Akbik et al. 2018).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.model.rows import Rows, rows_of
from gatewise.text.vocabulary import Vocabulary

CONTEXT = "language_model"  # ids of characters, (characters, batch)
FIRST, LAST = "language_model_first", "language_model_last"  # places of tokens among them, (time, batch)
CHARACTERS_READ = "language_model_lengths"  # how many each sentence has, (1, batch)
CONTEXT_INPUTS = (CONTEXT, FIRST, LAST, CHARACTERS_READ)
PARTS = ("lm_forward", "lm_reverse")
SPACES = ("none", "between", "outside")  # `outside`: between tokens where neither character is East Asian
BREAK = "\n"

_EAST_ASIAN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")


def context_rows(sentences: Sequence[Sequence[str]], vocabulary: Vocabulary, spaces: str) -> dict[str, Rows]:
    """The inputs of a language model, by name; `CHARACTERS_READ` has rows of one number each."""
    texts, firsts, lasts = [], [], []
    for forms in sentences:
        text, first, last = read_by_characters(forms, spaces)
        texts.append(text)
        firsts.append(first)
        lasts.append(last)
    lengths, times = list(map(len, texts)), list(map(len, sentences))
    return {
        CONTEXT: rows_of([vocabulary.look_up(chain.from_iterable(texts))], lengths),
        FIRST: rows_of(firsts, times),
        LAST: rows_of(lasts, times),
        CHARACTERS_READ: rows_of([lengths], [1] * len(texts)),
    }


def read_by_characters(forms: Sequence[str], spaces: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The text that is read of one sentence, and the places of each token's first and last character in it.

    >>> read_by_characters(["in", "Rom"], "between")
    ('\\nin Rom\\n', [1, 4], [2, 6])
    """
    joined = "".join(forms)
    if spaces == "none" and len(joined) == len(forms):
        places = range(1, len(forms) + 1)
        return f"{BREAK}{joined}{BREAK}", places, places
    pieces, first, last, at = [BREAK], [], [], 1
    for number, form in enumerate(forms):
        if number and (spaces == "between" or (spaces == "outside" and _apart(forms[number - 1], form))):
            pieces.append(" ")
            at += 1
        pieces.append(form)
        first.append(at)
        at += len(form)
        last.append(at - 1)
    return "".join([*pieces, BREAK]), first, last


def _apart(before: str, form: str) -> bool:
    return not (_EAST_ASIAN.match(before[-1:]) or _EAST_ASIAN.match(form[:1]))


Inputs = Mapping[str, npt.NDArray[Any]]


def context_of_columns(inputs: Inputs, chosen: slice) -> dict[str, npt.NDArray[Any]]:
    """The characters of these sentences alone, without the padding that they do not need; nothing without them."""
    if CONTEXT not in inputs:
        return {}
    lengths = inputs[CHARACTERS_READ][:, chosen]
    return {CONTEXT: inputs[CONTEXT][: int(lengths.max()), chosen], CHARACTERS_READ: lengths}


def context_of_stretch(inputs: Inputs, start: int, end: int) -> dict[str, npt.NDArray[Any]]:
    """What is read of the tokens from `start` to `end` of a sentence that is alone: with a character more on either
    side, where elsewhere the line feeds are."""
    if CONTEXT not in inputs:
        return {}
    first, last = inputs[FIRST][start:end], inputs[LAST][start:end]
    begin, stop = int(first[0, 0]) - 1, int(last[-1, 0]) + 2
    return {
        CONTEXT: inputs[CONTEXT][begin:stop],
        FIRST: first - begin,
        LAST: last - begin,
        CHARACTERS_READ: np.full_like(inputs[CHARACTERS_READ], stop - begin),
    }
