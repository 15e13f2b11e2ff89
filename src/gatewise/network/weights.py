"""The weights of a network that stand in a safetensors file beside its TOML file, under PyTorch's names.

In: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, with `_reverse` for the second direction and the number
of the layer after `_l`; `h0_l0` and `c0_l0`, the start of a direction; `inputs` (time, input_size), the vectors of the
network's own sentence. Out: checked weights and starts in float64, one entry a layer, or one NetworkError sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatewise.errors import NetworkError, ShapeError
from gatewise.lstm import Directions, LSTMState, LSTMWeights
from gatewise.lstm.shapes import Array

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
STARTS = ("h0", "c0")
INPUTS = "inputs"
NAME = re.compile(rf"({'|'.join((*WEIGHTS, *STARTS))})_l(0|[1-9]\d{{0,3}})(_reverse)?")

Tensors = Mapping[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLSTM:
    """What a file of weights holds; `inputs` (time, input_size) is None where it has none."""

    weights: tuple[Directions[LSTMWeights], ...]
    starts: tuple[Directions[LSTMState], ...]
    inputs: Array | None

    @property
    def output_size(self) -> int:
        """The length of an output vector."""
        return _output_size(self.weights[-1])


def read_weights(path: Path) -> StoredLSTM:
    """The LSTM in a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if path.exists() and not path.is_file():
        raise NetworkError(f"{path}: expected a file of weights, found a folder, a pipe or a device; import it again")
    try:
        tensors = load_file(path)
    except OSError as error:
        reason = error.strerror or error
        raise NetworkError(
            f"{path}: expected the weights of the network, found that they cannot be read ({reason}); keep the file"
            " beside the TOML file"
        ) from error
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise NetworkError(f"{path}: expected safetensors, found a damaged file ({error}); import it again") from error
    return lstm_from_tensors(tensors, str(path))


def lstm_from_tensors(tensors: Tensors, where: str) -> StoredLSTM:
    """The LSTM that tensors under PyTorch's names make up; `where` opens each message."""
    wide: dict[str, Array] = {}
    layers: set[int] = set()
    for name, tensor in tensors.items():
        if (found := NAME.fullmatch(name)) is None and name != INPUTS:
            raise NetworkError(
                f"{where}: {name}: expected names such as weight_ih_l0 or bias_hh_l1_reverse, found another; remove it"
            )
        if not np.issubdtype(tensor.dtype, np.floating):
            raise NetworkError(f"{where}: {name}: expected floating-point numbers, found {tensor.dtype}")
        if not np.isfinite(tensor).all():
            raise NetworkError(f"{where}: {name}: expected finite numbers, found others; is the file whole?")
        wide[name] = tensor.astype(np.float64)
        layers |= {int(found[2])} if found else set()
    if layers != set(range(len(layers))) or not layers:
        named = ", ".join(map(str, sorted(layers))) or "none"
        raise NetworkError(f"{where}: expected layers from 0 on without a gap, found {named}")
    weights = tuple(_layer(wide, number, where) for number in range(len(layers)))
    _check_chain(weights, where)
    starts = tuple(_starts(wide, number, one, where) for number, one in enumerate(weights))
    return StoredLSTM(weights=weights, starts=starts, inputs=_inputs(wide, weights[0].forward.input_size, where))


def _layer(tensors: Tensors, number: int, where: str) -> Directions[LSTMWeights]:
    is_both = any(f"{kind}_l{number}_reverse" in tensors for kind in (*WEIGHTS, *STARTS))
    return Directions(
        forward=_direction(tensors, f"_l{number}", where),
        reverse=_direction(tensors, f"_l{number}_reverse", where) if is_both else None,
    )


def _direction(tensors: Tensors, suffix: str, where: str) -> LSTMWeights:
    for name in (f"weight_ih{suffix}", f"weight_hh{suffix}"):
        if name not in tensors:
            raise NetworkError(f"{where}: expected {name}, found {', '.join(sorted(tensors))}")
    try:
        return LSTMWeights(
            weight_ih=tensors[f"weight_ih{suffix}"],
            weight_hh=tensors[f"weight_hh{suffix}"],
            bias_ih=tensors.get(f"bias_ih{suffix}"),
            bias_hh=tensors.get(f"bias_hh{suffix}"),
        )
    except ShapeError as error:
        raise NetworkError(f"{where}: {suffix.removeprefix('_')}: {error}") from error


def _output_size(layer: Directions[LSTMWeights]) -> int:
    return layer.forward.hidden + (0 if layer.reverse is None else layer.reverse.hidden)


def _check_chain(layers: tuple[Directions[LSTMWeights], ...], where: str) -> None:
    """Both directions of a layer read what the layer below puts out."""
    size = layers[0].forward.input_size
    for number, layer in enumerate(layers):
        for suffix, one in (("", layer.forward), ("_reverse", layer.reverse)):
            if one is not None and one.input_size != size:
                raise NetworkError(
                    f"{where}: weight_ih_l{number}{suffix}: expected {size} columns, as many as the layer reads, found"
                    f" {one.input_size}"
                )
        size = _output_size(layer)


def _starts(tensors: Tensors, number: int, weights: Directions[LSTMWeights], where: str) -> Directions[LSTMState]:
    def state(one: LSTMWeights, suffix: str) -> LSTMState:
        found = {}
        for kind in STARTS:
            name = f"{kind}_l{number}{suffix}"
            found[kind] = tensors.get(name, np.zeros(one.hidden))
            if found[kind].shape != (one.hidden,):
                raise NetworkError(f"{where}: {name}: expected shape ({one.hidden},), found {found[kind].shape}")
        return LSTMState(h=found["h0"], c=found["c0"])

    return Directions(
        forward=state(weights.forward, ""),
        reverse=None if weights.reverse is None else state(weights.reverse, "_reverse"),
    )


def _inputs(tensors: Tensors, input_size: int, where: str) -> Array | None:
    inputs = tensors.get(INPUTS)
    if inputs is not None and (inputs.ndim != 2 or inputs.shape[1] != input_size):
        raise NetworkError(f"{where}: {INPUTS}: expected shape (time, {input_size}), found {inputs.shape}")
    return inputs
