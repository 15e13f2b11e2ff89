"""Finding every word of a list in a text at once: a trie in sorted arrays, walked by NumPy from all places together.

In: words, and the characters of a text, one entry a token. Out: every place where a word stands, those that overlap
among them. A state is a number, the root 0; its children are looked up by `state * alphabet + character`. Those keys
lie in one rising array, level after level, and the child behind key number k is state k + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

NOTHING = -1  # a character that is in no word, a state that ends none


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Words that were found, the shorter before the longer: `starts` and `lengths` in places, `words` their numbers."""

    starts: Ints
    lengths: Ints
    words: Ints


class WordTrie:
    """Of distinct words, each at least one character; `words[n]` has the number n."""

    def __init__(self, words: Sequence[str]) -> None:
        text = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32)
        characters, codes = np.unique(text, return_inverse=True)
        self._codes = {chr(character): number for number, character in enumerate(characters.tolist())}
        self._levels: list[Ints] = []  # the keys of each
        ends: list[Ints] = []  # by state of each level, the word that ends there
        lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
        begins = np.cumsum(lengths) - lengths
        numbers, states, known, level = np.arange(len(words)), np.zeros(len(words), dtype=np.int64), 1, 0
        while len(numbers):
            keys = states * len(characters) + codes[begins[numbers] + level]
            distinct, places = np.unique(keys, return_inverse=True)
            level += 1
            ending = lengths[numbers] == level
            ends.append(np.full(len(distinct), NOTHING))
            ends[-1][places[ending]] = numbers[ending]
            self._levels.append(distinct)
            numbers, states = numbers[~ending], known + places[~ending]
            known += len(distinct)
        self._ends = np.concatenate([np.full(1, NOTHING), *ends])

    def codes(self, characters: Sequence[str]) -> list[int]:
        """The number of each character, -1 for one that is in no word."""
        return list(map(self._codes.get, characters, repeat(NOTHING)))

    def find(self, codes: Ints) -> Matches:
        """Every word that stands in `codes` (places,); none reaches over a place of -1."""
        starts, states = np.flatnonzero(codes >= 0), np.zeros(1, dtype=np.int64)
        states, known, size = np.broadcast_to(states, starts.shape), 1, len(self._codes)
        found: list[tuple[Ints, Ints, Ints]] = []
        for length, keys in enumerate(self._levels, start=1):
            wanted = states * size + codes[starts + length - 1]
            places = np.searchsorted(keys, wanted)
            places[places == len(keys)] = 0
            there = keys[places] == wanted
            starts, states = starts[there], known + places[there]
            known += len(keys)
            words = self._ends[states]
            ending = words >= 0
            found.append((starts[ending], np.full(int(ending.sum()), length), words[ending]))
            goes_on = starts + length < len(codes)
            goes_on[goes_on] = codes[starts[goes_on] + length] >= 0
            starts, states = starts[goes_on], states[goes_on]
        joined = [np.concatenate(arrays) for arrays in zip(*found, strict=True)] or [np.zeros(0, dtype=np.int64)] * 3
        return Matches(starts=joined[0], lengths=joined[1], words=joined[2])
