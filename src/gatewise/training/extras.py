"""What training and its tools need beyond the plain package, asked for in a sentence where it is missing.

In: imports inside a `with`. Out: nothing, or a MissingExtraError that says which library is missing and how to get it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gatewise.errors import MissingExtraError


@contextmanager
def training_extra() -> Iterator[None]:
    """Around imports of torch and onnx, or of what stands on them."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f'training needs torch and onnx ({error.name} is missing): pip install "gatewise[train]"'
        ) from error


@contextmanager
def tuning_extra() -> Iterator[None]:
    """Around imports of Optuna, or of what stands on it."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f'tuning needs optuna and tomli-w ({error.name} is missing): pip install "gatewise[tune]"'
        ) from error


@contextmanager
def embedding_extra() -> Iterator[None]:
    """Around imports of gensim."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f'training vectors needs gensim ({error.name} is missing): pip install "gatewise[embed]"'
        ) from error
