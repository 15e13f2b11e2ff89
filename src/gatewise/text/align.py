"""Between spans of characters and tags of tokens.

In: a tokenized text and labeled stretches of it, in characters (code points), half-open. Out: the same stretches as
spans of tokens, and the ones that no run of tokens covers exactly; the other way round, what a sentence's tags mark
in its text. White space at the ends of a stretch that no token holds does not count.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatewise.errors import SchemeError
from gatewise.text.detection import detect_scheme
from gatewise.text.schemes import spans_from_tags
from gatewise.text.segment import word_spans
from gatewise.text.sentence import Sentence, Span, Token

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A stretch that cuts `token`, or (None) holds characters of no token, and the tokens it touches."""

    span: Span
    token: Token | None
    expanded: Span | None  # in tokens: the ones it touches, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """What became of spans of characters: spans of tokens, and misfits, both in the order of the text."""

    spans: tuple[Span, ...]
    misfits: tuple[Misfit, ...]


def align_spans(sentence: Sentence, spans: Iterable[Span]) -> Aligned:
    """Find the run of tokens that each span of characters covers.

    >>> from gatewise.text.tokenize import tokenize
    >>> align_spans(tokenize("Ann Lee", "words"), [Span(start=4, end=7, label="PER")]).spans
    (Span(start=1, end=2, label='PER'),)
    """
    starts = [token.start for token in sentence.tokens]
    ends = [token.end for token in sentence.tokens]
    fitting, misfits = [], []
    for span in sorted(spans):
        first = bisect_right(ends, span.start)  # the first token that ends after the start
        last = bisect_left(starts, span.end)  # one past the last token that starts before the end
        if first >= last:
            misfits.append(Misfit(span=span, token=None, expanded=None))
            continue
        touched = Span(start=first, end=last, label=span.label)
        cut = [token for token in (sentence.tokens[first], sentence.tokens[last - 1]) if _is_cut(token, span)]
        outside = sentence.text[span.start : starts[first]] + sentence.text[ends[last - 1] : span.end]
        if cut or outside.strip():
            misfits.append(Misfit(span=span, token=cut[0] if cut else None, expanded=touched))
        else:
            fitting.append(touched)
    return Aligned(spans=tuple(fitting), misfits=tuple(misfits))


def find_overlap(spans: Iterable[Span]) -> tuple[Span, Span] | None:
    """The first two spans, in the order of the text, that share a position; None when each stands alone."""
    furthest: Span | None = None
    for span in sorted(spans):
        if furthest is not None and span.start < furthest.end:
            return furthest, span
        furthest = span
    return None


def character_spans(sentence: Sentence, scheme: str | None = None) -> list[Span]:
    """What a sentence marks in its text, in characters: a tagger's spans, else what the tags say, else nothing.

    Without a scheme the sentence's own tags tell it. Plain tags mark each token. Raises SchemeError for tags that
    break the scheme.
    """
    if sentence.spans:
        return sorted(Span(start=span.start, end=span.end, label=span.label) for span in sentence.spans)
    if sentence.tags is None:
        return []
    scheme = scheme or detect_scheme([sentence.tags]).scheme
    if scheme == "plain":
        return word_spans(sentence)
    tokens = sentence.tokens
    return [
        Span(start=tokens[span.start].start, end=tokens[span.end - 1].end, label=span.label)
        for span in spans_from_tags(sentence.tags, scheme)
    ]


def plain_tags(sentence: Sentence, spans: Sequence[Span]) -> list[str]:
    """One tag a token from spans of tokens that each cover one: the inverse of plain tags in `character_spans`.

    Raises SchemeError for a token without a span, and for a span of several.
    """
    labels = {span.start: span.label for span in spans}
    for span in spans:
        if span.end - span.start > 1:
            raise SchemeError(
                f"expected spans of one token each for plain tags, found {span.label} over {span.end - span.start}; "
                "name one of spans, such as BIO"
            )
    for index, token in enumerate(sentence.tokens):
        if index not in labels:
            raise SchemeError(
                f'expected a span on every token for plain tags, found none on "{token.text}" at {token.start}; '
                "name one of spans, such as BIO"
            )
    return [labels[index] for index in range(len(sentence))]


def guess_tokenizer(texts: Iterable[str]) -> str:
    """`characters` when more than half of the letters are Han, else `words`."""
    han = letters = 0
    for text in texts:
        han += len(_HAN.findall(text))
        letters += len(_LETTER.findall(text))
    return "characters" if 2 * han > letters else "words"


def _is_cut(token: Token, span: Span) -> bool:
    return token.start < span.start or token.end > span.end
