"""Tags and what may follow what: the rules of each scheme, and the first place where tags break them.

In: tags such as `B-PER`, `O`, or bare labels such as `NOUN` (plain). Out: prefixes and labels, tables of legal
transitions, `TagProblem`s. All schemes but plain can be judged from pairs of neighbors. BIO is also called IOB2; in
IOB1 a span starts with I, and B is kept for a span right after another of the same label. BIOES, BMES and BILOU mark
the same with other letters. A prefix may stand alone (`B`, `E`): its label is then the empty string, as in files for
word segmentation without part of speech.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gatewise.errors import SchemeError

SCHEMES = ("IOB1", "BIO", "BIOES", "BMES", "BILOU", "plain")
SPAN_SCHEMES = SCHEMES[:-1]

OUTSIDE = "O"
PREFIXES = {"IOB1": "IBO", "BIO": "BIO", "BIOES": "BIOES", "BMES": "BMESO", "BILOU": "BILOU"}
_TAG = re.compile(r"(O)|([BIMESLU])(?:-(.+))?", re.DOTALL)
_TOUCHING = {"BIO": "I", "IOB1": "B"}
_REMEDY = "mend the tag, or name another scheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """What a scheme that marks both edges calls the tokens of a span: its first, inner, last, and only one."""

    begin: str
    inside: str
    end: str
    single: str


EDGED = {
    "BIOES": Letters(begin="B", inside="I", end="E", single="S"),
    "BMES": Letters(begin="B", inside="M", end="E", single="S"),
    "BILOU": Letters(begin="B", inside="I", end="L", single="U"),
}


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
            f'expected "O" or a prefix (B, I, M, E, S, L, U) with a label, such as "B-PER", found "{tag}"; '
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


def check_tags(tags: Sequence[str], scheme: str) -> None:
    """Raise SchemeError, naming the index (from 0), the tag, the one before and what is legal, unless all is legal."""
    if problem := find_problem(tags, scheme):
        raise SchemeError(f"tags[{problem.index}]: {problem.message}")


def legal_transitions(tags: Sequence[str], scheme: str) -> LegalTransitions:
    """Which of these tags may follow which, start a sentence and end one; in plain everything is legal.

    Raises SchemeError for a tag that the scheme does not have.
    """
    check_scheme(scheme)
    if scheme != "plain":
        for tag in tags:
            if split_tag(tag)[0] not in PREFIXES[scheme]:
                known = ", ".join(PREFIXES[scheme])
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
        inside = [prefix for prefix in PREFIXES[scheme] if prefix != OUTSIDE]
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
    if prefix not in PREFIXES[scheme]:
        return False
    if scheme not in EDGED:  # one of the two letters is kept for what touches a span of the same label
        return prefix != _TOUCHING[scheme] or (before_prefix != OUTSIDE and before_label == label)
    letters = EDGED[scheme]
    goes_on = prefix in (letters.inside, letters.end)
    if before_prefix in (letters.begin, letters.inside):  # a span is open, and only its own inside or end may follow
        return goes_on and before_label == label
    return not goes_on


def problem_sentence(before: str | None, tag: str | None, scheme: str) -> str:
    """What was expected after `before`, and what was found; None stands for the start or the end of the sentence."""
    found = "the end of the sentence" if tag is None else f'"{tag}"'
    place = "at the start of the sentence" if before is None else f'after "{before}"'
    return f"expected {_either(_legal_after(before, scheme))} {place} ({scheme}), found {found}"


def _legal_after(before: str | None, scheme: str) -> list[str]:
    prefix, label = (OUTSIDE, "") if before is None else split_tag(before)
    if scheme in EDGED:
        letters = EDGED[scheme]
        if prefix in (letters.begin, letters.inside):
            return [make_tag(letters.inside, label), make_tag(letters.end, label)]
        return [OUTSIDE, f"{letters.begin}-…", f"{letters.single}-…"]
    touching = [] if prefix == OUTSIDE else [make_tag(_TOUCHING[scheme], label)]
    return [OUTSIDE, "I-…" if scheme == "IOB1" else "B-…", *touching]


def _either(tags: Sequence[str]) -> str:
    quoted = [f'"{tag}"' for tag in tags]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
