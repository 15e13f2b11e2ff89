"""How wrong a network is on a batch: the negative log likelihood of the gold tags, with margins for labels that count.

In: emissions and gold tags of a batch. Out: one number a sentence. A label of weight w has the logarithm of w taken off
its gold emissions, so that it must win by so much (a softmax margin, Gimpel and Smith 2010). With several heads a
sentence's loss is the weighted sum over the heads that it is labeled for; to the others it says nothing. What teachers
say of the main head's tags adds the cross-entropy from their distribution over paths (Hinton, Vinyals and Dean 2015),
margins left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.model.heads import MAIN_HEAD
from gatewise.text.transitions import OUTSIDE, split_tag
from gatewise.training.batches import Batch, Target
from gatewise.training.crf import expected_emission, expected_score, log_partition, path_score
from gatewise.training.head import OutputHead
from gatewise.training.network import TaggerNetwork
from gatewise.training.prepare import Prepared
from gatewise.training.soft_tags import SoftTarget

TAUGHT = "*"  # beside the names of heads, none of which has such a sign


def label_margins(prepared: Prepared) -> Tensor:
    """The logarithm of each tag's weight, (num_tags,): by how much its emission must win by (Gimpel and Smith 2010)."""
    config = prepared.config
    return _margins(config.training.label_weights, prepared.labels, config.task.scheme, where="training")


def all_margins(prepared: Prepared) -> dict[str, Tensor]:
    """The margins of each head, the main one first."""
    found = {MAIN_HEAD: label_margins(prepared)}
    for name, head in prepared.heads.items():
        settings = prepared.config.heads[name]
        found[name] = _margins(settings.label_weights, head.labels, settings.scheme, where=f"heads.{name}")
    return found


def sentence_losses(network: TaggerNetwork, emissions: Tensor, batch: Batch, margins: Tensor) -> Tensor:
    """The negative log likelihood of the main head's gold tags of each sentence, margins taken off the gold emissions:
    (batch,)."""
    return head_losses(network.heads[MAIN_HEAD], emissions, batch.everything, margins)


def batch_emissions(network: TaggerNetwork, states: Tensor, batch: Batch) -> dict[str, Tensor]:
    """By head the emissions of the sentences labeled for it, (time, labeled, num_tags), and under `TAUGHT` the main
    head's of those that teachers speak of; `states` are what all heads read of the batch."""
    emissions = {name: network.heads[name](target.of(states)) for name, target in batch.targets.items()}
    if batch.taught is not None:
        emissions[TAUGHT] = network.heads[MAIN_HEAD](batch.taught.of(states))
    return emissions


def batch_losses(
    network: TaggerNetwork, emissions: Mapping[str, Tensor], batch: Batch, margins: Mapping[str, Tensor]
) -> Tensor:
    """The loss of each sentence over all heads, (batch,): the weighted sum over those that it is labeled for, and over
    what teachers say.

    `emissions` as `batch_emissions` gives them.
    """
    parts = []
    for name, target in batch.targets.items():
        head = network.heads[name]
        share = head.loss_weight * (batch.gold_share if name == MAIN_HEAD else 1.0)
        losses = share * head_losses(head, emissions[name], target, margins[name])
        parts.append(_spread(losses, target.columns, batch))
    if batch.taught is not None:
        losses = batch.taught.weights * taught_losses(network.heads[MAIN_HEAD], emissions[TAUGHT], batch.taught)
        parts.append(_spread(losses, batch.taught.columns, batch))
    return reduce(torch.add, parts)  # there is at least one: each sentence is labeled for some head, or taught


def head_losses(head: OutputHead, emissions: Tensor, target: Target, margins: Tensor) -> Tensor:
    """The negative log likelihood of a head's gold tags, margins taken off the gold emissions: (labeled,)."""
    tags, lengths = target.tags, target.lengths
    if margins.any():
        emissions = emissions.scatter_add(2, tags[..., None], -margins[tags][..., None])
    if head.has_crf:
        scores = head.crf_scores()
        gold = path_score(emissions, scores, tags, lengths)
        return log_partition(emissions, scores, lengths) - gold
    inside = torch.arange(len(tags), device=tags.device)[:, None] < lengths
    losses = nn.functional.cross_entropy(emissions.movedim(2, 1), tags, reduction="none")  # (time, batch)
    return (losses * inside).sum(0)


def taught_losses(head: OutputHead, emissions: Tensor, target: SoftTarget) -> Tensor:
    """The cross-entropy of the head's distribution over paths (with softmax: over tags) to the teachers': (taught,)."""
    if head.has_crf:
        scores = head.crf_scores()
        expected = expected_score(emissions, scores, target.paths, target.lengths)
        return log_partition(emissions, scores, target.lengths) - expected
    inside = torch.arange(len(emissions), device=emissions.device)[:, None] < target.lengths
    totals = torch.where(inside, emissions.logsumexp(-1), 0.0).sum(0)
    return totals - expected_emission(emissions, target.paths)


def _spread(losses: Tensor, columns: Tensor | None, batch: Batch) -> Tensor:
    """The losses of some sentences of a batch, 0 for the others, (batch,)."""
    return losses if columns is None else losses.new_zeros(len(batch.lengths)).index_add(0, columns, losses)


def _margins(weights: Mapping[str, float], tags: Sequence[str], scheme: str, *, where: str) -> Tensor:
    labels = [tag if scheme == "plain" or tag == OUTSIDE else split_tag(tag)[1] for tag in tags]
    if unknown := sorted(weights.keys() - set(labels)):
        raise TrainingError(
            f"{where}.label_weights: expected labels of the training split, found {', '.join(unknown)}; it has"
            f" {', '.join(sorted(set(labels)))}"
        )
    return torch.tensor([math.log(weights.get(label, 1.0)) for label in labels])
