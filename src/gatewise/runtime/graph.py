"""The exported graph, or a part of it, under onnxruntime, which is imported when a graph is first loaded.

In: the graph as `model.archive` has checked it, with the arrays that it names. Out: the outputs that are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from gatewise.errors import ModelError
from gatewise.model.archive import RunnableGraph

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Array = npt.NDArray[Any]


class Graph:
    """A graph that may be loaded once, by whichever thread needs it first; `path` is for what goes wrong."""

    def __init__(self, graph: RunnableGraph, path: str, *, threads: int) -> None:
        self._graph = graph
        self._path = path
        self._threads = threads
        self._lock = Lock()
        self._session: InferenceSession | None = None
        self._arrays: list[Any] = []

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """These outputs; raises ModelError for a graph that cannot be loaded, or that does not fit the feeds."""
        session = self.load()
        try:
            found: list[Array] = session.run(list(outputs), dict(feeds))
        except Exception as error:  # an id past the end of an embedding, above all
            if "alloc" in str(error):  # "bad allocation", "std::bad_alloc", "Failed to allocate memory for …"
                raise MemoryError(f"{self._path}: {_first_line(error)}") from error
            raise self.unfit(error) from error
        return found

    def load(self) -> InferenceSession:
        """Raises ModelError for a graph that onnxruntime does not take."""
        with self._lock:
            if self._session is None:
                self._session = self._loaded()
            return self._session

    def unfit(self, error: Exception) -> ModelError:
        """What to raise where ids and the arrays do not fit each other."""
        return ModelError(
            f"{self._path}: expected a graph that fits the vocabulary, found that it cannot be run"
            f" ({_first_line(error)}); copy the whole folder again"
        )

    def _loaded(self) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 4  # what goes wrong is raised and told once, below
        try:
            # onnxruntime may read these where they lie, for as long as the session lives, and does not own them
            self._arrays = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in self._graph.arrays.values()]
            options.add_external_initializers(list(self._graph.arrays), self._arrays)
            return onnxruntime.InferenceSession(self._graph.content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no base class but this
            raise ModelError(
                f"{self._path}: expected an ONNX graph, found a damaged file ({_first_line(error)}); copy it again"
            ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
