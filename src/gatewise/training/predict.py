"""What a network says: the best legal tags of encoded sentences, under the weights it has or others held for a while.

In: a network and encoded sentences. Out: tags, in the order given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from gatewise.crf import CRFScores, viterbi
from gatewise.training.batches import EncodedSentences, collate, cut_batches
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


def predict(network: TaggerNetwork, sentences: EncodedSentences, labels: Sequence[str]) -> list[tuple[str, ...]]:
    """The best legal tags of each sentence under the network's present weights, in the order given."""
    network.eval()
    tags: list[tuple[str, ...]] = [()] * len(sentences)
    learned = network.crf_scores()
    scores = CRFScores(
        transitions=learned.transitions.detach().cpu().numpy(),
        start_transitions=learned.start.detach().cpu().numpy(),
        end_transitions=learned.end.detach().cpu().numpy(),
    )
    batches = cut_batches(sentences.lengths, size=SCORING_BATCH, max_tokens=SCORING_TOKENS)
    with torch.no_grad():
        for batch in collate(sentences, batches):
            emissions = network(batch.inputs, batch.lengths).cpu().numpy()
            best = viterbi(emissions, batch.lengths.cpu().numpy(), scores).tags
            for column, (index, length) in enumerate(zip(batch.indices, batch.lengths.tolist(), strict=True)):
                tags[index] = tuple(labels[tag] for tag in best[:length, column])
    return tags
