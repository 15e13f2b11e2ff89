"""Tagging schemes: between one tag a token and labeled spans, and which tag may follow which.

In: tags such as `B-PER`, `O` (BIO, BIOES, BMES) or bare labels such as `NOUN` (plain). Out: `Span`s, tags, tables of
legal transitions. BIO is also called IOB2; BMES is BIOES with M written for I. A prefix may stand alone (`B`, `E`):
its label is then the empty string, as in files for word segmentation without part of speech. Nothing is ever repaired
silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gatewise.errors import SchemeError
from gatewise.text.sentence import Span

SCHEMES = ("BIO", "BIOES", "BMES", "plain")

OUTSIDE = "O"
_PREFIXES = {"BIO": "BIO", "BIOES": "BIOES", "BMES": "BMESO"}
_TAG = re.compile(r"(O)|([BIMES])(?:-(.+))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalTransitions:
    """Which tags may follow which, start a sentence and end one, in the order of the tags asked about."""

    allowed: tuple[tuple[bool, ...], ...]  # entry [a][b]: tag b may follow tag a
    start: tuple[bool, ...]
    end: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagProblem:
    """The first place where tags break a scheme: the token's index, and what was expected and found there."""

    index: int
    message: str


@lru_cache(maxsize=65536)
def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and label of a tag: `B-PER` → ("B", "PER"), `O` → ("O", ""), `E` → ("E", "").

    Raises SchemeError when the tag has no prefix of any scheme.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        raise SchemeError(
            f'expected "O" or a prefix (B, I, M, E, S) with a label, such as "B-PER", found "{tag}"; '
            'mend the tag, or name the scheme "plain" for tags without prefixes'
        )
    return (OUTSIDE, "") if found[1] else (found[2], found[3] or "")


def make_tag(prefix: str, label: str) -> str:
    """The inverse of `split_tag`: ("B", "PER") → `B-PER`, ("B", "") → `B`."""
    return f"{prefix}-{label}" if label else prefix


def check_scheme(scheme: str) -> None:
    """Raise SchemeError unless the scheme is one of `SCHEMES`."""
    if scheme not in SCHEMES:
        raise SchemeError(f'expected a scheme ({", ".join(SCHEMES)}), found "{scheme}"; choose one of these')


def find_problem(tags: Sequence[str], scheme: str) -> TagProblem | None:
    """The first place where the tags break the scheme, or None when they are legal."""
    check_scheme(scheme)
    if scheme == "plain":
        return None
    before: str | None = None
    for index, tag in enumerate(tags):
        if not follows(before, tag, scheme):
            return TagProblem(index=index, message=f"{problem_sentence(before, tag, scheme)}; {_REMEDY}")
        before = tag
    if not follows(before, None, scheme):
        return TagProblem(index=len(tags) - 1, message=f"{problem_sentence(before, None, scheme)}; {_REMEDY}")
    return None


def problem_sentence(before: str | None, tag: str | None, scheme: str) -> str:
    """What was expected after `before`, and what was found; None stands for the start or the end of the sentence."""
    found = "the end of the sentence" if tag is None else f'"{tag}"'
    return f"expected {_legal_after(before, scheme)}, found {found}"


def check_tags(tags: Sequence[str], scheme: str) -> None:
    """Raise SchemeError, naming the index (from 0), the tag, the one before and what is legal, unless all is legal."""
    if problem := find_problem(tags, scheme):
        raise SchemeError(f"tags[{problem.index}]: {problem.message}")


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
        if prefix in "BSO":
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
        raise SchemeError("expected BIO, BIOES or BMES to write spans as tags, found plain; choose one of these")
    tags = [OUTSIDE] * length
    before: Span | None = None
    for span in sorted(spans):
        _check_place(span, before, length)
        for index, prefix in enumerate(_span_prefixes(span.end - span.start, scheme), start=span.start):
            tags[index] = make_tag(prefix, span.label)
        before = span
    return tags


