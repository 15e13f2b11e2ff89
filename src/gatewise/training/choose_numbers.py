"""Which numbers a trained model is stored in when the configuration says `auto`: int8 where that costs nothing on dev.

In: how to score the model in some numbers. Out: the choice. Tags that change with the rounding are few and go either
way, so several steps of int8 are tried, and the first that loses nothing that counts is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gatewise.model.config import Config

MOST_LOST = 0.001  # of the main dev score, which is from 0 to 1
CHOICES = ("float32", "int8")
REACHES = (1.0, 0.9, 0.8, 0.7)  # how far int8 tables reach, see `model.numbers.stored`


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """`numbers` as `archive.numbers` names them; `reach` is for int8.

    `scores` are the main dev scores of these numbers and of float32, where they were compared.
    """

    numbers: str
    reach: float = 1.0
    scores: tuple[float, float] | None = None


def decides(found: Config, asked: Config) -> bool:
    """Whether the configuration of a saved model is what was asked for, with its numbers decided."""
    if asked.archive.numbers == "auto" and found.archive.numbers in CHOICES:
        asked = replace(asked, archive=replace(asked.archive, numbers=found.archive.numbers))
    return found == asked


def choose_numbers(asked: str, score: Callable[[Storage], float | None]) -> Storage:
    """What was asked for; for `auto` the first int8 that is no more than 0.001 behind float32, else float32.

    `score` gives the main dev score, None without a dev file: then it is float32.
    """
    if asked != "auto":
        return Storage(numbers=asked)
    whole = Storage(numbers="float32")
    best = score(whole)
    if best is None:
        return whole
    for reach in REACHES:
        storage = Storage(numbers="int8", reach=reach)
        found = score(storage)
        if found is not None and best - found <= MOST_LOST:
            return replace(storage, scores=(found, best))
    return replace(whole, scores=(best, best))
