"""Files that `torch.save` wrote, read without running code: tensors by name.

In: the path of a state_dict, or of a checkpoint that holds one. Out: the tensors in it, those in nested dictionaries
under names joined by dots. A file that holds other objects, such as a whole module, is refused; so is a tensor that
claims more numbers than the file holds.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gatewise.errors import InteropError, MissingExtraError

SAFE = (2, 6)  # before this version weights_only=True could be got around (CVE-2025-32434)
MOST_ENTRIES = 100_000  # tensors and whatever else stands in the dictionaries; they may hold one another many times
REMEDY = "save the weights alone, with torch.save(model.state_dict(), …) or as safetensors"


class StateDict(dict[str, Any]):
    """Tensors of torch by name."""

    def array(self, name: str) -> npt.NDArray[np.floating]:
        """One of them as a NumPy array; bfloat16, which NumPy has not, as float32."""
        import torch

        tensor = self[name].detach()
        array: npt.NDArray[np.floating] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
        return array


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a file by `torch.load(weights_only=True)`."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(
            f'reading {path} needs torch ({error.name} is missing): pip install "gatewise[train]", or save the weights'
            " as safetensors"
        ) from error
    version = str(torch.__version__)
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < SAFE:
        raise InteropError(
            f"{path}: expected torch 2.6 or newer, which reads such files without running them, found {version};"
            " upgrade torch, or save the weights as safetensors"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged or hostile file makes the unpickler raise has no end
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        found_there = f"other objects ({named[1]})" if named else "something else, or a damaged file"
        raise InteropError(
            f"{path}: expected a state_dict, tensors by name, found {found_there}; nothing in it was run; {REMEDY}"
        ) from error
    found = StateDict()
    for number, (name, tensor) in enumerate(_entries(content, "", depth=0)):
        if number >= MOST_ENTRIES:
            raise InteropError(f"{path}: expected at most {MOST_ENTRIES:,} entries, found more; {REMEDY}")
        if tensor is not None:
            _check_stored(tensor, name, path)
            found[name] = tensor
    if not found:
        raise InteropError(f"{path}: expected a state_dict, tensors by name, found {type(content).__name__}; {REMEDY}")
    return found


def _entries(content: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Each entry of nested dictionaries, and the tensor that it is, or None."""
    import torch

    if not isinstance(content, Mapping) or depth > 8:
        return
    for key, value in content.items():
        is_plain = isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_quantized
        yield f"{prefix}{key}", value if is_plain else None
        yield from _entries(value, f"{prefix}{key}.", depth + 1)


def _check_stored(tensor: Any, name: str, path: Path) -> None:
    """A tensor may repeat what is stored, and so be of any size in a file of a few bytes."""
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise InteropError(
            f"{path}: {name}: expected as many numbers as the shape {tuple(tensor.shape)} says, found fewer in the"
            f" file; {REMEDY}"
        )
