"""Sentences as ids, and batches of them by length.

In: tagged sentences and vocabularies. Out: padded batches of torch tensors, time first. Everything is encoded once,
into one long array a feature; sentences of like length share a batch, so that little of it is padding, and a batch is
cut by tokens as well.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from gatewise.model.feature_ids import FeatureEncoder
from gatewise.model.features import CHARACTERS, FORM_OF, SPELLING_LENGTHS
from gatewise.model.heads import MAIN_HEAD
from gatewise.model.lexicon import LEXICON
from gatewise.model.rows import rows_of
from gatewise.model.word_sets import SET_INPUTS, SHARES, WordSets
from gatewise.text.sentence import Sentence
from gatewise.text.vocabulary import FIRST_ENTRY_ID, PADDING_ID, UNKNOWN_ID, Vocabulary
from gatewise.training.ragged import Ragged, ragged
from gatewise.training.soft_tags import SoftTags, SoftTarget

LENGTH_NOISE = 3.0  # tokens by which lengths are blurred, so that epochs do not repeat the same batches


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTags:
    """A head's gold tags, one row a sentence; a row of a sentence that is not `labeled` for it says nothing."""

    tags: Ragged
    labeled: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSentences:
    """A split as ids by the name of the feature: `inputs` one row a sentence, `forms` one row a distinct form, of which
    number 0 stands for padding (see `model.features`); `sets` is the same of word sets, ids and shares (see
    `model.word_sets`); `lengths` in tokens.

    `tags` are the main head's, of the sentences `labeled` for it (None: all of them); `heads` has the further ones.
    `taught` is what teachers say of the main head's tags, where there are some.
    """

    inputs: Mapping[str, Ragged]
    tags: Ragged
    lengths: tuple[int, ...]
    forms: Mapping[str, Ragged] = field(default_factory=dict)
    sets: Mapping[str, Ragged] = field(default_factory=dict)
    labeled: tuple[bool, ...] | None = None
    heads: Mapping[str, HeadTags] = field(default_factory=dict)
    taught: SoftTags | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    def to(self, device: torch.device) -> EncodedSentences:
        """The same on a device."""
        inputs = {name: rows.to(device) for name, rows in self.inputs.items()}
        forms = {name: rows.to(device) for name, rows in self.forms.items()}
        sets = {name: rows.to(device) for name, rows in self.sets.items()}
        heads = {name: replace(head, tags=head.tags.to(device)) for name, head in self.heads.items()}
        taught = None if self.taught is None else self.taught.to(device)
        return replace(
            self, inputs=inputs, tags=self.tags.to(device), forms=forms, sets=sets, heads=heads, taught=taught
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one head is to say of a batch: `tags` (time, labeled) and `lengths` (labeled,) of the sentences that are
    labeled for it, and their `columns` in the batch, None for all."""

    columns: Tensor | None
    tags: Tensor
    lengths: Tensor

    def of(self, states: Tensor) -> Tensor:
        """The states (time, batch, size) of these sentences alone."""
        return states if self.columns is None else states.index_select(1, self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Padded ids, time first: `inputs` by feature, `tags` (time, batch), `lengths` (batch,); `tokens` is how many there
    are, padding left out. `targets` by head, the main one first; a head that no sentence of the batch is labeled for
    has none. `taught` is what teachers say of the main head's tags, None where they say nothing; beside them the gold
    tags' loss counts `gold_share`.

    Of the inputs, `tokens` is (time, batch), `bigrams` (time + 1, batch); with features of forms, `form_of` is (time,
    batch), each feature (longest, forms), and `spelling_lengths` (forms,); with a lexicon, `lexicon_B` and its sisters
    are (time, batch), `lexicon` and `lexicon_shares` (longest, sets)."""

    indices: tuple[int, ...]
    inputs: Mapping[str, Tensor]
    tags: Tensor
    lengths: Tensor
    tokens: int
    targets: Mapping[str, Target]
    taught: SoftTarget | None = None
    gold_share: float = 1.0

    @property
    def everything(self) -> Target:
        """The main head's tags of all sentences."""
        return Target(columns=None, tags=self.tags, lengths=self.lengths)


def encode_sentences(
    sentences: Sequence[Sentence], encoder: FeatureEncoder, tag_ids: Mapping[str, int]
) -> EncodedSentences:
    """Encode sentences; a tag that training does not know becomes tag 0, which can only count as an error.

    Sentences without tags get tag 0 everywhere, so that they can be predicted.
    """
    encoded = encoder.encode([sentence.forms for sentence in sentences])
    inputs = {name: ragged(rows) for name, rows in encoded.rows.items()}
    lengths = tuple(map(len, sentences))
    ids = ([tag_ids.get(tag, 0) for tag in sentence.tags or [""] * len(sentence)] for sentence in sentences)
    forms = {name: ragged(rows) for name, rows in encoded.forms.items()}
    tags, sets = ragged(rows_of(ids, lengths)), _ragged_sets(encoded.sets) if encoded.sets else {}
    return EncodedSentences(inputs=inputs, tags=tags, lengths=lengths, forms=forms, sets=sets)


def _ragged_sets(sets: WordSets) -> dict[str, Ragged]:
    words = ragged(sets.words)
    return {LEXICON: words, SHARES: replace(words, values=torch.from_numpy(sets.shares))}


def cut_batches(
    lengths: Sequence[int], *, size: int, max_tokens: int, shuffle: random.Random | None = None
) -> list[list[int]]:
    """Indices of each batch: at most `size` sentences and `max_tokens` places, padding included, unless one
    sentence alone is longer. With `shuffle` both the neighbors and the order change from call to call."""
    blurred = [length + (shuffle.random() * LENGTH_NOISE if shuffle else 0.0) for length in lengths]
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=blurred.__getitem__):
        longest = max(longest, lengths[index])
        if not batches or len(batches[-1]) == size or (len(batches[-1]) + 1) * longest > max_tokens:
            batches.append([])
            longest = lengths[index]
        batches[-1].append(index)
    if shuffle:
        shuffle.shuffle(batches)
    return batches


