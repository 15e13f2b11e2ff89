"""Which scheme a corpus is tagged in: from all its tag sequences to one scheme and the reason for it.

In: tag sequences, read once, with memory for the distinct tags and pairs only. Out: a `Detection`, or the first place
where the tags break the only scheme that their prefixes leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gatewise.errors import SchemeError
from gatewise.text.schemes import follows, problem_sentence, split_tag

_PREFIXED = re.compile(r"[BIMES]-.+", re.DOTALL)
_KNOWN = re.compile(r"O|[BIMES](-.+)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The scheme of a corpus, and one sentence on why it is this one."""

    scheme: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusProblem:
    """The first tag that no scheme explains: sentence and token (both from 0), and what was expected and found."""

    sentence: int
    index: int
    message: str


@dataclass(slots=True, kw_only=True)
class _Inventory:
    """Where each tag and each pair of neighbors was first seen: (sentence, token)."""

    tags: dict[str, tuple[int, int]] = field(default_factory=dict)
    pairs: dict[tuple[str | None, str | None], tuple[int, int]] = field(default_factory=dict)


def detect_scheme(tag_sequences: Iterable[Sequence[str]]) -> Detection:
    """The scheme that all these tags obey, and why.

    Raises SchemeError when prefixes and bare tags are mixed, or the tags break the scheme that their prefixes point to.
    """
    found = judge_tags(tag_sequences)
    if isinstance(found, CorpusProblem):
        raise SchemeError(f"sentence {found.sentence + 1}, tags[{found.index}]: {found.message}")
    return found


def judge_tags(tag_sequences: Iterable[Sequence[str]]) -> Detection | CorpusProblem:
    """As `detect_scheme`, but a problem is returned with its place, for readers that know the line it stands on."""
    inventory = _take_inventory(tag_sequences)
    guess = _guess(inventory)
    if isinstance(guess, CorpusProblem) or guess.scheme == "plain":
        return guess
    return _first_break(inventory, guess.scheme) or guess


def _take_inventory(tag_sequences: Iterable[Sequence[str]]) -> _Inventory:
    inventory = _Inventory()
    for number, tags in enumerate(tag_sequences):
        before: str | None = None
        index = 0
        for index, tag in enumerate(tags):
            if (before, tag) not in inventory.pairs:
                inventory.pairs[before, tag] = (number, index)
                inventory.tags.setdefault(tag, (number, index))
            before = tag
        if before is not None:
            inventory.pairs.setdefault((before, None), (number, index))
    return inventory


def _guess(inventory: _Inventory) -> Detection | CorpusProblem:
    unknown = [tag for tag in inventory.tags if not _KNOWN.fullmatch(tag)]
    prefixed = [tag for tag in inventory.tags if _PREFIXED.fullmatch(tag)]
    if not inventory.tags:
        return Detection(scheme="plain", reason="There are no tags at all.")
    if unknown and prefixed:
        return _problem(
            inventory.tags[unknown[0]],
            f'expected a prefix (B, I, M, E, S) and a label as in "{prefixed[0]}", or "O", found "{unknown[0]}"'
            f"{_hint(unknown[0])}",
        )
    if unknown:
        return Detection(scheme="plain", reason=f'Tags such as "{unknown[0]}" have no prefix of a span scheme.')
    return _guess_from_prefixes(inventory)


def _guess_from_prefixes(inventory: _Inventory) -> Detection | CorpusProblem:
    prefixes = {split_tag(tag)[0] for tag in inventory.tags}
    shown = ", ".join(sorted(prefixes, key="BIMESO".index))
    if {"M", "I"} <= prefixes:
        later = max((place, tag) for tag, place in inventory.tags.items() if split_tag(tag)[0] in "MI")
        return _problem(
            later[0],
            f'expected either I (BIO, BIOES) or M (BMES) for the inside of spans, found both, here "{later[1]}"; '
            "write one of them throughout",
        )
    if "M" in prefixes:
        return Detection(scheme="BMES", reason=f"The prefixes are {shown}; only BMES has M for the inside of a span.")
    if prefixes & {"E", "S"}:
        return Detection(scheme="BIOES", reason=f"The prefixes are {shown}; E or S mark ends and single tokens.")
    return Detection(scheme="BIO", reason=f"The prefixes are {shown}, and every span starts with B.")


def _first_break(inventory: _Inventory, scheme: str) -> CorpusProblem | None:
    broken = [(place, pair) for pair, place in inventory.pairs.items() if not follows(*pair, scheme)]
    if not broken:
        return None
    place, (before, tag) = min(broken, key=lambda entry: entry[0])
    remedy = "this looks like IOB1: convert it to BIO first" if _looks_like_iob1(inventory, scheme) else "mend the tag"
    return _problem(place, f"{problem_sentence(before, tag, scheme)}; {remedy}")


def _looks_like_iob1(inventory: _Inventory, scheme: str) -> bool:
    """In IOB1 a span starts with I; B is kept for a span right after another."""
    after_outside = {split_tag(tag)[0] for before, tag in inventory.pairs if before in (None, "O") and tag is not None}
    return scheme == "BIO" and "I" in after_outside and "B" not in after_outside


def _hint(tag: str) -> str:
    bilou = tag[:2] in {"L-", "U-"}
    return "; this looks like BILOU: write E for L and S for U" if bilou else "; mend the tag"


def _problem(place: tuple[int, int], message: str) -> CorpusProblem:
    return CorpusProblem(sentence=place[0], index=place[1], message=message)
