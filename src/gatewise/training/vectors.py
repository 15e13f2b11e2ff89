"""Pretrained vectors for a table of tokens or bigrams: which entries of a vocabulary a file has, and their numbers.

In: a file of vectors (see `training.vector_files`) and a vocabulary. Out: the rows that were found. An entry takes the
vector of the form that is written like it, or else that of the first form with its lookup key: `china` takes that of
`china`, or of `China` where the file has no other. All of them are scaled by one number, so that their mean length is
1, which is about how long the random rows beside them are (docs/adr/0031).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from gatewise.errors import TrainingError
from gatewise.text.vocabulary import FIRST_ENTRY_ID, Vocabulary, normalize
from gatewise.training.table import Table
from gatewise.training.vector_files import Float32s, read_vectors

KeyOf: TypeAlias = Callable[[str], str]

# By feature, the setting that says how long its vectors are
SETTINGS = {"tokens": "features.token_dim", "bigrams": "features.bigram_dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainedVectors:
    """The rows of a table that a file has: `ids` (found,), rising, and `values` (found, dim), of mean length 1;
    `entries` is how many were looked for."""

    ids: Tensor
    values: Tensor
    entries: int

    def fill(self, table: Table, *, trained: bool) -> None:
        """Put the vectors into the table, to be tuned or to stay as they are."""
        with torch.no_grad():
            table.weight[self.ids.to(table.weight.device)] = self.values.to(table.weight)
        if not trained:
            table.freeze(self.ids)


def find_vectors(
    path: str | Path, vocabulary: Vocabulary, dim: int, name: str = "tokens", *, key_of: KeyOf = normalize
) -> PretrainedVectors:
    """What the file has of the vocabulary of a feature, `tokens` or `bigrams`, whose keys `key_of` makes of forms.

    Raises FormatError for a file that is no file of vectors of this length, TrainingError when it has none of them.
    """
    ids = {entry: number for number, entry in enumerate(vocabulary.entries, start=FIRST_ENTRY_ID)}
    found = vectors_of(path, ids, dim, setting=SETTINGS[name], key_of=key_of)
    if not found:
        raise TrainingError(
            f"{path}: expected vectors of the training split's {name}, found none of {len(ids):,}; are both of one"
            f" language, and cut into the same {name}?"
        )
    rows = {ids[key]: values for key, values in found.items()}
    return rows_of_table(rows, dim, entries=len(ids))


def vectors_of(
    path: str | Path, keys: Container[str], dim: int, *, setting: str, key_of: KeyOf = normalize
) -> dict[str, Float32s]:
    """By key, the vector of the form that is written like it, or else that of the first form with this key.

    `setting` is the one that says how long vectors are, for messages. Raises FormatError for a file that is none.
    """
    exact: dict[str, Float32s] = {}
    by_key: dict[str, Float32s] = {}
    for form, values in read_vectors(path, dim, lambda form: form in keys or key_of(form) in keys, setting=setting):
        if form in keys:
            exact.setdefault(form, values)
        else:
            by_key.setdefault(key_of(form), values)
    return by_key | exact


def with_entries_of(
    path: str | Path, vocabulary: Vocabulary, dim: int, count: int, name: str = "tokens", *, key_of: KeyOf = normalize
) -> Vocabulary:
    """The vocabulary and, behind its entries, the keys of the first `count` of the file that it does not have.

    Raises FormatError for a file that is no file of vectors of this length.
    """
    entries = read_vectors(path, dim, lambda _: True, setting=SETTINGS[name])
    keys = dict.fromkeys(key_of(form) for form, _ in islice(entries, count))
    added = [key for key in keys if key not in vocabulary]
    return Vocabulary(entries=(*vocabulary.entries, *added)) if added else vocabulary


def rows_of_table(rows: Mapping[int, Float32s], dim: int, *, entries: int) -> PretrainedVectors:
    """Rows by their number, all scaled by one number so that their mean length is 1; `entries`: how many were looked
    for."""
    numbers = sorted(rows)
    values = _scaled(np.stack([rows[number] for number in numbers])) if rows else np.zeros((0, dim), dtype=np.float32)
    return PretrainedVectors(
        ids=torch.tensor(numbers, dtype=torch.int64), values=torch.from_numpy(values), entries=entries
    )


def _scaled(values: Float32s) -> Float32s:
    """Rows (found, dim) by one number, so that their mean length is 1; nothing but zeros stays as it is."""
    wide = values.astype(np.float64)
    length = float(np.linalg.norm(wide, axis=1).mean())
    return (wide / length).astype(np.float32) if length else values
