"""Ctrl-C as a question that work asks now and then, so that it can stop where its state is whole.

In: signals. Out: a function that says whether someone asked.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = 128 + signal.SIGINT  # the exit code of a command that Ctrl-C ended


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Ctrl-C, or a polite kill, asks work to stop after the step at hand; a second one stops at once."""
    asked = False
    before: dict[int, Any] = {}

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        nonlocal asked
        asked = True
        give_back()

    before |= {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        give_back()
