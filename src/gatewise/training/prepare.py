"""Labeled sentences made ready to train on: vocabularies, labels of each head, and every split as ids.

In: a resolved configuration and tagged sentences. Out: a `Prepared`, made once before the first step. What cannot be
trained on is refused here, before any time is spent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from gatewise.errors import ConfigError, TrainingError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.config import Config, FeaturesConfig
from gatewise.model.context import CONTEXT
from gatewise.model.feature_ids import FeatureEncoder
from gatewise.model.features import build_vocabularies, count_keys, key_of
from gatewise.model.heads import MAIN_HEAD
from gatewise.model.labeled import labeled_for
from gatewise.model.language_model import LanguageModel
from gatewise.model.language_model_settings import language_model_of
from gatewise.model.lexicon import LEXICON
from gatewise.model.saving import check_storable
from gatewise.text.sentence import Sentence
from gatewise.text.vocabulary import Vocabulary
from gatewise.training.annotation import labeled_sentences, labels_of, with_labels
from gatewise.training.batches import EncodedSentences, encode_sentences, unknown_rates
from gatewise.training.lexicon import prepare_lexicon
from gatewise.training.teachers import Lessons, lessons_of
from gatewise.training.vectors import PretrainedVectors, find_vectors, with_entries_of

# What may differ when a run goes on: it changes how the work is done, not what comes out.
FREE_SETTINGS = ("threads", "checkpoint_seconds", "longest_sentence", "tensorboard")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedHead:
    """A head: its tags, the dev sentences labeled for it, and their tags as the file has them."""

    labels: tuple[str, ...]
    dev: EncodedSentences
    dev_gold: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that the loop needs. `vocabularies` and `unknown_rates` (rows,) by feature; `dev_gold` are dev's tags as the
    file has them; `vectors` are pretrained ones, by feature, `language_model` is one whose states are read.

    `labels`, `dev` and `dev_gold` are the main head's, `heads` are the further ones; `train` has the sentences of all,
    and after them the raw ones of `lessons`, what teachers say.
    """

    config: Config
    labels: tuple[str, ...]
    vocabularies: Mapping[str, Vocabulary]
    unknown_rates: Mapping[str, Tensor]
    train: EncodedSentences
    dev: EncodedSentences
    dev_gold: tuple[tuple[str, ...], ...]
    vectors: Mapping[str, PretrainedVectors] = field(default_factory=dict)
    language_model: LanguageModel | None = None
    heads: Mapping[str, PreparedHead] = field(default_factory=dict)
    lessons: Lessons | None = None

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
        for head in settings.get("heads", {}).values():
            for name in ("train", "dev", "test"):
                del head[name]
        for name in ("teachers", "raw"):  # what they say is looked at
            settings.get("distillation", {}).pop(name, None)
        labels = [self.labels, {name: head.labels for name, head in self.heads.items()}] if self.heads else self.labels
        digest = hashlib.sha256(json.dumps([settings, labels], sort_keys=True).encode())
        for split in (self.train, self.dev, *(head.dev for head in self.heads.values())):
            further = [head.tags for head in split.heads.values()]
            for rows in (*split.inputs.values(), *split.forms.values(), *split.sets.values(), split.tags, *further):
                digest.update(rows.values.cpu().numpy().tobytes())
                digest.update(rows.lengths.cpu().numpy().tobytes())
            if self.heads:
                labeled = [split.labeled, [head.labeled for head in split.heads.values()]]
                digest.update(json.dumps(labeled).encode())
        if self.train.taught is not None:
            self.train.taught.update(digest)
        for name, vectors in self.vectors.items():
            digest.update(name.encode())
            digest.update(vectors.ids.numpy().tobytes())
            digest.update(vectors.values.numpy().tobytes())
        if self.language_model is not None:
            for array in self.language_model.arrays.values():
                digest.update(array.tobytes())
        return digest.hexdigest()


