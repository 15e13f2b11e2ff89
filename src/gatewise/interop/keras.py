"""The LSTM layers of a Keras model: a .keras file (Keras 3) or a whole model in HDF5 (.h5).

In: the path of a saved model; weights alone (.weights.h5) do not say their activations and are refused. Out: the LSTM
under PyTorch's names. Keras keeps kernel (input, 4*units), recurrent_kernel (units, 4*units) and one bias (4*units), in
blocks i|f|c|o: the kernels are transposed, the bias becomes bias_ih, and bias_hh is zero. Source: Keras's
`layers/rnn/lstm.py` (LSTMCell.build and LSTMCell.call) and the layout that its saving writes.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatewise.errors import InteropError, MissingExtraError
from gatewise.interop.imported import ImportedLSTM, MappedTensor, choose, listed, order_change, reordered, widened
from gatewise.interop.keras_layers import KerasLSTM, lstm_chains
from gatewise.lstm.shapes import Array

if TYPE_CHECKING:
    import h5py

ORDER = "ifgo"  # Keras calls g c
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LARGEST = 2**31  # bytes of a part of a .keras file, unpacked
MOST_PACKED = 20  # times the size of the file; Keras does not pack at all
REMEDY = "save the whole model with model.save('model.keras')"


def read_keras_zip(path: Path, prefix: str | None) -> ImportedLSTM:
    """The LSTM in a .keras file; `prefix` is the name of its first layer where there are several."""
    try:
        with zipfile.ZipFile(path) as archive:
            config, weights = (_unpacked(archive, name, path) for name in (CONFIG, WEIGHTS))
    except InteropError:
        raise
    except Exception as error:  # what a damaged file makes the unpacking raise differs from one packing to the other
        raise InteropError(f"{path}: expected a .keras file, found a damaged one ({error}); copy it again") from error
    layers = _chosen(config, prefix, path)
    with _opened(io.BytesIO(weights), path) as stream:
        return _imported(layers, [_in_zip(stream, layer, path) for layer in layers], path)


def read_keras_h5(path: Path, prefix: str | None) -> ImportedLSTM:
    """The LSTM of a model in one HDF5 file."""
    with _opened(path, path) as stream:
        config = stream.attrs.get("model_config")
        if config is None:
            raise InteropError(f"{path}: expected a whole model, found HDF5 without model_config; {REMEDY}")
        layers = _chosen(config, prefix, path)
        return _imported(layers, [_in_h5(stream, layer, path) for layer in layers], path)


def _unpacked(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    most = min(LARGEST, MOST_PACKED * path.stat().st_size)
    with archive.open(name) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise InteropError(f"{path}: {name}: expected at most {most:,} bytes, found more; weights do not pack so well")
    return content


@contextmanager
def _opened(source: io.BytesIO | Path, path: Path) -> Iterator[h5py.File]:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(
            f'reading {path} needs h5py ({error.name} is missing): pip install "gatewise[import]"'
        ) from error
    try:
        with h5py.File(source, "r") as stream:
            _check_links(stream, path)
            yield stream
    except InteropError:
        raise
    except Exception as error:  # what a damaged file makes HDF5 raise has no end
        raise InteropError(f"{path}: expected HDF5, found a damaged file ({error}); copy it again") from error


def _chosen(config: bytes | str, prefix: str | None, path: Path) -> tuple[KerasLSTM, ...]:
    try:
        content = json.loads(config)
        chains = lstm_chains(content, str(path))
    except (ValueError, RecursionError, TypeError, LookupError, AttributeError) as error:
        raise InteropError(f"{path}: expected the configuration of a Keras model, found a damaged one") from error
    return choose(chains, prefix, str(path), "chain of LSTM layers")[1]


def _in_zip(stream: h5py.File, layer: KerasLSTM, path: Path) -> list[dict[str, Array]]:
    """The arrays of each direction; groups are named after classes and counted, newer files add the layer's name."""
    top = stream.get("layers") or stream.get("_layer_checkpoint_dependencies")
    group = None if top is None else top.get(layer.group)
    if group is None or group.get("vars") is None or group["vars"].attrs.get("name", layer.name) != layer.name:
        raise InteropError(f"{path}: expected the weights of layer {layer.name!r} in {layer.group!r}, found others")
    cells = [group[part]["cell"] for part in ("forward_layer", "backward_layer")] if layer.is_both else [group["cell"]]
    names = ("kernel", "recurrent_kernel", "bias")
    return [
        {name: _array(cell["vars"], key, path) for name, key in zip(names, cell["vars"], strict=False)}
        for cell in cells
    ]


