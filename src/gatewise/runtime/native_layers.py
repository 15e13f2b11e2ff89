"""The layers above x on the native kernel, where this processor has it: for the models whose layers count in whole
numbers. The graph's own differ from them by what rounding the states does (ADR 0038).

In: an archive; then x (time, batch, input_size), or where all of it stands in tables the ids by which it is looked up,
and lengths. Out: the emissions of the heads, (time, batch, num_tags).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.model.archive import ModelArchive
from gatewise.model.config import Config
from gatewise.model.features import SentenceFeature, features_of
from gatewise.model.heads import MAIN_HEAD, weights_prefix
from gatewise.model.numbers import STEP, Array, runs_on_integers, step_of_x, table_names
from gatewise.model.parameters import directions
from gatewise.native.integer_lstm import RAISED, Counts, IntegerLSTM, IntegerWeights
from gatewise.native.library import Kernel, native_kernel

Float32s = npt.NDArray[np.float32]


class NativeLayers:
    """The encoder's layers and the heads of one model. `looks_up`: x is made here from ids, too."""

    def __init__(self, archive: ModelArchive, kernel: Kernel) -> None:
        encoder, suffixes = archive.config.encoder, directions(archive.config)
        tables = table_names(archive.config)
        arrays = archive.stored_arrays(lambda name: name.startswith("encoder.") or name in tables)
        layers = [[_weights(arrays, f"_l{layer}{suffix}") for suffix in suffixes] for layer in range(encoder.layers)]
        self._lstm = IntegerLSTM(kernel, layers, step_of_x(archive.config, arrays))
        of_heads = archive.arrays(lambda name: "emission." in name)
        self._heads = {
            head: self._lstm.head(*(of_heads[f"{weights_prefix(head)}emission.{kind}"] for kind in ("weight", "bias")))
            for head in (MAIN_HEAD, *archive.heads)
        }
        self._tables = _raised_tables(archive.config, arrays)
        self.looks_up = bool(self._tables)

    def looked_up(self, inputs: Mapping[str, npt.NDArray[Any]]) -> Counts:
        """x as the layers read it, where it is looked up here: `inputs` are those of the graph.

        Raises IndexError for an id that a table does not have.
        """
        parts = []
        for name, (table, count) in self._tables.items():
            ids = inputs[name]  # part n of token t is read at n + t
            parts += [(table, ids[number : len(ids) - (count - 1 - number)]) for number in range(count)]
        return self._lstm.looked_up(parts)

    def counted(self, x: Float32s) -> Counts:
        """x as the layers read it, from the graph's."""
        return self._lstm.counted(x)

    def emissions(self, counts_of_x: Counts, lengths: npt.NDArray[np.int32], heads: Sequence[str]) -> list[Float32s]:
        """Of each of these heads, 0 at padding."""
        return self._lstm.emissions(counts_of_x, lengths, [self._heads[head] for head in heads])


def native_layers(archive: ModelArchive) -> NativeLayers | None:
    """None where the graph has to run them: a model of other layers, another processor, or no kernel at hand.

    Raises ConfigError as `native_kernel` does.
    """
    kernel, encoder = native_kernel(), archive.config.encoder
    adds_layers = encoder.residual and encoder.layers > 1
    if kernel is None or adds_layers or not runs_on_integers(archive.config):
        return None
    return NativeLayers(archive, kernel)


def _weights(arrays: dict[str, Array], place: str) -> IntegerWeights:
    ih, hh = f"encoder.weight_ih{place}", f"encoder.weight_hh{place}"
    bias = np.asarray(arrays[f"encoder.bias_ih{place}"]) + np.asarray(arrays[f"encoder.bias_hh{place}"])
    return IntegerWeights(
        counts_ih=arrays[ih],
        steps_ih=arrays[ih + STEP],
        counts_hh=arrays[hh],
        steps_hh=arrays[hh + STEP],
        bias=bias,
    )


def _raised_tables(config: Config, arrays: Mapping[str, Array]) -> dict[str, tuple[Counts, int]]:
    """The table of each feature as the kernel reads it, and how many parts of x it has; none where a network makes one
    of the parts."""
    features = features_of(config.features)
    if not all(isinstance(feature, SentenceFeature) for feature in features):
        return {}
    return {
        feature.name: ((arrays[feature.weight].astype(np.int16) + RAISED).astype(np.uint8), len(feature.parts))
        for feature in features
    }
