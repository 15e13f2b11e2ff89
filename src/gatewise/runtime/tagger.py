"""The tagger that users hold: text in, tagged sentences out, without torch.

tagger = gatewise.load("zh")
tagger.tag("我叫小明").spans
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

from gatewise.crf import CRFScores
from gatewise.crf.scores import Floats
from gatewise.errors import ConfigError, ConstraintError
from gatewise.model.archive import ModelArchive, open_model
from gatewise.model.bundled import find_model
from gatewise.runtime.constraints import Constraints, constraints_from_dict
from gatewise.runtime.decode import Decoder
from gatewise.runtime.dictionary import Dictionary, read_dictionary
from gatewise.runtime.session import Session
from gatewise.runtime.trace import Trace, trace_sentence
from gatewise.text.sentence import Sentence, sentence_from_forms
from gatewise.text.tokenize import check_text, tokenize

CHUNK = 1024  # sentences looked at together, so that those of like length can share a batch
BATCH_TOKENS = 4096  # places in a batch, padding included

Known: TypeAlias = Constraints | Mapping[str, Any]  # a mapping as `constraints_from_dict` reads it


class Tagger:
    """A loaded model. No call changes what another one gets, so one may serve many threads."""

    def __init__(self, archive: ModelArchive, *, threads: int = 0) -> None:
        self.archive = archive
        self._session = Session(archive, threads=threads)
        self._workers = threads or os.cpu_count() or 1
        self._narrow: Session | None = None  # on one thread, for batches side by side; made when it is first needed
        self._lock = Lock()
        self._decoder = Decoder(
            labels=archive.labels,
            scheme=archive.scheme,
            scores=archive.crf_scores(),
            temperature=archive.temperature,
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

    @property
    def temperature(self) -> float:
        """What scores are divided by before probabilities are made of them; 1 unless it was fitted."""
        return self._decoder.temperature

    @property
    def crf_scores(self) -> CRFScores:
        """The transitions, minus infinity where they are illegal; for a softmax output all others are 0."""
        return self._decoder.scores

    def tag(self, text: str, *, scores: bool = True, constraints: Known | None = None) -> Sentence:
        """Tag one text as one sentence; white space and whatever else is no token stays where it is.

        Without `scores` no probability is computed, which is faster: see `Decoder.decode`. `constraints` are what is
        known of the tags; the best tags and all probabilities are given these, exactly.
        Raises TextError for a text that is no valid Unicode (an unpaired surrogate), ConstraintError for constraints
        that do not fit the text or the model, or that contradict each other.
        """
        known = None if constraints is None else [constraints]
        return self.tag_sentences([self.tokenize(text)], scores=scores, constraints=known)[0]

    def tag_tokens(self, forms: Sequence[str], *, scores: bool = True) -> Sentence:
        """Tag a sentence that comes in tokens.

        Raises TextError as `tag` does.
        """
        sentence = sentence_from_forms(forms)
        check_text(sentence.text)
        return self.tag_sentences([sentence], scores=scores)[0]

    def n_best(self, text: str | Sentence, n: int, *, constraints: Known | None = None) -> list[Sentence]:
        """The n most probable taggings of a text (or of a sentence in tokens), each once, the most probable first.

        `path_probability` is that of a whole tagging. There are fewer where no more are legal, and none without tokens.
        Raises ConfigError for an n below 1, and what `tag` raises.
        """
        if n < 1:
            raise ConfigError(f"n: expected a number of taggings of at least 1, found {n}")
        sentence = self.tokenize(text) if isinstance(text, str) else text
        known = None if constraints is None else _checked(constraints)
        if not len(sentence):
            _refuse_where_empty(known)
            return []
        emissions = self._session.emissions(self._session.encode([sentence]))
        return self._decoder.n_best(sentence, emissions, n, known)

    def with_dictionary(self, dictionary: str | Path | Dictionary, *, hard: bool = False) -> Tagger:
        """The same model with a user dictionary, a file in jieba's format or a `Dictionary`; this one stays as it is.

        With `hard` every word of it is cut out as one unit wherever it is found. Raises FormatError for a file that
        cannot be read, ConfigError for a model that marks no spans.
        """
        if self.scheme == "plain":
            raise ConfigError(
                f"{self.name}: expected a model that marks words or spans, to steer by a dictionary, found plain tags"
            )
        found = dictionary if isinstance(dictionary, Dictionary) else read_dictionary(dictionary, hard=hard)
        steered = copy(self)
        steered._decoder = replace(self._decoder, dictionary=replace(found, hard=hard or found.hard))
        return steered

    def with_temperature(self, temperature: float) -> Tagger:
        """The same model, as sure as this temperature says (see `runtime.calibration`); this one stays as it is.

        Raises ConfigError for a temperature that is not a number above 0.
        """
        if not 0 < temperature < math.inf:
            raise ConfigError(f"temperature: expected a number above 0, found {temperature}")
        changed = copy(self)
        changed._decoder = replace(self._decoder, temperature=temperature)
        return changed

    def emissions(self, sentences: Sequence[Sentence]) -> Iterator[tuple[list[Sentence], Floats]]:
        """Batches of non-empty sentences with their emissions (time, batch, num_tags), those of like length together.

        What steers the tags from outside, white space and a dictionary, is in them.
        """
        for indices in _batches([len(sentence) for sentence in sentences]):
            chosen = [sentences[index] for index in indices]
            yield chosen, self._decoder.constrained(chosen, self._session.emissions(self._session.encode(chosen)))

    def unknown_dictionary_labels(self) -> tuple[str, ...]:
        """The labels in this tagger's dictionary that the model does not have."""
        dictionary = self._decoder.dictionary
        return () if dictionary is None else dictionary.unknown_labels(self._decoder.table)

    def tag_many(self, texts: Iterable[str], *, scores: bool = True) -> Iterator[Sentence]:
        """Tag any iterable of texts, lazily, in order, with constant memory."""
        source = iter(texts)
        while chunk := [self.tokenize(text) for text in islice(source, CHUNK)]:
            yield from self.tag_sentences(chunk, scores=scores)

    def tokenize(self, text: str) -> Sentence:
        """The text as this model reads it."""
        return tokenize(text, self.archive.config.task.tokenizer)

    def tag_sentences(
        self,
        sentences: Sequence[Sentence],
        *,
        scores: bool = True,
        constraints: Sequence[Known | None] | None = None,
    ) -> list[Sentence]:
        """Tag tokenized sentences; what tags they had is not looked at. An empty one gets no tags.

        `constraints` has one entry a sentence, see `tag`.
        """
        known = [None if entry is None else _checked(entry) for entry in constraints or ()]
        if known and len(known) != len(sentences):
            raise ConstraintError(f"expected constraints for {len(sentences)} sentences, found {len(known)} entries")
        for entry, sentence in zip(known, sentences, strict=False):
            if not len(sentence):
                _refuse_where_empty(entry)
        tagged = [_untaggable(sentence) if not len(sentence) else sentence for sentence in sentences]
        batches = list(_batches([len(sentence) for sentence in sentences]))

        def tag_batch(session: Session, indices: list[int]) -> list[Sentence]:
            chosen = [sentences[index] for index in indices]
            emissions = session.emissions(session.encode(chosen))
            of_these = [known[index] for index in indices] if known else None
            return self._decoder.decode(chosen, emissions, scores=scores, constraints=of_these)

        for indices, found in zip(batches, self._in_parallel(tag_batch, batches), strict=True):
            for index, sentence in zip(indices, found, strict=True):
                tagged[index] = sentence
        return tagged

    def _in_parallel(
        self, tag_batch: Callable[[Session, list[int]], list[Sentence]], batches: Sequence[list[int]]
    ) -> Iterator[list[Sentence]]:
        """Each batch tagged, in order. Several are tagged side by side, each on one thread: a second thread is of more
        use on a batch of its own than in the matrix products of this one."""
        workers = min(self._workers, len(batches))
        if workers < 2:
            yield from (tag_batch(self._session, indices) for indices in batches)
            return
        with self._lock:
            if self._narrow is None:
                self._narrow = Session(self.archive, threads=1)
            session = self._narrow
        with ThreadPoolExecutor(workers, thread_name_prefix="gatewise") as pool:
            yield from pool.map(lambda indices: tag_batch(session, indices), batches)

    def trace(self, text: str | Sentence) -> Trace:
        """Every number on the way from the text to its tags, recomputed by the equations of `lstm/` in float64.

        A sentence that has its tokens already keeps them; what tags it had is not looked at.
        """
        sentence = self.tokenize(text) if isinstance(text, str) else text
        return trace_sentence(self.archive, self._session, self._decoder, sentence)


def _checked(constraints: Known) -> Constraints:
    return constraints if isinstance(constraints, Constraints) else constraints_from_dict(constraints)


def _refuse_where_empty(constraints: Constraints | None) -> None:
    if constraints:
        where = f"{constraints.where}: " if constraints.where else ""
        raise ConstraintError(f"{where}expected no constraints on a text without tokens, found some; leave them out")


def _untaggable(sentence: Sentence) -> Sentence:
    """A sentence without tokens, tagged: it has no tags."""
    return replace(sentence, tags=(), scores=(), spans=(), path_probability=None)


def load(model: str | Path, *, threads: int = 0, dictionary: str | Path | Dictionary | None = None) -> Tagger:
    """Load a bundled model by its name, or any model folder; `threads` 0 means one a core.

    `dictionary`: see `Tagger.with_dictionary`.
    Raises ModelError when there is none, or when what is there is not a whole model.
    """
    tagger = Tagger(open_model(find_model(model)), threads=threads)
    return tagger if dictionary is None else tagger.with_dictionary(dictionary)


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
