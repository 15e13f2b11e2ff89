"""Which kind of file it is, told by its content, and the reader for it.

In: a path. Out: the LSTM in it, its shapes checked, or one InteropError sentence.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from gatewise.errors import InteropError, NetworkError
from gatewise.interop.imported import ImportedLSTM
from gatewise.interop.tensor_file import TensorFile, open_safetensors
from gatewise.network.weights import lstm_from_tensors

HDF5, ZIP, PICKLE = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x80"
KNOWN = "safetensors or a PyTorch state_dict (.pt, .pth), a Keras model (.keras, .h5) or ONNX (.onnx)"


def read_lstm(path: Path, prefix: str | None = None) -> ImportedLSTM:
    """The LSTM in a file of PyTorch, Keras or ONNX; `prefix` names it where there are several."""
    kind = _kind(path)
    try:
        found = _READERS[kind](path, prefix)
    except OSError as error:
        raise InteropError(f"{path}: cannot be read ({error.strerror or error}); check the file") from error
    try:
        lstm_from_tensors(found.tensors, str(path))
    except NetworkError as error:
        raise InteropError(str(error)) from error
    return found


def _kind(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise InteropError(f"{path}: expected a file, found a folder, a pipe or a device; name a file on the disk")
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError as error:
        raise InteropError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    if head.startswith(HDF5):
        return "keras_h5"
    if head.startswith(ZIP):
        return _kind_of_zip(path)
    if head.startswith(PICKLE):
        return "torch"
    if len(head) > 8 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] < 2**32:
        return "safetensors"
    if path.suffix.lower() == ".onnx":
        return "onnx"
    raise InteropError(f"{path}: expected {KNOWN}, found none of them; is the file whole?")


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except Exception as error:  # of damaged lists of contents: BadZipFile, NotImplementedError and others
        raise InteropError(f"{path}: expected {KNOWN}, found a damaged zip file ({error}); copy it again") from error
    if "config.json" in names and "model.weights.h5" in names:
        return "keras_zip"
    if any(name.endswith("data.pkl") for name in names):
        if unpacked > path.stat().st_size:
            raise InteropError(f"{path}: expected a file as torch.save writes it, found a packed one; save it again")
        return "torch"
    raise InteropError(f"{path}: expected {KNOWN}, found a zip file of another kind")


def open_state_dict(path: Path) -> TensorFile:
    """The tensors of a PyTorch model, as safetensors or by torch.save."""
    kind = _kind(path)
    if kind == "safetensors":
        return open_safetensors(path)
    if kind != "torch":
        raise InteropError(f"{path}: expected a state_dict of PyTorch for a whole tagger, found a file of another kind")
    from gatewise.training.foreign_torch import read_state_dict

    arrays = read_state_dict(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in arrays.items()}
    return TensorFile(shapes=shapes, read=arrays.array)


def _state_dict(path: Path, prefix: str | None) -> ImportedLSTM:
    from gatewise.interop.pytorch import lstm_of_state_dict

    return lstm_of_state_dict(open_state_dict(path), prefix, str(path))


def _keras_zip(path: Path, prefix: str | None) -> ImportedLSTM:
    from gatewise.interop.keras import read_keras_zip

    return read_keras_zip(path, prefix)


def _keras_h5(path: Path, prefix: str | None) -> ImportedLSTM:
    from gatewise.interop.keras import read_keras_h5

    return read_keras_h5(path, prefix)


def _onnx(path: Path, prefix: str | None) -> ImportedLSTM:
    from gatewise.interop.onnx_lstm import lstm_of_graph
    from gatewise.training.foreign_onnx import read_graph

    return lstm_of_graph(read_graph(path), prefix, str(path))


_READERS = {
    "safetensors": _state_dict,
    "torch": _state_dict,
    "keras_zip": _keras_zip,
    "keras_h5": _keras_h5,
    "onnx": _onnx,
}
