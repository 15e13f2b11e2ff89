"""How strongly a user dictionary steers, by weight: `python benchmarks/dictionary_strength.py GOLD.conllu [MODEL]`.

In: gold words. Out: for each weight, how many of 300 words that the model misses come out whole when each is put into
a dictionary, and how many of 300 wrong pairs of characters (across a gold boundary) do. One word a dictionary.
"""

from __future__ import annotations

import math
import random
import sys

import gatewise
from gatewise.formats import read_sentences
from gatewise.runtime import Dictionary, Tagger
from gatewise.runtime.dictionary import Entry

WEIGHTS = (0.01, 0.1, 1.0, 10.0, 100.0, 10_000.0, math.inf)
SAMPLE = 300

Place = tuple[str, int, int]  # a text and where the word stands in it


def cases(tagger: Tagger, path: str) -> tuple[list[Place], list[Place]]:
    """Gold words that the model misses, and pairs of characters that are no word."""
    missed, wrong = [], []
    for gold in read_sentences(path, "conllu"):
        words = {(token.start, token.end) for token in gold.tokens}
        found = {(span.start, span.end) for span in tagger.tag(gold.text, scores=False).spans}
        missed += [(gold.text, start, end) for start, end in sorted(words - found)]
        starts = {start for start, _ in words}
        pairs = [(at, at + 2) for at in range(len(gold.text) - 1) if at + 1 in starts and (at, at + 2) not in words]
        wrong += [(gold.text, a, b) for a, b in pairs if not any(map(str.isspace, gold.text[a:b]))]
    rng = random.Random(0)
    return rng.sample(missed, min(SAMPLE, len(missed))), rng.sample(wrong, min(SAMPLE, len(wrong)))


def share(tagger: Tagger, places: list[Place], weight: float) -> float:
    """How many come out as one unit."""
    hits = 0
    for text, start, end in places:
        dictionary = Dictionary(words={text[start:end]: Entry(weight=weight)})
        spans = tagger.with_dictionary(dictionary).tag(text, scores=False).spans
        hits += any((span.start, span.end) == (start, end) for span in spans)
    return hits / len(places)


def main(path: str, model: str = "zh") -> None:
    tagger = gatewise.load(model)
    missed, wrong = cases(tagger, path)
    print("weight | missed words that come out | wrong pairs that come out")
    for weight in WEIGHTS:
        print(f"{weight:g} | {share(tagger, missed, weight):.1%} | {share(tagger, wrong, weight):.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
