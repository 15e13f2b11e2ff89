"""The best path of a linear-chain CRF (Viterbi 1967), for a batch of sentences at once.

In: emissions, time first, padded; the length of each sentence. Out: the best tag at every real position and the
score of the whole path. Padding is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf.scores import CRFScores, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPaths:
    """The best path of each sentence of a batch; entries of `tags` at padding are 0 and mean nothing."""

    tags: npt.NDArray[np.intp]  # (time, batch)
    scores: Floats  # (batch,)


def viterbi(emissions: Floats, lengths: npt.NDArray[np.integer], scores: CRFScores) -> BestPaths:
    """The best legal path of every sentence; of equal ones, the one with the smaller tag number, last tag first.

    `emissions` is (time, batch, num_tags), `lengths` (batch,), each at least 1 and at most time.
    """
    time, batch, num_tags = emissions.shape
    transitions_to_from = np.ascontiguousarray(scores.transitions.T)  # (to, from): the maximum runs along memory
    best = scores.start_transitions + emissions[0]  # (batch, num_tags): best score of a path that ends in the tag
    backpointers = np.empty((time, batch, num_tags), dtype=np.intp)
    stay = np.arange(num_tags)
    for t in range(1, time):
        ending = best[:, None, :] + transitions_to_from  # (batch, to, from)
        come_from = ending.argmax(axis=-1)  # (batch, to)
        extended = np.take_along_axis(ending, come_from[..., None], axis=-1)[..., 0] + emissions[t]
        inside = (t < lengths)[:, None]
        best = np.where(inside, extended, best)
        backpointers[t] = np.where(inside, come_from, stay)  # past its end a path stays where it is
    final = best + scores.end_transitions
    return BestPaths(tags=_follow(backpointers, final.argmax(axis=-1), lengths), scores=final.max(axis=-1))


def _follow(
    backpointers: npt.NDArray[np.intp], last: npt.NDArray[np.intp], lengths: npt.NDArray[np.integer]
) -> npt.NDArray[np.intp]:
    """Walk the backpointers from the last tag of each sentence to its first."""
    time, batch, _ = backpointers.shape
    tags = np.empty((time, batch), dtype=np.intp)
    rows = np.arange(batch)
    tag = last
    for t in range(time - 1, 0, -1):
        tags[t] = tag
        tag = backpointers[t, rows, tag]
    tags[0] = tag
    tags[np.arange(time)[:, None] >= lengths] = 0
    return tags
