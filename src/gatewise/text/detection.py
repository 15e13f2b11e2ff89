"""Which scheme a corpus is tagged in: from all its tag sequences to one scheme and the reason for it.

In: tag sequences, read once, with memory for the distinct pairs of neighbors only. Out: a `Detection`, or the first
place where the tags break the scheme that they come closest to. Legality hangs on pairs alone, so a scheme fits the
corpus when it allows each of its pairs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gatewise.errors import SchemeError
from gatewise.text.transitions import OUTSIDE, SPAN_SCHEMES, follows, problem_sentence, split_tag

_PREFIXED = re.compile(r"[BIMESLU]-.+", re.DOTALL)
_KNOWN = re.compile(r"O|[BIMESLU](-.+)?", re.DOTALL)
_ORDER = "BIMESLUO"
_PREFERRED = ("BIO", *(scheme for scheme in SPAN_SCHEMES if scheme != "BIO"))  # where several fit
_RIVALS = (("M", "I", "M (BMES)", "I (the other schemes)"), ("LU", "ES", "L or U (BILOU)", "E or S (BIOES, BMES)"))

_Place = tuple[int, int]
_Pair = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The scheme of a corpus, one sentence on why it is this one, and the schemes that would read it the same."""

    scheme: str
    reason: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusProblem:
    """The first tag that no scheme explains: sentence and token (both from 0), and what was expected and found."""

    sentence: int
    index: int
    message: str


@dataclass(slots=True, kw_only=True)
class _Inventory:
    """How often each pair of neighbors was seen, and where first; None stands for the edge of a sentence."""

    counts: Counter[_Pair] = field(default_factory=Counter)
    places: dict[_Pair, _Place] = field(default_factory=dict)

    def tags(self) -> dict[str, _Place]:
        """The first place of each tag, in the order of the corpus."""
        found: dict[str, _Place] = {}
        for (_, tag), place in sorted(self.places.items(), key=lambda entry: entry[1]):
            if tag is not None:
                found.setdefault(tag, place)
        return found


def detect_scheme(tag_sequences: Iterable[Sequence[str]]) -> Detection:
    """The scheme that all these tags obey, and why.

    Raises SchemeError when prefixes and bare tags are mixed, or no scheme allows all the tags where they stand.

    >>> detect_scheme([["O", "I-PER"], ["I-LOC", "B-LOC"]]).scheme
    'IOB1'
    """
    found = judge_tags(tag_sequences)
    if isinstance(found, CorpusProblem):
        raise SchemeError(f"sentence {found.sentence + 1}, tags[{found.index}]: {found.message}")
    return found


def judge_tags(tag_sequences: Iterable[Sequence[str]]) -> Detection | CorpusProblem:
    """As `detect_scheme`, but a problem is returned with its place, for readers that know the line it stands on."""
    inventory = _take_inventory(tag_sequences)
    tags = inventory.tags()
    if not tags:
        return Detection(scheme="plain", reason="There are no tags at all.")
    unknown = next((tag for tag in tags if not _KNOWN.fullmatch(tag)), None)
    prefixed = next((tag for tag in tags if _PREFIXED.fullmatch(tag)), None)
    if unknown is not None and prefixed is not None:
        return _problem(
            tags[unknown],
            f'expected a prefix (B, I, M, E, S, L, U) and a label as in "{prefixed}", or "O", found "{unknown}"; '
            "mend the tag",
        )
    if unknown is not None:
        return Detection(scheme="plain", reason=f'Tags such as "{unknown}" have no prefix of a span scheme.')
    fitting = [scheme for scheme in _PREFERRED if all(follows(*pair, scheme) for pair in inventory.places)]
    return _chosen(fitting, tags) if fitting else _rivals(tags) or _first_break(inventory, _closest(inventory, tags))


def _take_inventory(tag_sequences: Iterable[Sequence[str]]) -> _Inventory:
    inventory = _Inventory()
    known = 0
    for number, tags in enumerate(tag_sequences):
        if not tags:
            continue
        pairs = list(zip((None, *tags), (*tags, None), strict=True))
        inventory.counts.update(pairs)
        if len(inventory.counts) > known:
            for index, pair in enumerate(pairs):
                inventory.places.setdefault(pair, (number, min(index, len(tags) - 1)))
            known = len(inventory.counts)
    return inventory


def _chosen(fitting: Sequence[str], tags: Iterable[str]) -> Detection:
    scheme, *others = fitting
    prefixes = _prefixes(tags)
    if prefixes == {OUTSIDE}:
        reason = "The only tag is O, so there are no spans, and any scheme fits; BIO is the usual one."
        return Detection(scheme=scheme, reason=reason, also=tuple(others))
    reasons = {
        "BIO": "and every span starts with B",
        "IOB1": "and spans start with I; B stands only right after a span of the same label",
        "BIOES": "and E or S mark ends and single tokens",
        "BMES": "and only BMES has M for the inside of a span",
        "BILOU": "and L or U mark ends and single tokens",
    }
    reason = f"The prefixes are {', '.join(sorted(prefixes, key=_ORDER.index))}, {reasons[scheme]}."
    if others:  # only BIOES and BMES can fit at once: without a third token, no span shows I or M
        reason += f" {' and '.join(others)} fits too: no span is longer than two tokens."
    return Detection(scheme=scheme, reason=reason, also=tuple(others))


def _rivals(tags: dict[str, _Place]) -> CorpusProblem | None:
    """The second of two letters that no scheme has together."""
    for letters, others, name, other_name in _RIVALS:
        first = min((place for tag, place in tags.items() if split_tag(tag)[0] in letters), default=None)
        second = min((place for tag, place in tags.items() if split_tag(tag)[0] in others), default=None)
        if first is not None and second is not None:
            place = max(first, second)
            shown = next(tag for tag, where in tags.items() if where == place)
            return _problem(
                place, f'expected either {other_name} or {name}, found both, here "{shown}"; write one throughout'
            )
    return None


def _closest(inventory: _Inventory, tags: Iterable[str]) -> str:
    """The scheme with all the letters that has the fewest illegal pairs, each counted as often as it occurs."""
    prefixes = _prefixes(tags)
    if prefixes & {"L", "U"}:
        return "BILOU"
    if "M" in prefixes:
        return "BMES"
    if prefixes & {"E", "S"}:
        return "BIOES"

    def broken(scheme: str) -> int:
        return sum(count for pair, count in inventory.counts.items() if not follows(*pair, scheme))

    return min(("BIO", "IOB1"), key=broken)


def _first_break(inventory: _Inventory, scheme: str) -> CorpusProblem:
    broken = [pair for pair in inventory.places if not follows(*pair, scheme)]
    count = sum(inventory.counts[pair] for pair in broken)
    before, tag = min(broken, key=inventory.places.__getitem__)
    all_of_them = "the only place" if count == 1 else f"the first of {count} places"
    return _problem(
        inventory.places[before, tag],
        f"{problem_sentence(before, tag, scheme)}; no scheme allows these tags, {scheme} comes closest and this is "
        f"{all_of_them}: mend the tags, or ask for repair",
    )


def _prefixes(tags: Iterable[str]) -> set[str]:
    return {split_tag(tag)[0] for tag in tags}


def _problem(place: _Place, message: str) -> CorpusProblem:
    return CorpusProblem(sentence=place[0], index=place[1], message=message)
