"""Where a training run stands, and what it tells of that.

In: the numbers that the loop counts. Out: the reports of `events`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gatewise.model.config import TrainingConfig
from gatewise.training.events import BatchReport, EpochReport
from gatewise.training.look import Seen


@dataclass(slots=True, kw_only=True)
class Since:
    """The steps since the last report: their sentences, and when they began (later by the time that saving took)."""

    began: float
    sentences: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Progress:
    """Where a run stands: the numbers that a checkpoint holds beside the arrays.

    `epoch` counts from 1, `batch` from 0 within it; the sums are over the epoch so far.
    """

    step: int = 0
    epoch: int = 1
    batch: int = 0
    loss: float = 0.0
    sentences: int = 0
    tokens: int = 0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    best_score: float | None = None
    best_epoch: int = 0

    def batch_report(
        self, training: TrainingConfig, rate: float, gradient_norm: float, since: Since, batches: int
    ) -> BatchReport:
        """After batch `batch` of the `batches` of this epoch."""
        epochs_done = self.epoch - 1 + self.batch / batches
        return BatchReport(
            epoch=self.epoch,
            epochs=training.epochs,
            step=self.step,
            fraction=epochs_done / training.epochs,
            loss=self.loss / self.sentences,
            learning_rate=rate,
            gradient_norm=gradient_norm,
            tokens_per_second=self.tokens / self.epoch_seconds,
            seconds_left=self.seconds * (training.epochs / epochs_done - 1),
            batch_seconds=time.perf_counter() - since.began,
            batch_sentences=since.sentences,
        )

    def epoch_report(self, training: TrainingConfig, rate: float, seen: Seen, *, is_best: bool) -> EpochReport:
        """After an epoch, of which dev was `seen`."""
        return EpochReport(
            epoch=self.epoch,
            epochs=training.epochs,
            step=self.step,
            loss=self.loss / self.sentences,
            learning_rate=rate,
            tokens_per_second=self.tokens / self.epoch_seconds,
            seconds=self.seconds,
            dev_score=seen.score,
            dev=seen.scores,
            dev_loss=seen.loss,
            is_best=is_best,
            dev_losses=seen.losses,
            dev_tags=seen.tags,
            gates=seen.gates,
            heads=seen.heads,
        )

    def begin_next_epoch(self) -> None:
        """What is summed over an epoch begins anew."""
        self.epoch, self.batch = self.epoch + 1, 0
        self.loss, self.sentences, self.tokens, self.epoch_seconds = 0.0, 0, 0, 0.0
