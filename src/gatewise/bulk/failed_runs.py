"""A run of Ray Data that failed lets its workers go.

In: a data set that is about to be run. Out: the same; when its run fails, its actors are ended. Ray itself waits until
nothing refers to them any more, and then they keep their CPUs for as long as somebody keeps the error, as a notebook
does, or a frame of Ray's own loop: the next run waits for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.data import Dataset


def free_workers_on_failure(ds: Dataset) -> None:
    """Have the runs of this data set, and of those made from it, let their workers go when they fail."""
    classes = ds.context.custom_execution_callback_classes
    if EndActors not in classes:
        classes.append(EndActors)


class EndActors:
    """What Ray Data calls on the way of one run: an `ExecutionCallback` of its own room."""

    def __init__(self) -> None:
        self._actors: set[Any] = set()  # all of this run, since Ray has forgotten them when it says that it failed

    def before_execution_starts(self, executor: Any) -> None:
        """Nothing is to be done."""

    def on_execution_step(self, executor: Any) -> None:
        """Note the actors that were started; Ray names them in no public way."""
        for operator in executor._topology:
            pool = getattr(operator, "_actor_pool", None)
            if pool is not None:
                self._actors.update(pool._running_actors, pool._pending_actors.values())

    def after_execution_succeeds(self, executor: Any) -> None:  # noqa: ARG002 - Ray's own signature
        """Forget the actors, so that Ray ends them."""
        self._actors.clear()

    def after_execution_fails(self, executor: Any, error: BaseException) -> None:  # noqa: ARG002 - Ray's own signature
        """End the actors."""
        import ray

        while self._actors:
            ray.kill(self._actors.pop())
