"""The parameters of a tagger: their names and shapes, as they follow from the configuration and the vocabularies.

The names are PyTorch's; the archive checks a file against this table before any array is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from gatewise.model.config import Config
from gatewise.model.features import features_of
from gatewise.model.heads import MAIN_HEAD, weights_prefix
from gatewise.model.language_model_shapes import layer_shapes, projection_shapes

Shape = tuple[int, ...]
CHARACTER_WIDTH = 3  # of a filter over characters


def directions(config: Config) -> tuple[str, ...]:
    """The suffixes of PyTorch's parameter names, one a direction."""
    return ("", "_reverse") if config.encoder.bidirectional else ("",)


def input_size(config: Config) -> int:
    """The length of x: the vectors of all features, side by side."""
    return sum(feature.part_size * len(feature.parts) for feature in features_of(config.features))


def recurrent_matrices(config: Config) -> list[str]:
    """The names of the matrices of the encoder's layers."""
    return [
        f"encoder.{kind}_l{layer}{suffix}"
        for layer in range(config.encoder.layers)
        for suffix in directions(config)
        for kind in ("weight_ih", "weight_hh")
    ]


def parameter_shapes(
    config: Config, *, sizes: Mapping[str, int], num_tags: int, heads: Mapping[str, int] | None = None
) -> dict[str, Shape]:
    """Name → shape of every parameter. `sizes`: by feature the number of ids, padding and unknown included.

    `num_tags` is the main head's, `heads` has that of each further one.
    """
    encoder = config.encoder
    blocks = 4 if encoder.kind == "lstm" else 1  # i|f|g|o
    shapes: dict[str, Shape] = {
        feature.weight: (sizes[feature.name], feature.dim) for feature in features_of(config.features)
    }
    shapes |= _spelling_shapes(config) | _language_model_shapes(config)
    width = input_size(config)
    output = encoder.hidden * len(directions(config))
    for layer in range(encoder.layers):
        for suffix in directions(config):
            rows = blocks * encoder.hidden
            shapes[f"encoder.weight_ih_l{layer}{suffix}"] = (rows, width)
            shapes[f"encoder.weight_hh_l{layer}{suffix}"] = (rows, encoder.hidden)
            shapes[f"encoder.bias_ih_l{layer}{suffix}"] = (rows,)
            shapes[f"encoder.bias_hh_l{layer}{suffix}"] = (rows,)
        width = output
    shapes |= _head_shapes(MAIN_HEAD, config.output.kind, num_tags, output)
    for name, size in (heads or {}).items():
        shapes |= _head_shapes(name, config.heads[name].output, size, output)
    return shapes


def _head_shapes(name: str, kind: str, num_tags: int, states: int) -> dict[str, Shape]:
    prefix = weights_prefix(name)
    shapes: dict[str, Shape] = {
        f"{prefix}emission.weight": (num_tags, states),
        f"{prefix}emission.bias": (num_tags,),
    }
    if kind == "crf":
        shapes[f"{prefix}crf.transitions"] = (num_tags, num_tags)
        shapes[f"{prefix}crf.start_transitions"] = (num_tags,)
        shapes[f"{prefix}crf.end_transitions"] = (num_tags,)
    return shapes


def _language_model_shapes(config: Config) -> dict[str, Shape]:
    """Of the language model but its embeddings, and of the layers on its states."""
    features, hidden = config.features, config.features.language_model_hidden
    if not hidden:
        return {}
    layers = layer_shapes(hidden=hidden, dim=features.language_model_embedding)
    return layers | projection_shapes(hidden=hidden, size=features.language_model_dim)


def _spelling_shapes(config: Config) -> dict[str, Shape]:
    """Of the network inside words."""
    features, shapes = config.features, dict[str, Shape]()
    dim, hidden, filters = features.character_dim, features.character_hidden, features.character_filters
    if features.characters == "lstm":
        for suffix in ("", "_reverse"):
            shapes[f"character_lstm.weight_ih_l0{suffix}"] = (4 * hidden, dim)
            shapes[f"character_lstm.weight_hh_l0{suffix}"] = (4 * hidden, hidden)
            shapes[f"character_lstm.bias_ih_l0{suffix}"] = (4 * hidden,)
            shapes[f"character_lstm.bias_hh_l0{suffix}"] = (4 * hidden,)
    if features.characters == "cnn":
        shapes["character_cnn.weight"] = (filters, dim, CHARACTER_WIDTH)
        shapes["character_cnn.bias"] = (filters,)
    return shapes
