"""What heads say of batches, put together: one sentence a text, in the order in which the texts came.

In: sentences, and each batch's as a decoder has tagged them, head by head. Out: sentences, those of further heads in
their `heads`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gatewise.text.sentence import NO_HEADS, Heads, Sentence


def in_order(
    sentences: Sequence[Sentence], heads: Sequence[str], batches: Sequence[list[int]], found: Iterator[list[Sentence]]
) -> Iterator[Sentence]:
    """The sentences of all batches as they came, those without tokens among them."""
    tagged = [sentence if len(sentence) else _untaggable(sentence, heads[1:]) for sentence in sentences]
    for numbers, of_batch in zip(batches, found, strict=True):
        for number, sentence in zip(numbers, of_batch, strict=True):
            tagged[number] = sentence
    yield from tagged


def bare(sentence: Sentence) -> Sentence:
    """Without the heads that it came with, which say nothing of this model."""
    return replace(sentence, heads=NO_HEADS) if sentence.heads else sentence


def joined(main: list[Sentence], others: Mapping[str, Sequence[Sentence]]) -> list[Sentence]:
    """The first head's sentences, each with those of the others; every head was decoded on its own."""
    if not others:
        return main
    by_sentence = zip(*others.values(), strict=True)
    return [
        replace(sentence, heads=Heads(dict(zip(others, said, strict=True))))
        for sentence, said in zip(main, by_sentence, strict=True)
    ]


def _untaggable(sentence: Sentence, heads: Sequence[str]) -> Sentence:
    """A sentence without tokens, tagged: it has no tags."""
    empty = replace(sentence, tags=(), scores=(), spans=(), path_probability=None, heads=NO_HEADS)
    return replace(empty, heads=Heads(dict.fromkeys(heads, empty))) if heads else empty
