"""The tagger in torch: embeddings, LSTM or RNN layers in one or two directions, and the heads on their states.

In: ids by feature, time first, padded, and lengths. Out: emissions (time, batch, num_tags). `arrays()` gives the
weights under the names of the archive, which are PyTorch's own. The same equations stand in `lstm/` in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor

import torch
from torch import Tensor, nn

from gatewise.crf import Legality
from gatewise.model.config import Config
from gatewise.model.heads import MAIN_HEAD, weights_prefix
from gatewise.training.crf import PathScores
from gatewise.training.directions import both_directions
from gatewise.training.dropout import Dropout
from gatewise.training.head import OutputHead
from gatewise.training.inputs import InputLayer


class Encoder(nn.Module):
    """Recurrent layers, one module a layer and direction, so that no packing is needed.

    The reverse direction reads each sentence turned around within its own length, which keeps padding out of its
    states exactly; the forward direction meets padding only after the last token. With `encoder.residual` a layer's
    states are added to what it read, from the second layer on.
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
        self.residual = config.encoder.residual
        self.dropout = Dropout.of(config)
        self.helper: Executor | None = None  # a thread that takes the reverse direction

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        turned = _turned_around(len(x), lengths)
        for number, layer in enumerate(self.layers):
            layer_input = self.dropout(x) if number else x
            if len(layer) == 2:
                output = both_directions(layer_input, turned, layer[0], layer[1], self.helper)
            else:
                output = layer[0](layer_input)[0]
            x = output + x if self.residual and number else output
        return x

    def arrays(self) -> dict[str, Tensor]:
        """The weights as a stacked, bidirectional nn.LSTM names them: `weight_ih_l0`, `weight_ih_l0_reverse`, …"""
        named: dict[str, Tensor] = {}
        for number, layer in enumerate(self.layers):
            for module, suffix in zip(layer, self.directions, strict=True):
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    named[f"{kind}_l{number}{suffix}"] = getattr(module, f"{kind}_l0")
        return named


class TaggerNetwork(nn.Module):
    """A whole tagger. `sizes` are the rows of each embedding; `legality` says which transitions the main head has,
    `heads` which each further one has, by name."""

    def __init__(
        self,
        config: Config,
        *,
        sizes: Mapping[str, int],
        legality: Legality,
        heads: Mapping[str, Legality] | None = None,
    ) -> None:
        super().__init__()
        self.inputs = InputLayer(config, sizes)
        self.encoder = Encoder(config, self.inputs.output_size)
        self.dropout = Dropout.of(config)
        self.word_dropout = config.training.word_dropout
        size = self.encoder.output_size
        self.heads = {MAIN_HEAD: OutputHead(size, legality, kind=config.output.kind)}
        for name, its_legality in (heads or {}).items():
            settings = config.heads[name]
            self.heads[name] = OutputHead(size, its_legality, kind=settings.output, loss_weight=settings.weight)
        self.owned = nn.ModuleList(self.heads.values())  # torch looks for them here

    def forward(self, inputs: Mapping[str, Tensor], lengths: Tensor) -> Tensor:
        """The main head's emissions (time, batch, num_tags) from ids by feature, time first, and lengths (batch,)."""
        emissions: Tensor = self.heads[MAIN_HEAD](self.states(inputs, lengths))
        return emissions

    def states(self, inputs: Mapping[str, Tensor], lengths: Tensor) -> Tensor:
        """What all heads read: the encoder's states, after dropout while training (time, batch, states)."""
        return self.states_of(self.inputs(inputs), lengths)

    def states_of(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The same from x, the vectors of the tokens (time, batch, input_size)."""
        x = self.dropout(self._without_words(x))
        states: Tensor = self.dropout(self.encoder(x, lengths))
        return states

    def _without_words(self, x: Tensor) -> Tensor:
        """While training, the whole vector of some tokens is taken away (Iyyer 2015)."""
        if not self.training or not self.word_dropout:
            return x
        return x * (torch.rand(x.shape[:2], device=x.device) >= self.word_dropout)[..., None]

    def crf_scores(self) -> PathScores:
        """The main head's scores with minus infinity where the scheme forbids."""
        return self.heads[MAIN_HEAD].crf_scores()

    def arrays(self) -> dict[str, Tensor]:
        """Every weight under its name in the archive, without its gradient."""
        return {name: weight.detach() for name, weight in self.named_weights().items()}

    def named_weights(self) -> dict[str, Tensor]:
        """Every weight under its name in the archive."""
        named = self._shared_weights()
        for head, output in self.heads.items():
            named |= {weights_prefix(head) + name: array for name, array in output.arrays().items()}
        return named

    def _shared_weights(self) -> dict[str, Tensor]:
        """Those that all heads stand on."""
        return self.inputs.arrays() | {f"encoder.{name}": array for name, array in self.encoder.arrays().items()}

    def initialize(self) -> None:
        """Random start, from torch's current generator.

        Orthogonal recurrence (Saxe 2014), Glorot input weights, a forget bias of 1 (Jozefowicz 2015).
        """
        with torch.no_grad():
            self.inputs.initialize()
            done = {name for name, _ in self.inputs.tables()} | self.inputs.given()
            for name, array in self._shared_weights().items():
                if name in done:
                    continue
                if "bias" in name:
                    array.zero_()
                else:
                    _initialize_matrix(array, recurrent="weight_hh" in name)
                if "bias_ih" in name and (self.is_lstm or name.startswith("character_lstm.")):
                    hidden = len(array) // 4
                    array[hidden : 2 * hidden] = 1.0  # the forget gate, second of i|f|g|o
            for head in self.heads.values():
                head.initialize()

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
    """For each place, counted time * batch, the one it trades with when its sentence is reversed. Padding stays."""
    position = torch.arange(time, device=lengths.device)[:, None]
    trades = torch.where(position < lengths, lengths - 1 - position, position)  # (time, batch)
    return (trades * len(lengths) + torch.arange(len(lengths), device=lengths.device)).flatten()
