"""What a tagger believes of whole sentences: how probable each tag is, and how often it expects each transition.

In: a tagger and tokenized sentences. Out: a `Posterior` of the main head for each, by the exact sums over all legal
paths, under the tagger's temperature, with white space steering the tags as when it tags: another model can learn from
that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gatewise.crf import lattice, sum_paths
from gatewise.errors import ModelError
from gatewise.runtime.tagger import Tagger
from gatewise.runtime.workers import batches_of
from gatewise.text.sentence import Sentence

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Of one sentence: `marginals` (time, num_tags), each row of sum 1, and `transitions` [from, to], how often each
    stands in a path in the mean, (num_tags, num_tags), of sum time - 1."""

    marginals: Float64s
    transitions: Float64s


def posteriors(tagger: Tagger, sentences: Sequence[Sentence]) -> Iterator[tuple[int, Posterior]]:
    """The number of each non-empty sentence and what the tagger's main head makes of it, those of like length together.

    Raises ModelError where the tagger gives no probabilities, because its emissions are not finite.
    """
    factor = 1 / tagger.temperature
    scores = tagger.crf_scores if factor == 1 else tagger.crf_scores.scaled(factor)
    batches = zip(batches_of(list(map(len, sentences))), tagger.emissions(sentences), strict=True)
    for numbers, (chosen, emissions) in batches:
        laid_out = lattice(emissions, np.array(list(map(len, chosen)), dtype=np.intp))
        sums = sum_paths(laid_out if factor == 1 else laid_out.scaled(factor), scores)
        if not np.isfinite(sums.log_partition).all():
            raise ModelError(f"{tagger.archive.folder}: expected finite emissions, found others; train the model again")
        marginals = sums.marginals()
        for column, number in enumerate(laid_out.order.tolist()):
            length = len(chosen[number])
            yield (
                numbers[number],
                Posterior(
                    marginals=marginals[:length, :, column],
                    transitions=sums.transition_counts(column),
                ),
            )
