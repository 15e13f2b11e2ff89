"""A sentence of any length in bounded memory: its emissions, window after window.

In: a long sentence's ids and what runs them. Out: its emissions. A window reads some tokens more on either side, and
gives nothing for them: there each direction takes up what it would have brought along. What an LSTM still holds of a
token fades with distance, and how fast depends on the model and the text, so it is measured: both windows at a seam
say what they make of the tokens there, and where they differ by more than rounding does, all is done again with twice
the margin, in the end in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Run = Callable[[int, int], list[Float32s]]  # the emissions of the tokens from … to, each (time, 1, num_tags)

WINDOW = 16_384  # tokens that a window answers for
MARGIN = 1_024  # tokens that it reads beyond them on either side, at first
FLOAT_ROUNDING = 1e-4  # of an emission, at a seam
INTEGER_ROUNDING = 0.1  # where the layers count in steps: the next step is taken or not, however near the states are


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Reads the tokens from `first` to `past`, and answers for those from `start` to `end`."""

    first: int
    past: int
    start: int
    end: int


def windows_of(length: int, margin: int) -> Iterator[Window]:
    """The windows of a sentence, in order."""
    for start in range(0, length, WINDOW):
        end = min(start + WINDOW, length)
        yield Window(first=max(0, start - margin), past=min(length, end + margin), start=start, end=end)


def emissions_in_windows(run: Run, length: int, most_apart: float) -> list[Float32s]:
    """What `run(0, length)` would give; at the seams of windows it was seen to be no more than `most_apart` away."""
    margin = MARGIN
    while margin < length:
        found = _tried(run, length, margin, most_apart)
        if found is not None:
            return found
        margin *= 2
    return run(0, length)


def _tried(run: Run, length: int, margin: int, most_apart: float) -> list[Float32s] | None:
    """The emissions with this margin; None when two windows do not agree on the tokens at their seam."""
    found: list[Float32s] = []
    seam: list[Float32s] = []  # the tokens on both sides of where the window before ended, as that one saw them
    for window in windows_of(length, margin):
        parts = run(window.first, window.past)
        at = window.start - window.first
        if not found:
            found = [np.empty((length, *part.shape[1:]), dtype=np.float32) for part in parts]
        elif any(_apart(part[at - 1 : at + 1], before) > most_apart for part, before in zip(parts, seam, strict=True)):
            return None
        for whole, part in zip(found, parts, strict=True):
            whole[window.start : window.end] = part[at : at + window.end - window.start]
        end = window.end - window.first
        seam = [part[end - 1 : end + 1].copy() for part in parts]
    return found


def _apart(one: Float32s, other: Float32s) -> float:
    return float(np.abs(one - other).max())
