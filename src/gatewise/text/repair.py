"""Repair of broken tags, on request only: the reading of conlleval, written out as legal tags.

In: tags that may break their scheme. Out: legal tags, and how many are other than before. The rules are those by which
the CoNLL evaluation script reads any sequence (`conlleval_spans`): a span starts at B, at S (U), and at any other
prefix with no span open before it or with another label than the open one; it ends after E (L) and S (U), before a span
that starts, before O, and with the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatewise.errors import SchemeError
from gatewise.text.conlleval import conlleval_spans
from gatewise.text.schemes import check_scheme, find_problem, split_tag, tags_from_spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Legal tags, and the number of them that are not what they were."""

    tags: tuple[str, ...]
    changed: int


def repair_tags(tags: Sequence[str], scheme: str) -> Repair:
    """These tags made legal; legal ones stay as they are, and a letter of another scheme counts as what it is there.

    Raises SchemeError for a tag without any prefix: nothing says what it was meant to be.

    >>> repair_tags(["I-PER", "I-LOC", "O"], "BIO")
    Repair(tags=('B-PER', 'B-LOC', 'O'), changed=2)
    """
    check_scheme(scheme)
    if find_problem(tags, scheme) is None:
        return Repair(tags=tuple(tags), changed=0)
    _check_prefixes(tags)
    mended = tags_from_spans(conlleval_spans(tags), len(tags), scheme)
    changed = sum(before != after for before, after in zip(tags, mended, strict=True))
    return Repair(tags=tuple(mended), changed=changed)


def _check_prefixes(tags: Sequence[str]) -> None:
    for index, tag in enumerate(tags):
        try:
            split_tag(tag)
        except SchemeError as error:
            raise SchemeError(f"tags[{index}]: {error}") from error
