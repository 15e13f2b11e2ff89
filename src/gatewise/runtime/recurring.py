"""What comes again in a text: words, and names of several characters where characters are the tokens.

In: the sentences of a text, and which spans the model takes for names. Out: `Places`, with a number for what is the
same. Words are compared without regard to case. A character says little, so characters count as strings: whatever is
a name somewhere in the text is looked for everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from gatewise.text.sentence import Sentence

LETTERS = 4  # a word without a capital counts from this length on: shorter ones are of, the, und, les
SHORTEST = 2  # characters of a name
_NONE = "\0"  # stands for a token that is no character

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Tokens from `starts` to `ends`, half-open, in the row of all tokens of a text; `same` says what stands there by a
    number, `sentences` in which sentence. All arrays have an entry a place."""

    same: Ints
    sentences: Ints
    starts: Ints
    ends: Ints

    @classmethod
    def of(cls, found: Iterable[tuple[int, int, int, int]]) -> Places:
        """From (same, sentence, start, end)."""
        columns = np.array(list(found), dtype=np.int64).reshape(-1, 4).T
        return cls(same=columns[0], sentences=columns[1], starts=columns[2], ends=columns[3])


def words(sentences: Sequence[Sentence]) -> Places:
    """All places of words, but of those that have no capital and are short."""
    return Places.of(_words(sentences))


def names(sentences: Sequence[Sentence], spans: Sequence[tuple[int, int]]) -> Places:
    """All places of the strings of characters that are one of the spans, the shortest first; `spans` are tokens of the
    row, half-open."""
    rows = [_characters(sentence) for sentence in sentences]
    whole = "".join(rows)
    strings = sorted({whole[start:end] for start, end in spans if end - start >= SHORTEST})
    by_start: dict[str, list[tuple[int, str]]] = {}
    for number, string in enumerate(strings):
        if _NONE not in string:
            by_start.setdefault(string[:SHORTEST], []).append((number, string))
    return Places.of(sorted(_strings(rows, by_start), key=lambda place: place[3] - place[2]))


def _words(sentences: Sequence[Sentence]) -> Iterator[tuple[int, int, int, int]]:
    numbers: dict[str, int] = {}
    known: dict[str, int] = {}  # by the form as it is written; -1 for one that does not count
    token = 0
    for sentence_number, sentence in enumerate(sentences):
        for form in sentence.forms:
            number = known.get(form)
            if number is None:
                number = known[form] = numbers.setdefault(form.casefold(), len(numbers)) if _counts(form) else -1
            if number >= 0:
                yield number, sentence_number, token, token + 1
            token += 1


def _counts(form: str) -> bool:
    return any(map(str.isupper, form)) or (len(form) >= LETTERS and any(map(str.isalpha, form)))


def _characters(sentence: Sentence) -> str:
    """A character a token; for whatever is not one letter of a script without capitals, `_NONE`."""
    return "".join(
        form if len(form) == 1 and form.isalpha() and form.upper() == form.lower() else _NONE for form in sentence.forms
    )


def _strings(rows: Sequence[str], by_start: dict[str, list[tuple[int, str]]]) -> Iterator[tuple[int, int, int, int]]:
    for sentence, (row, first) in enumerate(zip(rows, accumulate(map(len, rows), initial=0), strict=False)):
        for at in range(len(row) - SHORTEST + 1):
            for number, string in by_start.get(row[at : at + SHORTEST], ()):
                if row.startswith(string, at):
                    yield number, sentence, first + at, first + at + len(string)
