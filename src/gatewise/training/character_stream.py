"""Raw text as one stream of character ids, for a language model to read.

In: files of text, plain or gzip, and how many characters a vocabulary may have. Out: the vocabulary and two streams,
one to learn from and one held out. A line is a sentence or a paragraph: the lines of all files are put in an order that
the seed decides, since a tagger too meets each sentence alone, and so that what is held out is like the rest. White
space at the ends of lines and empty lines are left out; each line ends in a line feed, a character like any other.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gatewise.errors import TrainingError
from gatewise.formats.source import numbered_lines
from gatewise.text.vocabulary import FIRST_ENTRY_ID, UNKNOWN_ID, Vocabulary, build_vocabulary

HELD_OUT = 0.01  # of the characters
MOST_HELD_OUT = 100_000  # characters: more tells no more
LEAST = 1_000  # characters to learn from
CODES = 0x110000  # of Unicode

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawText:
    """`train` and `dev` are ids, (characters,); `unknown` is the share of dev that the vocabulary lacks."""

    vocabulary: Vocabulary
    train: Ids
    dev: Ids
    unknown: float


def read_raw_text(paths: Sequence[Path], dev: Path | None, *, vocabulary: int, seed: int) -> RawText:
    """The streams of some files; without a dev file one line in a hundred is held out.

    Raises FormatError for a file that cannot be read, TrainingError where there is too little text.
    """
    lines = [line for path in paths for line in _lines(path)]
    random.Random(seed).shuffle(lines)
    if dev is None:
        ends = np.fromiter(accumulate(len(line) + 1 for line in lines), dtype=np.int64, count=len(lines))
        wanted = min(HELD_OUT * int(ends[-1]), MOST_HELD_OUT) if lines else 0
        count = int(np.searchsorted(ends, wanted)) + 1
        held_out, lines = lines[:count], lines[count:]
    else:
        held_out = list(_lines(dev))
    codes, dev_codes = _codes(lines), _codes(held_out)
    if len(codes) < LEAST or not len(dev_codes):
        raise TrainingError(
            f"{', '.join(map(str, paths))}: expected at least {LEAST:,} characters to learn from and some held out,"
            f" found {len(codes):,} and {len(dev_codes):,}; give more text"
        )
    found = np.bincount(codes)
    counts = Counter({chr(code): int(found[code]) for code in np.flatnonzero(found)})
    entries = build_vocabulary(counts, 1).entries[:vocabulary]
    table = np.full(CODES, UNKNOWN_ID, dtype=np.int32)
    table[[ord(entry) for entry in entries]] = np.arange(len(entries)) + FIRST_ENTRY_ID
    dev_ids = table[dev_codes]
    return RawText(
        vocabulary=Vocabulary(entries=entries),
        train=table[codes],
        dev=dev_ids,
        unknown=float((dev_ids == UNKNOWN_ID).mean()),
    )


def _lines(path: Path) -> list[str]:
    return [line for _, text in numbered_lines(path) if (line := text.strip())]


def _codes(lines: Sequence[str]) -> npt.NDArray[np.uint32]:
    """The code points of lines, each ended by a line feed: (characters,)."""
    return np.frombuffer("".join(line + "\n" for line in lines).encode("utf-32-le"), dtype="<u4")
