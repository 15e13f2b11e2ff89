"""Whether it matters what else is in a batch: `python benchmarks/batch_independence.py MODEL FILE [FILE…]`.

In: a model and labeled files, whose sentences are read in the model's tokens. Out: Markdown, a row a file: the largest
difference of any emission of a sentence alone and in batches (those of the runtime, and 32 neighbors of the file
together, for much padding), how large the largest emission is, and how many sentences get other tags alone than in
batches. Rounding may differ with the shape of a batch; a leak of padding or neighbors would be as large as emissions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import gatewise
from gatewise.crf.scores import Floats
from gatewise.model.corpus import read_corpus
from gatewise.runtime import Tagger
from gatewise.text.sentence import Sentence

NEIGHBORS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was found on one file."""

    sentences: int
    difference: float
    largest: float
    other_tags: int


def in_batches_of(tagger: Tagger, sentences: list[Sentence]) -> Iterator[tuple[Sentence, Floats]]:
    """Every sentence twice: with those of like length, as the runtime batches them, and with those beside it in the
    file, so that there is much padding."""
    groups = [sentences[start : start + NEIGHBORS] for start in range(0, len(sentences), NEIGHBORS)]
    for group in (sentences, *groups):
        for chosen, emissions in tagger.emissions(group):
            for column, sentence in enumerate(chosen):
                yield sentence, emissions[: len(sentence), column]


def compare(tagger: Tagger, sentences: list[Sentence]) -> Compared:
    """Each sentence alone and in a batch."""
    difference = largest = 0.0
    for sentence, one in in_batches_of(tagger, sentences):
        [(_, alone)] = tagger.emissions([sentence])
        other = alone[:, 0]
        finite = np.isfinite(one) | np.isfinite(other)  # a tag that a gap forbids is minus infinity in both
        difference = max(difference, float(np.abs(one[finite] - other[finite]).max()))
        largest = max(largest, float(np.abs(one[finite]).max()))
    in_batches = tagger.tag_sentences(sentences, scores=False)
    changed = sum(
        tagger.tag_sentences([sentence], scores=False)[0].tags != found.tags
        for sentence, found in zip(sentences, in_batches, strict=True)
    )
    return Compared(sentences=len(sentences), difference=difference, largest=largest, other_tags=changed)


def main(model: str, *paths: str) -> None:
    tagger = gatewise.load(model)
    print("| model | file | sentences | largest difference | largest emission | other tags |")
    print("|---|---|---:|---:|---:|---:|")
    for path in map(Path, paths):
        sentences = [sentence for sentence in read_corpus(path, tagger.archive.config.task) if len(sentence)]
        found = compare(tagger, sentences)
        row = [Path(model).name, f"{path.parent.name}/{path.name}", f"{found.sentences:,}", f"{found.difference:.1e}"]
        row += [f"{found.largest:.1f}", str(found.other_tags)]
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
