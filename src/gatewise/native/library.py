"""The native kernel as a shared library: compiled when the package is built, if there is a compiler for it, and used
where the processor has what it needs (AVX-512 VNNI, or AMX beside it).

Without it nothing is missing but speed: onnxruntime runs every model. Source of what is called: `kernel.c`.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("kernel.so")
VNNI, AMX = 1, 2  # what `gatewise_supported` answers
_ARRAYS = ("weight_ih", "weight_hh", "step_ih", "step_hh", "bias", "raised_ih", "raised_hh")


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
        ("states", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
        ("states_width", ctypes.c_int64),
        ("counts_width", ctypes.c_int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """The functions of the library, and whether they use AMX's tiles; the answers are the same, bit for bit."""

    functions: ctypes.CDLL
    with_tiles: bool


def native_kernel(*, with_tiles: bool = True) -> Kernel | None:
    """The fastest that this machine has, or None; without tiles for a comparison."""
    functions = _loaded()
    if functions is None:
        return None
    supported = functions.gatewise_supported()
    return Kernel(functions=functions, with_tiles=with_tiles and supported == AMX) if supported >= VNNI else None


@cache
def _loaded() -> ctypes.CDLL | None:
    try:
        found = ctypes.CDLL(str(FILE))
    except OSError:
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    found.gatewise_lstm.argtypes = [pointer, pointer, pointer, pointer, ctypes.c_int]
    found.gatewise_counts.argtypes = [pointer, size, size, size, ctypes.c_float, pointer, size]
    found.gatewise_counts.restype = None
    found.gatewise_emissions.argtypes = [pointer, size, size, pointer, pointer, size, size, pointer]
    found.gatewise_emissions.restype = None
    return found
