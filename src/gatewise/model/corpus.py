"""Labeled files as a model sees them: which task a file holds, and its sentences in the model's tokens and tags.

In: paths, or sentences in memory (see `model.given`), and the `[task]` and `[heads.NAME]` sections of a configuration.
Out: the sections with every `auto` decided, and tagged sentences. Used alike for training and for evaluation, so that
both read a file in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from gatewise.errors import ConfigError, FormatError, GatewiseError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.config import Config, FeaturesConfig, HeadConfig, TaskConfig
from gatewise.model.given import MEMORY, Data, detect_format, detect_scheme_of, read_segmented, read_sentences
from gatewise.model.heads import task_of
from gatewise.model.language_model_settings import with_language_model
from gatewise.text.schemes import convert_tags
from gatewise.text.segment import characters_from_words
from gatewise.text.sentence import Sentence
from gatewise.text.tokenize import tokenize

LOOK_AT = 1000  # sentences looked at to tell characters from words
HOLD_WORDS = ("conllu", "text", MEMORY)  # text is read as segmented


def resolve_config(config: Config, path: Data, columns: Sequence[str] = DEFAULT_COLUMNS) -> Config:
    """The configuration with its task decided by the training file, and bigrams only where tokens are characters.

    So are the tasks of further heads, each by the file that it is trained on.
    """
    task = resolve_task(config.task, path, columns)
    features = config.features
    if task.tokenizer != "characters":
        features = replace(features, bigram_dim=0)
    _check_lexicon(features, task.tokenizer)
    features = with_language_model(features, task.tokenizer)
    config = replace(config, task=task, features=features)
    heads = {name: _resolve_head(name, head, config, path, columns) for name, head in config.heads.items()}
    return replace(config, heads=heads)


def _check_lexicon(features: FeaturesConfig, tokenizer: str) -> None:
    if features.lexicon_vectors and not features.lexicon:
        raise ConfigError(
            "features.lexicon_vectors: expected features.lexicon beside it, found none; give the list of words"
        )
    if features.lexicon and tokenizer != "characters":
        raise ConfigError(
            f"features.lexicon: expected tokens that are characters, found the tokenizer {tokenizer}; leave it out, or "
            "set task.tokenizer=characters where every token of the file is one character"
        )


def resolve_task(task: TaskConfig, path: Data, columns: Sequence[str] = DEFAULT_COLUMNS) -> TaskConfig:
    """The task with every `auto` decided by what the training file holds.

    Raises ConfigError where the settings do not fit the file.
    """
    format = detect_format(path)
    is_conllu = format == "conllu"
    kind = task.kind
    if kind == "segmentation" and format not in HOLD_WORDS:
        raise ConfigError(
            f"{path}: task.kind segmentation: expected words, in CoNLL-U or as text with white space between "
            f"them, found {format}; convert it"
        )
    if kind == "auto":
        in_spans = not is_conllu and detect_scheme_of(path, columns).scheme != "plain"
        kind = "spans" if in_spans else "tags"
    scheme = task.scheme
    if scheme == "auto":
        scheme = "plain" if kind == "tags" else "BIOES"
    if (scheme == "plain") != (kind == "tags"):
        raise ConfigError(f"task.scheme: expected plain for tags and BIO or BIOES else, found {scheme} for {kind}")
    tokenizer = task.tokenizer
    if kind == "segmentation" and tokenizer not in ("auto", "characters"):
        raise ConfigError(f"task.tokenizer: expected characters for segmentation, found {tokenizer}; leave it out")
    if tokenizer == "auto":
        tokenizer = "characters" if kind == "segmentation" or _in_characters(path, columns) else "words"
    resolved = replace(task, kind=kind, scheme=scheme, tokenizer=tokenizer)
    if task.spaces == "auto":
        resolved = replace(resolved, spaces="within" if _spaces_within_words(path, resolved) else "between")
    return resolved


def head_columns(head: HeadConfig, columns: Sequence[str] = DEFAULT_COLUMNS) -> tuple[str, ...]:
    """How the files of a head are laid out; `columns` is the layout of the run's own files."""
    if head.columns:
        return tuple(name.strip() for name in head.columns.split(","))
    return DEFAULT_COLUMNS if head.train else tuple(columns)


def _resolve_head(name: str, head: HeadConfig, config: Config, path: Data, columns: Sequence[str]) -> HeadConfig:
    """A further head with every `auto` decided; raises ConfigError where its tokens cannot be the main head's."""
    own, layout = head.train or path, head_columns(head, columns)
    _check_files(name, head, own, another=layout != tuple(columns), main=config.task)
    task = task_of(head, config.task)
    if task.kind == "auto" and config.task.kind == "segmentation" and detect_format(own) == "conllu":
        task = replace(task, kind="segmentation")
    try:
        _check_tokens(name, task, own, layout, cut=_cut(config.task, path, columns), tokenizer=config.task.tokenizer)
        task = resolve_task(task, own, layout)
    except (ConfigError, FormatError) as error:
        raise type(error)(str(error) if str(error).startswith("heads.") else f"heads.{name}: {error}") from error
    output = config.output.kind if head.output == "auto" else head.output
    return replace(head, kind=task.kind, scheme=task.scheme, spaces=task.spaces, output=output)


