"""An imported LSTM as a network: a TOML file to read and change, and a safetensors file of weights beside it.

In: an `ImportedLSTM`, and the vectors of a sentence if there are any. Out: two files, each complete or not there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from gatewise.errors import InteropError
from gatewise.formats.target import appearing
from gatewise.interop.imported import ImportedLSTM
from gatewise.lstm.shapes import Array
from gatewise.network.weights import INPUTS

_TOML = """\
# An LSTM that was trained elsewhere; gatewise explain --network opens this file, with --inputs FILE for other vectors.
# Its weights stand in a file beside this one, under PyTorch's names. What each key means: docs/networks.md

name = {name}
kind = "lstm"
title = {title}
weights = {weights}
"""


def write_network(
    path: Path, imported: ImportedLSTM, *, source: str, inputs: Array | None = None, tokens: Sequence[str] = ()
) -> Path:
    """Write `path`, which ends in .toml, and its weights; returns the path of the weights.

    `inputs` (time, input_size) are kept as the network's own sentence, whose tokens may be named.
    """
    if path.suffix != ".toml":
        raise InteropError(f"{path}: expected a name that ends in .toml, found another; write -o {path.name}.toml")
    size = imported.tensors["weight_ih_l0"].shape[1]
    if inputs is not None and inputs.shape[1] != size:
        raise InteropError(f"inputs: expected vectors of {size} numbers, as the LSTM reads, found {inputs.shape[1]}")
    if tokens and (inputs is None or len(tokens) != len(inputs)):
        raise InteropError(
            f"tokens: expected {0 if inputs is None else len(inputs)}, one a row of the inputs, found {len(tokens)}"
        )
    weights = path.with_suffix(".safetensors")
    arrays = {name: np.ascontiguousarray(array) for name, array in imported.tensors.items()}
    if inputs is not None:
        arrays[INPUTS] = np.ascontiguousarray(inputs)
    _check_free(path, weights)
    place = f", {imported.place}" if imported.place else ""
    title = f"LSTM from {source}{place} ({imported.framework})"
    text = _TOML.format(name=_quoted(path.stem), title=_quoted(title), weights=_quoted(weights.name))
    if tokens:
        text += f"sentence = [{', '.join(map(_quoted, tokens))}]\n"
    with appearing(weights) as stream:
        stream.write(save(arrays))
    with appearing(path) as stream:
        stream.write(text.encode("utf-8"))
    return weights


def _check_free(path: Path, weights: Path) -> None:
    """Nothing is replaced but an earlier import: the source itself may have the name of the weights."""
    if not path.exists() and not weights.exists():
        return
    with suppress(OSError, ValueError):
        if f"\nweights = {_quoted(weights.name)}\n" in path.read_text(encoding="utf-8"):
            return
    taken = path if path.exists() else weights
    raise InteropError(f"{taken}: expected no file, or a network imported earlier, found another; choose another -o")


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are among TOML's, but for the character U+007F."""
    whole = text.encode("utf-8", errors="replace").decode("utf-8")  # a path may hold bytes that are no text
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
