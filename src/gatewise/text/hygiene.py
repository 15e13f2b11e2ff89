"""What is wrong with a corpus before anyone trains on it: illegal tags, duplicates, leaks, odd characters, slips.

In: splits by name (train, dev, test), each a function that reads its sentences from the start, with the line of each
token. Out: a frozen `CheckReport`. Every split is read two or three times; memory is one hash a sentence, the distinct
tags, characters and labeled strings, and the longest sentences' places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gatewise.text.corpus_scan import IllegalTag, Place, Repeat, Scan, SplitFacts, has_prefix, is_legal
from gatewise.text.odd_characters import OddCharacter
from gatewise.text.schemes import spans_from_tags
from gatewise.text.sentence import Sentence
from gatewise.text.suspects import Suspect, SuspectSearch
from gatewise.text.transitions import SPAN_SCHEMES, find_problem

Reading = Callable[[], Iterable[tuple[Sentence, Sequence[int]]]]  # a sentence, and the line of each of its tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Everything that was found. Of places at most `limit` are kept, of counts all are told."""

    scheme: str
    splits: Mapping[str, SplitFacts]
    illegal: tuple[IllegalTag, ...]
    illegal_count: int
    repeats: tuple[Repeat, ...]
    only_in: Mapping[str, tuple[str, ...]]  # split → labels that no other split has
    suspects: tuple[Suspect, ...]
    suspect_count: int
    odd_characters: tuple[OddCharacter, ...]
    odd_tokens: tuple[tuple[str, Place], ...]
    odd_token_count: int


def check_corpus(splits: Mapping[str, Reading], *, limit: int = 20) -> CheckReport:
    """Read the splits and report; what a reader raises is passed on."""
    scan = Scan(limit=limit)
    for name, read in splits.items():
        scan.read(name, read())
    scheme = guess_scheme({pair: tally.count for pair, tally in scan.pairs.items()})
    illegal_count, illegal = scan.illegal(scheme)
    labels, suspects = _annotations(splits, scheme)
    return CheckReport(
        scheme=scheme,
        splits={name: facts.frozen(name, labels[name]) for name, facts in scan.facts.items()},
        illegal=illegal,
        illegal_count=illegal_count,
        repeats=scan.repeats(),
        only_in=_only_in(labels),
        suspects=suspects[:limit],
        suspect_count=len(suspects),
        odd_characters=scan.census.odd(),
        odd_tokens=tuple(scan.odd_tokens),
        odd_token_count=scan.odd_token_count,
    )


def guess_scheme(pairs: Mapping[tuple[str | None, str | None], int]) -> str:
    """The scheme that the fewest of these neighbors break; `detect_scheme` is for corpora that should be whole.

    Plain when most tags have no prefix of any scheme. None stands for the start or the end of a sentence.
    """
    counts: Counter[str] = Counter()
    for (_, tag), count in pairs.items():
        if tag is not None:
            counts[tag] += count
    bare = sum(count for tag, count in counts.items() if not has_prefix(tag))
    labeled = sum(count for tag, count in counts.items() if has_prefix(tag) and tag[1:2] == "-")
    if bare >= labeled and (bare or not counts):
        return "plain"
    named = ("BIO", *SPAN_SCHEMES)  # of equals, the usual one
    return min(named, key=lambda scheme: sum(n for pair, n in pairs.items() if not is_legal(*pair, scheme)))


def _annotations(splits: Mapping[str, Reading], scheme: str) -> tuple[dict[str, dict[str, int]], tuple[Suspect, ...]]:
    """The second reading, and for spans a third: label counts by split and suspects; broken sentences are left out."""
    search = SuspectSearch(scheme)
    labels: dict[str, Counter[str]] = {name: Counter() for name in splits}
    for name, sentence, lines in _legal_sentences(splits, scheme):
        tags = sentence.tags or ()
        labels[name].update(tags if scheme == "plain" else (span.label for span in spans_from_tags(tags, scheme)))
        search.add(sentence, name, lines)
    if scheme != "plain":
        for name, sentence, lines in _legal_sentences(splits, scheme):
            search.add_outside(sentence, name, lines)
    return {name: dict(sorted(counts.items())) for name, counts in labels.items()}, search.found()


def _legal_sentences(splits: Mapping[str, Reading], scheme: str) -> Iterable[tuple[str, Sentence, Sequence[int]]]:
    for name, read in splits.items():
        for sentence, lines in read():
            if sentence.tags and find_problem(sentence.tags, scheme) is None:
                yield name, sentence, lines


def _only_in(labels: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, mine in labels.items():
        others = {label for other, counts in labels.items() if other != name for label in counts}
        found[name] = tuple(label for label in mine if label not in others) if len(labels) > 1 else ()
    return found
