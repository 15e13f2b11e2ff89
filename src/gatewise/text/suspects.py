"""Suspicious annotations: the same string labeled in two ways, or labeled here and left out there.

In: tagged sentences with legal tags, read twice where tags mark spans. Out: `Suspect`s, the most one-sided first: what
is PER a hundred times and LOC once is likelier a slip than what is PER and LOC by halves. Memory grows with the
distinct labeled strings, not with the sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gatewise.text.schemes import spans_from_tags
from gatewise.text.sentence import Sentence
from gatewise.text.transitions import OUTSIDE

Forms = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How often a string carries a label (`O`: stands outside all spans), and split and line of the first time."""

    label: str
    count: int
    split: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A string and its labels, the most frequent first."""

    text: str
    usages: tuple[Usage, ...]

    @property
    def share(self) -> float:
        """The share of the most frequent label, in (0, 1)."""
        return self.usages[0].count / sum(usage.count for usage in self.usages)


@dataclass(slots=True, kw_only=True)
class _Tally:
    """A label's count so far, and where it was first."""

    count: int
    split: str
    line: int


class SuspectSearch:
    """Collects labeled strings in a first reading (`add`), and in a second (`add_outside`) where they stand outside."""

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme
        self._seen: dict[Forms, dict[str, _Tally]] = {}
        self._texts: dict[Forms, str] = {}
        self._lengths: dict[str, list[int]] | None = None  # first form → lengths of the strings that begin with it

    def add(self, sentence: Sentence, split: str, lines: Sequence[int]) -> None:
        """Note every labeled string of a sentence whose tags are legal."""
        forms = sentence.forms
        for start, end, label in _labeled(sentence.tags or (), self._scheme):
            key = forms[start:end]
            if key not in self._texts:
                self._texts[key] = sentence.text[sentence.tokens[start].start : sentence.tokens[end - 1].end]
            self._note(key, label, split, lines[min(start, len(lines) - 1)])

    def add_outside(self, sentence: Sentence, split: str, lines: Sequence[int]) -> None:
        """Note where a string that is labeled elsewhere stands all outside; plain tags have no outside."""
        lengths = self._lengths_by_first()
        forms, tags = sentence.forms, sentence.tags or ()
        room = 0  # tokens from here on that are outside
        for start in range(len(tags) - 1, -1, -1):
            room = room + 1 if tags[start] == OUTSIDE else 0
            for length in lengths.get(forms[start], ()):
                if length > room:
                    break
                key = forms[start : start + length]
                if key in self._texts:
                    self._note(key, OUTSIDE, split, lines[min(start, len(lines) - 1)])

    def found(self) -> tuple[Suspect, ...]:
        """The strings with more than one label: those that are mostly labeled before those that mostly stand outside,
        then the most one-sided first, then the most frequent.
        """
        suspects = [_suspect(self._texts[key], seen) for key, seen in self._seen.items() if len(seen) > 1]
        return tuple(
            sorted(
                suspects,
                key=lambda s: (s.usages[0].label == OUTSIDE, -s.share, -sum(u.count for u in s.usages), s.text),
            )
        )

    def _note(self, key: Forms, label: str, split: str, line: int) -> None:
        tally = self._seen.setdefault(key, {}).setdefault(label, _Tally(count=0, split=split, line=line))
        tally.count += 1

    def _lengths_by_first(self) -> Mapping[str, list[int]]:
        if self._lengths is None:
            lengths: dict[str, set[int]] = {}
            for key in self._texts:
                lengths.setdefault(key[0], set()).add(len(key))
            self._lengths = {form: sorted(found) for form, found in lengths.items()}
        return self._lengths


def _labeled(tags: Sequence[str], scheme: str) -> Iterable[tuple[int, int, str]]:
    if scheme == "plain":
        return [(index, index + 1, tag) for index, tag in enumerate(tags)]
    return [(span.start, span.end, span.label) for span in spans_from_tags(tags, scheme)]


def _suspect(text: str, seen: Mapping[str, _Tally]) -> Suspect:
    usages = [
        Usage(label=label, count=tally.count, split=tally.split, line=tally.line) for label, tally in seen.items()
    ]
    return Suspect(text=text, usages=tuple(sorted(usages, key=lambda usage: (-usage.count, usage.label))))