def convert_tags(tags: Sequence[str], source: str, target: str) -> list[str]:
    """The same spans in another scheme; raises SchemeError when the tags break `source`, or one of the two is plain."""
    check_scheme(target)
    if source == target:
        check_tags(tags, source)
        return list(tags)
    if "plain" in (source, target):
        raise SchemeError(
            f"expected two schemes that mark spans, found {source} and {target}; "
            "plain tags cannot be converted: choose two of BIO, BIOES, BMES"
        )
    return tags_from_spans(spans_from_tags(tags, source), len(tags), target)


def legal_transitions(tags: Sequence[str], scheme: str) -> LegalTransitions:
    """Which of these tags may follow which, start a sentence and end one; in plain everything is legal.

    Raises SchemeError for a tag that the scheme does not have.
    """
    check_scheme(scheme)
    if scheme != "plain":
        for tag in tags:
            if split_tag(tag)[0] not in _PREFIXES[scheme]:
                known = ", ".join(_PREFIXES[scheme])
                raise SchemeError(f'expected a tag of {scheme} (prefixes {known}), found "{tag}"; name another scheme')
    return LegalTransitions(
        allowed=tuple(tuple(follows(a, b, scheme) for b in tags) for a in tags),
        start=tuple(follows(None, tag, scheme) for tag in tags),
        end=tuple(follows(tag, None, scheme) for tag in tags),
    )


def complete_tags(tags: Iterable[str], scheme: str) -> list[str]:
    """These tags and all that their labels can have in the scheme, sorted: without them, spans of a length that was
    never seen could not be said, and a sentence might have no legal tags at all.

    >>> complete_tags(["O", "B-PER"], "BIO")
    ['B-PER', 'I-PER', 'O']
    """
    check_scheme(scheme)
    known = set(tags)
    if scheme != "plain":
        labels = {split_tag(tag)[1] for tag in known if tag != OUTSIDE}
        inside = [prefix for prefix in _PREFIXES[scheme] if prefix != OUTSIDE]
        known |= {make_tag(prefix, label) for label in labels for prefix in inside}
    return sorted(known)


@lru_cache(maxsize=65536)
def follows(before: str | None, tag: str | None, scheme: str) -> bool:
    """Whether `tag` may stand right after `before`; None stands for the start or the end of the sentence."""
    if scheme == "plain":
        return True
    if tag is not None and not _TAG.fullmatch(tag):
        return False
    prefix, label = (OUTSIDE, "") if tag is None else split_tag(tag)
    before_prefix, before_label = (OUTSIDE, "") if before is None else split_tag(before)
    if prefix not in _PREFIXES[scheme]:
        return False
    goes_on = prefix in "IME"
    if scheme == "BIO":
        return not goes_on or (before_prefix in "BI" and before_label == label)
    if before_prefix in "BIM":  # a span is open, and only its own inside or end may follow
        return goes_on and before_label == label
    return not goes_on


_REMEDY = "mend the tag, or name another scheme"


def _legal_after(before: str | None, scheme: str) -> str:
    starts = {"BIO": ["O", "B-…"]}.get(scheme, ["O", "B-…", "S-…"])
    if before is None:
        return f"{_either(starts)} at the start of the sentence ({scheme})"
    prefix, label = split_tag(before)
    inside = "M" if scheme == "BMES" else "I"
    if scheme == "BIO":
        legal = starts if prefix == OUTSIDE else [*starts, make_tag("I", label)]
    else:
        legal = [make_tag(inside, label), make_tag("E", label)] if prefix in "BIM" else starts
    return f'{_either(legal)} after "{before}" ({scheme})'


def _either(tags: Sequence[str]) -> str:
    quoted = [f'"{tag}"' for tag in tags]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _span_prefixes(length: int, scheme: str) -> Iterator[str]:
    if scheme == "BIO":
        yield from "B" + "I" * (length - 1)
    elif length == 1:
        yield "S"
    else:
        yield from "B" + ("M" if scheme == "BMES" else "I") * (length - 2) + "E"


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
