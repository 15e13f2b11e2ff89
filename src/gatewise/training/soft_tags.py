"""Tags as teachers give them: for each sentence how probable each tag is at each token, and how often each transition.

In: expected counts of the paths of sentences, the few that are not 0. Out: `SoftTags`, one row a sentence, and the part
of them that a batch holds. A teacher is sure of most tokens, so that few of all (token, tag) are there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gatewise.training.crf import PathCounts
from gatewise.training.ragged import Ragged


class Counts(NamedTuple):
    """Numbers that are not 0, and where they stand in the flat array that they are of."""

    places: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]


NOTHING = Counts(places=np.zeros(0, dtype=np.int32), values=np.zeros(0, dtype=np.float32))


class SoftSentence(NamedTuple):
    """Of one sentence: the probability of each tag at each token, of the flat (time, num_tags), and how often each
    transition is expected, of the flat [from, to]."""

    tags: Counts
    moves: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftTarget:
    """What teachers say of a batch: the `paths` of the sentences that they teach, how much the loss of each counts,
    `weights` (taught,), their `lengths` (taught,), and their `columns` in the batch, None for all."""

    columns: Tensor | None
    lengths: Tensor
    weights: Tensor
    paths: PathCounts

    def of(self, states: Tensor) -> Tensor:
        """The states (time, batch, size) of these sentences alone."""
        return states if self.columns is None else states.index_select(1, self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftTags:
    """Of a split, one row a sentence: `tags` and `shares`, `moves` and `counts` as `PathCounts` has them, `weights`
    (sentences,), 0 for those that are not taught. `gold_share` is what the loss of the gold tags counts beside them."""

    tags: Ragged
    shares: Ragged
    moves: Ragged
    counts: Ragged
    weights: Tensor
    gold_share: float

    def to(self, device: torch.device) -> SoftTags:
        """The same on a device."""
        moved = {
            field.name: getattr(self, field.name).to(device) for field in fields(self) if field.name != "gold_share"
        }
        return SoftTags(**moved, gold_share=self.gold_share)

    def update(self, digest: hashlib._Hash) -> None:
        """Put all of it into a digest."""
        for rows in (self.tags, self.shares, self.moves, self.counts):
            digest.update(rows.values.cpu().numpy().tobytes())
            digest.update(rows.lengths.cpu().numpy().tobytes())

    def target(self, rows: Tensor, lengths: Tensor) -> SoftTarget | None:
        """Of the sentences of a batch, `rows` (batch,), of `lengths` (batch,); None where none of them is taught."""
        weights = self.weights[rows]
        columns = torch.nonzero(weights)[:, 0]
        if not len(columns):
            return None
        chosen = rows[columns]
        return SoftTarget(
            columns=None if len(columns) == len(rows) else columns,
            lengths=lengths[columns],
            weights=weights[columns],
            paths=PathCounts(
                tags=self.tags.padded(chosen, 0),
                shares=self.shares.padded(chosen, 0),
                moves=self.moves.padded(chosen, 0),
                counts=self.counts.padded(chosen, 0),
            ),
        )


def soft_tags(said: Sequence[SoftSentence | None]) -> SoftTags:
    """What was said of each sentence of a split (None: nothing), as rows; each loss counts 1, and gold tags nothing."""
    there = [SoftSentence(NOTHING, NOTHING) if one is None else one for one in said]
    tags, shares = _rows([one.tags for one in there])
    moves, counts = _rows([one.moves for one in there])
    weights = torch.tensor([0.0 if one is None else 1.0 for one in said])
    return SoftTags(tags=tags, shares=shares, moves=moves, counts=counts, weights=weights, gold_share=0.0)


def _rows(of_sentences: Sequence[Counts]) -> tuple[Ragged, Ragged]:
    """Places and values, a row a sentence."""
    lengths = torch.tensor([len(one.places) for one in of_sentences], dtype=torch.int64)
    starts = torch.cumsum(lengths, 0) - lengths
    places = torch.from_numpy(np.concatenate([one.places for one in of_sentences]))
    values = torch.from_numpy(np.concatenate([one.values for one in of_sentences]))
    return (
        Ragged(values=places, starts=starts, lengths=lengths),
        Ragged(values=values, starts=starts, lengths=lengths),
    )
