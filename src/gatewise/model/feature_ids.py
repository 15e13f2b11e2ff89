"""Ids, which the embeddings are looked up by, of everything that tokens are read by.

In: the forms of sentences, the features, the vocabularies. Out: rows of ids; and for the eye, what each part of x was
looked up by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np

from gatewise.model.character_ids import CharacterIds
from gatewise.model.config import FeaturesConfig
from gatewise.model.context import CONTEXT, context_rows
from gatewise.model.features import (
    CHARACTERS,
    FORM_OF,
    ContextFeature,
    Feature,
    FormFeature,
    SentenceFeature,
    SetFeature,
    features_of,
    forms_read,
)
from gatewise.model.lexicon import LEXICON, Lexicon
from gatewise.model.rows import Rows, rows_of
from gatewise.model.word_sets import SetEncoder, SetMember, WordSets
from gatewise.text.vocabulary import PADDING_ID, Vocabulary, keys_from_forms

REMEMBERED_FORMS = 65_536
MANY_CHARACTERS = 512  # below so many, looking each up is as fast


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
        self._config, self._features = features, features_of(features)
        self._of_sentences = [feature for feature in self._features if isinstance(feature, SentenceFeature)]
        self._of_forms = [feature for feature in self._features if isinstance(feature, FormFeature)]
        self._reads_context = any(isinstance(feature, ContextFeature) for feature in self._features)
        self._vocabularies = vocabularies
        lexicon = vocabularies[LEXICON] if any(isinstance(feature, SetFeature) for feature in self._features) else None
        self._sets = SetEncoder(lexicon) if isinstance(lexicon, Lexicon) else None
        self._ids_of_form = lru_cache(maxsize=REMEMBERED_FORMS)(self._look_up_form)

    def encode(self, sentences: Sequence[Sequence[str]]) -> EncodedRows:
        """The ids of sentences of forms; one whose forms are single characters may be one string."""
        sentences = [forms_read(self._config, forms) for forms in sentences]
        lengths = list(map(len, sentences))
        if sum(len(sentence) for sentence in sentences if isinstance(sentence, str)) >= MANY_CHARACTERS:
            rows = self._rows_by_character(sentences, lengths)
        else:
            rows = self._rows_by_key(list(map(keys_from_forms, sentences)))
        sets = self._sets.encode(list(map(keys_from_forms, sentences))) if self._sets else None
        if sets:
            rows |= sets.numbers
        if self._reads_context:
            rows |= context_rows(sentences, self._vocabularies[CONTEXT], self._config.language_model_spaces)
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
        whole = np.array([isinstance(one, str) for one in sentences])
        of_characters = self._character_ids.look_up([one for one in sentences if isinstance(one, str)])
        others = self._rows_by_key([keys_from_forms(one) for one in sentences if not isinstance(one, str)])
        rows = {}
        for feature, ids in zip(self._of_sentences, of_characters, strict=False):
            counts = np.array(lengths, dtype=np.int64) + len(feature.parts) - 1
            if whole.all():
                rows[feature.name] = Rows(values=ids, lengths=counts)
                continue
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
        forms = forms_read(self._config, forms)
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
