"""What the first recurrent layer reads: the vectors of each token's features, side by side.

In: ids by the name of the feature, padded, time first. Out: x (time, batch, input_size). What depends on a form alone
is computed once for each distinct form of the batch and then handed to its tokens. While training, entries are
replaced by the unknown at random, the rarer the more often, so that the unknown is learned too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from gatewise.model.config import Config
from gatewise.model.features import (
    CHARACTERS,
    FORM_OF,
    SPELLING_LENGTHS,
    AnyFeature,
    ContextFeature,
    SentenceFeature,
    SetFeature,
    features_of,
)
from gatewise.model.parameters import input_size
from gatewise.model.word_sets import SHARES
from gatewise.text.vocabulary import PADDING_ID
from gatewise.training.batches import with_unknowns
from gatewise.training.language_states import language_states
from gatewise.training.spelling import spelling_network
from gatewise.training.table import Table


class InputLayer(nn.Module):
    """The embeddings of a tagger; `sizes` are rows by feature."""

    def __init__(self, config: Config, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.language_model = language_states(config.features, sizes)
        self.features = features_of(config.features)
        self.embeddings = {one.name: Table(sizes[one.name], one.dim) for one in self._looked_up()}
        self.owned = nn.ModuleDict(self.embeddings)  # torch looks for them here
        self.spelling = spelling_network(config.features)
        self.unknown_rates = nn.ParameterDict()
        self.output_size = input_size(config)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """x (time, batch, input_size): the parts of each feature in turn."""
        time = len(inputs["tokens"])
        parts: list[Tensor] = []
        of_forms: list[Tensor] = []
        states = {} if self.language_model is None else self.language_model(inputs)
        for feature in self.features:
            if isinstance(feature, ContextFeature):
                parts += [states[part] for part in feature.parts]
                continue
            embedded = self.embeddings[feature.name](self._ids(inputs, feature.name))
            if isinstance(feature, SentenceFeature):
                parts += [embedded[first : first + time] for first in range(len(feature.parts))]
            elif isinstance(feature, SetFeature):
                means = (embedded * inputs[SHARES][..., None].to(embedded.dtype)).sum(0)  # (sets, part_size)
                parts += [nn.functional.embedding(inputs[part], means) for part in feature.parts]
            elif feature.name == CHARACTERS and self.spelling is not None:
                of_forms.append(self.spelling(embedded, inputs[SPELLING_LENGTHS]))
            else:
                of_forms.append(embedded.transpose(0, 1).flatten(1))  # (forms, parts * part_size)
        if of_forms:
            parts.append(nn.functional.embedding(inputs[FORM_OF], torch.cat(of_forms, dim=-1)))
        return torch.cat(parts, dim=-1)

    def _ids(self, inputs: Mapping[str, Tensor], name: str) -> Tensor:
        if not self.training or name not in self.unknown_rates:
            return inputs[name]
        return with_unknowns(inputs[name], self.unknown_rates[name])

    def set_unknown_rates(self, rates: Mapping[str, Tensor]) -> None:
        """By feature: for each row the probability, (rows,), that it is replaced by the unknown while training."""
        self.unknown_rates.update({name: nn.Parameter(rate, requires_grad=False) for name, rate in rates.items()})

    def arrays(self) -> dict[str, Tensor]:
        """Every weight under its name in the archive."""
        named: dict[str, Tensor] = {name: table.weight for name, table in self.tables()}
        for network in (self.spelling, self.language_model):
            named |= {} if network is None else network.arrays()
        return named

    def given(self) -> set[str]:
        """The names of the weights that are not random at the start: they come with a language model."""
        return set() if self.language_model is None else set(self.language_model.frozen())

    def tables(self) -> Iterator[tuple[str, Table]]:
        """The tables whose rows are trained apart, with the name of their weight in the archive."""
        for feature in self._looked_up():
            yield feature.weight, self.embeddings[feature.name]

    def _looked_up(self) -> list[AnyFeature]:
        """The features whose tables are here; a language model has its own."""
        return [feature for feature in self.features if not isinstance(feature, ContextFeature)]

    def initialize(self) -> None:
        """Random start of the tables from torch's current generator: each vector about as long as any other, padding
        zero."""
        for _, table in self.tables():
            table.weight.normal_(0.0, 1.0 / math.sqrt(table.weight.shape[1]))
            table.weight[PADDING_ID] = 0.0