def prepare(
    config: Config,
    train: Sequence[Sentence],
    dev: Sequence[Sentence] = (),
    *,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    lessons: Lessons | None = None,
    on_answers: Callable[[float], None] = lambda _: None,
) -> Prepared:
    """Encode the splits; `config` must be resolved, no `auto` left in its task (see `model.corpus.resolve_config`).

    Teachers, where it names some, are asked here; `columns` is the layout of a raw file of columns, and `lessons` are
    what teachers said of the same training split before, used where the same is asked again. `on_answers` is told which
    share of their answers is there.

    Raises TrainingError when there is nothing to learn from, a sentence is longer than the configuration allows, a
    teacher tags otherwise, or the pretrained vectors are of other tokens, FormatError when a file is not one,
    ModelError for a teacher that cannot be opened, and ConfigError when there is no table for vectors, or the model
    would be larger than can be stored.
    """
    train, dev = labeled_sentences(train), labeled_sentences(dev)
    if not labeled_for(train):
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
    vocabularies, vectors = _with_pretrained(features, vocabularies)
    if features.lexicon:
        lexicon = prepare_lexicon(features, *([sentence.forms for sentence in split] for split in (train, dev)))
        vocabularies = vocabularies | {LEXICON: lexicon.lexicon}
        if lexicon.vectors is not None:
            vectors[LEXICON] = lexicon.vectors
        counts[LEXICON] = lexicon.occurrences
    language_model = language_model_of(features)
    if language_model is not None:
        vocabularies[CONTEXT] = language_model.vocabulary
    encoder = FeatureEncoder(features, vocabularies)
    main = _prepared_head(train, dev, encoder, MAIN_HEAD, config.task.scheme)
    heads = {name: _prepared_head(train, dev, encoder, name, head.scheme) for name, head in config.heads.items()}
    num_tags = {MAIN_HEAD: len(main.labels)} | {name: len(head.labels) for name, head in heads.items()}
    check_storable(config, vocabularies, num_tags)
    lessons = lessons_of(config, main.labels, train, columns=columns, known=lessons, on_answers=on_answers)
    raw = () if lessons is None else lessons.raw  # they are read, and count for nothing above
    _check_lengths("raw", raw, config.training.longest_sentence)
    encoded = encode_sentences([*train, *raw], encoder, _ids(main.labels))
    encoded = with_labels(encoded, [*train, *raw], {name: head.labels for name, head in heads.items()})
    return Prepared(
        config=config,
        labels=main.labels,
        vocabularies=vocabularies,
        unknown_rates={
            name: unknown_rates(entries, counts[name], weight)
            for name, entries in vocabularies.items()
            if name != CONTEXT
        },
        train=encoded if lessons is None else replace(encoded, taught=lessons.soft_tags(config)),
        dev=main.dev,
        dev_gold=main.dev_gold,
        vectors=vectors,
        language_model=language_model,
        heads=heads,
        lessons=lessons,
    )


def _with_pretrained(
    features: FeaturesConfig, vocabularies: Mapping[str, Vocabulary]
) -> tuple[dict[str, Vocabulary], dict[str, PretrainedVectors]]:
    """The vocabularies with what files of vectors add to them, and the pretrained vectors, by feature."""
    if features.bigram_vectors and not features.bigram_dim:
        raise ConfigError(
            "features.bigram_vectors: expected a model that reads bigrams, found one that does not; leave it out, or"
            " set features.bigram_dim with the tokenizer characters"
        )
    asked = {
        "tokens": (features.vectors, features.token_dim),
        "bigrams": (features.bigram_vectors, features.bigram_dim),
    }
    widened, found, key = dict(vocabularies), dict[str, PretrainedVectors](), key_of(features)
    for name, (path, dim) in asked.items():
        if path:
            widened[name] = with_entries_of(path, vocabularies[name], dim, features.vectors_added, name, key_of=key)
            found[name] = find_vectors(path, widened[name], dim, name, key_of=key)
    return widened, found


def _prepared_head(
    train: Sequence[Sentence], dev: Sequence[Sentence], encoder: FeatureEncoder, name: str, scheme: str
) -> PreparedHead:
    labels, labeled = labels_of(train, name, scheme), labeled_for(dev, name)
    return PreparedHead(
        labels=labels,
        dev=encode_sentences(labeled, encoder, _ids(labels)),
        dev_gold=tuple(sentence.tags or () for sentence in labeled),
    )


def _ids(labels: Sequence[str]) -> dict[str, int]:
    return {tag: number for number, tag in enumerate(labels)}


def _check_lengths(name: str, split: Sequence[Sentence], longest: int) -> None:
    for number, sentence in enumerate(split, start=1):
        if len(sentence) > longest:
            raise TrainingError(
                f"the {name} split, sentence {number} ({sentence.text[:20]!r}…): expected at most {longest:,} tokens,"
                f" found {len(sentence):,}; cut it into sentences, or raise training.longest_sentence (memory grows"
                " with it)"
            )
