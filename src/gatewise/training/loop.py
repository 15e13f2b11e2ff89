"""The training loop: Adam, batches by length, gradient clipping, averaged weights, early stopping on dev.

In: a resolved configuration and tagged sentences. Out: a `TrainedTagger`, the best weights found and what they score on
dev. Randomness comes from `config.training.seed` alone, and torch's own generator is left as it was found.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gatewise.crf import CRFScores, Legality, viterbi
from gatewise.errors import TrainingError
from gatewise.model.archive import legality_of
from gatewise.model.config import Config
from gatewise.model.scoring import score_tags
from gatewise.text.schemes import complete_tags
from gatewise.text.sentence import Sentence
from gatewise.text.vocabulary import Vocabulary, build_vocabulary
from gatewise.training.batches import (
    Batch,
    EncodedSentence,
    collate,
    count_keys,
    cut_batches,
    encode_sentences,
    unknown_rates,
    with_unknowns,
)
from gatewise.training.crf import log_partition, path_score
from gatewise.training.events import BatchReport, EpochReport, Listener, Silence
from gatewise.training.network import TaggerNetwork
from gatewise.training.vectors import load_vectors

SCORING_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedTagger:
    """What training found: everything a model folder holds but the graph and the card."""

    config: Config
    labels: tuple[str, ...]
    tokens: Vocabulary
    bigrams: Vocabulary | None
    arrays: dict[str, Tensor]
    dev_score: float | None
    best_epoch: int
    seconds: float


def train_tagger(
    config: Config,
    train: Sequence[Sentence],
    dev: Sequence[Sentence] = (),
    listener: Listener | None = None,
) -> TrainedTagger:
    """Train a tagger; without dev sentences all epochs are run and the last weights are kept.

    `config` must be resolved: no `auto` left in its task (see `model.corpus.resolve_task`).
    Raises TrainingError when there is nothing to train on or the loss stops being finite.
    """
    train, dev = [s for s in train if len(s)], [s for s in dev if len(s)]
    if not train:
        raise TrainingError("the training split: expected at least one sentence, found none; check the file's format")
    threads = torch.get_num_threads()
    torch.set_num_threads(config.training.threads or threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.training.seed)
            return _Run(config, train, dev, listener or Silence()).run()
    finally:
        torch.set_num_threads(threads)


class _Run:
    """One training run; its state lives here and nowhere else."""

    def __init__(self, config: Config, train: Sequence[Sentence], dev: Sequence[Sentence], listener: Listener) -> None:
        self.config, self.listener = config, listener
        token_counts, bigram_counts = count_keys(train)
        features, weight = config.features, config.training.unknown_weight
        self.tokens = build_vocabulary(token_counts, features.min_count)
        self.bigrams = build_vocabulary(bigram_counts, features.bigram_min_count) if features.bigram_dim else None
        self.token_rates = unknown_rates(self.tokens, token_counts, weight)
        self.bigram_rates = unknown_rates(self.bigrams, bigram_counts, weight) if self.bigrams else None
        seen = {tag for sentence in train for tag in sentence.tags or ()}
        self.labels = tuple(complete_tags(seen, config.task.scheme))
        tag_ids = {tag: number for number, tag in enumerate(self.labels)}
        self.train = encode_sentences(train, self.tokens, self.bigrams, tag_ids)
        self.dev_gold = [sentence.tags or () for sentence in dev]
        self.dev = encode_sentences(dev, self.tokens, self.bigrams, tag_ids)
        self.network = self._new_network(legality_of(self.labels, config.task.scheme))
        self.average = {name: array.clone() for name, array in self.network.arrays().items()}
        trainable = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(trainable, lr=config.training.learning_rate, fused=True)
        self.shuffle = random.Random(config.training.seed)
        self.steps = 0
        self.started = time.perf_counter()

    def _new_network(self, legality: Legality) -> TaggerNetwork:
        network = TaggerNetwork(
            self.config,
            token_count=self.tokens.size,
            bigram_count=self.bigrams.size if self.bigrams else 0,
            legality=legality,
        )
        network.initialize()
        if self.config.features.vectors:
            load_vectors(self.config.features.vectors, self.tokens, network.token_embedding.weight)
        return network

    def run(self) -> TrainedTagger:
        best: dict[str, Tensor] = {}
        best_score, best_epoch = -math.inf, 0
        epochs = self.config.training.epochs
        for epoch in range(1, epochs + 1):
            began = time.perf_counter()
            loss, tokens = self._epoch(epoch)
            speed = tokens / (time.perf_counter() - began)
            weights = self._weights()
            score = self._dev_score(weights) if self.dev else None
            is_best = score is None or score > best_score
            if is_best:
                best, best_epoch = {name: array.clone() for name, array in weights.items()}, epoch
                best_score = best_score if score is None else score
            self.listener.on_epoch(
                EpochReport(
                    epoch=epoch,
                    epochs=epochs,
                    loss=loss,
                    tokens_per_second=speed,
                    seconds=time.perf_counter() - self.started,
                    dev_score=score,
                    is_best=is_best,
                )
            )
            if epoch - best_epoch >= self.config.training.patience:
                break
        return TrainedTagger(
            config=self.config,
            labels=self.labels,
            tokens=self.tokens,
            bigrams=self.bigrams,
            arrays=best,
            dev_score=best_score if self.dev else None,
            best_epoch=best_epoch,
            seconds=time.perf_counter() - self.started,
        )

    def _epoch(self, epoch: int) -> tuple[float, int]:
        """One pass over the training split: (mean loss of a sentence, tokens read)."""
        training = self.config.training
        self.network.train()
        batches = cut_batches(
            self.train, size=training.batch_size, max_tokens=training.batch_tokens, shuffle=self.shuffle
        )
        began, loss, tokens, sentences = time.perf_counter(), 0.0, 0, 0
        for number, batch in enumerate(collate(self.train, batches)):
            done = (epoch - 1 + number / len(batches)) / training.epochs
            loss += self._step(batch, rate=training.learning_rate * (1.0 - done))
            tokens += int(batch.lengths.sum())
            sentences += len(batch.indices)
            done += 1 / (len(batches) * training.epochs)
            self.listener.on_batch(
                BatchReport(
                    epoch=epoch,
                    epochs=training.epochs,
                    fraction=done,
                    loss=loss / sentences,
                    tokens_per_second=tokens / (time.perf_counter() - began),
                    seconds_left=(time.perf_counter() - self.started) * (1 / done - 1),
                )
            )
        return loss / sentences, tokens

    def _step(self, batch: Batch, rate: float) -> float:
        """One step of Adam; returns the summed loss of the batch's sentences."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self._loss(batch)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"step {self.steps + 1}: expected a finite loss, found {float(loss.detach())};"
                f" lower training.learning_rate (now {self.config.training.learning_rate})"
            )
        self.optimizer.zero_grad()
        (loss / len(batch.indices)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.training.gradient_clip)
        self.optimizer.step()
        self.steps += 1
        self._update_average()
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        """Negative log likelihood of the gold tags, summed over the batch."""
        tokens = with_unknowns(batch.tokens, self.token_rates)
        pairs = batch.bigrams
        if pairs is not None and self.bigram_rates is not None:
            pairs = with_unknowns(pairs, self.bigram_rates)
        emissions = self.network(tokens, pairs, batch.lengths)
        if self.network.has_crf:
            scores = self.network.crf_scores()
            gold = path_score(emissions, scores, batch.tags, batch.lengths)
            return (log_partition(emissions, scores, batch.lengths) - gold).sum()
        inside = torch.arange(len(batch.tags))[:, None] < batch.lengths
        return nn.functional.cross_entropy(emissions[inside], batch.tags[inside], reduction="sum")

    def _update_average(self) -> None:
        """Exponential moving average; the decay grows from small, so that the random start is soon forgotten."""
        decay = self.config.training.averaging
        if decay:
            decay = min(decay, (1 + self.steps) / (10 + self.steps))
            for name, array in self.network.arrays().items():
                self.average[name].lerp_(array, 1 - decay)

    def _weights(self) -> dict[str, Tensor]:
        """The weights that count: the averaged ones, rounded as the archive will round them."""
        weights = self.average if self.config.training.averaging else self.network.arrays()
        if self.config.archive.numbers == "float16":
            return {name: array.half().float() for name, array in weights.items()}
        return weights

    def _dev_score(self, weights: dict[str, Tensor]) -> float:
        """Score these weights on dev, in percent, and put the training weights back."""
        trained = {name: array.clone() for name, array in self.network.arrays().items()}
        self._set(weights)
        predicted = predict(self.network, self.dev, self.labels)
        self._set(trained)
        scores = score_tags(self.dev_gold, predicted, self.config.task.scheme)
        return 100 * scores.main

    def _set(self, weights: dict[str, Tensor]) -> None:
        for name, array in self.network.arrays().items():
            array.copy_(weights[name])


def predict(
    network: TaggerNetwork, sentences: Sequence[EncodedSentence], labels: Sequence[str]
) -> list[tuple[str, ...]]:
    """The best legal tags of each sentence under the network's present weights, in the order given."""
    network.eval()
    tags: list[tuple[str, ...]] = [()] * len(sentences)
    learned = network.crf_scores()
    scores = CRFScores(
        transitions=learned.transitions.detach().numpy(),
        start_transitions=learned.start.detach().numpy(),
        end_transitions=learned.end.detach().numpy(),
    )
    batches = cut_batches(sentences, size=SCORING_BATCH, max_tokens=SCORING_BATCH * 256)
    with torch.no_grad():
        for batch in collate(sentences, batches):
            emissions = network(batch.tokens, batch.bigrams, batch.lengths).numpy()
            best = viterbi(emissions, batch.lengths.numpy(), scores).tags
            for column, (index, length) in enumerate(zip(batch.indices, batch.lengths.tolist(), strict=True)):
                tags[index] = tuple(labels[tag] for tag in best[:length, column])
    return tags
