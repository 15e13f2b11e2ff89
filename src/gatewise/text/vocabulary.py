"""Vocabulary: from forms to lookup keys, and from keys to the ids that embeddings are looked up by.

In: surface forms. Out: keys (`normalize`: NFKC, lower case, digits as 0), bigrams of keys, ids. Keys serve lookup
only; in place of the text they are never shown. Id 0 is padding, 1 any unknown key, entries count from 2.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import add

PADDING_ID = 0
UNKNOWN_ID = 1
FIRST_ENTRY_ID = 2
BEFORE_FIRST = "<s>"
AFTER_LAST = "</s>"
REMEMBERED_KEYS = 65_536

_DIGIT = re.compile(r"\d")  # every decimal digit of Unicode, category Nd


def normalize(form: str) -> str:
    """The lookup key of a form: NFKC, lower case, every decimal digit as 0.

    >>> normalize("ＩＰｈｏｎｅ１５")
    'iphone00'
    """
    lowered = unicodedata.normalize("NFKC", form).lower()
    return _DIGIT.sub("0", unicodedata.normalize("NFKC", lowered))  # again: J̌ has no composed form, ǰ has


class _Remembered(dict[str, str]):
    """The key of each form that was asked for, so many of them at most: looked up without a call in Python."""

    def __missing__(self, form: str) -> str:
        if len(self) >= REMEMBERED_KEYS:
            self.clear()
        key = self[form] = normalize(form)
        return key


_KEYS = _Remembered()


def keys_from_forms(forms: Iterable[str]) -> list[str]:
    """The lookup key of each form."""
    return list(map(_KEYS.__getitem__, forms))


def bigrams(keys: Sequence[str]) -> list[str]:
    """The n+1 pairs of neighboring keys, element t being key t-1 and key t; `<s>` and `</s>` stand at the ends.

    >>> bigrams(["我", "叫"])
    ['<s>我', '我叫', '叫</s>']
    """
    return list(map(add, [BEFORE_FIRST, *keys], [*keys, AFTER_LAST]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Known keys in the order of their ids, which start at 2."""

    entries: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {key: number for number, key in enumerate(self.entries, start=FIRST_ENTRY_ID)}
        object.__setattr__(self, "_ids", ids)

    @property
    def size(self) -> int:
        """The number of ids, padding and unknown included: the rows of an embedding table."""
        return len(self.entries) + FIRST_ENTRY_ID

    def encode(self, keys: Iterable[str]) -> list[int]:
        """The id of each key, 1 where it is unknown; keys are taken as they are, so `keys_from_forms` comes before."""
        return list(self.look_up(keys))

    def look_up(self, keys: Iterable[str]) -> Iterator[int]:
        """The same, one at a time."""
        return map(self._ids.get, keys, repeat(UNKNOWN_ID))

    def __contains__(self, key: str) -> bool:
        return key in self._ids


def build_vocabulary(counts: Counter[str], min_count: int) -> Vocabulary:
    """The keys seen at least `min_count` times, the most frequent first, equals in the order of their characters."""
    kept = [(key, count) for key, count in counts.items() if count >= min_count]
    kept.sort(key=lambda entry: (-entry[1], entry[0]))
    return Vocabulary(entries=tuple(key for key, _ in kept))
