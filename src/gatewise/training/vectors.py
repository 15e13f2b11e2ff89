"""Pretrained vectors for a table of tokens or bigrams: which entries of a vocabulary a file has, and their numbers.

In: a file of vectors (see `training.vector_files`) and a vocabulary. Out: the rows that were found. An entry takes the
vector of the form that is written like it, or else that of the first form with its lookup key: `china` takes that of
`china`, or of `China` where the file has no other. All of them are scaled by one number, so that their mean length is
1, which is about how long the random rows beside them are (docs/adr/0031).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gatewise.errors import TrainingError
from gatewise.text.vocabulary import FIRST_ENTRY_ID, Vocabulary, normalize
from gatewise.training.table import Table
from gatewise.training.vector_files import Float32s, read_vectors

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


def find_vectors(path: str | Path, vocabulary: Vocabulary, dim: int, name: str = "tokens") -> PretrainedVectors:
    """What the file has of the vocabulary of a feature, `tokens` or `bigrams`.

    Raises FormatError for a file that is no file of vectors of this length, TrainingError when it has none of them.
    """
    ids = {entry: number for number, entry in enumerate(vocabulary.entries, start=FIRST_ENTRY_ID)}
    exact: dict[int, Float32s] = {}
    by_key: dict[int, Float32s] = {}
    for form, values in read_vectors(
        path, dim, lambda form: form in ids or normalize(form) in ids, setting=SETTINGS[name]
    ):
        if form in ids:
            exact.setdefault(ids[form], values)
        else:
            by_key.setdefault(ids[normalize(form)], values)
    found = by_key | exact
    if not found:
        raise TrainingError(
            f"{path}: expected vectors of the training split's {name}, found none of {len(ids):,}; are both of one"
            f" language, and cut into the same {name}?"
        )
    rows = sorted(found)
    values = _scaled(np.stack([found[row] for row in rows]))
    return PretrainedVectors(ids=torch.tensor(rows), values=torch.from_numpy(values), entries=len(ids))


def _scaled(values: Float32s) -> Float32s:
    """Rows (found, dim) by one number, so that their mean length is 1; nothing but zeros stays as it is."""
    wide = values.astype(np.float64)
    length = float(np.linalg.norm(wide, axis=1).mean())
    return (wide / length).astype(np.float32) if length else values
