"""The weights of a model folder: a safetensors file, its header checked before any array is read.

In: the file, and the shapes that follow from the configuration. Out: arrays in float32; or a ModelError that names the
array, what was expected and what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from gatewise.errors import ModelError
from gatewise.model.archive_files import read_file
from gatewise.model.parameters import Shape

Float32s = npt.NDArray[np.float32]


def check_weights(path: Path, expected: Mapping[str, Shape]) -> None:
    """Names and shapes, from the header alone; no array is read."""
    read_file(path, most=1)
    try:
        with safe_open(str(path), framework="numpy") as weights:
            found = {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelError(f"{path}: expected safetensors, found a damaged file ({error}); copy it again") from error
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            wanted, got = (f"shape {entry[name]}" if name in entry else "nothing" for entry in (expected, found))
            raise ModelError(
                f"{path}: {name}: expected {wanted}, found {got}; the files of {path.parent} are not of one model,"
                " copy the whole folder again"
            )


def read_arrays(path: Path, wanted: Callable[[str], bool]) -> dict[str, Float32s]:
    """The weights whose name is wanted, in float32 whatever they are stored in."""
    with safe_open(str(path), framework="numpy") as weights:
        return {name: weights.get_tensor(name).astype(np.float32) for name in weights.keys() if wanted(name)}  # noqa: SIM118
