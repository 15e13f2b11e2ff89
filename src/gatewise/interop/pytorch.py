"""nn.LSTM of PyTorch: the tensors of a `state_dict`, found by the name `weight_hh_l0` under any prefix.

In: named tensors. Out: the LSTM under its own names, without the prefix; PyTorch's layout is ours, so no block moves.
What is no plain nn.LSTM (projections, a GRU, further tensors inside the module) is refused. Source: the documentation
of torch.nn.LSTM, "Variables".
"""

from __future__ import annotations

import re

from gatewise.errors import InteropError
from gatewise.interop.imported import ImportedLSTM, MappedTensor, choose, listed, order_change, reordered, widened
from gatewise.interop.tensor_file import TensorFile
from gatewise.network.weights import WEIGHTS

ORDER = "ifgo"
ANCHOR = "weight_hh_l0"
PARAMETER = re.compile(rf"({'|'.join(WEIGHTS)})_l\d+(_reverse)?")
OTHER_RATIOS = {1: "nn.RNN", 3: "nn.GRU"}  # rows of weight_hh for each column


def lstm_of_state_dict(tensors: TensorFile, prefix: str | None, where: str) -> ImportedLSTM:
    """The LSTM under this prefix, or the only one there is."""
    found = {name.removesuffix(ANCHOR): name for name in tensors.shapes if name.endswith(ANCHOR)}
    found = {key: name for key, name in found.items() if not key or key.endswith(".")}
    if not found:
        raise InteropError(
            f"{where}: expected an nn.LSTM, that is a tensor named weight_hh_l0 or NAME.weight_hh_l0, found"
            f" {listed(sorted(tensors.shapes)) or 'no tensor'}"
        )
    chosen, _ = choose(found, prefix, where, "nn.LSTM")
    names = {name: name.removeprefix(chosen) for name in tensors.shapes if name.startswith(chosen)}
    _check(tensors, names, chosen, where)
    return ImportedLSTM(
        framework="PyTorch",
        place=chosen.removesuffix("."),
        mapping=tuple(_mapped(tensors, name, target, where) for name, target in sorted(names.items(), key=_order)),
    )


def _order(entry: tuple[str, str]) -> tuple[int, bool, int]:
    """Layer by layer, forward first, weights before biases."""
    kind, _, place = entry[1].partition("_l")
    return int(place.removesuffix("_reverse")), place.endswith("_reverse"), WEIGHTS.index(kind)


def _check(tensors: TensorFile, names: dict[str, str], prefix: str, where: str) -> None:
    if any(target.startswith("weight_hr") for target in names.values()):
        raise InteropError(
            f"{where}: {prefix}weight_hr_l0: expected an LSTM without projections, found one with proj_size; its h is"
            " a product that the equations here do not have"
        )
    others = [name for name, target in names.items() if not PARAMETER.fullmatch(target)]
    if others:
        raise InteropError(
            f"{where}: expected nothing but the parameters of an nn.LSTM under {prefix!r}, found {listed(others)}; this"
            " may be another kind of LSTM, so it is not imported"
        )
    shape = tensors.shapes[f"{prefix}{ANCHOR}"]
    if len(shape) != 2 or shape[0] != 4 * shape[1]:
        ratio = shape[0] // shape[1] if len(shape) == 2 and shape[1] and shape[0] % shape[1] == 0 else 0
        kind = f", the shape of an {OTHER_RATIOS[ratio]}" if ratio in OTHER_RATIOS else ""
        raise InteropError(
            f"{where}: {prefix}{ANCHOR}: expected shape (4*hidden, hidden), found {shape}{kind}; only LSTMs are read"
        )
    biased = {target.split("_")[0] == "bias" for target in names.values()}
    if biased == {True, False} and 2 * sum(target.startswith("bias") for target in names.values()) != len(names):
        raise InteropError(
            f"{where}: expected both biases of every layer under {prefix!r}, or none, found some of them"
        )


def _mapped(tensors: TensorFile, name: str, target: str, where: str) -> MappedTensor:
    shape = tensors.shapes[name]
    if not shape or shape[0] % 4:
        raise InteropError(f"{where}: {name}: expected four blocks of rows, one a gate, found shape {shape}")
    array, change = widened(tensors.read(name), name, where)
    return MappedTensor(
        source=name,
        source_shape=shape,
        target=target,
        array=reordered(array, ORDER),
        change=order_change(ORDER, candidate="g") + change,
    )
