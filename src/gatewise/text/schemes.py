"""Tagging schemes: between one tag a token and labeled spans, in every scheme.

In: legal tags, or spans that do not overlap. Out: `Span`s, tags, tags of another scheme. What is legal stands in
`transitions`, whose names can be had from here too. Nothing is ever repaired silently; `repair` does it when asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gatewise.errors import SchemeError
from gatewise.text.sentence import Span
from gatewise.text.transitions import (
    EDGED,
    OUTSIDE,
    SCHEMES,
    SPAN_SCHEMES,
    LegalTransitions,
    TagProblem,
    check_scheme,
    check_tags,
    complete_tags,
    find_problem,
    follows,
    legal_transitions,
    make_tag,
    problem_sentence,
    split_tag,
)

__all__ = [
    "OUTSIDE",
    "SCHEMES",
    "SPAN_SCHEMES",
    "LegalTransitions",
    "TagProblem",
    "check_scheme",
    "check_tags",
    "complete_tags",
    "convert_tags",
    "find_problem",
    "follows",
    "format_span",
    "legal_transitions",
    "make_tag",
    "problem_sentence",
    "spans_from_tags",
    "split_tag",
    "tags_from_spans",
]

_KNOWN = f"{', '.join(SPAN_SCHEMES[:-1])} or {SPAN_SCHEMES[-1]}"


def spans_from_tags(tags: Sequence[str], scheme: str) -> list[Span]:
    """The spans that legal tags mark, in order; plain tags mark none.

    Raises SchemeError when the tags break the scheme.

    >>> spans_from_tags(["O", "B-PER", "I-PER"], "BIO")
    [Span(start=1, end=3, label='PER')]
    """
    check_tags(tags, scheme)
    if scheme == "plain":
        return []
    spans = []
    start, open_label = 0, None
    for index, tag in enumerate(tags):
        prefix, label = split_tag(tag)
        if prefix in "BSUO" or label != open_label:  # another label without a break: only IOB1 has it
            if open_label is not None:
                spans.append(Span(start=start, end=index, label=open_label))
            start, open_label = index, None if prefix == OUTSIDE else label
    if open_label is not None:
        spans.append(Span(start=start, end=len(tags), label=open_label))
    return spans


def tags_from_spans(spans: Iterable[Span], length: int, scheme: str) -> list[str]:
    """The tags of `length` tokens that mark these spans, given in any order.

    Raises SchemeError when spans overlap, are empty or stand outside the sentence, and for plain, which marks no spans.

    >>> tags_from_spans([Span(start=1, end=4, label="PER")], 5, "BMES")
    ['O', 'B-PER', 'M-PER', 'E-PER', 'O']
    """
    check_scheme(scheme)
    if scheme == "plain":
        raise SchemeError(f"expected {_KNOWN} to write spans as tags, found plain; choose one of these")
    tags = [OUTSIDE] * length
    before: Span | None = None
    for span in sorted(spans):
        _check_place(span, before, length)
        touches = before is not None and before.end == span.start and before.label == span.label
        for index, prefix in enumerate(_span_prefixes(span, scheme, touches=touches), start=span.start):
            tags[index] = make_tag(prefix, span.label)
        before = span
    return tags


def convert_tags(tags: Sequence[str], source: str, target: str) -> list[str]:
    """The same spans in another scheme; raises SchemeError when the tags break `source`, or one of the two is plain.

    >>> convert_tags(["I-PER", "I-PER", "B-PER"], "IOB1", "BILOU")
    ['B-PER', 'L-PER', 'U-PER']
    """
    check_scheme(target)
    if source == target:
        check_tags(tags, source)
        return list(tags)
    if "plain" in (source, target):
        raise SchemeError(
            f"expected two schemes that mark spans, found {source} and {target}; "
            f"plain tags cannot be converted: choose two of {_KNOWN.replace(' or ', ', ')}"
        )
    return tags_from_spans(spans_from_tags(tags, source), len(tags), target)


def _span_prefixes(span: Span, scheme: str, *, touches: bool) -> Iterator[str]:
    """The letters of one span; `touches`: another span with its label ends where it starts."""
    length = span.end - span.start
    if scheme == "BIO" or (scheme == "IOB1" and touches):
        yield from "B" + "I" * (length - 1)
    elif scheme == "IOB1":
        yield from "I" * length
    elif length == 1:
        yield EDGED[scheme].single
    else:
        letters = EDGED[scheme]
        yield from letters.begin + letters.inside * (length - 2) + letters.end


def _check_place(span: Span, before: Span | None, length: int) -> None:
    if not 0 <= span.start < span.end <= length:
        raise SchemeError(
            f"expected a span of at least one token inside 0…{length}, found {format_span(span)}; mend its ends"
        )
    if before is not None and span.start < before.end:
        raise SchemeError(
            "expected spans that do not overlap, "
            f"found {format_span(before)} and {format_span(span)}; keep one of the two"
        )


def format_span(span: Span) -> str:
    """A span for messages: `PER [2, 4)`."""
    return f"{span.label} [{span.start}, {span.end})".lstrip()
