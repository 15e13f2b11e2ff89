"""Pretrained vectors from a text file into the token embedding: word2vec text, GloVe, fastText .vec.

In: one entry a line, its form and then its numbers, an optional first line with two counts. Out: the number of
vocabulary entries that were found; their rows are overwritten, the others keep their random start.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from gatewise.errors import FormatError
from gatewise.text.vocabulary import FIRST_ENTRY_ID, Vocabulary, normalize


def load_vectors(path: str | Path, vocabulary: Vocabulary, embedding: Tensor) -> int:
    """Fill rows of `embedding` (vocabulary.size, dim); of two forms with one key the first in the file wins.

    Raises FormatError when the file cannot be read or a line has another number of values than `dim`.
    """
    wanted = {entry: number for number, entry in enumerate(vocabulary.entries, start=FIRST_ENTRY_ID)}
    found: dict[int, list[float]] = {}
    try:
        with Path(path).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                form, *values = line.rstrip("\n ").split(" ")
                if number == 1 and len(values) == 1:
                    continue  # word2vec's head: how many, how long
                row = wanted.get(normalize(form))
                if row is not None and row not in found:
                    found[row] = _numbers(values, embedding.shape[1], where=f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: expected a text file of vectors, found that it cannot be read ({error})") from error
    with torch.no_grad():
        for row, numbers in found.items():
            embedding[row] = torch.tensor(numbers)
    return len(found)


def _numbers(values: list[str], dim: int, *, where: str) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        numbers = []
    if len(numbers) != dim or not all(map(math.isfinite, numbers)):
        raise FormatError(
            f"{where}: expected {dim} numbers after the token, found {len(values)} ({' '.join(values)[:40]}); set"
            f" features.token_dim to the length of the file's vectors"
        )
    return numbers
