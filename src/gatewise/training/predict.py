"""What a network says: the best legal tags of encoded sentences, under the weights it has or others held for a while.

In: a network and encoded sentences. Out: tags, in the order given, and how far the gold tags were from being said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.crf import CRFScores, viterbi
from gatewise.model.heads import MAIN_HEAD
from gatewise.training.batches import Batch, EncodedSentences, collate, cut_batches
from gatewise.training.losses import sentence_losses
from gatewise.training.network import TaggerNetwork

SCORING_BATCH = 64
SCORING_TOKENS = SCORING_BATCH * 256


@contextmanager
def holding(network: TaggerNetwork, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """The network with other weights for a while."""
    own = {name: array.clone() for name, array in network.arrays().items()}
    try:
        for name, array in network.arrays().items():
            array.copy_(weights[name])
        yield
    finally:
        for name, array in network.arrays().items():
            array.copy_(own[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """In the order of the sentences: the best legal tags, and the negative log likelihood of the gold tags.

    A loss is infinite where the gold tags are not legal among the tags of the model.
    """

    tags: list[tuple[str, ...]]
    losses: list[float]


def predict(
    network: TaggerNetwork, sentences: EncodedSentences, labels: Sequence[str], head: str = MAIN_HEAD
) -> list[tuple[str, ...]]:
    """A head's best legal tags of each sentence under the network's present weights, in the order given.

    `labels` are those of the head; each head is decoded on its own, whatever the others say.
    """
    tags: list[tuple[str, ...]] = [()] * len(sentences)
    scores = _crf_scores(network, head)
    for batch, emissions in _emissions(network, sentences, head):
        for index, best in zip(batch.indices, _best_tags(batch, emissions, scores, labels), strict=True):
            tags[index] = best
    return tags


def predict_with_losses(network: TaggerNetwork, sentences: EncodedSentences, labels: Sequence[str]) -> Predictions:
    """The same of the main head, and each sentence's loss without dropout and margins, in one run of the network."""
    tags: list[tuple[str, ...]] = [()] * len(sentences)
    losses = [0.0] * len(sentences)
    scores = _crf_scores(network, MAIN_HEAD)
    no_margins = torch.zeros(len(labels), device=sentences.tags.values.device)
    for batch, emissions in _emissions(network, sentences, MAIN_HEAD):
        with torch.no_grad():
            found = sentence_losses(network, emissions, batch, no_margins).tolist()
        best = _best_tags(batch, emissions, scores, labels)
        for index, loss, sequence in zip(batch.indices, found, best, strict=True):
            losses[index], tags[index] = loss, sequence
    return Predictions(tags=tags, losses=losses)


def _emissions(network: TaggerNetwork, sentences: EncodedSentences, head: str) -> Iterator[tuple[Batch, Tensor]]:
    """A head's emissions (time, batch, num_tags) of batches that cover all sentences."""
    network.eval()
    batches = cut_batches(sentences.lengths, size=SCORING_BATCH, max_tokens=SCORING_TOKENS)
    for batch in collate(sentences, batches):
        with torch.no_grad():
            emissions = network.heads[head](network.states(batch.inputs, batch.lengths))
        yield batch, emissions


def _crf_scores(network: TaggerNetwork, head: str) -> CRFScores:
    learned = network.heads[head].crf_scores()
    return CRFScores(
        transitions=learned.transitions.detach().cpu().numpy(),
        start_transitions=learned.start.detach().cpu().numpy(),
        end_transitions=learned.end.detach().cpu().numpy(),
    )


def _best_tags(batch: Batch, emissions: Tensor, scores: CRFScores, labels: Sequence[str]) -> Iterator[tuple[str, ...]]:
    best = viterbi(emissions.cpu().numpy(), batch.lengths.cpu().numpy(), scores).tags
    for column, length in enumerate(batch.lengths.tolist()):
        yield tuple(labels[tag] for tag in best[:length, column])
