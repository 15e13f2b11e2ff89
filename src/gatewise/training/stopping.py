"""Why training may end before its last epoch: it is asked to, or its loss is no number any more."""

from __future__ import annotations

from gatewise.errors import TrainingError


class StoppedError(TrainingError):
    """Training was asked to stop before its end; its state is saved when it has a checkpoint."""


class DivergedError(TrainingError):
    """The loss is not finite any more."""


def never() -> bool:
    """Nobody asks training to stop."""
    return False
