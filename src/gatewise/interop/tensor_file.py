"""Named tensors in a file, read one by one: safetensors here, PyTorch's own files by `gatewise.training`.

In: a path. Out: names and shapes at once, arrays when they are asked for.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatewise.errors import InteropError
from gatewise.lstm.shapes import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFile:
    """The shapes by name, and a function that reads one tensor."""

    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], Array]


def open_safetensors(path: Path) -> TensorFile:
    """The tensors of a safetensors file; bfloat16, which NumPy has not, is read as float32."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as stream:
            slices = {name: stream.get_slice(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
            shapes = {name: tuple(one.get_shape()) for name, one in slices.items()}
            types = {name: one.get_dtype() for name, one in slices.items()}
    except (SafetensorError, ValueError) as error:
        raise InteropError(f"{path}: expected safetensors, found a damaged file ({error}); copy it again") from error

    def read(name: str) -> Array:
        if types[name] == "BF16":
            return _bfloat16(path, name).reshape(shapes[name])
        try:
            with safe_open(str(path), framework="numpy") as stream:
                array: Array = stream.get_tensor(name)
        except (SafetensorError, TypeError, AttributeError, KeyError) as error:
            raise InteropError(
                f"{path}: {name}: expected float16, bfloat16, float32 or float64, found {types[name]}"
            ) from error
        return array

    return TensorFile(shapes=shapes, read=read)


def _bfloat16(path: Path, name: str) -> Array:
    """The upper halves of float32 numbers; the header was checked when the file was opened."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        begin, end = json.loads(stream.read(length))[name]["data_offsets"]
        stream.seek(8 + length + begin)
        halves = np.frombuffer(stream.read(end - begin), dtype="<u2")
    return (halves.astype(np.uint32) << 16).view(np.float32)
