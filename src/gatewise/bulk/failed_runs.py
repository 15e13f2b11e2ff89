"""A run of Ray Data that failed lets its workers go.

In: a data set that is about to be run. Out: the same; when its run fails, the error is cut off from the actors. Ray
ends an actor when nothing refers to it, and the traceback of an error does, through the frames of Ray's own loop. As
long as somebody keeps the error, as a notebook does, the actors keep their CPUs, and the next run waits for them.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.data import Dataset


def free_workers_on_failure(ds: Dataset) -> None:
    """Have the runs of this data set, and of those made from it, let their workers go when they fail."""
    classes = ds.context.custom_execution_callback_classes
    if FrameClearing not in classes:
        classes.append(FrameClearing)


class FrameClearing:
    """What Ray Data calls on the way: an `ExecutionCallback` of its own room."""

    def before_execution_starts(self, executor: Any) -> None:
        """Nothing is to be done."""

    def on_execution_step(self, executor: Any) -> None:
        """Nothing is to be done."""

    def after_execution_succeeds(self, executor: Any) -> None:
        """Nothing is to be done."""

    def after_execution_fails(self, executor: Any, error: BaseException) -> None:  # noqa: ARG002 - Ray's own signature
        """Empty the frames that the error, and those it came of, passed through; those still running are left."""
        pending: list[BaseException | None] = [error]
        seen: set[int] = set()
        while pending:
            one = pending.pop()
            if one is not None and id(one) not in seen:
                seen.add(id(one))
                traceback.clear_frames(one.__traceback__)
                pending += [one.__cause__, one.__context__]
