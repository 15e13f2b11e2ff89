"""Labeled sentences made ready to train on: vocabularies, labels, and every split as ids.

In: a resolved configuration and tagged sentences. Out: a `Prepared`, made once before the first step. What cannot be
trained on is refused here, before any time is spent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from gatewise.errors import TrainingError
from gatewise.model.config import Config
from gatewise.model.features import FeatureEncoder, build_vocabularies, count_keys
from gatewise.text.schemes import complete_tags
from gatewise.text.sentence import Sentence
from gatewise.text.vocabulary import Vocabulary
from gatewise.training.batches import EncodedSentences, encode_sentences, unknown_rates
from gatewise.training.vectors import PretrainedVectors, find_vectors

# What may differ when a run goes on: it changes how the work is done, not what comes out.
FREE_SETTINGS = ("threads", "checkpoint_seconds", "longest_sentence", "tensorboard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that the loop needs. `vocabularies` and `unknown_rates` (rows,) by feature; `dev_gold` are dev's tags as the
    file has them; `vectors` are pretrained ones for tokens."""

    config: Config
    labels: tuple[str, ...]
    vocabularies: Mapping[str, Vocabulary]
    unknown_rates: Mapping[str, Tensor]
    train: EncodedSentences
    dev: EncodedSentences
    dev_gold: tuple[tuple[str, ...], ...]
    vectors: PretrainedVectors | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """The rows of each embedding."""
        return {name: vocabulary.size for name, vocabulary in self.vocabularies.items()}

    def fingerprint(self) -> str:
        """Changes when the configuration or the data do, in anything that the outcome depends on."""
        settings = self.config.to_dict()
        for section in ("card", "archive", "name"):
            del settings[section]
        for name in FREE_SETTINGS:
            del settings["training"][name]
        digest = hashlib.sha256(json.dumps([settings, self.labels], sort_keys=True).encode())
        for split in (self.train, self.dev):
            for rows in (*split.inputs.values(), *split.forms.values(), split.tags):
                digest.update(rows.values.cpu().numpy().tobytes())
                digest.update(rows.lengths.cpu().numpy().tobytes())
        if self.vectors is not None:
            digest.update(self.vectors.ids.numpy().tobytes())
            digest.update(self.vectors.values.numpy().tobytes())
        return digest.hexdigest()


def prepare(config: Config, train: Sequence[Sentence], dev: Sequence[Sentence] = ()) -> Prepared:
    """Encode the splits; `config` must be resolved, no `auto` left in its task (see `model.corpus.resolve_config`).

    Raises TrainingError when there is nothing to learn from, a sentence is longer than the configuration allows, or the
    pretrained vectors are of other tokens, and FormatError when their file is not one.
    """
    train, dev = [s for s in train if len(s)], [s for s in dev if len(s)]
    if not train:
        raise TrainingError("the training split: expected at least one sentence, found none; check the file's format")
    for name, split in (("training", train), ("dev", dev)):
        _check_lengths(name, split, config.training.longest_sentence)
    features, weight = config.features, config.training.unknown_weight
    counts = count_keys(features, (sentence.forms for sentence in train))
    vocabularies = build_vocabularies(features, counts)
    if (found := len(vocabularies["tokens"].entries)) < 2:
        raise TrainingError(
            f"the training split: expected at least 2 different tokens seen {features.min_count} time(s) or more, found"
            f" {found}; check the columns, or lower features.min_count"
        )
    vectors = None
    if features.vectors:
        vectors = find_vectors(features.vectors, vocabularies["tokens"], features.token_dim)
    encoder = FeatureEncoder(features, vocabularies)
    seen = {tag for sentence in train for tag in sentence.tags or ()}
    labels = tuple(complete_tags(seen, config.task.scheme))
    tag_ids = {tag: number for number, tag in enumerate(labels)}
    return Prepared(
        config=config,
        labels=labels,
        vocabularies=vocabularies,
        unknown_rates={name: unknown_rates(entries, counts[name], weight) for name, entries in vocabularies.items()},
        train=encode_sentences(train, encoder, tag_ids),
        dev=encode_sentences(dev, encoder, tag_ids),
        dev_gold=tuple(sentence.tags or () for sentence in dev),
        vectors=vectors,
    )


def _check_lengths(name: str, split: Sequence[Sentence], longest: int) -> None:
    for number, sentence in enumerate(split, start=1):
        if len(sentence) > longest:
            raise TrainingError(
                f"the {name} split, sentence {number} ({sentence.text[:20]!r}…): expected at most {longest:,} tokens,"
                f" found {len(sentence):,}; cut it into sentences, or raise training.longest_sentence (memory grows"
                " with it)"
            )
