"""The lexicon of a model, made from a word list: which words have a vector of their own, and what each counts.

In: the configuration, and the training and dev sentences. Out: a `Lexicon`, how often training has each word, and the
pretrained vectors that were found. A word has its own vector where training has it often enough, or where the file of
vectors does; all others share that of the unknown, so that they still say where a word may begin and end (ADR 0032).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.errors import TrainingError
from gatewise.model.config import FeaturesConfig
from gatewise.model.features import forms_read, key_of
from gatewise.model.lexicon import Lexicon
from gatewise.model.word_trie import Matches
from gatewise.text.vocabulary import FIRST_ENTRY_ID, keys_from_forms
from gatewise.training.vector_files import Float32s
from gatewise.training.vectors import PretrainedVectors, rows_of_table, vectors_of
from gatewise.training.word_list import read_word_list

Forms = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedLexicon:
    """`occurrences` are those in training by word, covered or not; `vectors` has what a file says of the entries."""

    lexicon: Lexicon
    occurrences: Counter[str]
    vectors: PretrainedVectors | None


def prepare_lexicon(features: FeaturesConfig, train: Forms, dev: Forms = ()) -> PreparedLexicon:
    """The lexicon of `features.lexicon`; the weights are counted in both splits, what has a vector in training alone.

    Raises FormatError for a list or a file of vectors that cannot be read, TrainingError where the training split has
    none of the words.
    """
    words = read_word_list(features.lexicon, features.lexicon_longest, key_of(features))
    everything = Lexicon(entries=(), others=tuple(words), weights=())
    in_train, in_dev = (
        everything.find([keys_from_forms(forms_read(features, forms)) for forms in split]) for split in (train, dev)
    )
    occurrences = np.bincount(in_train.words, minlength=len(words))
    if not occurrences.any():
        raise TrainingError(
            f"{features.lexicon}: expected words of the training split, found none of {len(words):,}; are both of one "
            "language and script?"
        )
    alone = np.concatenate([one.words[~covered(one)] for one in (in_train, in_dev)])
    uncovered = np.bincount(alone, minlength=len(words))
    vectors = _vectors(features, words) if features.lexicon_vectors else {}
    chosen = _with_own_vectors(words, occurrences.tolist(), vectors, features)
    own = {words[number] for number in chosen}
    lexicon = Lexicon(
        entries=tuple(words[number] for number in chosen),
        others=tuple(word for word in words if word not in own),
        weights=tuple(1 + int(uncovered[number]) for number in chosen),
    )
    seen = {words[number]: int(occurrences[number]) for number in np.flatnonzero(occurrences)}
    return PreparedLexicon(
        lexicon=lexicon,
        occurrences=Counter(seen),
        vectors=_rows(lexicon, vectors, features.lexicon_dim) if features.lexicon_vectors else None,
    )


def covered(found: Matches) -> npt.NDArray[np.bool_]:
    """Which matches stand inside a longer one (matches,)."""
    ends = found.starts + found.lengths
    order = np.lexsort((-ends, found.starts))
    furthest = np.maximum.accumulate(ends[order])  # of all that start no later; of one start the longest comes first
    inside = np.zeros(len(ends), dtype=np.bool_)
    inside[order[1:]] = furthest[:-1] >= ends[order[1:]]
    return inside


def _with_own_vectors(
    words: Sequence[str], occurrences: Sequence[int], vectors: dict[str, Float32s], features: FeaturesConfig
) -> list[int]:
    """The numbers of the words with a vector of their own: those that training has most often, then as in the list."""
    chosen = [
        number
        for number, count in enumerate(occurrences)
        if count >= features.lexicon_min_count or words[number] in vectors
    ]
    return sorted(chosen, key=lambda number: -occurrences[number])[: features.lexicon_size]


def _vectors(features: FeaturesConfig, words: Sequence[str]) -> dict[str, Float32s]:
    """By word, its pretrained vector."""
    path = features.lexicon_vectors
    found = vectors_of(path, set(words), features.lexicon_dim, setting="features.lexicon_dim", key_of=key_of(features))
    if not found:
        raise TrainingError(
            f"{path}: expected vectors of words in {features.lexicon}, found none of {len(words):,}; are both of one "
            "language and script?"
        )
    return found


def _rows(lexicon: Lexicon, vectors: dict[str, Float32s], dim: int) -> PretrainedVectors:
    entries = enumerate(lexicon.entries, start=FIRST_ENTRY_ID)
    return rows_of_table(
        {row: vectors[word] for row, word in entries if word in vectors}, dim, entries=len(lexicon.words)
    )
