"""The layers above x on the native kernel, where this processor has it: for the models whose layers count in whole
numbers. The graph's own differ from them by what rounding the states does (ADR 0038).

In: an archive; then x (time, batch, input_size) and lengths. Out: the emissions of the heads, (time, batch, num_tags).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gatewise.model.archive import ModelArchive
from gatewise.model.heads import MAIN_HEAD, weights_prefix
from gatewise.model.numbers import STEP, Array, runs_on_integers, step_of_x, table_names
from gatewise.model.parameters import directions
from gatewise.native.integer_lstm import IntegerLSTM, IntegerWeights
from gatewise.native.library import Kernel, native_kernel

Float32s = npt.NDArray[np.float32]


class NativeLayers:
    """The encoder's layers and the heads of one model."""

    def __init__(self, archive: ModelArchive, kernel: Kernel) -> None:
        encoder, suffixes = archive.config.encoder, directions(archive.config)
        tables = table_names(archive.config)
        arrays = archive.stored_arrays(lambda name: name.startswith("encoder.") or name in tables)
        layers = [[_weights(arrays, f"_l{layer}{suffix}") for suffix in suffixes] for layer in range(encoder.layers)]
        self._lstm = IntegerLSTM(kernel, layers, step_of_x(archive.config, arrays))
        of_heads = archive.arrays(lambda name: "emission." in name)
        self._emitters = {
            head: self._lstm.emitter(
                *(of_heads[f"{weights_prefix(head)}emission.{kind}"] for kind in ("weight", "bias"))
            )
            for head in (MAIN_HEAD, *archive.heads)
        }

    def emissions(self, x: Float32s, lengths: npt.NDArray[np.int32], heads: Sequence[str]) -> list[Float32s]:
        """Of each of these heads."""
        states = self._lstm.states(x, lengths)
        return [self._emitters[head].emissions(states) for head in heads]


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
