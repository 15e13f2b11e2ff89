"""What a token is read by: the features of a model, their keys and their ids, for training and for tagging alike.

In: the forms of sentences and the configuration. Out: keys, which training counts into vocabularies, and ids, which the
embeddings are looked up by. A feature is a line of `features_of`; everything that has to know which there are asks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gatewise.model.config import FeaturesConfig
from gatewise.text.vocabulary import Vocabulary, bigrams, build_vocabulary, keys_from_forms


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A table of vectors and what it is looked up by.

    `name` is that of the vocabulary and of the ids, `weight` the table's in the archive, (entries, `dim`). `keys` turns
    a sentence's token keys into the keys of the feature. `parts` are what it adds to x, each of `part_size` numbers:
    part n of token t is read by key n + t.
    """

    name: str
    weight: str
    dim: int
    min_count: int
    parts: tuple[str, ...]
    part_size: int
    keys: Callable[[Sequence[str]], Sequence[str]]


def features_of(features: FeaturesConfig) -> tuple[Feature, ...]:
    """The features that a configuration turns on, in the order of x."""
    found = [
        Feature(
            name="tokens",
            weight="token_embedding.weight",
            dim=features.token_dim,
            min_count=features.min_count,
            parts=("token",),
            part_size=features.token_dim,
            keys=lambda keys: keys,
        )
    ]
    if features.bigram_dim:
        found.append(
            Feature(
                name="bigrams",
                weight="bigram_embedding.weight",
                dim=features.bigram_dim,
                min_count=features.bigram_min_count,
                parts=("bigram_before", "bigram_after"),
                part_size=features.bigram_dim,
                keys=bigrams,
            )
        )
    return tuple(found)


def graph_inputs(features: FeaturesConfig) -> tuple[str, ...]:
    """The names of the ids that the runtime's graph and the network take, `lengths` left out."""
    return tuple(feature.name for feature in features_of(features))


def count_keys(features: FeaturesConfig, sentences: Iterable[Sequence[str]]) -> dict[str, Counter[str]]:
    """By feature, how often each key occurs in sentences of forms."""
    chosen = features_of(features)
    counts: dict[str, Counter[str]] = {feature.name: Counter() for feature in chosen}
    for forms in sentences:
        keys = keys_from_forms(forms)
        for feature in chosen:
            counts[feature.name].update(feature.keys(keys))
    return counts


def build_vocabularies(features: FeaturesConfig, counts: Mapping[str, Counter[str]]) -> dict[str, Vocabulary]:
    """By feature, the keys that training has seen often enough."""
    return {
        feature.name: build_vocabulary(counts[feature.name], feature.min_count) for feature in features_of(features)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedRows:
    """Ids by the name of the feature, one row a sentence: `tokens` one a token, `bigrams` one more."""

    rows: Mapping[str, Sequence[Sequence[int]]]


class FeatureEncoder:
    """Looks up ids; `vocabularies` by the name of the feature."""

    def __init__(self, features: FeaturesConfig, vocabularies: Mapping[str, Vocabulary]) -> None:
        self._features = features_of(features)
        self._vocabularies = vocabularies

    def encode(self, sentences: Iterable[Sequence[str]]) -> EncodedRows:
        """The ids of sentences of forms."""
        keys = [keys_from_forms(forms) for forms in sentences]
        rows = {
            feature.name: [self._vocabularies[feature.name].encode(feature.keys(entries)) for entries in keys]
            for feature in self._features
        }
        return EncodedRows(rows=rows)
