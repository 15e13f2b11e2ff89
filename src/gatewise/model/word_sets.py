"""The word sets of each character: the lexicon's words that Begin here, have it in the Middle, End here, or are it.

In: a lexicon and sentences of keys. Out: for each token and each of the four kinds the number of a set, and what is in
the sets: ids of vectors, and the share of each in the set's mean. Source: Ma et al. 2020, Simplify the Usage of Lexicon
in Chinese NER, the weights of ADR 0032.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.model.lexicon import LEXICON, Lexicon
from gatewise.model.rows import Rows
from gatewise.text.vocabulary import PADDING_ID

KINDS = "BMES"
SET_INPUTS = tuple(f"{LEXICON}_{kind}" for kind in KINDS)  # the numbers of the sets, and the parts of x
SHARES = f"{LEXICON}_shares"
NO_SET = 0  # the number of the empty set, whose vector is zero

Float32s = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSets:
    """`numbers` by SET_INPUTS, one row a sentence, a number for each token. Set n is row n of `words`, ids of vectors,
    with `shares` (all,) that add up to 1 in each; set 0 is empty: the padding's id, with a share of 0."""

    numbers: Mapping[str, Rows]
    words: Rows
    shares: Float32s

    def padded_shares(self) -> Float32s:
        """A set a column, zeros at its end: (longest, sets)."""
        longest = int(self.words.lengths.max())
        shares = np.zeros((len(self.words), longest), dtype=np.float32)
        shares[np.arange(longest) < self.words.lengths[:, None]] = self.shares
        return np.ascontiguousarray(shares.T)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMember:
    """A word in a token's set, with its share of the mean; `known`: whether it has a vector of its own."""

    word: str
    share: float
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A word in a set, one entry each, those of a set together: `places` (token, counted as `Lexicon.find` does),
    `kinds` 0 to 3, and the `words`' numbers."""

    places: Ints
    kinds: Ints
    words: Ints


def members(lexicon: Lexicon, sentences: Sequence[Sequence[str]]) -> Members:
    """Which words are in which sets; those of a set in the order of their length, then of their start."""
    found = lexicon.find(sentences)
    alone = found.lengths == 1
    several = ~alone
    inside = np.maximum(found.lengths - 2, 0)
    steps = np.arange(int(inside.sum())) - np.repeat(np.cumsum(inside) - inside, inside)  # 0, 1, … in each word
    starts, ends = found.starts[several], found.starts[several] + found.lengths[several] - 1
    groups = (
        (starts, found.words[several]),
        (np.repeat(found.starts, inside) + 1 + steps, np.repeat(found.words, inside)),
        (ends, found.words[several]),
        (found.starts[alone], found.words[alone]),
    )
    places = np.concatenate([group for group, _ in groups])
    kinds = np.repeat(np.arange(len(KINDS)), [len(group) for group, _ in groups])
    order = np.argsort(places * len(KINDS) + kinds, kind="stable")
    words = np.concatenate([group for _, group in groups])
    return Members(places=places[order], kinds=kinds[order], words=words[order])


class SetEncoder:
    """Looks up word sets."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._ids, self._weights = lexicon.ids_of_words(), lexicon.weights_of_words()

    def encode(self, sentences: Sequence[Sequence[str]]) -> WordSets:
        """The sets of sentences of keys, numbered as they come."""
        found = members(self._lexicon, sentences)
        lengths = np.array([len(keys) for keys in sentences], dtype=np.int64)
        keys = found.places * len(KINDS) + found.kinds  # rising
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        sizes = np.diff(begins, append=len(keys))
        weights = self._weights[found.words]
        totals = np.add.reduceat(weights, begins) if len(begins) else weights
        numbers = np.zeros((int(lengths.sum()) + len(lengths), len(KINDS)), dtype=np.int64)
        numbers.reshape(-1)[keys[begins]] = np.arange(1, len(begins) + 1)
        numbers = np.delete(numbers, np.cumsum(lengths + 1) - 1, axis=0)  # the places between sentences
        return WordSets(
            numbers={
                name: Rows(values=np.ascontiguousarray(numbers[:, kind]), lengths=lengths)
                for kind, name in enumerate(SET_INPUTS)
            },
            words=Rows(
                values=np.concatenate([[PADDING_ID], self._ids[found.words]]),
                lengths=np.concatenate([[1], sizes]),
            ),
            shares=np.concatenate([[0.0], weights / np.repeat(totals, sizes)]).astype(np.float32),
        )

    def members(self, keys: Sequence[str]) -> tuple[tuple[tuple[SetMember, ...], ...], ...]:
        """By kind and token of one sentence, what is in its set."""
        sets: list[list[list[SetMember]]] = [[[] for _ in keys] for _ in KINDS]
        found, words = members(self._lexicon, [keys]), self._lexicon.words
        shares = self.encode([keys]).shares[1:].astype(float).tolist()
        rows = zip(found.places.tolist(), found.kinds.tolist(), found.words.tolist(), shares, strict=True)
        for place, kind, number, share in rows:
            word = words[number]
            sets[kind][place].append(SetMember(word=word, share=share, known=word in self._lexicon))
        return tuple(tuple(map(tuple, of_kind)) for of_kind in sets)
