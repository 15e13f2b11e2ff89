"""What follows from `features.language_model`: its sizes, and what it reads between tokens.

In: the features of a configuration and the tokenizer. Out: the features with nothing left to decide, which a model
stores.
"""

from __future__ import annotations

from dataclasses import replace

from gatewise.errors import ConfigError
from gatewise.model.config import FeaturesConfig
from gatewise.model.language_model import LanguageModel, open_language_model


def with_language_model(features: FeaturesConfig, tokenizer: str) -> FeaturesConfig:
    """The features with what follows from their language model: its sizes, and what it reads between tokens.

    Raises ModelError for a folder that is none, ConfigError for sizes that are not the folder's.
    """
    model = language_model_of(features)
    hidden, dim = (model.hidden, model.dim) if model is not None else (0, 0)
    for name, size in {"language_model_hidden": hidden, "language_model_embedding": dim}.items():
        if getattr(features, name) not in (0, size):
            where = features.language_model or "no features.language_model"
            raise ConfigError(
                f"features.{name}: expected {size}, as {where} has it, found {getattr(features, name)}; leave it out"
            )
    if model is None:
        return features
    spaces = features.language_model_spaces
    if spaces == "auto":
        spaces = {"characters": "none", "mixed": "outside"}.get(tokenizer, "between")
    return replace(features, language_model_hidden=hidden, language_model_embedding=dim, language_model_spaces=spaces)


def language_model_of(features: FeaturesConfig) -> LanguageModel | None:
    """The language model of resolved features, None without one."""
    return open_language_model(features.language_model) if features.language_model else None
