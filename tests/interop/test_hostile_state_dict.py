"""Files of PyTorch that are damaged, or made to run code or to fill the memory: each is told in a sentence."""

from __future__ import annotations

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from gatewise.errors import InteropError
from gatewise.interop import read_lstm


class Ran:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.torch
def test_no_pickle_is_run(tmp_path):
    torch = pytest.importorskip("torch")
    trap = tmp_path / "ran"
    for name, save in {
        "plain.pt": lambda path: path.write_bytes(pickle.dumps(Ran(trap), protocol=4)),
        "zipped.pt": lambda path: torch.save({"weight_hh_l0": Ran(trap)}, path),
        "module.pt": lambda path: torch.save(torch.nn.LSTM(2, 2), path),
    }.items():
        save(tmp_path / name)
        with pytest.raises(
            InteropError, match=r"expected a state_dict, tensors by name, found .*; nothing in it was run"
        ):
            read_lstm(tmp_path / name)
    assert not trap.exists()


@pytest.mark.torch
@pytest.mark.parametrize("version", ["2.4.1", "2.5.1+cu121"])
def test_a_torch_that_may_run_code_is_not_used(version, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    torch.save({"weight_hh_l0": torch.zeros(8, 2)}, tmp_path / "m.pt")
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(InteropError) as error:
        read_lstm(tmp_path / "m.pt")
    assert str(error.value) == (
        f"{tmp_path / 'm.pt'}: expected torch 2.6 or newer, which reads such files without running them, found "
        f"{version}; upgrade torch, or save the weights as safetensors"
    )


@pytest.mark.torch
def test_a_tensor_that_repeats_one_number_takes_no_memory(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "m.pt"
    torch.save({"weight_ih_l0": torch.zeros(1).expand(8, 2**40), "weight_hh_l0": torch.zeros(8, 2)}, path)
    with pytest.raises(InteropError) as error:
        read_lstm(path)
    assert str(error.value) == (
        f"{path}: weight_ih_l0: expected as many numbers as the shape (8, {2**40}) says, found fewer in the file; save "
        "the weights alone, with torch.save(model.state_dict(), …) or as safetensors"
    )


@pytest.mark.torch
def test_dictionaries_that_hold_one_another_end(tmp_path):
    torch = pytest.importorskip("torch")
    content: dict = {"weight_hh_l0": torch.zeros(8, 2)}
    for _ in range(8):
        content = {str(number): content for number in range(60)}
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(InteropError, match=r"m\.pt: expected at most 100,000 entries, found more; save the weights"):
        read_lstm(tmp_path / "m.pt")


@pytest.mark.torch
def test_a_packed_file_is_not_unpacked(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"weight_hh_l0": torch.zeros(1000, 250)}, tmp_path / "m.pt")
    packed = tmp_path / "packed.pt"
    with zipfile.ZipFile(tmp_path / "m.pt") as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(InteropError) as error:
        read_lstm(packed)
    assert str(error.value) == f"{packed}: expected a file as torch.save writes it, found a packed one; save it again"


@pytest.mark.torch
def test_a_list_of_contents_that_is_damaged_is_told(tmp_path):
    path = tmp_path / "m.pt"
    content = bytearray(saved(path))
    content[content.index(b"PK\x01\x02") + 6] = 255  # the version of zip that is needed
    path.write_bytes(bytes(content))
    with pytest.raises(
        InteropError, match=r"m\.pt: expected safetensors or .*, found a damaged zip file \(zip file ver"
    ):
        read_lstm(path)


def saved(path) -> bytes:
    """The bytes of an nn.LSTM's file."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    state = torch.nn.LSTM(3, 4, 2, bidirectional=True).state_dict()
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path.read_bytes()


@pytest.mark.torch
@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_a_file_cut_anywhere_is_told_in_a_sentence(ending, tmp_path):
    whole = saved(tmp_path / f"model.{ending}")
    path = tmp_path / f"cut.{ending}"
    for length in (0, 7, 12, 300, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InteropError) as error:
            read_lstm(path)
        assert str(error.value).startswith(f"{path}: expected ")


def told(path) -> str | None:
    """What is said of a file, None where it is imported."""
    try:
        read_lstm(path)
    except InteropError as error:
        return str(error)
    return None


@pytest.mark.torch
@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_changed_bytes_never_end_in_a_traceback(ending, tmp_path):
    whole = saved(tmp_path / f"model.{ending}")
    random = np.random.default_rng(0)
    path = tmp_path / f"changed.{ending}"
    for number in range(200):
        broken = bytearray(whole)
        for position in random.integers(0, 2000 if number % 2 else len(whole), size=1 + number % 7):
            broken[position] = int(random.integers(256))
        path.write_bytes(bytes(broken))
        sentence = told(path)
        assert sentence is None or sentence.startswith(f"{path}: ")


def test_a_header_that_promises_the_moon_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes((2**31).to_bytes(8, "little") + b'{"weight_hh_l0"')
    with pytest.raises(InteropError, match="expected safetensors, found a damaged file"):
        read_lstm(path)


def test_a_shape_of_4_gigabytes_without_its_numbers_is_told(tmp_path):
    path = tmp_path / "model.safetensors"
    entry = {"dtype": "F32", "shape": [2**16, 2**14], "data_offsets": [0, 2**32]}
    header = json.dumps({"weight_hh_l0": entry}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(100))
    with pytest.raises(InteropError, match="expected safetensors, found a damaged file"):
        read_lstm(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "m.pt")
    with pytest.raises(InteropError, match=r"m\.pt: expected a file, found a folder, a pipe or a device; name a file"):
        read_lstm(tmp_path / "m.pt")


def test_files_of_another_kind(tmp_path):
    for name, content in {"a.safetensors": b"hello, world, this is text", "b.pt": b"PK\x03\x04 no zip"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InteropError, match=r"expected safetensors or a PyTorch state_dict .*, found "):
            read_lstm(tmp_path / name)
    np.savez(tmp_path / "c.npz", a=np.zeros(1))
    with pytest.raises(InteropError, match="found a zip file of another kind"):
        read_lstm(tmp_path / "c.npz")
    with pytest.raises(InteropError, match=r"cannot be read \(No such file or directory\); check the path"):
        read_lstm(tmp_path / "nothing.pt")
    with pytest.raises(InteropError, match="expected a file, found a folder, a pipe or a device"):
        read_lstm(tmp_path)
