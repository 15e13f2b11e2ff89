"""The sentences of one call, on their way from emissions to tags, batch by batch and head by head.

In: sentences and the decoders of the heads that are asked. Out: tagged sentences; where a decoder has neighbors in two
passes, of which the second knows what the first one believes of all sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.crf.scores import Floats
from gatewise.runtime.assembled import bare, joined
from gatewise.runtime.constraints import Constraints
from gatewise.runtime.decode import Decoder, Float64s
from gatewise.runtime.session import Session
from gatewise.runtime.workers import Pool
from gatewise.text.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Sentences, the decoders of the heads by name, and what is known of the tags of the first one of them: an entry a
    sentence, or nothing. With `scores` probabilities are computed."""

    sentences: Sequence[Sentence]
    decoders: Mapping[str, Decoder]
    scores: bool
    known: Sequence[Constraints | None] = ()

    def start(self, pool: Pool, batches: Sequence[list[int]], *, more: bool) -> Iterator[list[Sentence]]:
        """The sentences of each batch, tagged, in order; work on them begins at once. `more`: see `Pool.start`."""
        if not any(decoder.neighbors for decoder in self.decoders.values()):
            return pool.start(
                lambda session, numbers: self._decoded(numbers, self._emissions(session, numbers)), batches, more=more
            )
        return self._with_neighbors(pool, batches, pool.start(self._believed, batches, more=more))

    def _emissions(self, session: Session, numbers: list[int]) -> Mapping[str, Floats]:
        return session.all_emissions(session.encode(self._chosen(numbers)), list(self.decoders))

    def _decoded(self, numbers: list[int], emissions: Mapping[str, Floats]) -> list[Sentence]:
        chosen = self._chosen(numbers)
        first, *others = (
            decoder.decode(chosen, emissions[name], scores=self.scores, constraints=self._constraints(name, numbers))
            for name, decoder in self.decoders.items()
        )
        return joined(first, dict(zip([*self.decoders][1:], others, strict=True)))

    def _believed(self, session: Session, numbers: list[int]) -> tuple[dict[str, Floats], dict[str, list[Float64s]]]:
        """The emissions of these sentences, head by head, and, of heads with neighbors, the marginals."""
        chosen, emissions = self._chosen(numbers), dict(self._emissions(session, numbers))
        marginals = {
            name: decoder.marginals(chosen, emissions[name], constraints=self._constraints(name, numbers))
            for name, decoder in self.decoders.items()
            if decoder.neighbors
        }
        return emissions, marginals

    def _with_neighbors(
        self,
        pool: Pool,
        batches: Sequence[list[int]],
        believed: Iterator[tuple[dict[str, Floats], dict[str, list[Float64s]]]],
    ) -> Iterator[list[Sentence]]:
        of_batches = list(zip(batches, believed, strict=True))
        for name, decoder in self.decoders.items():
            if decoder.neighbors is None:
                continue
            marginals: list[Float64s] = [np.zeros((0, len(decoder.labels)))] * len(self.sentences)
            for numbers, (_, found) in of_batches:
                for number, of_sentence in zip(numbers, found[name], strict=True):
                    marginals[number] = of_sentence
            added = decoder.neighbors.added(self.sentences, marginals, decoder.table)
            for numbers, (emissions, _) in of_batches:
                emissions[name] = emissions[name].copy()
                for column, number in enumerate(numbers):
                    emissions[name][: len(added[number]), column] += added[number]
        steered = {numbers[0]: emissions for numbers, (emissions, _) in of_batches}
        yield from pool.start(lambda _, numbers: self._decoded(numbers, steered[numbers[0]]), batches)

    def _chosen(self, numbers: Sequence[int]) -> list[Sentence]:
        return [bare(self.sentences[number]) for number in numbers]

    def _constraints(self, name: str, numbers: Sequence[int]) -> list[Constraints | None] | None:
        """Those of these sentences for this head."""
        return [self.known[number] for number in numbers] if self.known and name == next(iter(self.decoders)) else None
