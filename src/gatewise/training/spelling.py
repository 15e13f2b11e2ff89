"""Networks inside words: the characters of each distinct form become one vector.

In: the vectors of characters (longest, forms, dim), padded, and how many each form has. Out: (forms, size). Padding
changes nothing, exactly. Sources: Lample et al. 2016 for the LSTM, Ma and Hovy 2016 for the CNN.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatewise.model.config import FeaturesConfig
from gatewise.model.parameters import CHARACTER_WIDTH


class SpellingLSTM(nn.Module):
    """The last state of each direction: forward after the last character, reverse after the first."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.forward_reader, self.reverse_reader = nn.LSTM(dim, hidden), nn.LSTM(dim, hidden)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(forms, 2*hidden) from x (longest, forms, dim) and lengths (forms,), each at least 1."""
        position = torch.arange(len(x), device=x.device)[:, None]
        turned = torch.where(position < lengths, lengths - 1 - position, position)  # (longest, forms)
        columns = torch.arange(len(lengths), device=x.device)
        forward = self.forward_reader(x)[0][lengths - 1, columns]
        reverse = self.reverse_reader(x.gather(0, turned[..., None].expand_as(x)))[0][lengths - 1, columns]
        return torch.cat([forward, reverse], dim=-1)

    def arrays(self) -> dict[str, Tensor]:
        """The weights as a bidirectional nn.LSTM names them."""
        readers = (("", self.forward_reader), ("_reverse", self.reverse_reader))
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return {
            f"character_lstm.{kind}_l0{suffix}": getattr(reader, f"{kind}_l0")
            for suffix, reader in readers
            for kind in kinds
        }


class SpellingCNN(nn.Module):
    """tanh of the largest value of each filter over all positions; beyond the word's edges stand zeros."""

    def __init__(self, dim: int, filters: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(dim, filters, CHARACTER_WIDTH, padding=CHARACTER_WIDTH // 2)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(forms, filters) from x (longest, forms, dim) and lengths (forms,), each at least 1."""
        inside = torch.arange(len(x), device=x.device)[:, None] < lengths  # (longest, forms)
        alone = torch.where(inside[..., None], x, 0.0)  # so that a filter at the edge does not see the padding's vector
        values = self.convolution(alone.permute(1, 2, 0))  # (forms, filters, longest)
        largest = values.masked_fill(~inside.T[:, None], -torch.inf).amax(-1)
        return torch.tanh(largest)

    def arrays(self) -> dict[str, Tensor]:
        """The weights as nn.Conv1d names them."""
        return {f"character_cnn.{name}": weight for name, weight in self.convolution.named_parameters()}


def spelling_network(features: FeaturesConfig) -> SpellingLSTM | SpellingCNN | None:
    """The network that the configuration asks for."""
    if features.characters == "lstm":
        return SpellingLSTM(features.character_dim, features.character_hidden)
    if features.characters == "cnn":
        return SpellingCNN(features.character_dim, features.character_filters)
    return None
