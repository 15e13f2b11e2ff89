"""The n best paths of a linear-chain CRF, exactly: Viterbi with a list at every tag in place of one score.

In: the emissions of one sentence. Out: its best legal paths, best first, each once. Scores are added up in float64.
Source: the parallel list Viterbi algorithm, Seshadri and Sundberg 1994.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf.lattice import Ints
from gatewise.crf.scores import CRFScores, Floats

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPaths:
    """The paths, best first; fewer than were asked for where there are no more legal ones."""

    tags: Ints  # (paths, time)
    scores: Float64s  # (paths,)


def n_best(emissions: Floats, scores: CRFScores, n: int) -> RankedPaths:
    """The `n` best paths; `emissions` (time, num_tags), `n` at least 1.

    Of equal paths the one with the smaller tag number comes first, last tag first, as in `viterbi`.
    """
    wide = emissions.astype(np.float64)
    scores = scores.astype(wide.dtype)
    time, num_tags = wide.shape
    best = (scores.start_transitions + wide[0])[:, None]  # (num_tags, ranks): best scores of paths that end in the tag
    came_from: list[Ints] = []  # for each step (num_tags, ranks): from-tag times its ranks, plus the rank there
    for t in range(1, time):
        extended = best[:, :, None] + scores.transitions[:, None]  # (from, ranks, to)
        candidates = extended.reshape(-1, num_tags).T  # (to, from*ranks), smaller from-tags first
        kept = _top(candidates, n)
        came_from.append(kept)
        best = np.take_along_axis(candidates, kept, axis=1) + wide[t][:, None]
    final = (best + scores.end_transitions[:, None]).reshape(1, -1)
    last = _top(final, n)[0]
    last = last[final[0, last] > -np.inf]
    return RankedPaths(tags=_follow(came_from, last, best.shape[1]), scores=final[0, last])


def _top(candidates: Float64s, n: int) -> Ints:
    """The places of the n largest of each row, largest first, the earlier of equals first."""
    found: Ints = np.argsort(-candidates, axis=1, kind="stable")[:, :n]
    return found


def _follow(came_from: list[Ints], last: Ints, ranks: int) -> Ints:
    """Walk back from the places of the last tags; a place is a tag times the ranks kept there, plus a rank."""
    tags = np.empty((len(last), len(came_from) + 1), dtype=np.intp)
    place = last
    for t in range(len(came_from), 0, -1):
        tag, rank = np.divmod(place, ranks)
        tags[:, t] = tag
        place = came_from[t - 1][tag, rank]
        ranks = came_from[t - 2].shape[1] if t > 1 else 1
    tags[:, 0] = place // ranks
    return tags