def _in_h5(stream: h5py.File, layer: KerasLSTM, path: Path) -> list[dict[str, Array]]:
    """The arrays of each direction: `kernel` or, from Keras 2, `kernel:0`, somewhere below the layer's group."""
    import h5py

    found: list[dict[str, Array]] = [{}, {}] if layer.is_both else [{}]
    places: list[str] = []
    group = stream["model_weights"][layer.name]
    group.visit(places.append)  # each object once, whatever circles there are
    for place in places:
        if isinstance(group[place], h5py.Group):
            continue
        *parts, name = place.partition(":")[0].split("/")
        is_reverse = layer.is_both and any(part.startswith("backward_") for part in parts)
        if name in found[is_reverse]:
            raise InteropError(f"{path}: layer {layer.name!r}: expected one {name}, found two; it is not imported")
        found[is_reverse][name] = _array(group, place, path)
    return found


def _check_links(stream: h5py.File, path: Path) -> None:
    """Every name of the file means something in the file itself."""
    import h5py

    links: list[tuple[bytes, int]] = []
    stream.id.links.visit(lambda name, info: links.append((name, info.type)), info=True)
    for name, kind in links:
        if kind != h5py.h5l.TYPE_HARD:
            raise InteropError(
                f"{path}: {name.decode(errors='replace')}: expected data, found a link; it is not followed"
            )


def _array(group: h5py.Group, key: str, path: Path) -> Array:
    """An array that stands in this file, whole."""
    import h5py

    stored = group[key]
    if not isinstance(stored, h5py.Dataset):
        raise InteropError(f"{path}: {key}: expected an array, found something else")
    if stored.external or stored.is_virtual or stored.id.get_storage_size() < stored.nbytes:
        raise InteropError(f"{path}: {key}: expected an array in the file itself, found one that is not all there")
    array: Array = np.asarray(stored[()])
    return array


def _imported(layers: tuple[KerasLSTM, ...], arrays: list[list[dict[str, Array]]], path: Path) -> ImportedLSTM:
    mapping: list[MappedTensor] = []
    for number, (layer, directions) in enumerate(zip(layers, arrays, strict=True)):
        for suffix, named in zip(("", "_reverse"), directions, strict=False):
            mapping += _direction(layer, f"_l{number}{suffix}", named, path)
    remarks = [f"layer {one.name}: stateful, its start states are taken as zeros" for one in layers if one.is_stateful]
    return ImportedLSTM(
        framework="Keras", place=" ".join(one.name for one in layers), mapping=tuple(mapping), remarks=tuple(remarks)
    )


def _direction(layer: KerasLSTM, suffix: str, named: dict[str, Array], path: Path) -> list[MappedTensor]:
    side = "" if not layer.is_both else "/backward" if suffix.endswith("_reverse") else "/forward"
    wanted = {"kernel", "recurrent_kernel", *(["bias"] if layer.has_bias else [])}
    if set(named) != wanted:
        raise InteropError(
            f"{path}: layer {layer.name}{side}: expected {listed(sorted(wanted))}, found {listed(sorted(named))}"
        )
    targets = {"kernel": "weight_ih", "recurrent_kernel": "weight_hh", "bias": "bias_ih"}
    rows = 4 * layer.units
    mapping = []
    for kind, target in targets.items():
        if kind not in named:
            continue
        name = f"{layer.name}{side}/{kind}"
        if not named[kind].ndim or named[kind].shape[-1] != rows:
            raise InteropError(
                f"{path}: {name}: expected {rows} columns, 4 × {layer.units} units, found {named[kind].shape}"
            )
        array, narrow = widened(named[kind], name, str(path))
        flipped = ", transposed" if array.ndim == 2 else ""
        mapping.append(
            MappedTensor(
                source=name,
                source_shape=named[kind].shape,
                target=target + suffix,
                array=reordered(array.T, ORDER),
                change=order_change(ORDER, candidate="c") + flipped + narrow,
            )
        )
    if "bias" in named:
        zeros = np.zeros(rows, dtype=mapping[-1].array.dtype)
        made = MappedTensor(source="", source_shape=(), target=f"bias_hh{suffix}", array=zeros, change="zeros")
        mapping.append(made)
    return mapping
