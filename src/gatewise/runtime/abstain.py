"""Saying nothing rather than something doubtful: what is less probable than a threshold is withheld.

In: tagged sentences with scores, and a threshold. Out: the same without the spans below it, and how many that were.
A span is left out and its tokens get the tag `O`, of which the probability is not known (math.nan). A word of a
segmenter stays a word, and a plain tag's token stays: their label becomes `?`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from gatewise.text.sentence import Sentence
from gatewise.text.transitions import OUTSIDE, make_tag, split_tag

WITHHELD = "?"


class Abstainer:
    """Withholds what scores below `least`, and counts: `withheld` of `total` spans (plain tags: tokens)."""

    def __init__(self, kind: str, least: float) -> None:
        """`kind` is that of the model's task: spans, tags or segmentation."""
        self._kind, self._least = kind, least
        self.withheld = self.total = 0

    def __call__(self, sentence: Sentence) -> Sentence:
        """The sentence without what is below the threshold; it must have scores."""
        if self._kind == "tags":
            return self._without_tags(sentence)
        doubtful = [span for span in sentence.spans if span.score < self._least]
        self.total += len(sentence.spans)
        self.withheld += len(doubtful)
        if not doubtful:
            return sentence
        inside = {at for span in doubtful for at in range(span.start, span.end)}
        changed = [token.start in inside for token in sentence.tokens]
        tags, scores = sentence.tags or (), sentence.scores or ()
        if self._kind == "segmentation":
            return replace(
                sentence,
                tags=tuple(self._unlabeled(tag) if c else tag for tag, c in zip(tags, changed, strict=True)),
                spans=tuple(s._replace(label=WITHHELD) if s.score < self._least else s for s in sentence.spans),
            )
        return replace(
            sentence,
            tags=tuple(OUTSIDE if c else tag for tag, c in zip(tags, changed, strict=True)),
            scores=tuple(math.nan if c else score for score, c in zip(scores, changed, strict=True)),
            spans=tuple(span for span in sentence.spans if span.score >= self._least),
        )

    def _without_tags(self, sentence: Sentence) -> Sentence:
        pairs = list(zip(sentence.tags or (), sentence.scores or (), strict=True))
        self.total += len(pairs)
        self.withheld += sum(score < self._least for _, score in pairs)
        return replace(sentence, tags=tuple(WITHHELD if score < self._least else tag for tag, score in pairs))

    def _unlabeled(self, tag: str) -> str:
        return make_tag(split_tag(tag)[0], WITHHELD)
