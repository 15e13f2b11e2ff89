"""What a token is read by: the features of a model, and their keys, for training and for tagging alike.

In: the forms of sentences and the configuration. Out: keys, which training counts into vocabularies; `feature_ids`
turns them into ids. A feature is an entry of `features_of`; whoever has to know which there are asks it.

What depends on a token's form alone (its characters, shape, affixes) is looked up once for each distinct form of a
batch, `form_of` says which form a token has (ADR 0010).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from gatewise.model.config import FeaturesConfig
from gatewise.model.context import CONTEXT, CONTEXT_INPUTS, PARTS
from gatewise.model.language_model_shapes import SUFFIXES, embedding_name
from gatewise.model.lexicon import LEXICON
from gatewise.model.word_sets import SET_INPUTS, SHARES
from gatewise.text.simplified import simplified
from gatewise.text.spelling import prefixes, spelling, suffixes, word_shape
from gatewise.text.vocabulary import Vocabulary, bigrams, build_vocabulary, keys_from_forms, normalize

CHARACTERS = "characters"
FORM_OF = "form_of"
SPELLING_LENGTHS = "spelling_lengths"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A table of vectors and what it adds to x.

    `name` is that of the vocabulary and of the ids, `weight` the table's in the archive, (entries, `dim`). `parts` are
    what it adds to x, each of `part_size` numbers.
    """

    name: str
    weight: str
    dim: int
    min_count: int
    parts: tuple[str, ...]
    part_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceFeature(Feature):
    """`keys` turns a sentence's token keys into those of the feature; part n of token t is looked up by key n + t."""

    keys: Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFeature(Feature):
    """`keys` turns a form into the keys of the feature: one for each part, or those of its characters."""

    keys: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFeature(Feature):
    """The words of a lexicon around a token: each part is the mean of a set's vectors (see `model.word_sets`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFeature(Feature):
    """A direction of a language model, of which `weight` is the embedding; its ids are characters (`model.context`)."""


AnyFeature: TypeAlias = SentenceFeature | SetFeature | ContextFeature | FormFeature


def features_of(features: FeaturesConfig) -> tuple[AnyFeature, ...]:
    """The features that a configuration turns on, in the order of x: those of sentences, word sets, context, forms."""
    found: list[AnyFeature] = [
        SentenceFeature(
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
            SentenceFeature(
                name="bigrams",
                weight="bigram_embedding.weight",
                dim=features.bigram_dim,
                min_count=features.bigram_min_count,
                parts=("bigram_before", "bigram_after"),
                part_size=features.bigram_dim,
                keys=bigrams,
            )
        )
    if features.lexicon:
        found.append(
            SetFeature(
                name=LEXICON,
                weight="lexicon_embedding.weight",
                dim=features.lexicon_dim,
                min_count=features.lexicon_min_count,
                parts=SET_INPUTS,
                part_size=features.lexicon_dim,
            )
        )
    return (*found, *_context_features(features), *_form_features(features))


def _context_features(features: FeaturesConfig) -> list[ContextFeature]:
    if not features.language_model_hidden:
        return []
    return [
        ContextFeature(
            name=CONTEXT,
            weight=embedding_name(suffix),
            dim=features.language_model_embedding,
            min_count=1,
            parts=(part,),
            part_size=features.language_model_dim or features.language_model_hidden,
        )
        for part, suffix in zip(PARTS, SUFFIXES, strict=True)
    ]


def _form_features(features: FeaturesConfig) -> list[FormFeature]:
    found: list[FormFeature] = []

    def add(
        singular: str, plural: str, dim: int, parts: Sequence[str], part_size: int, keys: Callable[[str], Sequence[str]]
    ) -> None:
        found.append(
            FormFeature(
                name=plural,
                weight=f"{singular}_embedding.weight",
                dim=dim,
                min_count=features.form_min_count,
                parts=tuple(parts),
                part_size=part_size,
                keys=keys,
            )
        )

    if features.characters != "none":
        size = 2 * features.character_hidden if features.characters == "lstm" else features.character_filters
        add("character", CHARACTERS, features.character_dim, [CHARACTERS], size, spelling)
    if dim := features.shape_dim:
        add("shape", "shapes", dim, ["shape"], dim, lambda form: [word_shape(form)])
    if features.affix_length and (dim := features.affix_dim):
        for singular, plural, cut in (("prefix", "prefixes", prefixes), ("suffix", "suffixes", suffixes)):
            parts = [f"{singular}_{length}" for length in range(1, features.affix_length + 1)]
            add(singular, plural, dim, parts, dim, partial(cut, longest=features.affix_length))
    return found


def graph_inputs(features: FeaturesConfig) -> tuple[str, ...]:
    """The names of the ids that the runtime's graph and the network take, `lengths` left out."""
    chosen = features_of(features)
    names = [feature.name for feature in chosen if not isinstance(feature, ContextFeature)]
    if LEXICON in names:
        names += [*SET_INPUTS, SHARES]
    if features.language_model_hidden:
        names += CONTEXT_INPUTS
    if any(isinstance(feature, FormFeature) for feature in chosen):
        names.append(FORM_OF)
    if CHARACTERS in names:
        names.append(SPELLING_LENGTHS)
    return tuple(names)


def forms_read(features: FeaturesConfig, forms: Sequence[str]) -> Sequence[str]:
    """The forms of a sentence as every feature reads them; a string of single characters stays one."""
    if not features.simplified:
        return forms
    return simplified(forms) if isinstance(forms, str) else list(map(simplified, forms))


def key_of(features: FeaturesConfig) -> Callable[[str], str]:
    """What turns a form into its lookup key, for files of words and vectors."""
    return (lambda form: normalize(simplified(form))) if features.simplified else normalize


def count_keys(features: FeaturesConfig, sentences: Iterable[Sequence[str]]) -> dict[str, Counter[str]]:
    """By feature, how often each key occurs in sentences of forms; a lexicon's words are counted where it is made."""
    chosen = features_of(features)
    of_sentences = [feature for feature in chosen if isinstance(feature, SentenceFeature)]
    of_forms = [feature for feature in chosen if isinstance(feature, FormFeature)]
    counts: dict[str, Counter[str]] = {feature.name: Counter() for feature in (*of_sentences, *of_forms)}
    seen: Counter[str] = Counter()
    for sentence in sentences:
        forms = forms_read(features, sentence)
        keys = keys_from_forms(forms)
        for feature in of_sentences:
            counts[feature.name].update(feature.keys(keys))
        if of_forms:
            seen.update(forms)
    for one in of_forms:
        for form, times in seen.items():
            for key in one.keys(form):
                counts[one.name][key] += times
    return counts


def build_vocabularies(features: FeaturesConfig, counts: Mapping[str, Counter[str]]) -> dict[str, Vocabulary]:
    """By feature that was counted, the keys that training has seen often enough."""
    return {
        feature.name: build_vocabulary(counts[feature.name], feature.min_count)
        for feature in features_of(features)
        if feature.name in counts
    }
