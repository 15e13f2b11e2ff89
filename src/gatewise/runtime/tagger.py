"""The tagger that users hold: text in, tagged sentences out, without torch.

tagger = gatewise.load("zh")
tagger.tag("我叫小明").spans
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from gatewise.model.archive import ModelArchive, open_model
from gatewise.model.bundled import find_model
from gatewise.runtime.decode import Decoder
from gatewise.runtime.session import Session
from gatewise.runtime.trace import Trace, trace_sentence
from gatewise.text.sentence import Sentence, sentence_from_forms
from gatewise.text.tokenize import check_text, tokenize

CHUNK = 1024  # sentences looked at together, so that those of like length can share a batch
BATCH_TOKENS = 4096  # places in a batch, padding included


class Tagger:
    """A loaded model. It holds no state that a call changes, so one may serve many threads."""

    def __init__(self, archive: ModelArchive, *, threads: int = 0) -> None:
        self.archive = archive
        self._session = Session(archive, threads=threads)
        self._decoder = Decoder(
            labels=archive.labels,
            scheme=archive.scheme,
            scores=archive.crf_scores(),
            break_at_gaps=archive.config.task.kind == "segmentation" and archive.config.task.spaces == "between",
        )

    @property
    def name(self) -> str:
        return self.archive.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The tags the model knows, in the order of the emissions."""
        return self.archive.labels

    @property
    def scheme(self) -> str:
        return self.archive.scheme

    def tag(self, text: str, *, scores: bool = True) -> Sentence:
        """Tag one text as one sentence; white space and whatever else is no token stays where it is.

        Without `scores` no probability is computed, which is faster: see `Decoder.decode`.
        Raises TextError for a text that is no valid Unicode (an unpaired surrogate).
        """
        return self.tag_sentences([self.tokenize(text)], scores=scores)[0]

    def tag_tokens(self, forms: Sequence[str], *, scores: bool = True) -> Sentence:
        """Tag a sentence that comes in tokens.

        Raises TextError as `tag` does.
        """
        sentence = sentence_from_forms(forms)
        check_text(sentence.text)
        return self.tag_sentences([sentence], scores=scores)[0]

    def tag_many(self, texts: Iterable[str], *, scores: bool = True) -> Iterator[Sentence]:
        """Tag any iterable of texts, lazily, in order, with constant memory."""
        source = iter(texts)
        while chunk := [self.tokenize(text) for text in islice(source, CHUNK)]:
            yield from self.tag_sentences(chunk, scores=scores)

    def tokenize(self, text: str) -> Sentence:
        """The text as this model reads it."""
        return tokenize(text, self.archive.config.task.tokenizer)

    def tag_sentences(self, sentences: Sequence[Sentence], *, scores: bool = True) -> list[Sentence]:
        """Tag tokenized sentences; what tags they had is not looked at. An empty one gets no tags."""
        tagged = [_untaggable(sentence) if not len(sentence) else sentence for sentence in sentences]
        for indices in _batches([len(sentence) for sentence in sentences]):
            chosen = [sentences[index] for index in indices]
            emissions = self._session.emissions(self._session.encode(chosen))
            for index, sentence in zip(indices, self._decoder.decode(chosen, emissions, scores=scores), strict=True):
                tagged[index] = sentence
        return tagged

    def trace(self, text: str | Sentence) -> Trace:
        """Every number on the way from the text to its tags, recomputed by the equations of `lstm/` in float64.

        A sentence that has its tokens already keeps them; what tags it had is not looked at.
        """
        sentence = self.tokenize(text) if isinstance(text, str) else text
        return trace_sentence(self.archive, self._session, self._decoder, sentence)


def _untaggable(sentence: Sentence) -> Sentence:
    """A sentence without tokens, tagged: it has no tags."""
    return replace(sentence, tags=(), scores=(), spans=(), path_probability=None)


def load(model: str | Path, *, threads: int = 0) -> Tagger:
    """Load a bundled model by its name, or any model folder; `threads` 0 leaves the number to onnxruntime.

    Raises ModelError when there is none, or when what is there is not a whole model.
    """
    return Tagger(open_model(find_model(model)), threads=threads)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of non-empty sentences, those of like length together."""
    batch: list[int] = []
    for index in sorted((index for index, length in enumerate(lengths) if length), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
