"""What the first recurrent layer reads: the vectors of each token's features, side by side.

In: ids by the name of the feature, padded, time first. Out: x (time, batch, input_size). While training, entries are
replaced by the unknown at random, the rarer the more often, so that the unknown is learned too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from gatewise.model.config import Config
from gatewise.text.vocabulary import PADDING_ID
from gatewise.training.batches import with_unknowns
from gatewise.training.table import Table


class InputLayer(nn.Module):
    """The embeddings of a tagger; `sizes` are rows by feature."""

    def __init__(self, config: Config, sizes: Mapping[str, int]) -> None:
        super().__init__()
        features = config.features
        self.tokens = Table(sizes["tokens"], features.token_dim)
        self.bigrams = Table(sizes["bigrams"], features.bigram_dim) if features.bigram_dim else None
        self.unknown_rates = nn.ParameterDict()
        self.output_size = features.token_dim + 2 * features.bigram_dim

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """x (time, batch, input_size): the token, the bigram it ends, the bigram it begins."""
        parts = [self.tokens(self._ids(inputs, "tokens"))]
        if self.bigrams is not None:
            embedded = self.bigrams(self._ids(inputs, "bigrams"))
            parts += [embedded[:-1], embedded[1:]]
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
        named: dict[str, Tensor] = {"token_embedding.weight": self.tokens.weight}
        if self.bigrams is not None:
            named["bigram_embedding.weight"] = self.bigrams.weight
        return named

    def tables(self) -> Iterator[tuple[str, Table]]:
        """The tables whose rows are trained apart, with the name of their weight in the archive."""
        yield "token_embedding.weight", self.tokens
        if self.bigrams is not None:
            yield "bigram_embedding.weight", self.bigrams

    def initialize(self) -> None:
        """Random start from torch's current generator: each vector about as long as any other, padding zero."""
        for _, table in self.tables():
            table.weight.normal_(0.0, 1.0 / math.sqrt(table.weight.shape[1]))
            table.weight[PADDING_ID] = 0.0
