"""Arrays inside a page: their bytes, little-endian, as base64, beside what they are.

In: a NumPy array whose numbers a float type holds exactly, or whole numbers of 8 bits and the steps they count. Out:
a dict for JSON; `web/packed.js` reads it.
"""

from __future__ import annotations

import base64
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Stored: TypeAlias = Literal["float16", "float32", "float64"]
_LITTLE = {"int8": "<i1", "float16": "<f2", "float32": "<f4", "float64": "<f8"}


def packed(array: npt.NDArray[np.floating], stored: Stored) -> dict[str, Any]:
    """The array in this float type, minus infinity included; what the type does not hold is rounded to it."""
    return _packed(array, stored)


def packed_as_stored(array: npt.NDArray[np.generic], steps: npt.NDArray[np.generic] | None = None) -> dict[str, Any]:
    """The array in the type it has; `steps`, one a row, is what whole numbers count."""
    content = _packed(array, array.dtype.name)
    return content if steps is None else content | {"step": packed_as_stored(steps)}


def _packed(array: npt.NDArray[np.generic], stored: str) -> dict[str, Any]:
    content = np.ascontiguousarray(array, dtype=_LITTLE[stored]).tobytes()
    return {"stored": stored, "shape": list(array.shape), "base64": base64.b64encode(content).decode("ascii")}


def packed_size(document: Any) -> int:
    """How many characters all packed arrays of a document take."""
    if isinstance(document, dict):
        own = len(document["base64"]) if isinstance(document.get("base64"), str) else 0
        return own + sum(map(packed_size, document.values()))
    return sum(map(packed_size, document)) if isinstance(document, list) else 0