def _check_files(name: str, head: HeadConfig, path: Data, *, another: bool, main: TaskConfig) -> None:
    """A head has files of its own, or reads in the run's what the main head does not; `another`: in other columns."""
    if head.train:
        return
    if head.dev or head.test:
        raise ConfigError(
            f"heads.{name}: expected a train file beside dev and test, found none; set heads.{name}.train"
        )
    if detect_format(path) == MEMORY:
        raise ConfigError(
            f"heads.{name}: expected a file of its own beside sentences in memory, which are labeled for the main head"
            f" alone, found none; set heads.{name}.train"
        )
    if not another and head.column == main.column and head.kind in ("auto", main.kind):
        raise ConfigError(
            f"heads.{name}: expected another column of {path} than the main head's, found the same; set"
            f" heads.{name}.column (CoNLL-U) or heads.{name}.columns (columns, Parquet), or give it files of its own"
        )


def _check_tokens(name: str, task: TaskConfig, path: Data, columns: Sequence[str], *, cut: str, tokenizer: str) -> None:
    """All heads read the same tokens: characters, or words (the tokenizer `mixed` makes both)."""
    found = _cut(task, path, columns)
    if found != cut and (tokenizer != "mixed" or task.kind == "segmentation"):
        raise ConfigError(
            f"heads.{name}: expected {cut}, as the main head has them, found {found} in {path}; all heads share one"
            f" tokenization: give files cut alike, or set heads.{name}.kind to segmentation, which cuts the words of"
            " CoNLL-U into characters"
        )


def _cut(task: TaskConfig, path: Data, columns: Sequence[str]) -> str:
    """What the tokens of a training file are."""
    return "characters" if task.kind == "segmentation" or _in_characters(path, columns) else "words"


def read_corpus(path: Data, task: TaskConfig, columns: Sequence[str] = DEFAULT_COLUMNS) -> Iterator[Sentence]:
    """The sentences of a labeled file in the tokens, tags and scheme of a resolved task, streamed.

    Raises FormatError, with path and line, for anything that does not fit.
    """
    if task.kind == "segmentation":
        yield from _segmented(path, task)
        return
    if task.kind == "tags":
        yield from read_sentences(path, columns=columns, column=task.column, scheme="plain")
        return
    source = detect_scheme_of(path, columns).scheme
    if source == "plain":
        if not any(map(len, read_sentences(path, columns=columns))):
            return  # an empty file; whoever asked says what that means
        raise FormatError(f"{path}: expected tags of spans such as B-PER, found plain tags; is this the right file?")
    for sentence in read_sentences(path, columns=columns, scheme=source):
        yield sentence.with_tags(convert_tags(sentence.tags or (), source, task.scheme))


def read_words(path: Data, task: TaskConfig) -> Iterator[Sentence]:
    """The words of a file, as they stand: what segmentation from raw text is scored against.

    They may be tagged in CoNLL-U; text is read as segmented, words apart by white space.
    """
    format = detect_format(path)
    if format not in HOLD_WORDS:
        raise FormatError(
            f"{path}: expected words, in CoNLL-U or as text with white space between them, found {format}; convert it"
        )
    sentences = read_segmented(path) if format == "text" else read_sentences(path, column=task.column)
    return _tagged_alike(path, sentences)


def _tagged_alike(path: Data, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    """These sentences, as long as all of their words have tags, or none has."""
    tagged: bool | None = None
    for number, sentence in enumerate(sentences, start=1):
        if len(sentence):
            if tagged is None:
                tagged = sentence.tags is not None
            if tagged != (sentence.tags is not None):
                expected, found = ("tags", "none") if tagged else ("no tags", "some")
                raise FormatError(
                    f"{path}: sentence {number}: expected {expected}, as in the sentences before it, found {found}; "
                    "tag the words of all sentences, or of none to learn where words end alone"
                )
        yield sentence


def _segmented(path: Data, task: TaskConfig) -> Iterator[Sentence]:
    for number, words in enumerate(read_words(path, task), start=1):
        try:
            yield characters_from_words(words, task.scheme)
        except GatewiseError as error:
            raise FormatError(f"{path}: sentence {number}: {error}") from error


def _spaces_within_words(path: Data, task: TaskConfig) -> bool:
    """Whether a word of the file holds white space, as in Vietnamese; only segmentation asks."""
    if task.kind != "segmentation":
        return False
    return any(any(map(str.isspace, form)) for sentence in read_words(path, task) for form in sentence.forms)


def _in_characters(path: Data, columns: Sequence[str]) -> bool:
    """Whether each token of the file's head is what the tokenizer `characters` would make of it."""
    head = islice(read_sentences(path, columns=columns), LOOK_AT)
    return all(len(tokenize(form, "characters")) <= 1 for sentence in head for form in sentence.forms)
