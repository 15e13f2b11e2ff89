"""Names that come again near by: what the model believes of a word elsewhere steers what it says of it here.

In: the sentences of a running text, and the marginals of their tags. Out: what to add to the emissions of each token,
from all other places of the same word, or name, up to `reach` sentences away. Only emissions change: tags stay legal,
and best path and probabilities stay exact for the model together with what its neighbors say (ADR 0040). The idea that
the labels of one document depend on each other is Krishnan and Manning's (2006); there is nothing to learn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.errors import ConfigError
from gatewise.runtime.recurring import Places, names, words
from gatewise.runtime.tag_table import TagTable
from gatewise.text.sentence import Sentence

REACH = 50  # sentences; this and the numbers below are those of docs/experiments.md
WEIGHT = 0.8
OF_A_CHARACTER = 0.3  # of the weight: each character of a name gets so much
FLOOR = 0.03  # a label that nobody near by believes in is this probable there: no place is outvoted without end
SURE = 4  # a place counts by its most probable label's probability to this power
WHOLE = 8  # and so many times more where it is part of a span of several tokens: Ann Lee says what Lee is

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbors:
    """How many sentences before and after count, and how much: weight 1 takes all other places together as one more
    witness as good as the sentence itself, 0 not at all.

    Raises ConfigError for a reach below 0 and for a weight that is not from 0 to 10.
    """

    reach: int = REACH
    weight: float = WEIGHT

    def __post_init__(self) -> None:
        if self.reach < 0:
            raise ConfigError(f"neighbors: expected a reach of at least 0 sentences, found {self.reach}")
        if not 0 <= self.weight <= 10:
            raise ConfigError(f"neighbors: expected a weight from 0 to 10, found {self.weight:g}")

    def added(self, sentences: Sequence[Sentence], marginals: Sequence[Float64s], table: TagTable) -> list[Float64s]:
        """What to add to the emissions of each sentence, (time, num_tags); `marginals` are of the same shapes.

        Tags of one label get the same: where a name begins and ends, each place says for itself. Of names of
        characters that overlap, the longest says what is added.
        """
        lengths = np.array(list(map(len, sentences)), dtype=np.intp)
        of_tags = np.concatenate([*marginals, np.zeros((0, len(table.names)))])
        labels, label_of = np.unique(table.span_labels.astype(str), return_inverse=True)
        believed = of_tags @ np.eye(len(labels))[label_of]
        longer = _in_longer(of_tags @ table.goes_on, lengths)
        found = np.zeros((len(believed), len(labels)))
        for places, weight in (
            (names(sentences, _likely_spans(of_tags.argmax(axis=1), lengths, table)), OF_A_CHARACTER * self.weight),
            (words(sentences), self.weight),
        ):
            chosen, means = self._of_others(places, _averages(believed, places), _averages(longer, places))
            said = weight * np.log(means + FLOOR)
            for start, end, of_place in zip(places.starts[chosen], places.ends[chosen], said, strict=True):
                found[start:end] = of_place
        return np.split(found[:, label_of], np.cumsum(lengths)[:-1])

    def _of_others(self, places: Places, believed: Float64s, longer: Float64s) -> tuple[npt.NDArray[np.intp], Float64s]:
        """The places that have others of the same within reach, in their order, and what these believe in the mean."""
        counts = believed.max(axis=1, initial=0) ** SURE * (1 + WHOLE * longer)
        # all places of the same side by side, in the order of the text; no window reaches from one into the next
        last = int(places.sentences.max(initial=0))
        reach = min(self.reach, last)
        keys = places.same * (last + reach + 1) + places.sentences
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        said = np.column_stack([believed * counts[:, None], counts])[order]
        sums = np.concatenate([np.zeros((1, said.shape[1])), np.cumsum(said, axis=0)])
        first, past = np.searchsorted(keys, keys - reach, "left"), np.searchsorted(keys, keys + reach, "right")
        again = np.flatnonzero(past - first > 1)
        again = again[np.argsort(order[again])]
        others = sums[past[again]] - sums[first[again]] - said[again]
        return order[again], np.clip(others[:, :-1] / others[:, -1:], 0.0, 1.0)


def _in_longer(onward: Float64s, lengths: npt.NDArray[np.intp]) -> Float64s:
    """How probable it is that a token is part of a span of several: that it goes on with one, or the next one does.

    `onward` is how probable each token goes on with a span, of one sentence after the other.
    """
    following = np.append(onward, 0.0)[1:]
    following[np.cumsum(lengths)[lengths > 0] - 1] = 0.0  # nothing comes after the last of a sentence
    found: Float64s = np.maximum(onward, following)
    return found


def _likely_spans(tags: npt.NDArray[np.intp], lengths: npt.NDArray[np.intp], table: TagTable) -> list[tuple[int, int]]:
    """The spans of the most probable tag of each token, first token and end; together these tags need not be legal."""
    starts = np.flatnonzero(table.opens[tags])
    stops = np.union1d(np.flatnonzero(~table.goes_on[tags]), np.cumsum(lengths))  # no span goes on there
    return list(zip(starts.tolist(), stops[np.searchsorted(stops, starts, "right")].tolist(), strict=True))


def _averages(values: Float64s, places: Places) -> Float64s:
    """The mean of the values of the tokens of each place."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    widths = (places.ends - places.starts).reshape(-1, *[1] * (values.ndim - 1))
    found: Float64s = (sums[places.ends] - sums[places.starts]) / widths
    return found
