"""What a labeled file says, in the form that scores are made from, and whether two of them speak of the same text.

In: paths, the task, sentences as they were read or tagged. Out: `Answers`: tokens and spans of each sentence. Spans
count tokens, and for segmentation characters of the text; a plain tag is the span of one token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from gatewise.errors import ConfigError, FormatError, SchemeError
from gatewise.formats import DEFAULT_COLUMNS
from gatewise.model.config import TaskConfig
from gatewise.model.corpus import HOLD_WORDS, read_corpus, read_words
from gatewise.model.given import Data, detect_format, detect_scheme_of, read_sentences
from gatewise.model.scoring import Scores, score_plain_tags, score_spans, score_words
from gatewise.text.conlleval import conlleval_spans
from gatewise.text.metrics import TrainingRecall, training_recall, unlabeled
from gatewise.text.schemes import spans_from_tags
from gatewise.text.segment import word_spans, words_from_characters
from gatewise.text.sentence import Sentence, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A sentence: its text, its tokens (for segmentation its words), and its spans."""

    text: str
    forms: tuple[str, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All sentences of one source; `kind` is that of the task: tags, spans or segmentation."""

    name: str
    kind: str
    sentences: tuple[Answer, ...]


def read_gold(
    path: Data, task: TaskConfig, columns: Sequence[str] = DEFAULT_COLUMNS, *, conlleval: bool = False
) -> list[Sentence]:
    """The sentences of a labeled file for a resolved task; with `conlleval` their tags stay as they are, legal or not.

    Raises FormatError for a file that cannot be read, or holds no sentence.
    """
    if conlleval and task.kind != "spans":
        raise ConfigError(
            f"--conlleval: expected a task of spans, whose tags can be broken, found {task.kind}; leave it off"
        )
    if task.kind == "segmentation":
        found = list(read_words(path, task))
    elif conlleval:
        found = list(read_sentences(path, columns=columns))
    else:
        found = list(read_corpus(path, task, columns))
    if not found:
        raise FormatError(f"{path}: expected at least one sentence, found none; check the path and the format")
    return found


def read_prediction(
    path: Data, task: TaskConfig, columns: Sequence[str] = DEFAULT_COLUMNS, *, conlleval: bool = False
) -> list[Sentence]:
    """Like `read_gold`, but words may also come as tagged characters, in any format."""
    if task.kind != "segmentation" or detect_format(path) in HOLD_WORDS:
        return read_gold(path, task, columns, conlleval=conlleval)
    scheme = detect_scheme_of(path, columns).scheme
    if scheme == "plain":
        raise FormatError(f"{path}: expected words (CoNLL-U, or characters tagged B, I, E, S), found plain tags")
    return [words_from_characters(sentence, scheme) for sentence in read_sentences(path, columns=columns)]


def answers_from(name: str, sentences: Iterable[Sentence], task: TaskConfig, *, conlleval: bool = False) -> Answers:
    """What these sentences say; their tags are in the task's scheme, or with `conlleval` in any.

    Raises FormatError, with the sentence's number, where a tag has no prefix or a sentence has no tags.
    """
    read = _reader(task, conlleval=conlleval)
    found = []
    for number, sentence in enumerate(sentences, start=1):
        if sentence.tags is None and task.kind != "segmentation" and len(sentence):
            raise FormatError(f"{name}: sentence {number}: expected a tag for every token, found none; name its column")
        try:
            spans = tuple(read(sentence))
        except SchemeError as error:
            raise FormatError(f"{name}: sentence {number}: {error}") from error
        found.append(Answer(text=sentence.text, forms=sentence.forms, spans=spans))
    return Answers(name=name, kind=task.kind, sentences=tuple(found))


def check_same_text(gold: Answers, other: Answers) -> Answers:
    """`other`, if it answers to the very tokens of `gold`; words are laid on gold's text, whatever the white space.

    Raises FormatError with the sentence and the token where the two part.
    """
    if len(gold.sentences) != len(other.sentences):
        raise FormatError(
            f"{other.name}: expected {len(gold.sentences)} sentences, as {gold.name} has, found "
            f"{len(other.sentences)}; label the same text"
        )
    pairs = zip(gold.sentences, other.sentences, strict=True)
    checked = (_checked(number, a, b, gold, other) for number, (a, b) in enumerate(pairs, start=1))
    return Answers(name=other.name, kind=other.kind, sentences=tuple(checked))


def score_answers(gold: Answers, predicted: Answers, train: Answers | None = None) -> Scores:
    """Every score of this kind of task; with `train`, recall by whether a gold span's text occurs there."""
    gold_spans = [sentence.spans for sentence in gold.sentences]
    predicted_spans = [sentence.spans for sentence in predicted.sentences]
    if gold.kind == "segmentation":
        scores = score_words(gold_spans, predicted_spans)
    elif gold.kind == "tags":
        scores = score_plain_tags(_labels(gold_spans), _labels(predicted_spans))
    else:
        scores = score_spans(gold_spans, predicted_spans, lengths=[len(s.forms) for s in gold.sentences])
    return scores if train is None else replace(scores, unseen=_by_training(gold, predicted, train))


def _labels(spans: Iterable[Sequence[Span]]) -> list[list[str]]:
    return [[span.label for span in sentence] for sentence in spans]


def _by_training(gold: Answers, predicted: Answers, train: Answers) -> TrainingRecall:
    """Words count as found when their edges are right, tags and spans when the label is right too."""

    def comparable(spans: Sequence[Span]) -> Sequence[Span]:
        return unlabeled(spans) if gold.kind == "segmentation" else spans

    def outcomes() -> Iterator[tuple[str, bool]]:
        for a, b in zip(gold.sentences, predicted.sentences, strict=True):
            found = set(comparable(b.spans))
            yield from zip(_texts(a, gold.kind), (span in found for span in comparable(a.spans)), strict=True)

    seen = {text for sentence in train.sentences for text in _texts(sentence, train.kind)}
    return training_recall(outcomes(), seen)


def _texts(answer: Answer, kind: str) -> Sequence[str]:
    """The text of each span: a word, a token, or the tokens of a span with a space between each two."""
    if kind == "spans":
        return [" ".join(answer.forms[span.start : span.end]) for span in answer.spans]
    return answer.forms


def _reader(task: TaskConfig, *, conlleval: bool) -> Callable[[Sentence], list[Span]]:
    if task.kind == "segmentation":
        return word_spans
    if task.kind == "tags":
        return _tag_spans
    if conlleval:
        return lambda sentence: conlleval_spans(sentence.tags or ())
    return lambda sentence: spans_from_tags(sentence.tags or (), task.scheme)


def _tag_spans(sentence: Sentence) -> list[Span]:
    return [Span(start=index, end=index + 1, label=tag) for index, tag in enumerate(sentence.tags or ())]


def _checked(number: int, a: Answer, b: Answer, gold: Answers, other: Answers) -> Answer:
    """Sentence `number` of `other`; `a` is gold's, `b` its own."""
    if gold.kind == "segmentation":
        return _on_text(number, a, b, gold, other)
    if a.forms == b.forms:
        return b
    pairs = enumerate(zip_longest(a.forms, b.forms), start=1)
    token, (expected, found) = next((token, pair) for token, pair in pairs if pair[0] != pair[1])
    remedy = ", or compare where words end, by --task segmentation" if gold.kind == "tags" else ""
    raise FormatError(
        f"{other.name}: sentence {number}, token {token}: expected {_quoted(expected)}, as in {gold.name}, found "
        f"{_quoted(found)}; label the tokens of {gold.name}{remedy}"
    )


def _on_text(number: int, a: Answer, b: Answer, gold: Answers, other: Answers) -> Answer:
    """The words of `b` with their places in the text of `a`, which must be the same but for white space."""
    if a.text == b.text:
        return b
    places, own = _visible(a.text), _visible(b.text)
    for index, (place, mine) in enumerate(zip_longest(places, own), start=1):
        expected = None if place is None else a.text[place]
        found = None if mine is None else b.text[mine]
        if expected != found:
            raise FormatError(
                f"{other.name}: sentence {number}, character {index} (white space not counted): expected "
                f"{_quoted(expected)}, as in {gold.name}, found {_quoted(found)}; label the text of {gold.name}"
            )
    place_of = dict(zip(own, places, strict=True))
    spans = []
    for span in b.spans:
        inside = [place_of[index] for index in range(span.start, span.end) if index in place_of]
        if inside:
            spans.append(Span(start=inside[0], end=inside[-1] + 1, label=span.label))
    return Answer(text=a.text, forms=tuple(a.text[s.start : s.end] for s in spans), spans=tuple(spans))


def _visible(text: str) -> list[int]:
    return [index for index, character in enumerate(text) if not character.isspace()]


def _quoted(form: str | None) -> str:
    return "the end of the sentence" if form is None else f'"{form}"'
