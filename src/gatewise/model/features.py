"""What a token is read by: the features of a model, their keys and their ids, for training and for tagging alike.

In: the forms of sentences and the configuration. Out: keys, which training counts into vocabularies, and ids, which the
embeddings are looked up by. A feature is an entry of `features_of`; whoever has to know which there are asks it.

What depends on a token's form alone (its characters, shape, affixes) is looked up once for each distinct form of a
batch, `form_of` says which form a token has (ADR 0010).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import TypeAlias

import numpy as np

from gatewise.model.character_ids import CharacterIds
from gatewise.model.config import FeaturesConfig
from gatewise.model.context import CONTEXT, CONTEXT_INPUTS, PARTS, context_rows
from gatewise.model.language_model_shapes import SUFFIXES, embedding_name
from gatewise.model.lexicon import LEXICON, Lexicon
from gatewise.model.rows import Rows, rows_of
from gatewise.model.word_sets import SET_INPUTS, SHARES, SetEncoder, SetMember, WordSets
from gatewise.text.spelling import prefixes, spelling, suffixes, word_shape
from gatewise.text.vocabulary import PADDING_ID, Vocabulary, bigrams, build_vocabulary, keys_from_forms

CHARACTERS = "characters"
FORM_OF = "form_of"
SPELLING_LENGTHS = "spelling_lengths"
REMEMBERED_FORMS = 65_536
MANY_CHARACTERS = 512  # below so many, looking each up is as fast


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


def count_keys(features: FeaturesConfig, sentences: Iterable[Sequence[str]]) -> dict[str, Counter[str]]:
    """By feature, how often each key occurs in sentences of forms; a lexicon's words are counted where it is made."""
    chosen = features_of(features)
    of_sentences = [feature for feature in chosen if isinstance(feature, SentenceFeature)]
    of_forms = [feature for feature in chosen if isinstance(feature, FormFeature)]
    counts: dict[str, Counter[str]] = {feature.name: Counter() for feature in (*of_sentences, *of_forms)}
    seen: Counter[str] = Counter()
    for forms in sentences:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedRows:
    """Ids by the name of the feature.

    `rows`: one row a sentence; `tokens` one a token, `bigrams` one more, `form_of` the number of each token's form.
    `forms`: one row a distinct form, of which number 0 stands for padding. `sets`: what is in the word sets, whose
    numbers are among the rows.
    """

    rows: Mapping[str, Rows]
    forms: Mapping[str, Rows]
    sets: WordSets | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPart:
    """A part of x: its numbers from `start` up to, not including, `stop`.

    `keys` is what each token was looked up by, `known` whether training has seen it often enough to have its own
    vector (of characters: all of them). Of word sets, `members` are what is in each token's set, and the keys are their
    words.
    """

    name: str
    start: int
    stop: int
    keys: tuple[str, ...]
    known: tuple[bool, ...]
    members: tuple[tuple[SetMember, ...], ...] = ()


