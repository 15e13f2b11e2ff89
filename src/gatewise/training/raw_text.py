"""What vectors are trained on: the lookup keys of texts, sentence by sentence, read once and then kept on disk.

In: text files, a line a sentence, or labeled files, whose tokens stand as they are. Out: keys as the tagger's
vocabularies have them (`text.vocabulary`), with their counts, and the sentences again as often as training asks. Memory
holds each different key once; the sentences are numbers in a file without a name, which goes with its process.
"""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Self

from gatewise.errors import ConfigError, TrainingError
from gatewise.formats import DEFAULT_COLUMNS, locate_sentences, read_lines
from gatewise.formats.source import STANDARD_INPUT, Source
from gatewise.text.align import guess_tokenizer
from gatewise.text.split import split_sentences
from gatewise.text.tokenize import TOKENIZERS, tokenize
from gatewise.text.vocabulary import bigrams, keys_from_forms

LOOK_AT = 1000  # lines by which `auto` chooses a tokenizer
LONGEST = 10_000  # tokens; gensim passes over whatever comes after them in a sentence, so longer ones are cut
UNITS = ("token", "bigram")
_NUMBER = "I"  # how a key's number is kept, 4 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file and its format, `text` or one of the labeled ones, its size where that is known, the layout of its
    columns."""

    path: Source
    format: str
    size: int | None = None  # bytes
    columns: tuple[str, ...] = DEFAULT_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How texts become keys. `split` cuts each line of text into its sentences first."""

    tokenizer: str
    unit: str = "token"
    split: bool = False

    def keys(self, forms: Sequence[str]) -> list[str]:
        """The keys of a sentence of forms."""
        keys = keys_from_forms(forms)
        return bigrams(keys) if self.unit == "bigram" and keys else keys

    def sentences(self, file: TextFile) -> Iterator[list[str]]:
        """The keys of each sentence of a file, streamed; `characters` cuts the words of labeled files, too.

        Raises FormatError, with the line, for what cannot be read.
        """
        if file.format == "text":
            return (self.keys(tokenize(text, self.tokenizer).forms) for text in self._texts(read_lines(file.path)))
        located = locate_sentences(file.path, file.format, file.columns)
        return (self.keys(self._recut(one.sentence.forms)) for one in located)

    def _texts(self, lines: Iterable[str]) -> Iterable[str]:
        if not self.split:
            return lines
        return (line[start:end] for line in lines for start, end in split_sentences(line))

    def _recut(self, forms: Sequence[str]) -> Sequence[str]:
        if self.tokenizer != "characters":
            return forms
        return [part for form in forms for part in tokenize(form, "characters").forms]


def choose_tokenizer(files: Sequence[TextFile]) -> str:
    """By the first text among the files: `characters` where it is mostly Han, else `words`.

    Raises ConfigError where that is standard input, which can be read but once.
    """
    for file in files:
        if file.format == "text":
            if str(file.path) == STANDARD_INPUT:
                known = ", ".join(TOKENIZERS)
                raise ConfigError(f"--tokenizer: expected one of {known} for standard input, found auto; say which")
            return guess_tokenizer(islice(read_lines(file.path), LOOK_AT))
    return "words"


@contextmanager
def _disk() -> Iterator[None]:
    """Around what a full disk would stop."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{tempfile.gettempdir()}: expected room for the text as numbers, found that it cannot be written"
            f" ({error.strerror}); free some, or set TMPDIR to another folder"
        ) from error


class _Numbers(dict[str, int]):
    """A number for each key, in the order in which they came."""

    def __missing__(self, key: str) -> int:
        number = self[key] = len(self)
        return number


class KeptKeys:
    """Sentences of keys, kept on disk: iterated as often as one likes, one iteration at a time.

    What is longer than `LONGEST` is kept in pieces. `sentences` and `tokens` are how many there are.
    """

    def __init__(self) -> None:
        self.sentences = 0
        self.tokens = 0
        self._numbers = _Numbers()
        self._counts: Counter[int] = Counter()
        with _disk():
            self._file = tempfile.TemporaryFile(prefix="gatewise-")  # noqa: SIM115 - closed at the end of the `with`

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, keys: Sequence[str]) -> None:
        """Count a sentence and keep it."""
        for start in range(0, len(keys), LONGEST):
            row = array(_NUMBER, map(self._numbers.__getitem__, keys[start : start + LONGEST]))
            self._counts.update(row)
            with _disk():
                self._file.write(array(_NUMBER, [len(row)]).tobytes() + row.tobytes())
            self.sentences += 1
            self.tokens += len(row)

    def counts(self, min_count: int = 1) -> dict[str, int]:
        """How often each key was seen, of those that were seen so often."""
        return {key: seen for key, number in self._numbers.items() if (seen := self._counts[number]) >= min_count}

    def __iter__(self) -> Iterator[list[str]]:
        keys = list(self._numbers)
        size = array(_NUMBER).itemsize
        with _disk():
            self._file.seek(0)  # which writes what is left to be written
        while head := self._file.read(size):
            row = array(_NUMBER)
            row.frombytes(self._file.read(size * array(_NUMBER, head)[0]))
            yield list(map(keys.__getitem__, row))
