"""The first reading of a corpus: sizes, repeats, neighbors of tags, characters; all that needs no scheme.

In: the sentences of each split, with the line of each token. Out: a `Scan` that keeps one hash a sentence and split,
and the distinct pairs of tags and characters.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from gatewise.errors import SchemeError
from gatewise.text.odd_characters import CharacterCensus, is_odd_token
from gatewise.text.sentence import Sentence
from gatewise.text.transitions import follows, problem_sentence, split_tag
from gatewise.text.vocabulary import keys_from_forms

LONGEST = 3
_LINE_BITS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a split."""

    split: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFacts:
    """How large a split is. `longest` are (tokens, place), the longest first; `labels` counts spans, or plain tags."""

    sentences: int
    tokens: int
    characters: int
    without_tags: int
    without_tokens: int
    longest: tuple[tuple[int, Place], ...]
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IllegalTag:
    """A tag that breaks the scheme: where, and what was expected and found."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Sentences of `split` that stand in `other` too (the same split: earlier in it).

    `exact`: text and tokens are equal; `normalized`: their lookup keys are (NFKC, lower case, digits as 0), the exact
    ones among them; `conflicting`: of the exact ones, those that are tagged otherwise. `places` are the first few
    exact ones, (here, there).
    """

    split: str
    other: str
    exact: int
    normalized: int
    conflicting: int
    places: tuple[tuple[Place, Place], ...]


@dataclass(slots=True, kw_only=True)
class _SplitTally:
    sentences: int = 0
    tokens: int = 0
    characters: int = 0
    without_tags: int = 0
    without_tokens: int = 0
    longest: list[tuple[int, int]] = field(default_factory=list)  # heap of (tokens, -line)
    exact: dict[int, int] = field(default_factory=dict)  # hash of text and tokens → hash of tags, line of the first
    normalized: set[int] = field(default_factory=set)

    def frozen(self, name: str, labels: Mapping[str, int]) -> SplitFacts:
        ordered = sorted(self.longest, reverse=True)
        return SplitFacts(
            sentences=self.sentences,
            tokens=self.tokens,
            characters=self.characters,
            without_tags=self.without_tags,
            without_tokens=self.without_tokens,
            longest=tuple((tokens, Place(split=name, line=-line)) for tokens, line in ordered),
            labels=labels,
        )


@dataclass(slots=True, kw_only=True)
class _RepeatTally:
    exact: int = 0
    normalized: int = 0
    conflicting: int = 0
    places: list[tuple[Place, Place]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _PairTally:
    count: int = 0
    places: list[Place] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Scan:
    """The first reading: all that can be told before the scheme is known."""

    limit: int
    facts: dict[str, _SplitTally] = field(default_factory=dict)
    pairs: dict[tuple[str | None, str | None], _PairTally] = field(default_factory=dict)
    repeated: dict[tuple[str, str], _RepeatTally] = field(default_factory=dict)
    census: CharacterCensus = field(default_factory=CharacterCensus)
    odd_tokens: list[tuple[str, Place]] = field(default_factory=list)
    odd_token_count: int = 0

    def read(self, split: str, sentences: Iterable[tuple[Sentence, Sequence[int]]]) -> None:
        facts = self.facts[split] = _SplitTally()
        for sentence, lines in sentences:
            facts.sentences += 1
            facts.tokens += len(sentence)
            facts.characters += len(sentence.text)
            facts.without_tags += sentence.tags is None
            facts.without_tokens += not len(sentence)
            entry = (len(sentence), -lines[0])
            (heapq.heappush if len(facts.longest) < LONGEST else heapq.heappushpop)(facts.longest, entry)
            self.census.add(sentence.text, split, lines[0])
            self._look_at_tokens(sentence, split, lines)
            self._look_at_tags(sentence.tags or (), split, lines)
            if len(sentence):
                self._look_for_repeats(sentence, split, lines[0])

    def _look_at_tokens(self, sentence: Sentence, split: str, lines: Sequence[int]) -> None:
        for form, line in zip(sentence.forms, lines, strict=False):
            if is_odd_token(form):
                self.odd_token_count += 1
                if len(self.odd_tokens) < self.limit:
                    self.odd_tokens.append((form, Place(split=split, line=line)))

    def _look_at_tags(self, tags: Sequence[str], split: str, lines: Sequence[int]) -> None:
        before: str | None = None
        for tag, line in zip([*tags, None], [*lines, lines[-1]], strict=False):
            if before is None and tag is None:
                return
            tally = self.pairs.get((before, tag))
            if tally is None:
                tally = self.pairs[before, tag] = _PairTally()
            tally.count += 1
            if len(tally.places) < self.limit:
                tally.places.append(Place(split=split, line=line))
            before = tag

    def _look_for_repeats(self, sentence: Sentence, split: str, line: int) -> None:
        key = hash(sentence.text + "\0\0" + "\0".join(sentence.forms))
        loose = hash("\0".join(keys_from_forms(sentence.forms)))
        tags = hash(sentence.tags)
        for other, facts in self.facts.items():
            if key not in facts.exact and loose not in facts.normalized:
                continue
            tally = self.repeated.setdefault((split, other), _RepeatTally())
            tally.normalized += 1
            first = facts.exact.get(key)
            if first is None:
                continue
            tally.exact += 1
            tally.conflicting += first >> _LINE_BITS != tags
            if len(tally.places) < self.limit:
                there = Place(split=other, line=first & ((1 << _LINE_BITS) - 1))
                tally.places.append((Place(split=split, line=line), there))
        mine = self.facts[split]
        mine.exact.setdefault(key, tags << _LINE_BITS | line)
        mine.normalized.add(loose)

    def repeats(self) -> tuple[Repeat, ...]:
        """Within each split, then between each two, those without any included."""
        names = list(self.facts)
        wanted = [(name, name) for name in names] + [(b, a) for a, b in combinations(names, 2)]
        found = {pair: self.repeated.get(pair, _RepeatTally()) for pair in wanted}
        return tuple(
            Repeat(
                split=split,
                other=other,
                exact=tally.exact,
                normalized=tally.normalized,
                conflicting=tally.conflicting,
                places=tuple(tally.places),
            )
            for (split, other), tally in found.items()
        )

    def illegal(self, scheme: str) -> tuple[int, tuple[IllegalTag, ...]]:
        """How many tags break the scheme, and the first of them in the order of splits and lines."""
        order = list(self.facts)
        broken = {pair: tally for pair, tally in self.pairs.items() if not is_legal(*pair, scheme)}
        found = [
            IllegalTag(place=place, message=problem_sentence(*pair, scheme))
            for pair, tally in broken.items()
            for place in tally.places
        ]
        found.sort(key=lambda illegal: (order.index(illegal.place.split), illegal.place.line))
        return sum(tally.count for tally in broken.values()), tuple(found[: self.limit])


def has_prefix(tag: str) -> bool:
    """Whether a tag is `O` or begins with the prefix of some scheme."""
    try:
        split_tag(tag)
    except SchemeError:
        return False
    return True


def is_legal(before: str | None, tag: str | None, scheme: str) -> bool:
    """As `follows`, but what comes after a tag that is no tag at all is not blamed too."""
    if scheme == "plain" or (before is not None and not has_prefix(before)):
        return scheme == "plain" or tag is None or has_prefix(tag)
    return follows(before, tag, scheme)
