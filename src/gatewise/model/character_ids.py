"""Ids of tokens and of pairs of them, for sentences whose every character is a token: whole arrays, no Python a token.

In: texts without white space, and the vocabularies of keys and of pairs of keys. Out: the ids that
`Vocabulary.look_up` gives for the keys of their characters. What a character is looked up by is found once and stands
in a table over all of Unicode; a pair is found by its number in hash tables, each with those that found no room before.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.text.vocabulary import AFTER_LAST, BEFORE_FIRST, UNKNOWN_ID, Vocabulary, normalize

Ints = npt.NDArray[np.int64]

ROOM = 8  # places in a hash table for each pair
LONGEST_KEY = 32  # characters; normalizing makes 18 of one at most
MULTIPLIER = 0x9E3779B97F4A7C15  # Fibonacci hashing (Knuth, volume 3, 6.4)
CODEC = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"


class CharacterIds:
    """Looks characters up; `pairs` is the vocabulary of bigrams, where the model has one."""

    def __init__(self, keys: Vocabulary, pairs: Vocabulary | None) -> None:
        self._keys = keys
        self._key_ids = np.zeros(sys.maxunicode + 1, dtype=np.int32)  # by code point; 0: not looked up yet
        self._pairs = None if pairs is None else _Pairs(pairs)
        self._numbers = np.zeros(sys.maxunicode + 1, dtype=np.int32)  # by code point, that of its key in the pairs

    def look_up(self, texts: Sequence[str]) -> tuple[Ints, Ints]:
        """The ids of all characters, text after text, and of all pairs, one more a text; no pairs without bigrams."""
        codes = np.frombuffer("".join(texts).encode(CODEC), dtype=np.uint32)
        ids = self._key_ids[codes]
        if not ids.all():
            self._learn(np.unique(codes[ids == 0]).tolist())
            ids = self._key_ids[codes]
        if self._pairs is None:
            return ids.astype(np.int64), np.zeros(0, dtype=np.int64)
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        return ids.astype(np.int64), self._pairs.look_up(self._numbers[codes], lengths)

    def _learn(self, codes: list[int]) -> None:
        for code in codes:
            key = normalize(chr(code))
            if self._pairs is not None:
                self._numbers[code] = self._pairs.numbers.get(key, 0)
            [key_id] = self._keys.encode([key])
            self._key_ids[code] = key_id  # last: another thread takes it for the sign that all is there


@dataclass(frozen=True, slots=True)
class _Table:
    """At the place of a pair, the pair and its id; -1 where there is none."""

    pairs: Ints
    ids: Ints
    shift: int
    multiplier: int

    def look_up(self, pairs: Ints) -> Ints:
        """The ids of pairs, that of what is unknown for those that are not here."""
        at = self.places(pairs)
        return np.where(self.pairs[at] == pairs, self.ids[at], UNKNOWN_ID)

    def places(self, pairs: Ints) -> npt.NDArray[np.uint64]:
        found: npt.NDArray[np.uint64] = (pairs.view(np.uint64) * np.uint64(self.multiplier)) >> np.uint64(self.shift)
        return found


class _Pairs:
    """Pairs of keys, each key by a number; `numbers` has those that are a part of any known pair, from 1 on."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.numbers: dict[str, int] = {}
        known: dict[tuple[int, int], int] = {}
        entries = [entry for entry in vocabulary.entries if len(entry) <= 2 * LONGEST_KEY]
        for entry, of_entry in zip(entries, vocabulary.encode(entries), strict=True):
            for cut in range(1, len(entry)):  # more than one pair of keys may be written like this
                left, right = (
                    self.numbers.setdefault(part, len(self.numbers) + 1) for part in (entry[:cut], entry[cut:])
                )
                known[left, right] = of_entry
        parts = np.array(list(known), dtype=np.int64).reshape(-1, 2)
        self._tables = _tables(self._pair(parts[:, 0], parts[:, 1]), np.array(list(known.values()), dtype=np.int64))
        self._before, self._after = (self.numbers.get(edge, 0) for edge in (BEFORE_FIRST, AFTER_LAST))

    def _pair(self, left: Ints, right: Ints) -> Ints:
        return left * (len(self.numbers) + 1) + right

    def look_up(self, numbers: npt.NDArray[np.int32], lengths: Ints) -> Ints:
        """The ids of the pairs of rows of so many keys each, with what stands before and after a row."""
        ends = np.cumsum(lengths + 2)
        row = np.empty(len(numbers) + 2 * len(lengths), dtype=np.int64)
        row[ends - 1], row[ends - lengths - 2] = self._after, self._before
        inside = np.ones(len(row), dtype=bool)
        inside[ends - 1] = inside[ends - lengths - 2] = False
        row[inside] = numbers
        pairs = self._pair(row[:-1], row[1:])
        pairs = np.delete(pairs, ends[:-1] - 1)  # the end of a row and the beginning of the next
        first, *others = self._tables
        found = first.look_up(pairs)
        for table in others:
            left = np.flatnonzero(found == UNKNOWN_ID)
            found[left] = table.look_up(pairs[left])
        return found


def _tables(pairs: Ints, ids: Ints) -> list[_Table]:
    """All pairs, each in the first table that has its place free; every table takes one at least. There is one table
    where there are no pairs."""
    found: list[_Table] = []
    while len(pairs) or not found:
        bits = max(1, (ROOM * len(pairs)).bit_length())
        multiplier = MULTIPLIER * (2 * len(found) + 1) % 2**64
        table = _Table(np.full(1 << bits, -1), np.zeros(1 << bits, dtype=np.int64), 64 - bits, multiplier)
        at = table.places(pairs)
        table.pairs[at] = pairs
        taken = table.pairs[at] == pairs
        table.ids[at[taken]] = ids[taken]
        found.append(table)
        pairs, ids = pairs[~taken], ids[~taken]
    return found
