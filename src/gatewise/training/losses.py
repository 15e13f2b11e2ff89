"""How wrong a network is on a batch: the negative log likelihood of the gold tags, with margins for labels that count.

In: emissions and gold tags of a batch. Out: one number a sentence. A label of weight w has the logarithm of w taken off
its gold emissions, so that it must win by so much (a softmax margin, Gimpel and Smith 2010).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.text.transitions import OUTSIDE, split_tag
from gatewise.training.batches import Batch
from gatewise.training.crf import log_partition, path_score
from gatewise.training.network import TaggerNetwork
from gatewise.training.prepare import Prepared


def label_margins(prepared: Prepared) -> Tensor:
    """The logarithm of each tag's weight, (num_tags,): by how much its emission must win by (Gimpel and Smith 2010)."""
    weights, scheme = prepared.config.training.label_weights, prepared.config.task.scheme
    labels = [tag if scheme == "plain" or tag == OUTSIDE else split_tag(tag)[1] for tag in prepared.labels]
    if unknown := sorted(weights.keys() - set(labels)):
        raise TrainingError(
            f"training.label_weights: expected labels of the training split, found {', '.join(unknown)}; it has"
            f" {', '.join(sorted(set(labels)))}"
        )
    return torch.tensor([math.log(weights.get(label, 1.0)) for label in labels])


def sentence_losses(network: TaggerNetwork, emissions: Tensor, batch: Batch, margins: Tensor) -> Tensor:
    """The negative log likelihood of the gold tags of each sentence, margins taken off the gold emissions: (batch,)."""
    if margins.any():
        emissions = emissions.scatter_add(2, batch.tags[..., None], -margins[batch.tags][..., None])
    if network.has_crf:
        scores = network.crf_scores()
        gold = path_score(emissions, scores, batch.tags, batch.lengths)
        return log_partition(emissions, scores, batch.lengths) - gold
    inside = torch.arange(len(batch.tags), device=batch.tags.device)[:, None] < batch.lengths
    losses = nn.functional.cross_entropy(emissions.movedim(2, 1), batch.tags, reduction="none")  # (time, batch)
    return (losses * inside).sum(0)
