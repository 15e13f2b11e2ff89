"""What weights are worth, after an epoch: their scores and losses on dev, and how their gates stand.

In: the network, and the weights to hold in it for a while. Out: a `Seen`. Nothing here draws at random or changes what
is trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from gatewise.lstm import Directions, GateStatistics
from gatewise.model.scoring import Scores, score_tags
from gatewise.training.batches import EncodedSentences
from gatewise.training.gates import GateProbe
from gatewise.training.network import TaggerNetwork
from gatewise.training.predict import holding, predict, predict_with_losses
from gatewise.training.prepare import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Gates by layer, and what dev says: predicted tags, losses by sentence, scores; without a dev split there is none.

    All are the main head's but `heads`, what each further head scores on the dev sentences labeled for it. `score` is
    the main one in percent. A sentence with a gold tag that training does not know has an infinite loss; `loss` is the
    mean of the others.
    """

    gates: tuple[Directions[GateStatistics], ...]
    tags: Sequence[tuple[str, ...]] = ()
    losses: Sequence[float] = ()
    scores: Scores | None = None
    heads: Mapping[str, Scores] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        return None if self.scores is None else 100 * self.scores.main

    @property
    def loss(self) -> float | None:
        finite = [loss for loss in self.losses if math.isfinite(loss)]
        return sum(finite) / len(finite) if finite else None


class Looker:
    """Looks at the same sentences each time: all of dev, and for the gates a few of dev, or without dev of train."""

    def __init__(self, prepared: Prepared, *, train: EncodedSentences, dev: EncodedSentences) -> None:
        self._prepared, self._dev = prepared, dev
        known = set(prepared.labels)
        self._heads = {name: head.dev.to(dev.tags.values.device) for name, head in prepared.heads.items()}
        self._unknown = [not known.issuperset(tags) for tags in prepared.dev_gold]
        self._gates = GateProbe(prepared.config, dev if len(dev) else train)

    def gates(self, network: TaggerNetwork) -> tuple[Directions[GateStatistics], ...]:
        """How the gates stand under the network's present weights; it is left in evaluation mode."""
        return self._gates.measure(network)

    def look(self, network: TaggerNetwork, weights: Mapping[str, Tensor]) -> Seen:
        """What these weights do; the network then has its own again, and is left in evaluation mode."""
        prepared = self._prepared
        with holding(network, weights):
            gates = self._gates.measure(network)
            heads = self._head_scores(network)
            if not len(self._dev):
                return Seen(gates=gates, heads=heads)
            said = predict_with_losses(network, self._dev, prepared.labels)
        scores = score_tags(prepared.dev_gold, said.tags, prepared.config.task.scheme)
        losses = [math.inf if odd else loss for odd, loss in zip(self._unknown, said.losses, strict=True)]
        return Seen(gates=gates, tags=said.tags, losses=losses, scores=scores, heads=heads)

    def _head_scores(self, network: TaggerNetwork) -> dict[str, Scores]:
        found = {}
        for name, dev in self._heads.items():
            if len(dev):
                head, settings = self._prepared.heads[name], self._prepared.config.heads[name]
                found[name] = score_tags(head.dev_gold, predict(network, dev, head.labels, name), settings.scheme)
        return found
