"""The weights of a model folder: a safetensors file, its header checked before any array is read.

In: the file, and the shapes and the kind of numbers that follow from the configuration. Out: arrays in float32; or a
ModelError that names the array, what was expected and what was found. That offsets lie in the file, one array after the
other, each as long as its shape says, is checked by the safetensors library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from gatewise.errors import ModelError
from gatewise.model.archive_files import file_size
from gatewise.model.config import Config
from gatewise.model.numbers import STEP, Array, is_integer, widened
from gatewise.model.parameters import Shape

Float32s = npt.NDArray[np.float32]

LARGEST_HEADER = 2**20  # bytes; an array takes about 100
STORED_AS = {"float32": "F32", "float16": "F16", "int8": "F32"}  # archive.numbers → what safetensors calls it


def check_weights(path: Path, expected: Mapping[str, Shape], config: Config) -> None:
    """Names, shapes and kinds of numbers, from the header alone; no array is read."""
    _check_header_size(path)
    try:
        with safe_open(str(path), framework="numpy") as weights:
            slices = {name: weights.get_slice(name) for name in weights.keys()}  # noqa: SIM118
            found = {name: tuple(entry.get_shape()) for name, entry in slices.items()}
            kinds = {name: str(entry.get_dtype()) for name, entry in slices.items()}
    except SafetensorError as error:
        raise ModelError(f"{path}: expected safetensors, found a damaged file ({error}); copy it again") from error
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            wanted, got = (f"shape {entry[name]}" if name in entry else "nothing" for entry in (expected, found))
            raise ModelError(
                f"{path}: {name}: expected {wanted}, found {got}; the files of {path.parent} are not of one model,"
                " copy the whole folder again"
            )
        kind = "I8" if is_integer(config, name) else STORED_AS[config.archive.numbers]
        if kinds[name] != kind:
            raise ModelError(
                f"{path}: {name}: expected numbers in {kind}, as archive.numbers says, found "
                f"{kinds[name]}; copy the whole folder again"
            )


def read_stored(path: Path, wanted: Callable[[str], bool]) -> dict[str, Array]:
    """The weights whose name is wanted as the file has them, with the steps of those that are whole numbers."""
    try:
        with safe_open(str(path), framework="numpy") as weights:
            names = [name for name in weights.keys() if wanted(name.removesuffix(STEP))]  # noqa: SIM118
            return {name: weights.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: expected the weights of a model, found none ({error}); load it again") from error


def read_arrays(path: Path, wanted: Callable[[str], bool]) -> dict[str, Float32s]:
    """The weights whose name is wanted, in float32 whatever they are stored in."""
    arrays = widened(read_stored(path, wanted))
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelError(f"{path}: {name}: expected finite numbers, found others; copy the file again")
    return arrays


def _check_header_size(path: Path) -> None:
    """The library would read a header of up to 100 MB."""
    if file_size(path) >= 8:
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
        if size > LARGEST_HEADER:
            raise ModelError(
                f"{path}: expected safetensors, found a damaged file (a header of {size:,} bytes); copy it again"
            )
