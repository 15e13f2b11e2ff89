"""Skip-gram with subwords (Mikolov et al. 2013, Bojanowski et al. 2017), trained by gensim (docs/adr/0031).

In: sentences of keys and what was asked for. Out: vectors of the keys that are frequent enough, and of further keys
that are composed from the subwords of these. With one thread the same seed gives the same vectors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gatewise.errors import TrainingError
from gatewise.training.extras import embedding_extra
from gatewise.training.raw_text import KeptKeys
from gatewise.training.vector_files import Float32s

MOST_BUCKETS = 2_000_000  # rows that subwords share, as fastText has them
JOB = 10_000  # tokens that a thread takes at a time
JOBS = 20  # at least so many an epoch, for the learning rate falls from job to job

OnSentences = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipGram:
    """What is trained: vectors of `dim` numbers. `subwords`: the shortest and the longest, (0, 0) for none."""

    dim: int = 64
    epochs: int = 5
    min_count: int = 5
    window: int = 5
    subwords: tuple[int, int] = (0, 0)
    threads: int = 1
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVectors:
    """Vectors by key: `trained`, the most frequent first, and `composed` from subwords, in the order asked for.

    `missing` are the keys that share no subword with any that was trained.
    """

    trained: dict[str, Float32s]
    composed: dict[str, Float32s]
    missing: tuple[str, ...]


def check_gensim() -> None:
    """Raise MissingExtraError where gensim is not installed, before anything else is done."""
    with embedding_extra():
        import gensim.models  # noqa: F401


def train_vectors(
    kept: KeptKeys, asked: SkipGram, further: Iterable[str] = (), on_sentences: OnSentences = lambda _: None
) -> KeyVectors:
    """Train on what was kept; `on_sentences` hears how many sentences have been read, over all epochs.

    Raises TrainingError where nothing is frequent enough, MissingExtraError where gensim is not installed.
    """
    check_gensim()
    counts = kept.counts(asked.min_count)
    if len(counts) < 2:
        raise TrainingError(
            f"expected at least 2 different tokens seen {asked.min_count} time(s) or more in the text, found"
            f" {len(counts)} among {kept.tokens:,} tokens; give more text, or lower --min-count"
        )
    grams = {gram for key in counts for gram in _subwords(key, asked.subwords)}
    with _quiet():
        model = _model(asked, kept.tokens, buckets=min(MOST_BUCKETS, max(2 * len(grams), 1)))
        model.build_vocab_from_freq(counts, corpus_count=kept.sentences)
        sentences = _Heard(kept, on_sentences)
        model.train(sentences, total_examples=kept.sentences, epochs=asked.epochs)
    if sentences.error:
        raise sentences.error
    trained = dict(zip(model.wv.index_to_key, model.wv.vectors, strict=True))
    known = {
        key: [gram for gram in _subwords(key, asked.subwords) if gram in grams]
        for key in dict.fromkeys(further)
        if key not in trained
    }
    return KeyVectors(
        trained=trained,
        composed={key: _rows(model.wv, found).mean(axis=0) for key, found in known.items() if found},
        missing=tuple(key for key, found in known.items() if not found),
    )


def _model(asked: SkipGram, tokens: int, *, buckets: int) -> Any:
    from gensim.models import FastText, Word2Vec

    settings = {
        "sg": 1,
        "vector_size": asked.dim,
        "window": asked.window,
        "min_count": asked.min_count,
        "workers": asked.threads,
        "seed": asked.seed,
        "batch_words": min(JOB, max(1, tokens // JOBS)),
    }
    if asked.subwords == (0, 0):
        return Word2Vec(**settings)
    shortest, longest = asked.subwords
    return FastText(**settings, min_n=shortest, max_n=longest, bucket=buckets)


def _subwords(key: str, lengths: tuple[int, int]) -> list[str]:
    """The subwords of a key between < and >, without the lone < and >, which fastText leaves out, too."""
    from gensim.models.fasttext import compute_ngrams

    if lengths == (0, 0):
        return []
    return [gram for gram in compute_ngrams(key, *lengths) if gram not in ("<", ">")]


def _rows(found: Any, grams: list[str]) -> Float32s:
    """The vectors of subwords, (grams, dim)."""
    from gensim.models.fasttext_inner import ft_hash_bytes

    rows: Float32s = found.vectors_ngrams[[ft_hash_bytes(gram.encode("utf-8")) % found.bucket for gram in grams]]
    return rows


class _Heard:
    """Sentences whose reading is told: gensim reads them once an epoch, and some jobs ahead of the training.

    An error ends them, and is kept: gensim reads in a thread of its own, and would wait forever for one that died.
    """

    def __init__(self, kept: KeptKeys, on_sentences: OnSentences) -> None:
        self._kept, self._on_sentences, self._read = kept, on_sentences, 0
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[list[str]]:
        try:
            for keys in () if self.error else self._kept:
                yield keys
                self._read += 1
                self._on_sentences(self._read)
        except Exception as error:
            self.error = error


@contextmanager
def _quiet() -> Iterator[None]:
    """gensim's log, which takes a small text for a mistake, held back."""
    log = logging.getLogger("gensim")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
