"""What a format cannot hold, counted over the sentences that are written to it.

In: sentences on their way to a writer. Out: the same sentences, and afterwards what was lost of them, by name. A loss
is what reading the file back would not bring: gaps other than those put back by rule, tokens that no tokenizer would
make again, probabilities, columns of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatewise.formats.conll import ConllLayer
from gatewise.formats.conllu_rows import ConlluLayer
from gatewise.text import Sentence, sentence_from_forms, tokenize
from gatewise.text.tokenize import TOKENIZERS

_NO_SCORES = ("inline", "conll", "conllu", "doccano", "label-studio", "prodigy", "cluener", "docbin")
_NO_TOKENS = ("doccano", "label-studio", "cluener")


class Losses:
    """Counts, while sentences pass to a writer of `format`, how many lose what; `scheme` is that of their tags."""

    def __init__(self, format: str) -> None:
        self._format = format
        self._counts: dict[str, int] = {}
        self._unlike = dict.fromkeys(TOKENIZERS, 0)  # sentences with other tokens than this tokenizer makes

    def passing(self, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
        """The sentences, counted."""
        for sentence in sentences:
            for what in self._of(sentence):
                self._counts[what] = self._counts.get(what, 0) + 1
            if self._format in _NO_TOKENS:
                self._compare(sentence)
            yield sentence

    def lines(self) -> list[str]:
        """One sentence for each kind of loss."""
        counts = dict(self._counts)
        if lost := min(self._unlike.values()):
            counts["tokens (a tokenizer makes others when the file is read)"] = lost
        return [f"{self._format} cannot hold {what}: lost in {_sentences(n)}" for what, n in counts.items()]

    def _of(self, sentence: Sentence) -> Iterator[str]:
        if self._format != "conll" and isinstance(sentence.layer, ConllLayer) and sentence.layer.has_more:
            yield "columns that are not read, comments and document marks"
        if self._format != "conllu" and isinstance(sentence.layer, ConlluLayer) and sentence.layer.has_more:
            yield "what else CoNLL-U says (comments, lemmas, features, heads)"
        if self._format not in ("jsonl", "conll") and sentence.heads:
            yield "what further heads say"
        if self._format in _NO_SCORES and sentence.scores is not None:
            yield "probabilities"
        if self._format == "conll" and sentence.tokens:
            if sentence_from_forms(sentence.forms).text != sentence.text:
                yield "the spaces between tokens"
            if sentence.tags is None and sentence.spans:
                yield "spans without tags"
        if self._format == "conll" and not sentence.tokens:
            yield "sentences without tokens"
        if self._format == "conllu" and sentence.tags is None and sentence.spans:
            yield "spans without tags"
        if self._format == "inline" and (sentence.tags or sentence.spans):
            yield "tags in a form that can be read back"

    def _compare(self, sentence: Sentence) -> None:
        for tokenizer in TOKENIZERS:
            self._unlike[tokenizer] += tokenize(sentence.text, tokenizer).tokens != sentence.tokens


def _sentences(count: int) -> str:
    return "1 sentence" if count == 1 else f"{count} sentences"
