"""The tagger that users hold: text in, tagged sentences out, without torch.

tagger = gatewise.load("zh")
tagger.tag("我叫小明").spans
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.crf import CRFScores
from gatewise.crf.scores import Floats
from gatewise.errors import ConfigError, ConstraintError
from gatewise.model.archive import ModelArchive, open_model
from gatewise.model.bundled import find_model
from gatewise.model.heads import MAIN_HEAD
from gatewise.runtime.assembled import bare, in_order
from gatewise.runtime.constraints import Constraints, Known, constraints_for
from gatewise.runtime.decode import Decoder
from gatewise.runtime.dictionary import Dictionary, read_dictionary
from gatewise.runtime.neighbors import REACH, WEIGHT, Neighbors
from gatewise.runtime.work import Work
from gatewise.runtime.workers import Pool, Workers, batches_of
from gatewise.text.sentence import Sentence, sentence_from_forms
from gatewise.text.tokenize import check_text, tokenize

if TYPE_CHECKING:
    from gatewise.runtime.trace import Trace

CHUNK = 1024  # sentences looked at together, so that those of like length can share a batch


class Tagger:
    """A loaded model. No call changes what another one gets, so one may serve many threads.

    `labels`, `scheme`, `temperature` and `crf_scores` are the main head's. Constraints, dictionary and n-best work on
    the main head, or on the one that `head` names.
    """

    def __init__(self, archive: ModelArchive, *, threads: int = 0) -> None:
        self.archive = archive
        self._workers = Workers(archive, threads=threads)
        self._decoders = {name: _decoder_of(archive, name) for name in (MAIN_HEAD, *archive.heads)}

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
        return self._decoders[MAIN_HEAD].temperature

    @property
    def crf_scores(self) -> CRFScores:
        """The transitions, minus infinity where they are illegal; for a softmax output all others are 0."""
        return self._decoders[MAIN_HEAD].scores

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the further heads; what each says of a sentence is in the sentence's `heads`."""
        return tuple(self.archive.heads)

    def tag(
        self, text: str, *, scores: bool = True, constraints: Known | None = None, head: str | None = None
    ) -> Sentence:
        """Tag one text as one sentence; white space and whatever else is no token stays where it is.

        The tags are the main head's; `tag(text).heads["ner"]` is the sentence with those of the head `ner`. With `head`
        ("" is the main one) that head alone is decoded, which is faster, and the tags are its own.
        Without `scores` no probability is computed, which is faster: see `Decoder.decode`. `constraints` are what is
        known of the tags of the main head, or of `head`; the best tags and all its probabilities are given these,
        exactly.
        Raises TextError for a text that is no valid Unicode (an unpaired surrogate), ConstraintError for constraints
        that do not fit the text or the model, or that contradict each other, ModelError for a head that is not there.
        """
        known = None if constraints is None else [constraints]
        return self.tag_sentences([self.tokenize(text)], scores=scores, constraints=known, head=head)[0]

    def tag_tokens(self, forms: Sequence[str], *, scores: bool = True, head: str | None = None) -> Sentence:
        """Tag a sentence that comes in tokens.

        Raises TextError as `tag` does.
        """
        sentence = sentence_from_forms(forms)
        check_text(sentence.text)
        return self.tag_sentences([sentence], scores=scores, head=head)[0]

    def n_best(
        self, text: str | Sentence, n: int, *, constraints: Known | None = None, head: str = MAIN_HEAD
    ) -> list[Sentence]:
        """The n most probable taggings of a text (or of a sentence in tokens), each once, the most probable first.

        They are those of one head; what others say is not among them. `path_probability` is that of a whole tagging.
        There are fewer where no more are legal, and none without tokens.
        Raises ConfigError for an n below 1, and what `tag` raises.
        """
        if n < 1:
            raise ConfigError(f"n: expected a number of taggings of at least 1, found {n}")
        decoder = self._decoder(head)
        sentence = bare(self.tokenize(text) if isinstance(text, str) else text)
        known = constraints_for(sentence, constraints)
        if not len(sentence):
            return []
        emissions = self._workers.session.emissions(self._workers.session.encode([sentence]), head)
        return decoder.n_best(sentence, emissions, n, known)

    def with_dictionary(
        self, dictionary: str | Path | Dictionary, *, hard: bool = False, head: str = MAIN_HEAD
    ) -> Tagger:
        """The same model with a user dictionary, a file in jieba's format or a `Dictionary`; this one stays as it is.

        It steers one head. With `hard` every word of it is cut out as one unit wherever it is found. Raises FormatError
        for a file that cannot be read, ConfigError for a head that marks no spans.
        """
        decoder = self._decoder(head)
        if decoder.scheme == "plain":
            of_head = f" (head {head})" if head else ""
            raise ConfigError(
                f"{self.name}{of_head}: expected a model that marks words or spans, to steer by a dictionary, found "
                "plain tags"
            )
        found = dictionary if isinstance(dictionary, Dictionary) else read_dictionary(dictionary, hard=hard)
        steered = copy(self)
        changed = replace(decoder, dictionary=replace(found, hard=hard or found.hard))
        steered._decoders = {**self._decoders, head: changed}
        return steered

    def with_neighbors(self, reach: int = REACH, *, weight: float = WEIGHT) -> Tagger:
        """The same model, for running text: of sentences that are tagged together, a name is labeled after what is
        believed of it in those up to `reach` before and after as well (docs/tagging.md). This one stays as it is.

        It steers every head that marks spans over tokens. `tag_sentences` takes what it is given for one text,
        `tag_many` a thousand texts at a time; `n_best` and `trace` look at one sentence and know of no others.
        Raises ConfigError for a model without such a head, and for a reach or a weight that `Neighbors` refuses.
        """
        spans = [name for name in self._decoders if self.archive.head(name).task.kind == "spans"]
        if not spans:
            raise ConfigError(f"{self.name}: expected a model that marks spans, for names that come again; found none")
        neighbors = Neighbors(reach=reach, weight=weight)
        steered = copy(self)
        changed = {name: replace(self._decoders[name], neighbors=neighbors) for name in spans}
        steered._decoders = {**self._decoders, **changed}
        return steered

    def with_temperature(self, temperature: float) -> Tagger:
        """The same model, as sure as this temperature says (see `runtime.calibration`); this one stays as it is.

        Raises ConfigError for a temperature that is not a number above 0.
        """
        if not 0 < temperature < math.inf:
            raise ConfigError(f"temperature: expected a number above 0, found {temperature}")
        changed = copy(self)
        main = replace(self._decoders[MAIN_HEAD], temperature=temperature)
        changed._decoders = {**self._decoders, MAIN_HEAD: main}
        return changed

    def emissions(self, sentences: Sequence[Sentence]) -> Iterator[tuple[list[Sentence], Floats]]:
        """Batches of non-empty sentences with their emissions (time, batch, num_tags), those of like length together.

        What steers the tags from outside, white space and a dictionary, is in them.
        """
        for indices in batches_of(list(map(len, sentences))):
            chosen = [sentences[index] for index in indices]
            emissions = self._workers.session.emissions(self._workers.session.encode(chosen))
            yield chosen, self._decoders[MAIN_HEAD].constrained(chosen, emissions)

    def unknown_dictionary_labels(self) -> tuple[str, ...]:
        """The labels in this tagger's dictionary that the head which it steers does not have."""
        steered = [(decoder.dictionary, decoder.table) for decoder in self._decoders.values()]
        found = [label for words, table in steered if words is not None for label in words.unknown_labels(table)]
        return tuple(dict.fromkeys(found))

    def tag_many(self, texts: Iterable[str], *, scores: bool = True, head: str | None = None) -> Iterator[Sentence]:
        """Tag any iterable of texts, lazily, in order, with constant memory.

        Where there are several threads, they begin the next texts while those before are handed out.
        """
        source = iter(texts)
        with Pool(self._workers) as pool:
            started: Iterator[Sentence] = iter(())
            try:
                while chunk := [self.tokenize(text) for text in islice(source, CHUNK)]:
                    full = len(chunk) == CHUNK
                    ready, started = started, self._started(pool, chunk, scores=scores, head=head, more=full)
                    yield from ready
            except Exception:
                yield from started  # what came before a text that cannot be read
                raise
            yield from started

    def tokenize(self, text: str) -> Sentence:
        """The text as this model reads it."""
        return tokenize(text, self.archive.config.task.tokenizer)

    def tag_sentences(
        self,
        sentences: Sequence[Sentence],
        *,
        scores: bool = True,
        constraints: Sequence[Known | None] | None = None,
        head: str | None = None,
    ) -> list[Sentence]:
        """Tag tokenized sentences; what tags they had is not looked at. An empty one gets no tags.

        `constraints` has one entry a sentence; for them and for `head` see `tag`.
        """
        if constraints and len(constraints) != len(sentences):
            raise ConstraintError(
                f"expected constraints for {len(sentences)} sentences, found {len(constraints)} entries"
            )
        known = [constraints_for(*pair) for pair in zip(sentences, constraints or (), strict=False)]
        with Pool(self._workers) as pool:
            return list(self._started(pool, sentences, scores=scores, known=known, head=head))

    def _started(
        self,
        pool: Pool,
        sentences: Sequence[Sentence],
        *,
        scores: bool,
        known: Sequence[Constraints | None] = (),
        head: str | None,
        more: bool = False,
    ) -> Iterator[Sentence]:
        """The sentences, tagged, in their order; work on them begins at once. `more`: see `Pool.start`."""
        if head is not None:
            self._decoder(head)
        heads = (MAIN_HEAD, *self.heads) if head is None else (head,)
        work = Work(
            sentences=sentences, decoders={name: self._decoders[name] for name in heads}, scores=scores, known=known
        )
        batches = list(batches_of(list(map(len, sentences))))
        return in_order(sentences, heads, batches, work.start(pool, batches, more=more))

    def trace(self, text: str | Sentence, head: str = MAIN_HEAD) -> Trace:
        """Every number on the way from the text to a head's tags, recomputed by the equations of `lstm/` in float64.

        A sentence that has its tokens already keeps them; what tags it had is not looked at.
        Raises ModelError for a head that the model does not have.
        """
        from gatewise.runtime.trace import trace_sentence

        decoder = self._decoder(head)
        sentence = bare(self.tokenize(text) if isinstance(text, str) else text)
        return trace_sentence(self.archive, self._workers.session, decoder, sentence, self.archive.head(head))

    def _decoder(self, head: str) -> Decoder:
        """That of this head; raises ModelError for one that the model does not have."""
        return self._decoders[self.archive.head(head).name]


def _decoder_of(archive: ModelArchive, name: str) -> Decoder:
    head = archive.head(name)
    return Decoder(
        labels=head.labels,
        scheme=head.scheme,
        scores=archive.crf_scores(name),
        break_at_gaps=head.breaks_at_gaps,
        temperature=archive.temperature if name == MAIN_HEAD else 1.0,
    )


def load(model: str | Path, *, threads: int = 0, dictionary: str | Path | Dictionary | None = None) -> Tagger:
    """Load a bundled model by its name, or any model folder; `threads` 0 means one a core.

    `dictionary`: see `Tagger.with_dictionary`.
    Raises ModelError when there is none, or when what is there is not a whole model.
    """
    tagger = Tagger(open_model(find_model(model)), threads=threads)
    return tagger if dictionary is None else tagger.with_dictionary(dictionary)
