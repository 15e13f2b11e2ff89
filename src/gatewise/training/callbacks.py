"""Callbacks of whoever trains from Python: objects with any of a listener's methods.

In: the events of `training.events`. Out: the calls, in the order given, and whether one of them asked to stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gatewise.errors import TrainingError
from gatewise.training.events import BatchReport, EpochReport, StartReport

EVENTS = ("on_answers", "on_start", "on_batch", "on_epoch")


class StopTraining(Exception):  # noqa: N818 - a request, not an error, as StopIteration is
    """Raised by a callback, ends training as if the last epoch were over.

    An epoch that has begun counts as it is: dev is scored, the best weights are saved and scored on test.
    """


class Callbacks:
    """A listener that passes on; `asked_to_stop` is true once a callback has raised StopTraining.

    Any other error of a callback ends training there and then. Raises TrainingError for an object that listens to
    nothing, which is most likely misspelled.
    """

    def __init__(self, listeners: Sequence[object]) -> None:
        for listener in listeners:
            if not any(hasattr(listener, event) for event in EVENTS):
                raise TrainingError(
                    f"callbacks: expected objects with a method {', '.join(EVENTS)}, found {listener!r} without any"
                )
        self._listeners = tuple(listeners)
        self._asked = False

    def asked_to_stop(self) -> bool:
        return self._asked

    def on_answers(self, share: float) -> None:
        self._tell("on_answers", share)

    def on_start(self, report: StartReport) -> None:
        self._tell("on_start", report)

    def on_batch(self, report: BatchReport) -> None:
        self._tell("on_batch", report)

    def on_epoch(self, report: EpochReport) -> None:
        self._tell("on_epoch", report)

    def _tell(self, event: str, *told: Any) -> None:
        for listener in self._listeners:
            try:
                if method := getattr(listener, event, None):
                    method(*told)
            except StopTraining:
                self._asked = True