class FeatureEncoder:
    """Looks up ids; `vocabularies` by the name of the feature. What a form is looked up by is remembered."""

    def __init__(self, features: FeaturesConfig, vocabularies: Mapping[str, Vocabulary]) -> None:
        self._features = features_of(features)
        self._of_sentences = [feature for feature in self._features if isinstance(feature, SentenceFeature)]
        self._of_forms = [feature for feature in self._features if isinstance(feature, FormFeature)]
        self._reads_context = any(isinstance(feature, ContextFeature) for feature in self._features)
        self._spaces = features.language_model_spaces
        self._vocabularies = vocabularies
        lexicon = vocabularies[LEXICON] if any(isinstance(feature, SetFeature) for feature in self._features) else None
        self._sets = SetEncoder(lexicon) if isinstance(lexicon, Lexicon) else None
        self._ids_of_form = lru_cache(maxsize=REMEMBERED_FORMS)(self._look_up_form)

    def encode(self, sentences: Sequence[Sequence[str]]) -> EncodedRows:
        """The ids of sentences of forms; one whose forms are single characters may be one string."""
        lengths = list(map(len, sentences))
        if sum(len(sentence) for sentence in sentences if isinstance(sentence, str)) >= MANY_CHARACTERS:
            rows = self._rows_by_character(sentences, lengths)
        else:
            rows = self._rows_by_key(list(map(keys_from_forms, sentences)))
        sets = self._sets.encode(list(map(keys_from_forms, sentences))) if self._sets else None
        if sets:
            rows |= sets.numbers
        if self._reads_context:
            rows |= context_rows(sentences, self._vocabularies[CONTEXT], self._spaces)
        if not self._of_forms:
            return EncodedRows(rows=rows, forms={}, sets=sets)
        numbers: dict[str, int] = {}
        form_of = ([numbers.setdefault(form, len(numbers) + 1) for form in forms] for forms in sentences)
        rows[FORM_OF] = rows_of(form_of, lengths)
        padding = tuple([PADDING_ID] * len(feature.parts) for feature in self._of_forms)
        found = zip(padding, *map(self._ids_of_form, numbers), strict=True)
        names = [feature.name for feature in self._of_forms]
        forms = {name: rows_of(of_forms, map(len, of_forms)) for name, of_forms in zip(names, found, strict=True)}
        return EncodedRows(rows=rows, forms=forms, sets=sets)

    def _rows_by_key(self, keys: Sequence[Sequence[str]]) -> dict[str, Rows]:
        """The features of sentences, for sentences of keys."""
        rows = {}
        for feature in self._of_sentences:
            further = len(feature.parts) - 1  # so many keys more than there are tokens
            ids = self._vocabularies[feature.name].look_up(chain.from_iterable(map(feature.keys, keys)))
            rows[feature.name] = rows_of([ids], [len(of_sentence) + further for of_sentence in keys])
        return rows

    def _rows_by_character(self, sentences: Sequence[Sequence[str]], lengths: Sequence[int]) -> dict[str, Rows]:
        """The same for sentences of forms, of which those that are strings are looked up together."""
        of_characters = self._character_ids.look_up([one for one in sentences if isinstance(one, str)])
        others = self._rows_by_key([keys_from_forms(one) for one in sentences if not isinstance(one, str)])
        whole = np.array([isinstance(one, str) for one in sentences])
        rows = {}
        for feature, ids in zip(self._of_sentences, of_characters, strict=False):
            counts = np.array(lengths, dtype=np.int64) + len(feature.parts) - 1
            by_character = np.repeat(whole, counts)
            values = np.empty(len(by_character), dtype=np.int64)
            values[by_character], values[~by_character] = ids, others[feature.name].values
            rows[feature.name] = Rows(values=values, lengths=counts)
        return rows

    @cached_property
    def _character_ids(self) -> CharacterIds:
        return CharacterIds(self._vocabularies["tokens"], self._vocabularies.get("bigrams"))

    def parts(self, forms: Sequence[str]) -> tuple[InputPart, ...]:
        """What x is made of for one sentence, in its order."""
        found: list[InputPart] = []
        for feature in self._features:
            start = found[-1].stop if found else 0
            if self._sets and isinstance(feature, SetFeature):
                found += self._set_parts(self._sets, feature, forms, start)
                continue
            vocabulary = self._vocabularies[feature.name]
            for name, read in zip(feature.parts, self._read(feature, forms), strict=True):
                found.append(
                    InputPart(
                        name=name,
                        start=start,
                        stop=start + feature.part_size,
                        keys=tuple(map("".join, read)),
                        known=tuple(all(key in vocabulary for key in entries) for entries in read),
                    )
                )
                start += feature.part_size
        return tuple(found)

    def _set_parts(
        self, sets: SetEncoder, feature: SetFeature, forms: Sequence[str], start: int
    ) -> Iterator[InputPart]:
        for number, (name, members) in enumerate(zip(feature.parts, sets.members(keys_from_forms(forms)), strict=True)):
            yield InputPart(
                name=name,
                start=start + number * feature.part_size,
                stop=start + (number + 1) * feature.part_size,
                keys=tuple(" ".join(one.word for one in of_token) for of_token in members),
                known=tuple(all(one.known for one in of_token) for of_token in members),
                members=members,
            )

    def _read(self, feature: Feature, forms: Sequence[str]) -> list[list[Sequence[str]]]:
        """By part of a feature and token of a sentence, the keys that are looked up."""
        if isinstance(feature, SentenceFeature):
            keys = feature.keys(keys_from_forms(forms))
            return [[[key] for key in keys[n : n + len(forms)]] for n in range(len(feature.parts))]
        if isinstance(feature, ContextFeature):
            return [[list(form) for form in forms]]
        assert isinstance(feature, FormFeature)
        of_forms = [feature.keys(form) for form in forms]
        if feature.name == CHARACTERS:
            return [of_forms]
        return [[[keys[n]] for keys in of_forms] for n in range(len(feature.parts))]

    def _look_up_form(self, form: str) -> tuple[list[int], ...]:
        """The ids of each feature of forms; never none, so that there is something to read."""
        return tuple(
            self._vocabularies[feature.name].encode(feature.keys(form)) or [PADDING_ID] for feature in self._of_forms
        )
