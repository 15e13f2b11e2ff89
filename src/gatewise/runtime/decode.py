"""From emissions to tagged sentences: the best legal path, and the true probability of each tag and each span.

In: emissions (time, batch, num_tags). Out: sentences with tags, `scores` (the marginal of each chosen tag) and `spans`,
each with the probability, summed over all paths, that exactly this span with this label is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gatewise.crf import CRFScores, PathSums, forward_backward, stretch_probability, viterbi
from gatewise.crf.scores import Floats
from gatewise.text.schemes import spans_from_tags, split_tag, tags_from_spans
from gatewise.text.sentence import Sentence, Span, TextSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """The labels, their scheme, and the CRF's scores; with `break_at_gaps` no span reaches across white space."""

    labels: tuple[str, ...]
    scheme: str
    scores: CRFScores
    break_at_gaps: bool = False

    def breaks(self, sentence: Sentence) -> tuple[int, ...]:
        """The tokens, by number, that stand apart from the one before and so have to start a word."""
        if not self.break_at_gaps:
            return ()
        return tuple(t for t, (a, b) in enumerate(pairwise(sentence.tokens), start=1) if a.end != b.start)

    def constrained(self, sentences: Sequence[Sentence], emissions: Floats) -> Floats:
        """The emissions with minus infinity for tags that would carry a word on across white space.

        They are as they came where nothing is in the way, and unless `break_at_gaps` is set.
        """
        gaps = [(t, column) for column, sentence in enumerate(sentences) for t in self.breaks(sentence)]
        if not gaps:
            return emissions
        goes_on = [number for number, tag in enumerate(self.labels) if split_tag(tag)[0] in "IME"]
        free = emissions.copy()
        for t, column in gaps:
            free[t, column, goes_on] = -np.inf
        return free

    def decode(self, sentences: Sequence[Sentence], emissions: Floats) -> list[Sentence]:
        """Tag non-empty sentences from their emissions (time, batch, num_tags), padding after the shorter ones."""
        emissions = self.constrained(sentences, emissions)
        lengths = np.array([len(sentence) for sentence in sentences])
        best = viterbi(emissions, lengths, self.scores)
        sums = forward_backward(emissions, lengths, self.scores)
        return [
            self._tagged(sentence, column, best.tags[: len(sentence), column], sums, emissions)
            for column, sentence in enumerate(sentences)
        ]

    def _tagged(
        self, sentence: Sentence, column: int, path: npt.NDArray[np.intp], sums: PathSums, emissions: Floats
    ) -> Sentence:
        tags = tuple(self.labels[tag] for tag in path)
        marginals = sums.marginals[np.arange(len(path)), column, path]
        spans = [] if self.scheme == "plain" else spans_from_tags(tags, self.scheme)
        return replace(
            sentence,
            tags=tags,
            scores=tuple(min(1.0, float(value)) for value in marginals),
            spans=tuple(
                TextSpan(
                    start=(start := sentence.tokens[span.start].start),
                    end=(end := sentence.tokens[span.end - 1].end),
                    label=span.label,
                    text=sentence.text[start:end],
                    score=self._span_probability(span, column, len(path), sums, emissions),
                )
                for span in spans
            ),
        )

    def _span_probability(self, span: Span, column: int, length: int, sums: PathSums, emissions: Floats) -> float:
        """P(this span, with this label and just these edges).

        BIOES writes the right edge into the tags. BIO does not: there the paths on which the span goes on are taken
        off.
        """
        shifted = Span(start=0, end=span.end - span.start, label=span.label)
        stretch = [self.labels.index(tag) for tag in tags_from_spans([shifted], shifted.end, self.scheme)]

        def probability(tags: list[int]) -> float:
            return stretch_probability(sums, emissions, self.scores, sentence=column, start=span.start, tags=tags)

        score = probability(stretch)
        inside = f"I-{span.label}"
        if self.scheme == "BIO" and span.end < length and inside in self.labels:
            score -= probability([*stretch, self.labels.index(inside)])
        return min(1.0, max(0.0, score))
