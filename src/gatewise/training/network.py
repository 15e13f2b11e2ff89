"""The tagger's network in torch: embeddings → recurrent layers → emissions, with the CRF's scores beside them.

In: token and bigram ids, time first, padded, and lengths. Out: emissions (time, batch, num_tags). `arrays()` gives the
weights under the names of the archive, which are PyTorch's own. The same equations stand in `lstm/` in NumPy.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gatewise.crf import Legality
from gatewise.model.config import Config
from gatewise.text.vocabulary import PADDING_ID
from gatewise.training.crf import PathScores


class Encoder(nn.Module):
    """Recurrent layers, one module a layer and direction, so that no packing is needed.

    The reverse direction reads each sentence turned around within its own length, which keeps padding out of its
    states exactly; the forward direction meets padding only after the last token.
    """

    def __init__(self, config: Config, input_size: int) -> None:
        super().__init__()
        kind = nn.LSTM if config.encoder.kind == "lstm" else nn.RNN
        self.directions = ("", "_reverse") if config.encoder.bidirectional else ("",)
        hidden = config.encoder.hidden
        self.output_size = hidden * len(self.directions)
        sizes = [input_size] + [self.output_size] * (config.encoder.layers - 1)
        self.layers = [[kind(size, hidden) for _ in self.directions] for size in sizes]
        self.owned = nn.ModuleList(module for layer in self.layers for module in layer)  # torch looks for them here
        self.dropout = nn.Dropout(config.training.dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        turned = _turned_around(len(x), lengths)[..., None]  # (time, batch, 1)
        for number, layer in enumerate(self.layers):
            if number:
                x = self.dropout(x)
            states = [
                self._run(module, x, turned, suffix) for module, suffix in zip(layer, self.directions, strict=True)
            ]
            x = torch.cat(states, dim=-1)  # (time, batch, directions * hidden)
        return x

    @staticmethod
    def _run(module: nn.Module, x: Tensor, turned: Tensor, suffix: str) -> Tensor:
        if not suffix:
            states: Tensor = module(x)[0]
            return states
        states = module(x.gather(0, turned.expand_as(x)))[0]
        return states.gather(0, turned.expand_as(states))

    def arrays(self) -> dict[str, Tensor]:
        """The weights as a stacked, bidirectional nn.LSTM names them: `weight_ih_l0`, `weight_ih_l0_reverse`, …"""
        named: dict[str, Tensor] = {}
        for number, layer in enumerate(self.layers):
            for module, suffix in zip(layer, self.directions, strict=True):
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    named[f"{kind}_l{number}{suffix}"] = getattr(module, f"{kind}_l0")
        return named


class TaggerNetwork(nn.Module):
    """A whole tagger. `legality` says which transitions exist; `vocabulary_sizes` is (tokens, bigrams)."""

    legal_transitions: Tensor
    legal_start: Tensor
    legal_end: Tensor

    def __init__(self, config: Config, *, token_count: int, bigram_count: int, legality: Legality) -> None:
        super().__init__()
        features, num_tags = config.features, len(legality.start)
        self.token_embedding = nn.Embedding(token_count, features.token_dim, padding_idx=PADDING_ID)
        self.bigram_embedding = (
            nn.Embedding(bigram_count, features.bigram_dim, padding_idx=PADDING_ID) if features.bigram_dim else None
        )
        self.encoder = Encoder(config, features.token_dim + 2 * features.bigram_dim)
        self.dropout = nn.Dropout(config.training.dropout)
        self.emission = nn.Linear(self.encoder.output_size, num_tags)
        self.has_crf = config.output.kind == "crf"
        self.transitions = nn.Parameter(torch.zeros(num_tags, num_tags), requires_grad=self.has_crf)
        self.start_transitions = nn.Parameter(torch.zeros(num_tags), requires_grad=self.has_crf)
        self.end_transitions = nn.Parameter(torch.zeros(num_tags), requires_grad=self.has_crf)
        self.register_buffer("legal_transitions", torch.from_numpy(legality.allowed), persistent=False)
        self.register_buffer("legal_start", torch.from_numpy(legality.start), persistent=False)
        self.register_buffer("legal_end", torch.from_numpy(legality.end), persistent=False)

    def forward(self, tokens: Tensor, bigrams: Tensor | None, lengths: Tensor) -> Tensor:
        """Emissions (time, batch, num_tags) from tokens (time, batch), bigrams (time + 1, batch), lengths (batch,)."""
        x = self.dropout(self.embed(tokens, bigrams))
        states = self.encoder(x, lengths)
        emissions: Tensor = self.emission(self.dropout(states))
        return emissions

    def embed(self, tokens: Tensor, bigrams: Tensor | None) -> Tensor:
        """x (time, batch, input_size): the token, the bigram it ends, the bigram it begins."""
        parts = [self.token_embedding(tokens)]
        if self.bigram_embedding is not None and bigrams is not None:
            embedded = self.bigram_embedding(bigrams)
            parts += [embedded[:-1], embedded[1:]]
        return torch.cat(parts, dim=-1)

    def crf_scores(self) -> PathScores:
        """The CRF's scores with minus infinity where the scheme forbids."""
        forbidden = -math.inf
        return PathScores(
            transitions=self.transitions.masked_fill(~self.legal_transitions, forbidden),
            start=self.start_transitions.masked_fill(~self.legal_start, forbidden),
            end=self.end_transitions.masked_fill(~self.legal_end, forbidden),
        )

    def arrays(self) -> dict[str, Tensor]:
        """Every weight under its name in the archive."""
        named = {"token_embedding.weight": self.token_embedding.weight}
        if self.bigram_embedding is not None:
            named["bigram_embedding.weight"] = self.bigram_embedding.weight
        named |= {f"encoder.{name}": array for name, array in self.encoder.arrays().items()}
        named |= {"emission.weight": self.emission.weight, "emission.bias": self.emission.bias}
        if self.has_crf:
            named |= {
                "crf.transitions": self.transitions,
                "crf.start_transitions": self.start_transitions,
                "crf.end_transitions": self.end_transitions,
            }
        return {name: array.detach() for name, array in named.items()}

    def initialize(self) -> None:
        """Random start, from torch's current generator.

        Orthogonal recurrence (Saxe 2014), Glorot input weights, a forget bias of 1 (Jozefowicz 2015).
        """
        with torch.no_grad():
            for name, array in self.arrays().items():
                if name.startswith("crf.") or "bias" in name:
                    array.zero_()
                elif "embedding" in name:
                    array.normal_(0.0, 1.0 / math.sqrt(array.shape[1]))
                    array[PADDING_ID] = 0.0
                else:
                    _initialize_matrix(array, recurrent="weight_hh" in name)
                if "bias_ih" in name and self.is_lstm:
                    hidden = len(array) // 4
                    array[hidden : 2 * hidden] = 1.0  # the forget gate, second of i|f|g|o

    @property
    def is_lstm(self) -> bool:
        return isinstance(self.encoder.layers[0][0], nn.LSTM)


def _initialize_matrix(array: Tensor, *, recurrent: bool) -> None:
    if not recurrent:
        nn.init.xavier_uniform_(array)
        return
    hidden = array.shape[1]
    for block in torch.split(array, hidden):  # one gate at a time
        nn.init.orthogonal_(block)


def _turned_around(time: int, lengths: Tensor) -> Tensor:
    """For each position the one it trades places with when a sentence is reversed: (time, batch). Padding stays."""
    position = torch.arange(time, device=lengths.device)[:, None]
    return torch.where(position < lengths, lengths - 1 - position, position)
