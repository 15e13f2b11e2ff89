"""Where the time of a token goes: `python benchmarks/tag_stages.py MODEL LINES [--passes 4]`.

LINES is a file of texts, a line each. Processor time of one thread in µs a token, of each stage the smallest of the
passes, as Markdown. For models whose layers run on the native kernel (ADR 0038); those of others are part of the graph.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gatewise
from gatewise.crf import best_tags
from gatewise.runtime.workers import batches_of


def one_pass(tagger: gatewise.Tagger, texts: list[str]) -> Counter[str]:
    """Seconds of each stage."""
    session, decoder, spent = tagger._workers.session, tagger._decoders[""], Counter[str]()

    def clock(stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        began = time.process_time()
        found = work(*arguments)
        spent[stage] += time.process_time() - began
        return found

    sentences = [clock("cut the text into tokens", tagger.tokenize, text) for text in texts]
    for numbers in batches_of(list(map(len, sentences))):
        chosen = [sentences[number] for number in numbers]
        batch = clock("look up ids, pad", session.encode, chosen)
        parts = [batch]
        if not session._layers.looks_up:
            parts = clock("look up ids, pad", lambda whole: [whole.columns(one) for one in whole.runs()], batch)
        for part in parts:
            counts = clock("x", session._counts_of_x, session._layers, part)
            clock("the layers, and their emissions", session._layers.emissions, counts, part.lengths, [""])
        emissions = decoder.constrained(chosen, session.emissions(batch))
        lattice = clock("lay out for the decoder", decoder._lattice, chosen, emissions)
        tags = clock("Viterbi", best_tags, lattice, decoder.scores)
        clock("spans and sentences", lambda *known: decoder.tagged(*known, scores=False), chosen, lattice, tags)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("lines", type=Path)
    parser.add_argument("--passes", type=int, default=4)
    asked = parser.parse_args()
    tagger = gatewise.load(asked.model, threads=1)
    if tagger._workers.session._layers is None:
        sys.exit(f"{asked.model}: expected a model that runs on the native kernel, found one that runs in its graph")
    texts = asked.lines.read_text(encoding="utf-8").splitlines()
    count = sum(len(tagger.tokenize(text)) for text in texts)
    passes = [one_pass(tagger, texts) for _ in range(asked.passes)]
    print("| stage | µs a token |\n|---|---:|")
    for stage in passes[0]:
        print(f"| {stage} | {1e6 * min(one[stage] for one in passes) / count:.2f} |")


if __name__ == "__main__":
    main()
