"""Sentences of raw text that teachers are to label: so many of a file, drawn at random, in the tokens of the task.

In: a file as `gatewise tag` reads them, text or labeled, whose labels are not looked at. Out: sentences without tags,
in the order of the file. All of it is read, and no more held than is drawn (reservoir sampling, Vitter 1985).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from gatewise.errors import FormatError, TextError, TrainingError
from gatewise.formats import DEFAULT_COLUMNS, detect_format, locate_sentences, read_lines
from gatewise.text.sentence import NO_HEADS, Sentence
from gatewise.text.tokenize import tokenize

Item = TypeVar("Item")


def draw_raw(
    path: str, tokenizer: str, *, most: int, draw: random.Random, columns: Sequence[str] = DEFAULT_COLUMNS
) -> list[Sentence]:
    """At most `most` sentences of a file, each as probable as any other; `columns` says how column files are laid out.

    Texts are cut by `tokenizer`, and with `characters` so are the tokens of labeled files.
    Raises FormatError for a file that cannot be read, TrainingError where it holds no token.
    """
    try:
        drawn = [_sentence(found, tokenizer) for found in drawn_from(_read(path, columns), most, draw)]
    except TextError as error:
        raise FormatError(f"{path}: {error}") from error
    found = [sentence for sentence in drawn if len(sentence)]
    if not found:
        raise TrainingError(f"{path}: expected at least one sentence of raw text, found none; check distillation.raw")
    return found


def drawn_from(items: Iterable[Item], most: int, draw: random.Random) -> list[Item]:
    """At most `most` of the items, in their order, each set of so many as probable as any other."""
    kept: list[tuple[int, Item]] = []
    for number, item in enumerate(items):
        if number < most:
            kept.append((number, item))
        elif (place := draw.randrange(number + 1)) < most:
            kept[place] = (number, item)
    return [item for _, item in sorted(kept, key=lambda entry: entry[0])]


def _read(path: str, columns: Sequence[str]) -> Iterator[Sentence | str]:
    """What becomes a sentence each, without what is empty."""
    format = detect_format(path)
    if format == "text":
        yield from (line for line in read_lines(path) if line.strip())
        return
    for located in locate_sentences(path, format, columns):
        if located.sentence.text.strip():
            yield located.sentence


def _sentence(found: Sentence | str, tokenizer: str) -> Sentence:
    if isinstance(found, Sentence) and len(found) and tokenizer != "characters":
        return Sentence(text=found.text, tokens=found.tokens, heads=NO_HEADS)
    return tokenize(found if isinstance(found, str) else found.text, tokenizer)
