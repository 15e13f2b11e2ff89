"""The spans that tags mark by the rules of the CoNLL evaluation script, which makes something of every sequence.

In: tags of any scheme with prefixes, legal or not. Out: spans, never an error for an illegal order. The rules are those
of `conlleval` (Tjong Kim Sang, version 2004-01-26): a chunk starts and ends where two neighboring tags say so, whatever
stands elsewhere. `docs/scores.md` says where the script itself does something else (S, and B after E).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatewise.text.schemes import split_tag
from gatewise.text.sentence import Span

_AS = {"M": "I", "L": "E", "U": "S"}
_OUTSIDE = ("O", "")


def conlleval_spans(tags: Sequence[str]) -> list[Span]:
    """The chunks of a sentence, in order; a broken sequence is read as `conlleval` reads it.

    Raises SchemeError for a tag without a prefix of any scheme.

    >>> conlleval_spans(["O", "I-PER", "I-LOC", "O", "E-LOC"])
    [Span(start=1, end=2, label='PER'), Span(start=2, end=3, label='LOC'), Span(start=4, end=5, label='LOC')]
    """
    spans = []
    start, before = 0, _OUTSIDE
    for index, now in enumerate([*map(_split, tags), _OUTSIDE]):
        if _ends(before, now):
            spans.append(Span(start=start, end=index, label=before[1]))
        if _starts(before, now):
            start = index
        before = now
    return spans


def _ends(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Whether a chunk ends between two tags: always after E and S; after B and I unless I or E of its label follows."""
    return before[0] in "ES" or (before[0] in "BI" and (now[0] in "BSO" or now[1] != before[1]))


def _starts(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Whether a chunk starts at the second tag: always at B and S; at I and E where none of its label is open."""
    return now[0] in "BS" or (now[0] in "IE" and (before[0] in "ESO" or now[1] != before[1]))


def _split(tag: str) -> tuple[str, str]:
    """Prefix (M and L, U read as I, E, S) and label; the first hyphen parts them, further ones belong to the label."""
    prefix, label = split_tag(tag)
    return _AS.get(prefix, prefix), label
