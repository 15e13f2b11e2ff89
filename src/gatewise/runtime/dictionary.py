"""A user dictionary: words that are to come out as one unit, with how strongly, and with which label.

In: a file as jieba has it, one word a line, `word [weight] [tag]`. Out: a `Dictionary`, which finds its words in a
sentence and says by how much each tag of each token is to be favored. Only emissions change: tags stay legal, and best
path, n-best and probabilities stay exact, for the model together with the dictionary (ADR 0021).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gatewise.errors import FormatError
from gatewise.runtime.tag_table import TagTable
from gatewise.text.sentence import Sentence

DEFAULT_WEIGHT = 1.0
STRENGTH = 100.0  # of a word of weight 1; benchmarks/dictionary_strength.py shows what it does
HARD_LOG_WEIGHT = 1e4  # nats taken off whatever does not make a hard word one unit: exp of it is 0

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the dictionary says of a word. `weight` w from 0 to infinity: at each of its tokens, tags that make it one
    unit count 1 + 100 w times; infinite: nothing else is possible. `label` None stands for any."""

    weight: float = DEFAULT_WEIGHT
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A word found at tokens `start` to `end`, half-open."""

    start: int
    end: int
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """The words; `hard` makes the weight of every one infinite."""

    words: Mapping[str, Entry]
    hard: bool = False
    _lengths: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths: dict[str, set[int]] = {}
        for word in self.words:
            lengths.setdefault(word[:1], set()).add(len(word))
        ordered = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
        object.__setattr__(self, "_lengths", ordered)

    def matches(self, sentence: Sentence, breaks: Iterable[int] = ()) -> list[Match]:
        """The words in a sentence that steer it, in order: none overlaps another, and together they weigh most.

        A word's weight here is its log weight times its tokens; of equal choices the one with the longer word first.
        A word must begin and end at edges of tokens, and none reaches across one of the `breaks`.
        """
        found = self._all_matches(sentence, set(breaks))
        count = len(sentence)
        best: list[float] = [0.0] * (count + 1)  # what the tokens from here on weigh at most
        choice: list[Match | None] = [None] * count
        for t in range(count - 1, -1, -1):
            best[t] = best[t + 1]
            for match in found.get(t, ()):  # longest first
                total = self._log_weight(match.entry) * (match.end - t) + best[match.end]
                if total > best[t]:
                    best[t], choice[t] = total, match
        chosen = []
        t = 0
        while t < count:
            here = choice[t]
            if here is not None:
                chosen.append(here)
            t = t + 1 if here is None else here.end
        return chosen

    def bonus(self, sentence: Sentence, table: TagTable, breaks: Iterable[int] = ()) -> Float64s | None:
        """What is to be added to the emissions, (time, num_tags); None where no word is found."""
        found = self.matches(sentence, breaks)
        if not found:
            return None
        added = np.zeros((len(sentence), len(table.names)))
        for match in found:
            label = match.entry.label if match.entry.label in table.span_labels[table.opens] else None
            favored = table.unit(match.end - match.start, label)
            self._favor(added[match.start : match.end], favored, match.entry)
            if table.open_ended and match.end < len(sentence):
                self._favor(added[match.end : match.end + 1], ~table.goes_on[None], match.entry)
        return added

    def unknown_labels(self, table: TagTable) -> tuple[str, ...]:
        """The labels of the dictionary that the model does not have: their words may get any label."""
        given = {entry.label for entry in self.words.values() if entry.label is not None}
        return tuple(sorted(given - set(table.span_labels[table.opens].tolist())))

    def _favor(self, added: Float64s, favored: npt.NDArray[np.bool_], entry: Entry) -> None:
        if self._is_hard(entry):
            added -= np.where(favored, 0.0, HARD_LOG_WEIGHT)  # the favored keep their exact scores
        else:
            added += np.where(favored, self._log_weight(entry), 0.0)

    def _is_hard(self, entry: Entry) -> bool:
        return self.hard or math.isinf(entry.weight)

    def _log_weight(self, entry: Entry) -> float:
        return HARD_LOG_WEIGHT if self._is_hard(entry) else math.log1p(STRENGTH * entry.weight)

    def _all_matches(self, sentence: Sentence, breaks: set[int]) -> dict[int, list[Match]]:
        """Every word of the dictionary in the sentence, by its first token, the longest first."""
        text = sentence.text
        token_after = {token.end: number for number, token in enumerate(sentence.tokens, start=1)}
        found: dict[int, list[Match]] = {}
        for number, token in enumerate(sentence.tokens):
            for length in self._lengths.get(text[token.start : token.start + 1], ()):
                word = text[token.start : token.start + length]
                entry, past = self.words.get(word), token_after.get(token.start + length)
                if entry is None or past is None or any(t in breaks for t in range(number + 1, past)):
                    continue
                found.setdefault(number, []).append(Match(start=number, end=past, entry=entry))
        return found


def read_dictionary(path: str | Path, *, hard: bool = False) -> Dictionary:
    """Read a dictionary: `word`, `word weight`, `word tag` or `word weight tag` a line; a weight may be `inf`.

    White space parts the fields, blank lines are left out, a word that comes again counts as its last line says.
    Raises FormatError, with the line, for anything else.
    """
    words: dict[str, Entry] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline=None) as lines:
            for number, line in enumerate(lines, start=1):
                if fields := line.split():
                    words[fields[0]] = _entry(f"{path}:{number}", fields)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}); check the path of the dictionary") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: expected UTF-8, found an error: {error}; convert the dictionary") from error
    return Dictionary(words=words, hard=hard)


def _entry(where: str, fields: list[str]) -> Entry:
    rest = fields[1:]
    weight = _number(rest[0]) if rest else None
    if weight is not None:
        rest = rest[1:]
        if not weight >= 0:  # not a number either
            raise FormatError(f"{where}: expected a weight of at least 0, found {fields[1]}; mend the line")
    if len(rest) > 1:
        raise FormatError(
            f"{where}: expected a word, a weight and a tag with white space between, found {len(fields)} fields "
            f"({' '.join(fields)[:40]!r}); mend the line"
        )
    return Entry(weight=DEFAULT_WEIGHT if weight is None else weight, label=rest[0] if rest else None)


def _number(field: str) -> float | None:
    try:
        return float(field)
    except ValueError:
        return None
