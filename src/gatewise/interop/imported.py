"""An LSTM from elsewhere, and how each of its tensors became one of ours.

In: arrays in the layout of their framework. Out: the same in PyTorch's, which is ours: (4*hidden, …), blocks i|f|g|o.
The candidate is called g here and in PyTorch, c in Keras and ONNX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gatewise.errors import InteropError
from gatewise.lstm.shapes import Array

OURS = "ifgo"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedTensor:
    """One tensor: where it stood and in which shape, its name here and what it became, and how (`change`, in words).

    A tensor that is made up, such as the second bias of Keras, has no `source` and the shape ().
    """

    source: str
    source_shape: tuple[int, ...]
    target: str
    array: Array
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLSTM:
    """An LSTM: the framework it comes from, its place in the file, its tensors under PyTorch's names, and remarks."""

    framework: str
    place: str
    mapping: tuple[MappedTensor, ...]
    remarks: tuple[str, ...] = ()

    @property
    def tensors(self) -> dict[str, Array]:
        """The tensors by their names here."""
        return {one.target: one.array for one in self.mapping}


def reordered(array: Array, order: str) -> Array:
    """An array of four blocks in this order (such as `iofg`), its blocks in ours."""
    blocks = dict(zip(order, np.split(array, 4), strict=True))
    return np.concatenate([blocks[gate] for gate in OURS])


def order_change(order: str, *, candidate: str) -> str:
    """`i|o|f|c → i|f|g|o`; `candidate` is the source's letter for g."""
    before = "|".join(order.replace("g", candidate))
    after = "|".join(OURS)
    return f"{after} as it was" if before == after else f"{before} → {after}"


def widened(array: Array, name: str, where: str) -> tuple[Array, str]:
    """The array in float32 or float64, whichever loses nothing or the least, and what was changed, in words.

    Raises InteropError for integers and for numbers that are not finite.
    """
    if not np.issubdtype(array.dtype, np.floating):
        raise InteropError(f"{where}: {name}: expected floating-point numbers, found {array.dtype}; is it quantized?")
    if not np.isfinite(array).all():
        raise InteropError(f"{where}: {name}: expected finite numbers, found others; the weights are broken")
    kept = np.dtype(np.float32 if array.dtype.itemsize <= 4 else np.float64)  # in the byte order of this machine
    is_same = array.dtype.itemsize == kept.itemsize
    return array.astype(kept, copy=False), "" if is_same else f", {array.dtype} → {kept}"


def choose(
    candidates: Mapping[str, T], prefix: str | None, where: str, what: str, *, option: str = "--prefix"
) -> tuple[str, T]:
    """The candidate that `prefix` names, or the only one there is."""
    names = sorted(candidates)
    if prefix is not None:
        for name in (prefix, f"{prefix}."):
            if name in candidates:
                return name, candidates[name]
        raise InteropError(f"{where}: {option}: expected one of {listed(names)}, found {prefix!r}")
    if len(names) > 1:
        raise InteropError(
            f"{where}: expected one {what}, found {len(names)}: {listed(names)}; choose one with {option}"
        )
    return names[0], candidates[names[0]]


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names in quotes, the first of many."""
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
