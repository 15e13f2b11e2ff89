"""What training tells whoever watches: one record a batch, one an epoch, and before the first step what some ask for.

In: the loop's numbers. Out: calls of `Listener`s; `Listeners` makes one of several. Whoever listens must not change
what it is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from gatewise.lstm import Directions, GateStatistics
from gatewise.model.scoring import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReport:
    """Before the first step of a run that does not go on from a checkpoint: the gates as the random start has them."""

    gates: Sequence[Directions[GateStatistics]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """After a batch: `loss` is a sentence's mean so far in this epoch, `fraction` how much of all training is done.

    `batch_seconds` and `batch_sentences` (numbers from 0 in the training split, without its empty sentences) are of the
    steps since the report before: one step, on a CUDA device several.
    """

    epoch: int
    epochs: int
    step: int
    fraction: float
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    seconds_left: float
    batch_seconds: float
    batch_sentences: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """After an epoch: `dev_score` is span F1 or tag accuracy in percent, None without a dev split.

    It is the main head's, which decides; `heads` has what each further head scores on the dev sentences labeled for it.
    `loss` is a training sentence's mean over the epoch, while the weights move and dropout acts; `dev_loss` a dev
    sentence's under the averaged weights. `dev_losses` and `dev_tags` are the loss and the predicted tags of each dev
    sentence that has tokens; a loss is infinite where the gold tags hold one that training does not know. All of these
    about dev are the main head's.
    `gates` has one entry a layer, measured on a few sentences (`training/gates.py`); none in an RNN.
    """

    epoch: int
    epochs: int
    step: int
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds: float
    dev_score: float | None
    dev: Scores | None
    dev_loss: float | None
    is_best: bool
    dev_losses: Sequence[float] = ()
    dev_tags: Sequence[tuple[str, ...]] = ()
    gates: Sequence[Directions[GateStatistics]] = ()
    heads: Mapping[str, Scores] = field(default_factory=dict)


class Listener(Protocol):
    """Anything that wants to know."""

    def on_batch(self, report: BatchReport) -> None: ...

    def on_epoch(self, report: EpochReport) -> None: ...


@runtime_checkable
class StartListener(Protocol):
    """A listener may have this method too."""

    def on_start(self, report: StartReport) -> None: ...


@runtime_checkable
class TeacherListener(Protocol):
    """And this one, called while teachers are asked, before anything else: `share` is how much of that is done."""

    def on_answers(self, share: float) -> None: ...


class Silence:
    """A listener that does not listen."""

    def on_batch(self, report: BatchReport) -> None: ...

    def on_epoch(self, report: EpochReport) -> None: ...


class Listeners:
    """Several listeners as one; each is told in the order given."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def on_start(self, report: StartReport) -> None:
        """Tell the listeners that ask for it."""
        for listener in self._listeners:
            if isinstance(listener, StartListener):
                listener.on_start(report)

    def on_batch(self, report: BatchReport) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener.on_batch(report)

    def on_epoch(self, report: EpochReport) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener.on_epoch(report)
