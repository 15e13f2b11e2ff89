"""Sentences as ids, and batches of them by length.

In: tagged sentences and vocabularies. Out: padded batches of torch tensors, time first. Everything is encoded once;
sentences of like length share a batch, so that little of it is padding, and a batch is cut by tokens as well.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from gatewise.text.sentence import Sentence
from gatewise.text.vocabulary import FIRST_ENTRY_ID, PADDING_ID, UNKNOWN_ID, Vocabulary, bigrams, keys_from_forms

LENGTH_NOISE = 3.0  # tokens by which lengths are blurred, so that epochs do not repeat the same batches


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSentence:
    """One sentence as ids: `tokens` (time,), `bigrams` (time + 1,) or None, `tags` (time,)."""

    tokens: Tensor
    bigrams: Tensor | None
    tags: Tensor

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Padded ids, time first: `tokens` and `tags` (time, batch), `bigrams` (time + 1, batch), `lengths` (batch,)."""

    indices: tuple[int, ...]
    tokens: Tensor
    bigrams: Tensor | None
    tags: Tensor
    lengths: Tensor


def count_keys(sentences: Sequence[Sentence]) -> tuple[Counter[str], Counter[str]]:
    """How often each token key and each bigram occurs."""
    tokens: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for sentence in sentences:
        keys = keys_from_forms(sentence.forms)
        tokens.update(keys)
        pairs.update(bigrams(keys))
    return tokens, pairs


def encode_sentences(
    sentences: Sequence[Sentence], tokens: Vocabulary, pairs: Vocabulary | None, tag_ids: dict[str, int]
) -> list[EncodedSentence]:
    """Encode tagged sentences; a tag that training does not know becomes tag 0, which can only count as an error."""
    encoded = []
    for sentence in sentences:
        keys = keys_from_forms(sentence.forms)
        encoded.append(
            EncodedSentence(
                tokens=torch.tensor(tokens.encode(keys)),
                bigrams=torch.tensor(pairs.encode(bigrams(keys))) if pairs else None,
                tags=torch.tensor([tag_ids.get(tag, 0) for tag in sentence.tags or ()]),
            )
        )
    return encoded


def cut_batches(
    sentences: Sequence[EncodedSentence], *, size: int, max_tokens: int, shuffle: random.Random | None = None
) -> list[list[int]]:
    """Indices of each batch: at most `size` sentences and `max_tokens` places, padding included, unless one
    sentence alone is longer. With `shuffle` both the neighbors and the order change from call to call."""
    lengths = [len(sentence) + (shuffle.random() * LENGTH_NOISE if shuffle else 0.0) for sentence in sentences]
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(sentences)), key=lengths.__getitem__):
        longest = max(longest, len(sentences[index]))
        if not batches or len(batches[-1]) == size or (len(batches[-1]) + 1) * longest > max_tokens:
            batches.append([])
            longest = len(sentences[index])
        batches[-1].append(index)
    if shuffle:
        shuffle.shuffle(batches)
    return batches


def collate(sentences: Sequence[EncodedSentence], batches: Sequence[Sequence[int]]) -> Iterator[Batch]:
    """Pad each batch."""
    for indices in batches:
        chosen = [sentences[index] for index in indices]
        pairs = [sentence.bigrams for sentence in chosen if sentence.bigrams is not None]
        yield Batch(
            indices=tuple(indices),
            tokens=pad_sequence([sentence.tokens for sentence in chosen], padding_value=PADDING_ID),
            bigrams=pad_sequence(pairs, padding_value=PADDING_ID) if pairs else None,
            tags=pad_sequence([sentence.tags for sentence in chosen]),
            lengths=torch.tensor([len(sentence) for sentence in chosen]),
        )


def unknown_rates(vocabulary: Vocabulary, counts: Counter[str], weight: float) -> Tensor:
    """For each id the probability of being replaced by the unknown while training: weight / (weight + count)."""
    rates = torch.zeros(vocabulary.size)
    if weight:
        for number, entry in enumerate(vocabulary.entries, start=FIRST_ENTRY_ID):
            rates[number] = weight / (weight + counts[entry])
    return rates


def with_unknowns(ids: Tensor, rates: Tensor) -> Tensor:
    """The ids with some replaced by the unknown, at random; draws from torch's current generator."""
    return ids.masked_fill(torch.rand(ids.shape) < rates[ids], UNKNOWN_ID)
