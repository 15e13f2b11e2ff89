"""What this room needs beyond the plain package, asked for in a sentence where it is missing.

In: imports inside a `with`. Out: nothing, or a MissingExtraError that says which library is missing and how to get it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gatewise.errors import MissingExtraError


@contextmanager
def ray_extra() -> Iterator[None]:
    """Around imports of Ray Data, or of what comes with it."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f'tagging on Ray needs ray[data] ({error.name} is missing): pip install "gatewise[ray]"'
        ) from error
