"""What training tells whoever watches: one record a batch, one an epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gatewise.model.scoring import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """After a batch: `loss` is a sentence's mean so far in this epoch, `fraction` how much of all training is done."""

    epoch: int
    epochs: int
    step: int
    fraction: float
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """After an epoch: `dev_score` is span F1 or tag accuracy in percent, None without a dev split."""

    epoch: int
    epochs: int
    step: int
    loss: float
    tokens_per_second: float
    seconds: float
    dev_score: float | None
    dev: Scores | None
    is_best: bool


class Listener(Protocol):
    """Anything that wants to know."""

    def on_batch(self, report: BatchReport) -> None: ...

    def on_epoch(self, report: EpochReport) -> None: ...


class Silence:
    """A listener that does not listen."""

    def on_batch(self, report: BatchReport) -> None: ...

    def on_epoch(self, report: EpochReport) -> None: ...
