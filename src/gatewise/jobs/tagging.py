"""A chunk of units → what is written of each: a tagged sentence, its n best taggings, or why it cannot be tagged.

In: texts and sentences, with what is known of their tags. Out: as many results in the same order. A chunk is tagged at
once; only where that fails is it halved, until the sentence that is the cause stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from gatewise.errors import ConstraintError, TextError
from gatewise.formats.conll import ConllLayer
from gatewise.formats.conllu_rows import ConlluLayer
from gatewise.formats.tally import Tally
from gatewise.jobs.options import JobOptions
from gatewise.runtime import Constraints, Tagger
from gatewise.runtime.abstain import Abstainer
from gatewise.text import Heads
from gatewise.text.segment import words_from_characters
from gatewise.text.sentence import Sentence

Ranked: TypeAlias = tuple[Sentence, list[Sentence]]  # a sentence and its best taggings

_LEFT_OUT = "sentences whose other columns and comments are left out: this model makes words of its own"
_KINDS = {"tags": "tags", "segmentation": "labels of words"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Untaggable:
    """Why a sentence cannot be tagged; where it stands is not said."""

    reason: str


class ChunkTagger:
    """Tags chunks as a job was asked."""

    def __init__(self, tagger: Tagger, options: JobOptions) -> None:
        self._tagger, self._options = tagger, options
        self.head = tagger.archive.head(options.head)
        self.columns, self.split = options.columns, options.split
        self.needs_neighbors = options.neighbors is not None
        self._makes_words = "segmentation" in (tagger.archive.config.task.kind, self.head.task.kind)
        self.abstainers = {} if options.min_score is None else self._make_abstainers(options.min_score)

    def sentence(self, content: Sentence | str, tally: Tally) -> Sentence | Untaggable:
        """A unit in the tokens it is tagged in; `tally` counts what a segmenter's own words leave out."""
        if isinstance(content, Sentence):
            if not self._makes_words and (len(content) or not content.text):
                return content
            layer = content.layer
            if self._makes_words and isinstance(layer, ConllLayer | ConlluLayer) and layer.has_more:
                tally.add(_LEFT_OUT)
            content = content.text
        try:
            return self._tagger.tokenize(content)
        except (TextError, MemoryError) as error:
            return Untaggable(reason=_reason(error, content))

    def tag(
        self, sentences: Sequence[Sentence], known: Sequence[Constraints] = (), files: Sequence[int] = ()
    ) -> list[Sentence | Ranked | Untaggable]:
        """A result for each sentence; `known` has constraints for each, or is empty. So has `files` the numbers of the
        files that they come from: a sentence is no neighbor of one in another file."""
        if not sentences:
            return []
        if self.needs_neighbors and len(set(files)) > 1:
            edges = [0, *(at for at in range(1, len(files)) if files[at] != files[at - 1]), len(files)]
            return [result for a, b in pairwise(edges) for result in self.tag(sentences[a:b], known[a:b])]
        try:
            return [*self._results(sentences, known)]
        except (TextError, ConstraintError, MemoryError) as error:
            if len(sentences) > 1:
                half = len(sentences) // 2
                return self.tag(sentences[:half], known[:half]) + self.tag(sentences[half:], known[half:])
            return [Untaggable(reason=_reason(error, sentences[0].text))]

    def _results(
        self, sentences: Sequence[Sentence], known: Sequence[Constraints]
    ) -> Sequence[Sentence] | Sequence[Ranked]:
        asked = self._options
        if asked.n_best is not None:
            constraints: Sequence[Constraints | None] = known or [None] * len(sentences)
            pairs = zip(sentences, constraints, strict=True)
            return [
                (one, self._tagger.n_best(one, asked.n_best, constraints=of_it, head=asked.head))
                for one, of_it in pairs
            ]
        tagged = self._tagger.tag_sentences(
            sentences, scores=asked.scores, constraints=known if any(known) else None, head=asked.asked_head
        )
        if self.abstainers:
            tagged = [self._confident(sentence) for sentence in tagged]
        if asked.target == "conllu" and self.head.task.kind == "segmentation":  # CoNLL-U holds words
            tagged = [words_from_characters(one, self.head.scheme) if len(one) else one for one in tagged]
        return tagged

    def _make_abstainers(self, least: float) -> dict[str, Abstainer]:
        """One for each head that is asked, the first of them being the one that decides."""
        further = {} if self._options.asked_head is not None else self._tagger.archive.heads
        heads = {self.head.name: self.head, **further}
        return {name: Abstainer(head.task.kind, least) for name, head in heads.items()}

    def _confident(self, sentence: Sentence) -> Sentence:
        first, *further = self.abstainers
        kept = self.abstainers[first](sentence)
        if not further:
            return kept
        return replace(kept, heads=Heads({name: self.abstainers[name](sentence.heads[name]) for name in further}))

    def say_withheld(self, say: Callable[[str], None]) -> None:
        """Tell how much was withheld."""
        several = len(self.abstainers) > 1
        for name, counts in self.abstainers.items():
            what = _KINDS.get(self._tagger.archive.head(name).task.kind, "spans")
            where = f"{name}: " if several and name else ""
            least = self._options.min_score
            say(f"{where}withheld {counts.withheld} of {counts.total} {what}, with a probability below {least:g}")


def _reason(error: Exception, text: str) -> str:
    if isinstance(error, MemoryError):
        return f"expected a sentence that fits into memory, found one of {len(text):,} characters; cut it into several"
    return str(error)
