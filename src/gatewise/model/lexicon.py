"""The words of a lexicon as a model holds them: those with a vector of their own, those that share one, and weights.

In: words under their lookup keys (`text.vocabulary.normalize`), from training or from vocabulary.json. Out: a
`Lexicon`, a vocabulary that also finds its words in sentences. A word is found where the keys of tokens, one character
each, spell it; none reaches from one sentence into the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.errors import ModelError
from gatewise.model.heads import strings
from gatewise.model.word_trie import NOTHING, Matches, WordTrie
from gatewise.text.vocabulary import FIRST_ENTRY_ID, UNKNOWN_ID, Vocabulary

LEXICON = "lexicon"
OTHERS_KEY, WEIGHTS_KEY = "lexicon_others", "lexicon_weights"
MOST_WORDS = 1_000_000
MOST_WEIGHT = 10**9
BETWEEN = " "  # words, in the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon(Vocabulary):
    """`entries` are the words with vectors of their own, in the order of their ids; `others` share the unknown's.

    `weights` has one for each entry: 1 and how often training saw it count (ADR 0032). That of each other word is 1.
    """

    others: tuple[str, ...]
    weights: tuple[int, ...]
    _tries: list[WordTrie] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        Vocabulary.__post_init__(self)

    @property
    def words(self) -> tuple[str, ...]:
        """All words; a match has the number of its word in here."""
        return self.entries + self.others

    def ids_of_words(self) -> npt.NDArray[np.int64]:
        """By the number of a word, the id of its vector."""
        own = np.arange(FIRST_ENTRY_ID, self.size)
        return np.concatenate([own, np.full(len(self.others), UNKNOWN_ID)])

    def weights_of_words(self) -> npt.NDArray[np.float64]:
        """By the number of a word, what it counts in a set."""
        return np.concatenate([np.array(self.weights, dtype=np.float64), np.ones(len(self.others))])

    def find(self, sentences: Sequence[Sequence[str]]) -> Matches:
        """Every word in sentences of keys; starts count all tokens, and one place more between two sentences."""
        if not self._tries:
            self._tries.append(WordTrie(self.words))  # when it is first needed: to open a model needs none
        codes: list[int] = []
        for keys in sentences:
            codes += self._tries[0].codes(keys)
            codes.append(NOTHING)
        return self._tries[0].find(np.array(codes, dtype=np.int64))


def lexicon_to_dict(lexicon: Lexicon) -> dict[str, Any]:
    """What vocabulary.json has of a lexicon."""
    return {
        LEXICON: list(lexicon.entries),
        WEIGHTS_KEY: list(lexicon.weights),
        OTHERS_KEY: BETWEEN.join(lexicon.others),
    }


def lexicon_from_dict(content: Mapping[str, Any], longest: int, path: Path) -> Lexicon:
    """The lexicon in a vocabulary.json, of words of at most `longest` characters; raises ModelError."""
    entries, others = _words_from_dict(content, path)
    words = entries + others
    if len(set(words)) != len(words):
        raise _wrong(path, LEXICON, "each word once", "one twice")
    wrong = next((word for word in words if not 1 <= len(word) <= longest), None)
    if wrong is not None:
        raise _wrong(path, LEXICON, f"words of 1 to {longest} characters", repr(wrong) if wrong else "an empty one")
    return Lexicon(entries=entries, others=others, weights=_weights_from_dict(content, len(entries), path))


def _words_from_dict(content: Mapping[str, Any], path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    joined = content.get(OTHERS_KEY)
    if not isinstance(joined, str):
        raise _wrong(path, OTHERS_KEY, "words in one string", type(joined).__name__)
    entries = strings(content, LEXICON, path)
    if (found := len(entries) + joined.count(BETWEEN)) > MOST_WORDS:
        raise _wrong(path, LEXICON, f"at most {MOST_WORDS:,} words", f"{found:,}")
    return entries, tuple(joined.split(BETWEEN)) if joined else ()


def _weights_from_dict(content: Mapping[str, Any], count: int, path: Path) -> tuple[int, ...]:
    weights = content.get(WEIGHTS_KEY)
    if not isinstance(weights, list) or len(weights) != count:
        found = f"{len(weights):,}" if isinstance(weights, list) else type(weights).__name__
        raise _wrong(path, WEIGHTS_KEY, f"a list of {count:,} weights", found)
    for weight in weights:
        if type(weight) is not int or not 1 <= weight <= MOST_WEIGHT:
            raise _wrong(path, WEIGHTS_KEY, f"whole numbers from 1 to {MOST_WEIGHT:,}", repr(weight))
    return tuple(weights)


def _wrong(path: Path, key: str, expected: str, found: str) -> ModelError:
    return ModelError(f"{path}: {key}: expected {expected}, found {found}; restore the file")
