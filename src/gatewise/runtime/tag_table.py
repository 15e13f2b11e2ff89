"""What each tag of a model means for spans, as arrays over the tag numbers, so that whole batches are read at once.

In: the tags of a model and their scheme. Out: a `TagTable`. In every scheme but IOB1, which no model has, a span goes
from a tag that opens one up to the last tag that goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.errors import SchemeError
from gatewise.text.transitions import EDGED, OUTSIDE, Letters, make_tag, split_tag

_BIO = Letters(begin="B", inside="I", end="I", single="B")

Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTable:
    """`opens`: the tag starts a span (B, S, U); `goes_on`: it carries one on (I, M, E, L). Neither is true in plain.

    `inner` is, in BIO, the number of the tag that carries this tag's span on, -1 where there is none; `open_ended` says
    that the scheme is BIO, in which a tag does not tell whether its span ends.
    """

    names: npt.NDArray[Any]  # (num_tags,) the tags, as Python strings
    span_labels: npt.NDArray[Any]  # (num_tags,) their labels, as Python strings
    opens: Bools  # (num_tags,)
    goes_on: Bools  # (num_tags,)
    inner: Ints  # (num_tags,)
    open_ended: bool
    roles: tuple[Bools, Bools, Bools, Bools]  # each (num_tags,): may be first, inner, last, only token of a span

    def spans(self, row: Ints) -> tuple[Ints, Ints]:
        """Where spans start and end, half-open, in a row of legal tags of one sentence after another."""
        starts = np.flatnonzero(self.opens[row])
        going_on = self.goes_on[row]
        ends = self.opens[row] | going_on
        ends[:-1] &= ~going_on[1:]
        return starts, np.flatnonzero(ends) + 1

    def unit(self, length: int, label: str | None = None) -> Bools:
        """The tags that make `length` tokens one span, (length, num_tags), of this label or of any.

        Legality sees to it that it is the same one for all. In a scheme that is open-ended the span ends there only if
        the tag after does not go on.
        """
        first, inner, last, only = self.roles
        allowed = np.tile(inner, (length, 1))
        allowed[-1] = last
        allowed[0] = first if length > 1 else only
        return allowed if label is None else allowed & (self.span_labels == label)


def tag_table(labels: tuple[str, ...], scheme: str) -> TagTable:
    """The table of these tags; raises SchemeError for IOB1."""
    if scheme == "IOB1":
        raise SchemeError("expected a scheme whose spans open with a tag of their own, found IOB1; convert to BIO")
    plain = scheme == "plain"
    parts = [(OUTSIDE, "") if plain else split_tag(tag) for tag in labels]
    number = {tag: index for index, tag in enumerate(labels)}
    inner = [-1 if prefix == OUTSIDE else number.get(make_tag("I", label), -1) for prefix, label in parts]
    letters = EDGED.get(scheme, _BIO)

    def role(letter: str) -> Bools:
        return np.array([not plain and prefix == letter for prefix, _ in parts])

    return TagTable(
        names=np.array(labels, dtype=object),
        span_labels=np.array([label for _, label in parts], dtype=object),
        opens=np.array([prefix in "BSU" for prefix, _ in parts]),
        goes_on=np.array([prefix in "IMEL" for prefix, _ in parts]),
        inner=np.array(inner, dtype=np.intp),
        open_ended=scheme == "BIO",
        roles=(role(letters.begin), role(letters.inside), role(letters.end), role(letters.single)),
    )
