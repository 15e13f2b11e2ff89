"""The PFR corpus in the words of SIGHAN's PKU corpus: `python benchmarks/pku_convention.py WORDS OUT FILE…`.

SIGHAN 2005 edited the January of 1998 and tests in what came of it, but its training text is not at hand: its list of
training words is. Where that list and the PFR corpus differ, the corpus is changed, and nothing of the test is looked
at. Neighbors become one word where the list has them joined and the corpus never (发家 致富); a word that the list has
not is cut in two or three frequent words of both, if it can be (放在 becomes 放 在).

In: the word list, a word a line; CoNLL-U files, gzipped. Out: a file of segmented text, a sentence a line.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

from gatewise.formats import read_sentences

MOST_JOINED = 6  # neighbors that may become one word
FREQUENT = 20  # so often a part of a word that is cut stands in the corpus by itself
LONGEST_CUT = 6  # characters


class Convention:
    """What the list says of the words of a corpus; `counts` are how often each stands there."""

    def __init__(self, listed: Iterable[str], counts: Counter[str]) -> None:
        self._listed, self._counts = set(listed), counts
        self._joined = {word for word in self._listed if word not in counts and len(word) > 1}
        self._cut = cache(self._parts)

    def apply(self, words: Sequence[str]) -> list[str]:
        """The words of a sentence as the list has them."""
        return [part for word in self._join(words) for part in self._cut(word)]

    def _join(self, words: Sequence[str]) -> Iterator[str]:
        at = 0
        while at < len(words):
            longest = min(MOST_JOINED, len(words) - at)
            past = next((at + n for n in range(longest, 1, -1) if "".join(words[at : at + n]) in self._joined), at + 1)
            yield "".join(words[at:past])
            at = past

    def _parts(self, word: str) -> tuple[str, ...]:
        """The word, or what it is cut into: fewest parts first, of these the one whose rarest part is most frequent."""
        if word in self._listed or len(word) > LONGEST_CUT:
            return (word,)
        for count in (2, 3):
            ways = [
                tuple(word[a:b] for a, b in zip((0, *cuts), (*cuts, len(word)), strict=True))
                for cuts in combinations(range(1, len(word)), count - 1)
            ]
            known = [way for way in ways if all(self._is_frequent(part) for part in way)]
            if known:
                return max(known, key=lambda way: min(self._counts[part] for part in way))
        return (word,)

    def _is_frequent(self, part: str) -> bool:
        return part in self._listed and self._counts[part] >= FREQUENT


def convert(word_list: Path, target: Path, sources: Sequence[Path], counted: Sequence[Path]) -> tuple[int, int]:
    """Write the sentences of `sources`; words are counted in `counted`. Returns the words before and those changed."""
    counts = Counter(word for path in counted for sentence in read_sentences(path) for word in sentence.forms)
    convention = Convention(word_list.read_text(encoding="utf-8").split(), counts)
    before = changed = 0
    with target.open("w", encoding="utf-8") as stream:
        for path in sources:
            for sentence in read_sentences(path):
                words = sentence.forms
                found = convention.apply(words)
                before += len(words)
                changed += len(set(_edges(words)) ^ set(_edges(found)))
                stream.write(" ".join(found) + "\n")
    return before, changed


def _edges(words: Sequence[str]) -> Iterator[int]:
    at = 0
    for word in words:
        at += len(word)
        yield at


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    asked = parser.parse_args(arguments)
    before, changed = convert(asked.words, asked.out, asked.files, asked.files)
    print(f"{before:,} words, {changed:,} edges of words changed")


if __name__ == "__main__":
    main()
