"""How fast a model tags a labeled file: `python benchmarks/row_speed.py MODEL FILE [--threads 1] [--passes 3]`.

The last column of docs/results.md. In: a model folder (or the name of a bundled model) and a file that it can be scored
on. Gold tokens go in where the task has them, the text of each sentence where words are to be found; tags come out,
without probabilities; with `--neighbors 50` the file is running text. Prints tokens (for words from text, characters) a
second, of the fastest pass.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import gatewise
from gatewise.model.answers import read_gold


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("file")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--neighbors", type=int, default=0)
    asked = parser.parse_args(arguments)
    tagger = gatewise.load(asked.model, threads=asked.threads)
    if asked.neighbors:
        tagger = tagger.with_neighbors(asked.neighbors)
    gold = read_gold(asked.file, tagger.archive.head().task)
    from_text = tagger.archive.head().task.kind == "segmentation"
    count = sum(len(sentence.text) if from_text else len(sentence) for sentence in gold)
    fastest = min(_seconds(tagger, gold, from_text=from_text) for _ in range(asked.passes))
    print(f"{asked.model}: {count / fastest:,.0f} {'characters' if from_text else 'tokens'} a second")


def _seconds(tagger: gatewise.Tagger, gold: Sequence[gatewise.Sentence], *, from_text: bool) -> float:
    began = time.perf_counter()
    if from_text:
        for _ in tagger.tag_many((sentence.text for sentence in gold), scores=False):
            pass
    else:
        tagger.tag_sentences(gold, scores=False)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
