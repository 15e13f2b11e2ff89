"""The states of a character language model as inputs of a tagger: both LSTMs over the characters of each sentence.

In: ids of characters (characters, batch), how many each sentence has, and the places of the tokens (see
`model.context`). Out: for each direction (time, batch, size): the forward LSTM's states after the tokens' last
characters, the reverse one's after their first, or what a trained layer, which ends in a tanh, makes of them. The LSTMs
are never trained here. The reverse one reads each sentence turned around within its own length, so that padding reaches
neither. Source: Akbik et al. 2018.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gatewise.model.config import FeaturesConfig
from gatewise.model.context import CHARACTERS_READ, CONTEXT, FIRST, LAST, PARTS
from gatewise.model.language_model import LanguageModel
from gatewise.model.language_model_shapes import KINDS, SUFFIXES, embedding_name, layer_name, projection_name


class _Reader(nn.Module):
    """One direction."""

    def __init__(self, features: FeaturesConfig, size: int) -> None:
        super().__init__()
        hidden = features.language_model_hidden
        self.embedding = nn.Embedding(size, features.language_model_embedding)
        self.lstm = nn.LSTM(features.language_model_embedding, hidden)
        self.requires_grad_(False)
        self.projection = nn.Linear(hidden, features.language_model_dim) if features.language_model_dim else None

    def forward(self, ids: Tensor, places: Tensor) -> Tensor:
        """(time, batch, size) at `places` (time, batch) in the order of reading."""
        with torch.no_grad():
            states = self.lstm(self.embedding(ids))[0]  # (characters, batch, hidden)
            found: Tensor = states[places, torch.arange(places.shape[1], device=places.device)]
        return found if self.projection is None else torch.tanh(self.projection(found))


class LanguageStates(nn.Module):
    """Both directions; `size` is the number of ids."""

    def __init__(self, features: FeaturesConfig, size: int) -> None:
        super().__init__()
        self.readers = nn.ModuleDict({f"reader{suffix}": _Reader(features, size) for suffix in SUFFIXES})

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """By part of x, the states of the forward and of the reverse model, each (time, batch, size)."""
        ids, lengths = inputs[CONTEXT], inputs[CHARACTERS_READ][0]
        forward, reverse = self.readers.values()
        position = torch.arange(len(ids), device=ids.device)[:, None]
        turned = torch.where(position < lengths, lengths - 1 - position, position)  # (characters, batch)
        # places of padding are 0, which is the last that the reverse model reads
        read = forward(ids, inputs[LAST]), reverse(ids.gather(0, turned), lengths - 1 - inputs[FIRST])
        return dict(zip(PARTS, read, strict=True))

    def arrays(self) -> dict[str, Tensor]:
        """Every weight under its name in the archive."""
        return self.frozen() | {
            projection_name(kind, suffix): getattr(reader.projection, kind)
            for suffix, reader in self._readers()
            if reader.projection is not None
            for kind in ("weight", "bias")
        }

    def frozen(self) -> dict[str, Tensor]:
        """The language model's own weights, which are those of its folder."""
        named: dict[str, Tensor] = {}
        for suffix, reader in self._readers():
            named[embedding_name(suffix)] = reader.embedding.weight
            named |= {layer_name(kind, suffix): getattr(reader.lstm, f"{kind}_l0") for kind in KINDS}
        return named

    def fill(self, model: LanguageModel) -> None:
        """Take the weights of a language model."""
        with torch.no_grad():
            for name, array in self.frozen().items():
                array.copy_(torch.from_numpy(model.arrays[name]))

    def _readers(self) -> list[tuple[str, _Reader]]:
        return [(suffix, self.readers[f"reader{suffix}"]) for suffix in SUFFIXES]  # type: ignore[misc]


def language_states(features: FeaturesConfig, sizes: Mapping[str, int]) -> LanguageStates | None:
    """What the configuration asks for; `sizes` are numbers of ids by feature."""
    return LanguageStates(features, sizes[CONTEXT]) if features.language_model_hidden else None
