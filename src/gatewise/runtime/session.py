"""One model at work on a batch: ids in, x and emissions out, by its graph (`runtime.graph`) or the native kernel.

Nothing here knows what a tag is. Source of the graph: `training/export.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.model.archive import ModelArchive
from gatewise.model.context import CONTEXT_INPUTS, context_of_columns, context_of_stretch
from gatewise.model.feature_ids import FeatureEncoder, InputPart
from gatewise.model.features import CHARACTERS, FORM_OF, SPELLING_LENGTHS
from gatewise.model.heads import MAIN_HEAD, emissions_name
from gatewise.model.lexicon import LEXICON
from gatewise.model.numbers import runs_on_integers
from gatewise.model.parameters import input_size
from gatewise.model.word_sets import NO_SET, SET_INPUTS, SHARES
from gatewise.runtime.graph import Graph
from gatewise.runtime.native_layers import NativeLayers, native_layers
from gatewise.runtime.windows import FLOAT_ROUNDING, INTEGER_ROUNDING, MARGIN, WINDOW, emissions_in_windows
from gatewise.text.sentence import Sentence

Float32s = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

RUN_PLACES = 1024  # places, padding included, that go through the graph together: what the LSTM works on stays in cache
RUN_SENTENCES = 8  # so many long ones go together all the same, up to MOST_RUN_PLACES: few at a time are slower still
MOST_RUN_PLACES = 8 * RUN_PLACES


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBatch:
    """Padded ids, time first, by feature: `tokens` (time, batch), `bigrams` (time + 1, batch); `lengths` (batch,).

    `form_of` (time, batch) are the numbers of the tokens' forms, the features of forms are (longest, forms), and
    `spelling_lengths` (forms,) says how many characters each has. Word sets have their numbers in `lexicon_B` and its
    sisters (time, batch), and `lexicon` and `lexicon_shares` (longest, sets).
    """

    inputs: Mapping[str, npt.NDArray[Any]]
    lengths: npt.NDArray[np.int32]

    def feeds(self) -> dict[str, npt.NDArray[Any]]:
        """The graph's inputs."""
        return {**self.inputs, "lengths": self.lengths}

    def runs(self) -> list[slice]:
        """The columns that go through the graph together: neighbors that keep to RUN_PLACES, long ones a few more.

        A batch with features of forms stays whole: each form is read once, and its characters cost more than is won.
        """
        if FORM_OF in self.inputs or self.inputs["tokens"].size <= RUN_PLACES:
            return [slice(0, len(self.lengths))]
        found, start, longest = [], 0, 0
        for column, length in enumerate(self.lengths.tolist()):
            places = (column + 1 - start) * max(longest, length)
            few = column - start < RUN_SENTENCES
            if column > start and places > (MOST_RUN_PLACES if few else RUN_PLACES):
                found.append(slice(start, column))
                start, longest = column, 0
            longest = max(longest, length)
        return [*found, slice(start, len(self.lengths))]

    def columns(self, chosen: slice) -> EncodedBatch:
        """These sentences alone, without the padding that they do not need."""
        lengths = self.lengths[chosen]
        unused = len(self.inputs["tokens"]) - int(lengths.max())
        inputs = {name: ids for name, ids in self.inputs.items() if name not in (LEXICON, SHARES)}
        inputs = {name: ids[: len(ids) - unused, chosen] for name, ids in inputs.items()}
        inputs |= context_of_columns(self.inputs, chosen)
        return EncodedBatch(inputs=self._with_sets(inputs), lengths=lengths)

    def stretch(self, start: int, end: int) -> EncodedBatch:
        """The tokens from `start` to `end` of a sentence that is alone."""
        further = {name: len(ids) - len(self.inputs["tokens"]) for name, ids in self.inputs.items()}
        inputs = {**self.inputs, **context_of_stretch(self.inputs, start, end)}
        for name in ("tokens", "bigrams", FORM_OF, *SET_INPUTS):
            if name in inputs:
                inputs[name] = inputs[name][start : end + further[name]]
        if FORM_OF in inputs:
            used, inputs[FORM_OF] = np.unique(inputs[FORM_OF], return_inverse=True)
            inputs[FORM_OF] = inputs[FORM_OF].reshape(-1, 1)
            for name in inputs.keys() - {"tokens", "bigrams", FORM_OF, *SET_INPUTS, LEXICON, SHARES, *CONTEXT_INPUTS}:
                inputs[name] = inputs[name][..., used]
        return EncodedBatch(inputs=self._with_sets(inputs), lengths=np.array([end - start], dtype=np.int32))

    def _with_sets(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Inputs that are a part of the batch's, with the word sets that they name alone, numbered anew."""
        if LEXICON not in self.inputs:
            return dict(inputs)
        numbers = np.stack([inputs[name] for name in SET_INPUTS])
        used = np.unique(np.append(numbers, NO_SET))
        words, shares = self.inputs[LEXICON][:, used], self.inputs[SHARES][:, used]
        longest = max(1, int((shares > 0).sum(axis=0).max()))
        return {
            **inputs,
            **dict(zip(SET_INPUTS, np.searchsorted(used, numbers), strict=True)),
            LEXICON: words[:longest],
            SHARES: shares[:longest],
        }


class Session:
    """One model, loaded: its graph, and the native kernel where it takes some of the graph's work, or all."""

    def __init__(self, archive: ModelArchive, *, threads: int = 0) -> None:
        self._encoder = FeatureEncoder(archive.config.features, archive.vocabularies)
        self._heads = (MAIN_HEAD, *archive.heads)
        graph = archive.graph()
        self._layers = native_layers(archive)
        self._graph = Graph(graph.part_for("x") if self._layers else graph, str(archive.graph_path), threads=threads)
        if self.threaded:
            self._graph.load()
        self._input_size = input_size(archive.config)
        self._rounding = INTEGER_ROUNDING if runs_on_integers(archive.config) else FLOAT_ROUNDING

    @property
    def threaded(self) -> bool:
        """Whether emissions are computed by the graph, on its own threads, and not by the native kernel alone."""
        return not (self._layers and self._layers.looks_up)

    def encode(self, sentences: Sequence[Sentence]) -> EncodedBatch:
        """Look up the ids of non-empty sentences and pad them to the longest."""
        encoded = self._encoder.encode([sentence.characters or sentence.forms for sentence in sentences])
        inputs: dict[str, npt.NDArray[Any]] = {name: rows.padded() for name, rows in encoded.rows.items()}
        inputs |= {name: rows.padded() for name, rows in encoded.forms.items()}
        if CHARACTERS in encoded.forms:
            inputs[SPELLING_LENGTHS] = encoded.forms[CHARACTERS].lengths.astype(np.int32)
        if encoded.sets:
            inputs |= {LEXICON: encoded.sets.words.padded(), SHARES: encoded.sets.padded_shares()}
        return EncodedBatch(
            inputs=inputs,
            lengths=encoded.rows["tokens"].lengths.astype(np.int32),
        )

    def parts(self, sentence: Sentence) -> tuple[InputPart, ...]:
        """What x is made of."""
        return self._encoder.parts(sentence.forms)

    def emissions(self, batch: EncodedBatch, head: str = MAIN_HEAD) -> Float32s:
        """Of one head: (time, batch, num_tags)."""
        return self.all_emissions(batch, [head])[head]

    def all_emissions(self, batch: EncodedBatch, heads: Sequence[str] | None = None) -> dict[str, Float32s]:
        """Of each of these heads, or of all, the main one first: (time, batch, num_tags)."""
        wanted = self._heads if heads is None else heads
        if len(batch.lengths) == 1 and batch.lengths[0] > WINDOW + 2 * MARGIN:
            in_windows = emissions_in_windows(
                lambda start, end: self._emissions(wanted, batch.stretch(start, end)),
                int(batch.lengths[0]),
                self._rounding,
            )
            return dict(zip(wanted, in_windows, strict=True))
        # what the native kernel works on stays in cache, whatever the size of the batch
        runs = batch.runs() if self.threaded else []
        if len(runs) < 2:
            return dict(zip(wanted, self._emissions(wanted, batch), strict=True))
        longest, count = batch.inputs["tokens"].shape
        found: dict[str, Float32s] = {}
        for columns in runs:
            part = batch.columns(columns)
            for head, emissions in zip(wanted, self._emissions(wanted, part), strict=True):
                if head not in found:
                    found[head] = np.zeros((longest, count, emissions.shape[2]), dtype=np.float32)
                found[head][: len(emissions), columns] = emissions
        return found

    def inputs_and_emissions(self, batch: EncodedBatch, head: str = MAIN_HEAD) -> tuple[Float32s, Float32s]:
        """x (time, batch, input_size), what the first layer reads, and a head's emissions (time, batch, num_tags)."""
        if self._layers:
            (x,) = self._run(["x"], batch)
            (emissions,) = self._layers.emissions(self._layers.counted(x), batch.lengths, [head])
        else:
            x, emissions = self._run(["x", emissions_name(head)], batch)
        return x[:, :, : self._input_size], emissions

    def _emissions(self, heads: Sequence[str], batch: EncodedBatch) -> list[Float32s]:
        """Of each of these heads, all in one go."""
        if self._layers:
            return self._layers.emissions(self._counts_of_x(self._layers, batch), batch.lengths, heads)
        return self._run([emissions_name(head) for head in heads], batch)

    def _counts_of_x(self, layers: NativeLayers, batch: EncodedBatch) -> npt.NDArray[np.uint8]:
        """x as the native kernel reads it."""
        if not layers.looks_up:
            return layers.counted(*self._run(["x"], batch))
        try:
            return layers.looked_up(batch.inputs)
        except IndexError as error:
            raise self._graph.unfit(error) from error

    def _run(self, outputs: list[str], batch: EncodedBatch) -> list[Float32s]:
        return self._graph.run(outputs, batch.feeds())
