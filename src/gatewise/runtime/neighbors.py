"""Names that come again near by: what the model believes of a word elsewhere steers what it says of it here.

In: the sentences of a running text, and the marginals of their tags. Out: what to add to the emissions of each token,
from all other places of the same word up to `reach` sentences away. Only emissions change: tags stay legal, and best
path and probabilities stay exact for the model together with what its neighbors say (ADR 0040). The idea that the
labels of one document depend on each other is Krishnan and Manning's (2006); there is nothing to learn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.errors import ConfigError
from gatewise.runtime.tag_table import TagTable
from gatewise.text.sentence import Sentence

REACH = 50  # sentences; this and the numbers below, but for the last, are those of docs/experiments.md
WEIGHT = 0.8
FLOOR = 0.03  # a label that nobody near by believes in is this probable there: no place is outvoted without end
SURE = 4  # a place counts by its most probable label's probability to this power
WHOLE = 8  # and so many times more where the word is a part of a longer name: Ann Lee says what Lee is
LETTERS = 4  # a word without a capital counts from this length on: shorter ones are of, the, und, les

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

        A word is the same without regard to case. Tags of one label get the same: where a name begins and ends, each
        place says for itself.
        """
        lengths = list(map(len, sentences))
        words = _numbers(sentences)
        labels, label_of = np.unique(table.span_labels.astype(str), return_inverse=True)
        of_tags = np.concatenate([*marginals, np.zeros((0, len(label_of)))])
        believed = of_tags @ np.eye(len(labels))[label_of]
        counts = believed.max(axis=1, initial=0) ** SURE * (1 + WHOLE * _in_longer(of_tags @ table.goes_on, lengths))
        found = np.zeros((len(words), len(labels)))
        counted = np.flatnonzero(words >= 0)
        reach = min(self.reach, len(sentences))
        # tokens word by word, and in the order of the text; no window reaches from one word into the next
        keys = words[counted] * (len(sentences) + reach) + np.repeat(np.arange(len(lengths)), lengths)[counted]
        order = np.argsort(keys, kind="stable")
        keys, tokens = keys[order], counted[order]
        said = np.column_stack([believed * counts[:, None], counts])
        sums = np.concatenate([np.zeros((1, len(labels) + 1)), np.cumsum(said[tokens], axis=0)])
        first, past = np.searchsorted(keys, keys - reach, "left"), np.searchsorted(keys, keys + reach, "right")
        again = past - first > 1
        tokens, first, past = tokens[again], first[again], past[again]
        others = sums[past] - sums[first] - said[tokens]
        means = others[:, :-1] / others[:, -1:]
        found[tokens] = self.weight * np.log(np.clip(means, 0.0, 1.0) + FLOOR)
        return np.split(found[:, label_of], np.cumsum(lengths)[:-1])


def _in_longer(onward: Float64s, lengths: Sequence[int]) -> Float64s:
    """How probable it is that a token is part of a span of several: that it goes on with one, or the next one does.

    `onward` is how probable each token goes on with a span, of one sentence after the other.
    """
    following = np.append(onward, 0.0)[1:]
    following[np.cumsum(lengths)[np.array(lengths) > 0] - 1] = 0.0  # nothing comes after the last of a sentence
    found: Float64s = np.maximum(onward, following)
    return found


def _numbers(sentences: Sequence[Sentence]) -> npt.NDArray[np.int64]:
    """The number of each token's word, one sentence after the other; -1 for one that is not counted."""
    numbers: dict[str, int] = {}
    known: dict[str, int] = {}
    found = []
    for sentence in sentences:
        for form in sentence.forms:
            number = known.get(form)
            if number is None:
                number = known[form] = numbers.setdefault(form.casefold(), len(numbers)) if _counts(form) else -1
            found.append(number)
    return np.array(found, dtype=np.int64)


def _counts(form: str) -> bool:
    return any(map(str.isupper, form)) or (len(form) >= LETTERS and any(map(str.isalpha, form)))