def collate(sentences: EncodedSentences, batches: Sequence[Sequence[int]]) -> Iterator[Batch]:
    """Pad each batch, on the device that the split lies on."""
    for indices in batches:
        rows = torch.tensor(indices, device=sentences.tags.values.device)
        everything = Target(columns=None, tags=sentences.tags.padded(rows, 0), lengths=sentences.tags.lengths[rows])
        taught = sentences.taught
        yield Batch(
            indices=tuple(indices),
            inputs=_padded_inputs(sentences, rows),
            tags=everything.tags,
            lengths=everything.lengths,
            tokens=sum(sentences.lengths[index] for index in indices),
            targets=dict(_targets(sentences, indices, rows, everything)),
            taught=None if taught is None else taught.target(rows, everything.lengths),
            gold_share=1.0 if taught is None else taught.gold_share,
        )


def _padded_inputs(sentences: EncodedSentences, rows: Tensor) -> dict[str, Tensor]:
    """The ids of these sentences, and of each form and word set that they hold once."""
    inputs = {name: feature.padded(rows, PADDING_ID) for name, feature in sentences.inputs.items()}
    if sentences.forms:
        numbers, inputs[FORM_OF] = torch.unique(inputs[FORM_OF], return_inverse=True)
        inputs |= {name: feature.padded(numbers, PADDING_ID) for name, feature in sentences.forms.items()}
        if CHARACTERS in sentences.forms:
            inputs[SPELLING_LENGTHS] = sentences.forms[CHARACTERS].lengths[numbers]
    if sentences.sets:
        of_tokens = torch.stack([inputs[name] for name in SET_INPUTS])
        numbers, renumbered = torch.unique(of_tokens, return_inverse=True)
        inputs |= dict(zip(SET_INPUTS, renumbered, strict=True))
        inputs |= {name: rows.padded(numbers, PADDING_ID) for name, rows in sentences.sets.items()}
    return inputs


def _targets(
    sentences: EncodedSentences, indices: Sequence[int], rows: Tensor, everything: Target
) -> Iterator[tuple[str, Target]]:
    """The part of the batch that each head is told about; `everything` is the main head's where all is labeled."""
    if sentences.labeled is None:
        yield MAIN_HEAD, everything
    elif columns := [column for column, index in enumerate(indices) if sentences.labeled[index]]:
        yield MAIN_HEAD, _part(everything.tags, everything.lengths, columns)
    for name, head in sentences.heads.items():
        if columns := [column for column, index in enumerate(indices) if head.labeled[index]]:
            yield name, _part(head.tags.padded(rows, 0), everything.lengths, columns)


def _part(tags: Tensor, lengths: Tensor, columns: list[int]) -> Target:
    if len(columns) == len(lengths):
        return Target(columns=None, tags=tags, lengths=lengths)
    chosen = torch.tensor(columns, device=tags.device)
    return Target(columns=chosen, tags=tags.index_select(1, chosen), lengths=lengths[chosen])


def unknown_rates(vocabulary: Vocabulary, counts: Counter[str], weight: float) -> Tensor:
    """For each id the probability of being replaced by the unknown while training: weight / (weight + count)."""
    rates = torch.zeros(vocabulary.size)
    if weight:
        for number, entry in enumerate(vocabulary.entries, start=FIRST_ENTRY_ID):
            rates[number] = weight / (weight + counts[entry])
    return rates


def with_unknowns(ids: Tensor, rates: Tensor) -> Tensor:
    """The ids with some replaced by the unknown, at random; draws from torch's current generator."""
    return ids.masked_fill(torch.rand(ids.shape, device=ids.device) < rates[ids], UNKNOWN_ID)
