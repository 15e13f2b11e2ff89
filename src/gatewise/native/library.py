"""The native kernel as a shared library: compiled when the package is built, if there is a compiler for it, and used
where the processor has what it needs (AVX-512 VNNI, or AMX beside it).

Without it nothing is missing but speed: onnxruntime runs every model. Source of what is called: `lstm.c` and
`paths.c`.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.errors import ConfigError

VARIABLE = "GATEWISE_KERNEL"  # unset for the fastest
WITHOUT_TILES, NO_KERNEL = "vnni", "onnxruntime"
FILE = Path(__file__).parent / "lib" / "kernel.so"  # in a folder of its own, or Python takes it for a module
VNNI, AMX = 1, 2  # what `gatewise_supported` answers
_ARRAYS = ("weight_ih", "weight_hh", "step_ih", "step_hh", "bias", "less_ih", "less_hh")


class Direction(ctypes.Structure):
    """`struct direction`."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in _ARRAYS),
        *((name, ctypes.c_int32) for name in ("blocks", "input_tiles", "state_tiles", "reverse")),
    )


class Batch(ctypes.Structure):
    """`struct batch`."""

    _fields_ = (
        ("lengths", ctypes.c_void_p),
        ("columns", ctypes.c_void_p),
        ("time", ctypes.c_int32),
        ("batch", ctypes.c_int32),
    )


class Output(ctypes.Structure):
    """`struct output`."""

    _fields_ = (
        ("counts", ctypes.c_void_p),
        ("heads", ctypes.c_void_p),
        ("counts_width", ctypes.c_int64),
        ("num_heads", ctypes.c_int64),
    )


class Head(ctypes.Structure):
    """`struct head`."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("weight", "rest", "bias", "emissions")),
        *((name, ctypes.c_int64) for name in ("tags", "blocks", "rest_tags")),
    )


class Part(ctypes.Structure):
    """`struct part`."""

    _fields_ = (
        ("table", ctypes.c_void_p),
        ("ids", ctypes.c_void_p),
        ("width", ctypes.c_int64),
    )


class PathScores(ctypes.Structure):
    """`struct path_scores`."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("from_to", "to_from", "start", "end")),
        ("num_tags", ctypes.c_int64),
        ("blocks", ctypes.c_int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """The functions of the library, and whether they use AMX's tiles; the answers are the same, bit for bit."""

    functions: ctypes.CDLL
    with_tiles: bool


def native_kernel() -> Kernel | None:
    """The fastest that this machine has and the environment lets be used, or None.

    Raises ConfigError for an environment that asks for what there is not.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", WITHOUT_TILES, NO_KERNEL):
        raise ConfigError(
            f"{VARIABLE}: expected {NO_KERNEL} or {WITHOUT_TILES}, found {wanted!r}; unset it for the fastest"
        )
    functions, supported = _loaded()
    if wanted == NO_KERNEL or functions is None or supported < VNNI:
        return None
    return Kernel(functions=functions, with_tiles=supported == AMX and wanted != WITHOUT_TILES)


def aligned(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy in C order that begins at a multiple of 64 bytes, as the kernel reads what stays the same."""
    room = np.empty(array.nbytes + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    found = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    found[...] = array
    return found


def pointer(array: npt.NDArray[Any], first: int = 0) -> ctypes.c_void_p:
    """To the first number, or to a later one."""
    return ctypes.c_void_p(array.ctypes.data + first * array.itemsize)


@cache
def _loaded() -> tuple[ctypes.CDLL | None, int]:
    """The library and what `gatewise_supported` answers."""
    try:
        found = ctypes.CDLL(str(FILE))
    except OSError:
        return None, 0
    address, size = ctypes.c_void_p, ctypes.c_int64
    found.gatewise_lstm.argtypes = [address, address, address, address, ctypes.c_int]
    found.gatewise_counts.argtypes = [address, size, size, size, ctypes.c_float, address, size]
    found.gatewise_counts.restype = None
    found.gatewise_look_up.argtypes = [address, size, size, address, size]
    found.gatewise_look_up.restype = None
    found.gatewise_best_paths.argtypes = [*[address] * 4, *[size] * 3, address]
    found.gatewise_passes.argtypes = [address, size, size, *[address] * 6]
    found.gatewise_passes.restype = None
    return found, found.gatewise_supported()
