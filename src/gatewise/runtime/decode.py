"""From emissions to tagged sentences: the best legal path, and the true probability of each tag and each span.

In: emissions (time, batch, num_tags). Out: sentences with tags, `scores` (the marginal of each chosen tag), `spans`,
each with the probability, summed over all paths, that exactly this span with this label is there, and the probability
of all the tags together. A batch is read as one long row of tokens; what is done in Python is done once a sentence or
a span.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gatewise.crf import CRFScores, Lattice, Sums, best_tags, lattice, n_best, path_scores, sum_paths
from gatewise.crf.scores import Floats
from gatewise.runtime.constraints import Constraints, allowed_tags
from gatewise.runtime.dictionary import Dictionary
from gatewise.runtime.neighbors import Neighbors
from gatewise.runtime.tag_table import TagTable, tag_table
from gatewise.text.sentence import Sentence, TextSpan

Ints = npt.NDArray[np.intp]
Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """The labels, their scheme, and the CRF's scores; with `break_at_gaps` no span reaches across white space.

    The words of a `dictionary` are favored. `neighbors` steer where a whole text is tagged, see `runtime.work`.
    Probabilities are those of all scores divided by the `temperature`, which changes how sure they are, and no tag.
    """

    labels: tuple[str, ...]
    scheme: str
    scores: CRFScores
    break_at_gaps: bool = False
    dictionary: Dictionary | None = None
    neighbors: Neighbors | None = None
    temperature: float = 1.0
    table: TagTable = field(init=False, repr=False, compare=False)
    _sure: CRFScores = field(init=False, repr=False, compare=False)  # the scores under the temperature

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", tag_table(self.labels, self.scheme))
        sure = self.scores if self.temperature == 1 else self.scores.scaled(1 / self.temperature)
        object.__setattr__(self, "_sure", sure)

    def breaks(self, sentence: Sentence) -> tuple[int, ...]:
        """The tokens, by number, that stand apart from the one before and so have to start a word."""
        if not self.break_at_gaps or not len(sentence):
            return ()
        starts, ends = sentence.edges
        if ends[-1] - starts[0] == len(starts):
            return ()  # as many characters as tokens: none is left for a gap
        return tuple(t for t in range(1, len(starts)) if ends[t - 1] != starts[t])

    def constrained(
        self, sentences: Sequence[Sentence], emissions: Floats, constraints: Sequence[Constraints | None] | None = None
    ) -> Floats:
        """The emissions with all that steers the tags from outside: minus infinity for tags that would carry a word on
        across white space or that the constraints exclude, and what the dictionary favors.

        They are as they came where there is nothing of that. Raises ConstraintError as `allowed_tags` does.
        """
        changed = None
        for column, sentence in enumerate(sentences):
            added = self._steering(sentence, constraints[column] if constraints else None)
            if added is not None:
                changed = emissions.copy() if changed is None else changed
                changed[: len(sentence), column] += added
        return emissions if changed is None else changed

    def _steering(self, sentence: Sentence, constraints: Constraints | None) -> Float64s | None:
        """What to add to the emissions of one sentence, (time, num_tags); None for nothing."""
        breaks = self.breaks(sentence)
        added = self.dictionary.bonus(sentence, self.table, breaks) if self.dictionary else None
        if not breaks and not constraints:
            return added
        open_tags = np.ones((len(sentence), len(self.labels)), dtype=bool)
        open_tags[list(breaks)] = ~self.table.goes_on
        if constraints:
            open_tags = allowed_tags(constraints, sentence, self.table, self.scores, open_tags)
        return np.where(open_tags, 0.0 if added is None else added, -np.inf)

    def decode(
        self,
        sentences: Sequence[Sentence],
        emissions: Floats,
        *,
        scores: bool = True,
        constraints: Sequence[Constraints | None] | None = None,
    ) -> list[Sentence]:
        """Tag non-empty sentences from their emissions (time, batch, num_tags), padding after the shorter ones.

        Without `scores` no probability is computed: `Sentence.scores` and `path_probability` stay None, and the score
        of a span is not a number (math.nan). `constraints`, one entry a sentence: see `constrained`.
        """
        batch = self._lattice(sentences, self.constrained(sentences, emissions, constraints))
        return self.tagged(sentences, batch, best_tags(batch, self.scores), scores=scores)

    def n_best(
        self, sentence: Sentence, emissions: Floats, n: int, constraints: Constraints | None = None
    ) -> list[Sentence]:
        """The sentence under its n best legal paths, best first, fewer where there are no more; `emissions` (time, 1,
        num_tags)."""
        steered = self.constrained([sentence], emissions, [constraints])
        ranked = n_best(steered[:, 0], self.scores, n)
        if not len(ranked.tags):
            return []
        copies = [sentence] * len(ranked.tags)
        batch = self._lattice(copies, np.repeat(steered, len(copies), axis=1))
        return self.tagged(copies, batch, ranked.tags.T, scores=True)

    def marginals(
        self,
        sentences: Sequence[Sentence],
        emissions: Floats,
        *,
        constraints: Sequence[Constraints | None] | None = None,
    ) -> list[Float64s]:
        """How probable each tag is at each token, (time, num_tags) a sentence; `emissions` (time, batch, num_tags)."""
        batch = self._lattice(sentences, self.constrained(sentences, emissions, constraints))
        by_sentence = batch.restored(self._sums(batch).marginals())
        return [by_sentence[: len(sentence), :, column] for column, sentence in enumerate(sentences)]

    def _lattice(self, sentences: Sequence[Sentence], emissions: Floats) -> Lattice:
        return lattice(emissions, np.fromiter(map(len, sentences), dtype=np.intp, count=len(sentences)))

    def _sums(self, batch: Lattice) -> Sums:
        return sum_paths(batch if self.temperature == 1 else batch.scaled(1 / self.temperature), self._sure)

    def tagged(self, sentences: Sequence[Sentence], batch: Lattice, tags: Ints, *, scores: bool) -> list[Sentence]:
        """The sentences with these tags, (time, batch) in the columns of the lattice, in the order they came in."""
        row = tags.T[batch.inside.T]  # sentence after sentence
        starts, ends = self.table.spans(row)
        known = self._probabilities(batch, tags, starts, ends) if scores else None
        edges = np.concatenate([[0], np.cumsum(batch.lengths)])
        first_span = np.searchsorted(starts, edges)
        before = np.repeat(edges[:-1], np.diff(first_span))  # the tokens of the sentences before, for each span
        names, labels = self.table.names[row].tolist(), self.table.span_labels[row[starts]].tolist()
        first, last = (starts - before).tolist(), (ends - 1 - before).tolist()
        chances = known.spans if known else [math.nan] * len(starts)
        result = list(sentences)
        at, span_at = edges.tolist(), first_span.tolist()
        for column, index in enumerate(batch.order.tolist()):
            tokens, spans = slice(at[column], at[column + 1]), slice(span_at[column], span_at[column + 1])
            result[index] = sentences[index].decoded(
                tags=tuple(names[tokens]),
                scores=tuple(known.tags[tokens]) if known else None,
                spans=_text_spans(sentences[index], first[spans], last[spans], labels[spans], chances[spans]),
                path_probability=known.paths[column] if known else None,
            )
        return result

    def _probabilities(self, batch: Lattice, tags: Ints, starts: Ints, ends: Ints) -> _Probabilities:
        """Of each tag and each span of these paths, in one row, and of each path as a whole.

        Along a path the tags are a Markov chain: a span's probability is the marginal of its first tag times each
        next tag given the one before. BIOES writes the right edge into the tags. BIO does not: there it is also times
        the chance that the span does not go on.
        """
        sums = self._sums(batch)
        inside = batch.inside.T
        there = sums.tag_probabilities(tags)
        steps = np.ones_like(there)
        steps[1:] = sums.moves(tags[:-1], tags[1:])
        there_row, row = there.T[inside], tags.T[inside]
        factors = np.where(self.table.goes_on[row], steps.T[inside], np.where(self.table.opens[row], there_row, 1.0))
        spans = np.multiply.reduceat(factors, starts) if len(starts) else np.zeros(0)
        if self.table.open_ended:
            onward = np.zeros_like(there)
            inner = self.table.inner[tags[:-1]]
            onward[:-1] = np.where(inner >= 0, sums.moves(tags[:-1], inner), 0.0)
            spans *= 1 - onward.T[inside][ends - 1]
        paths = np.exp(path_scores(batch, self.scores, tags) / self.temperature - sums.log_partition)
        return _Probabilities(tags=_chances(there_row), spans=_chances(spans), paths=_chances(paths))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probabilities:
    tags: list[float]
    spans: list[float]
    paths: list[float]


def _chances(values: Float64s) -> list[float]:
    """Probabilities as numbers, without what rounding put outside 0 to 1."""
    found: list[float] = np.clip(values, 0.0, 1.0).tolist()
    return found


def _text_spans(
    sentence: Sentence, first: list[int], last: list[int], labels: list[str], scores: list[float]
) -> tuple[TextSpan, ...]:
    """Spans from the first to the last of their tokens as spans of the text."""
    if not first:
        return ()
    text, (starts, ends) = sentence.text, sentence.edges
    begin, end = list(map(starts.__getitem__, first)), list(map(ends.__getitem__, last))
    texts = [text[a:b] for a, b in zip(begin, end, strict=True)]
    return tuple(map(TextSpan._make, zip(begin, end, labels, texts, scores, strict=True)))
