"""The errors of a tagger on gold sentences: what should be there, what was said instead, and how sure the tagger was.

In: a tagger and gold sentences as `model.answers.read_gold` gives them. Out: one `MarkedSentence` for each, with gold
and predicted spans and its `Mistake`s. All offsets count characters of the sentence's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gatewise.model.heads import MAIN_HEAD
from gatewise.runtime.tagger import Tagger
from gatewise.text.confusion import judge_spans
from gatewise.text.schemes import spans_from_tags
from gatewise.text.segment import word_spans
from gatewise.text.sentence import Sentence, Span, TextSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One error: its kind (see `text.confusion`), and the two spans, None where a side has nothing.

    `score` is the probability of the predicted span; of a missed span, which has none, that of the least probable tag
    that was chosen on its tokens: how sure the tagger was of what it said there instead.
    """

    kind: str
    gold: Span | None
    predicted: Span | None
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedSentence:
    """A sentence, its number in the file (from 1), what both sides say, and where they differ, from left to right.

    `tagged` is the sentence with the tokens that the tagger saw and the tags that it gave them.
    """

    number: int
    text: str
    gold: tuple[Span, ...]
    predicted: tuple[TextSpan, ...]
    mistakes: tuple[Mistake, ...]
    tagged: Sentence | None = None


def find_mistakes(tagger: Tagger, gold: Sequence[Sentence]) -> Iterator[MarkedSentence]:
    """Tag the gold tokens (for segmentation, the texts), and compare sentence by sentence."""
    task = tagger.archive.config.task
    if task.kind == "segmentation":
        tagged: Iterable[Sentence] = tagger.tag_many((sentence.text for sentence in gold), head=MAIN_HEAD)
    else:
        tagged = tagger.tag_sentences(gold, head=MAIN_HEAD)
    for number, (expected, found) in enumerate(zip(gold, tagged, strict=True), start=1):
        yield _marked(number, gold_spans(expected, task.kind, task.scheme), found, task.kind)


def gold_spans(sentence: Sentence, kind: str, scheme: str) -> list[Span]:
    """What a gold sentence says, as spans of its text; a plain tag, or a word, is the span of its token."""
    if kind != "spans":
        return word_spans(sentence)
    tokens = sentence.tokens
    return [
        Span(start=tokens[span.start].start, end=tokens[span.end - 1].end, label=span.label)
        for span in spans_from_tags(sentence.tags or (), scheme)
    ]


def _marked(number: int, gold: Sequence[Span], tagged: Sentence, kind: str) -> MarkedSentence:
    predicted = tagged.spans if kind != "tags" else tuple(_tag_spans(tagged))
    scores = {Span(start=s.start, end=s.end, label=s.label): s.score for s in predicted}
    of_gold, of_predicted = judge_spans(gold, list(scores))
    # a pair that is found from both sides is one error
    pairs = {(j.span, j.other): j.kind for j in of_gold if j.kind != "correct"}
    pairs |= {(j.other, j.span): j.kind for j in of_predicted if j.kind != "correct"}  # type: ignore[misc]
    mistakes = [
        Mistake(kind=kind, gold=a, predicted=b, score=_least(tagged, a) if b is None else scores[b])
        for (a, b), kind in pairs.items()
    ]
    mistakes.sort(key=lambda mistake: min(span.start for span in (mistake.gold, mistake.predicted) if span))
    return MarkedSentence(
        number=number,
        text=tagged.text,
        gold=tuple(gold),
        predicted=tuple(predicted),
        mistakes=tuple(mistakes),
        tagged=tagged,
    )


def _tag_spans(sentence: Sentence) -> Iterator[TextSpan]:
    for token, tag, score in zip(sentence.tokens, sentence.tags or (), sentence.scores or (), strict=True):
        yield TextSpan(start=token.start, end=token.end, label=tag, text=token.text, score=score)


def _least(sentence: Sentence, span: Span | None) -> float:
    """The least score of the tokens in a span."""
    pairs = zip(sentence.tokens, sentence.scores or (), strict=True)
    inside = [score for token, score in pairs if span and token.start < span.end and span.start < token.end]
    return min(inside, default=0.0)
