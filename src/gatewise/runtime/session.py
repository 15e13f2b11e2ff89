"""The exported graph under onnxruntime: ids in, x and emissions out.

Nothing here knows what a tag is. Source of the graph: `training/export.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.errors import ModelError
from gatewise.model.archive import ModelArchive
from gatewise.model.features import CHARACTERS, SPELLING_LENGTHS, FeatureEncoder
from gatewise.model.heads import MAIN_HEAD, emissions_name
from gatewise.text.sentence import Sentence

Float32s = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBatch:
    """Padded ids, time first, by feature: `tokens` (time, batch), `bigrams` (time + 1, batch); `lengths` (batch,).

    `form_of` (time, batch) are the numbers of the tokens' forms, the features of forms are (longest, forms), and
    `spelling_lengths` (forms,) says how many characters each has.
    """

    inputs: Mapping[str, npt.NDArray[Any]]
    lengths: npt.NDArray[np.int32]

    def feeds(self) -> dict[str, npt.NDArray[Any]]:
        """The graph's inputs."""
        return {**self.inputs, "lengths": self.lengths}


class Session:
    """The graph of one model, loaded."""

    def __init__(self, archive: ModelArchive, *, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4  # what goes wrong is raised and told once, below
        self._encoder = FeatureEncoder(archive.config.features, archive.vocabularies)
        self._path = str(archive.graph_path)
        self._heads = (MAIN_HEAD, *archive.heads)
        graph = archive.graph()
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no base class but this
            raise ModelError(
                f"{self._path}: expected an ONNX graph, found a damaged file ({_first_line(error)}); copy it again"
            ) from error

    def encode(self, sentences: Sequence[Sentence]) -> EncodedBatch:
        """Look up the ids of non-empty sentences and pad them to the longest."""
        encoded = self._encoder.encode([sentence.forms for sentence in sentences])
        inputs: dict[str, npt.NDArray[Any]] = {name: rows.padded() for name, rows in encoded.rows.items()}
        inputs |= {name: rows.padded() for name, rows in encoded.forms.items()}
        if CHARACTERS in encoded.forms:
            inputs[SPELLING_LENGTHS] = encoded.forms[CHARACTERS].lengths.astype(np.int32)
        return EncodedBatch(
            inputs=inputs,
            lengths=encoded.rows["tokens"].lengths.astype(np.int32),
        )

    def emissions(self, batch: EncodedBatch, head: str = MAIN_HEAD) -> Float32s:
        """Of one head: (time, batch, num_tags)."""
        return self._run([emissions_name(head)], batch)[0]

    def all_emissions(self, batch: EncodedBatch, heads: Sequence[str] | None = None) -> dict[str, Float32s]:
        """Of each of these heads, or of all, the main one first: (time, batch, num_tags)."""
        wanted = self._heads if heads is None else heads
        found = self._run([emissions_name(head) for head in wanted], batch)
        return dict(zip(wanted, found, strict=True))

    def inputs_and_emissions(self, batch: EncodedBatch, head: str = MAIN_HEAD) -> tuple[Float32s, Float32s]:
        """x (time, batch, input_size), what the first layer reads, and a head's emissions (time, batch, num_tags)."""
        x, emissions = self._run(["x", emissions_name(head)], batch)
        return x, emissions

    def _run(self, outputs: list[str], batch: EncodedBatch) -> list[Float32s]:
        try:
            found: list[Float32s] = self._session.run(outputs, batch.feeds())
        except Exception as error:  # an id past the end of an embedding, above all
            if "alloc" in str(error):  # "bad allocation", "std::bad_alloc", "Failed to allocate memory for …"
                raise MemoryError(f"{self._path}: {_first_line(error)}") from error
            raise ModelError(
                f"{self._path}: expected a graph that fits the vocabulary, found that it cannot be run"
                f" ({_first_line(error)}); copy the whole folder again"
            ) from error
        return found


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
