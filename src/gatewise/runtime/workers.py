"""Which sentences are tagged together, and on which threads.

In: the lengths of sentences. Out: batches of them, each run on a session; several are run side by side, each on one
thread: a second thread is of more use on a batch of its own than in the matrix products of this one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeAlias, TypeVar

from gatewise.model.archive import ModelArchive
from gatewise.runtime.session import Session

BATCH_PLACES = 8192  # places in a batch, padding included
BATCH_SENTENCES = 32  # a batch of long ones has so many all the same, up to MOST_PLACES: few cost as much
MOST_PLACES = 4 * BATCH_PLACES

Result = TypeVar("Result")
Task: TypeAlias = Callable[[Session, list[int]], Result]  # what is done with the sentences of these numbers


class Workers:
    """The sessions of one model; `threads` 0 means one a core."""

    def __init__(self, archive: ModelArchive, *, threads: int = 0) -> None:
        self._archive = archive
        self.session = Session(archive, threads=threads)
        self.count = threads or os.cpu_count() or 1
        self._narrow: Session | None = None  # on one thread, for batches side by side; made when it is first needed
        self._lock = Lock()

    def narrow(self) -> Session:
        """The session for batches side by side; one that has no threads of its own serves there, too."""
        if not self.session.threaded:
            return self.session
        with self._lock:
            if self._narrow is None:
                self._narrow = Session(self._archive, threads=1)
            return self._narrow


class Pool:
    """The threads of one call; what has not begun when it is closed is not run."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def start(self, task: Task[Result], batches: Sequence[list[int]], *, more: bool = False) -> Iterator[Result]:
        """What the task gives for each batch, in order. Several begin at once, side by side; so does a single one where
        `more` are to follow."""
        if self._workers.count < 2 or (len(batches) < 2 and not more):
            return (task(self._workers.session, batch) for batch in batches)
        session = self._workers.narrow()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._workers.count, thread_name_prefix="gatewise")
        return self._threads.map(lambda batch: task(session, batch), batches)


def batches_of(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of non-empty sentences, those of like length together."""
    batch: list[int] = []
    for number in sorted((number for number, length in enumerate(lengths) if length), key=lengths.__getitem__):
        places = (len(batch) + 1) * lengths[number]
        if batch and (places > MOST_PLACES or (places > BATCH_PLACES and len(batch) >= BATCH_SENTENCES)):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
