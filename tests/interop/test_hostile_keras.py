"""Keras files that are damaged, or made to read other files or to fill the memory: each is told in a sentence."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gatewise.errors import InteropError
from gatewise.interop import read_lstm

h5py = pytest.importorskip("h5py")

FOLDER = Path(__file__).parents[1] / "data" / "keras"
CELL = "model_weights/lstm_1/sequential/lstm_1/lstm_cell"


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A copy of sequential.h5, to be changed."""
    return Path(shutil.copy(FOLDER / "sequential.h5", tmp_path / "copy.h5"))


def replaced(path: Path, place: str, make) -> None:
    with h5py.File(path, "r+") as stream:
        del stream[place]
        make(stream)


@pytest.mark.parametrize("place", ["model_weights/lstm_1", CELL, f"{CELL}/kernel"])
@pytest.mark.parametrize("soft", [False, True])
def test_no_link_is_followed(whole, tmp_path, place, soft):
    other = Path(shutil.copy(whole, tmp_path / "other.h5"))  # what the link leads to would do
    link = h5py.SoftLink("/elsewhere") if soft else h5py.ExternalLink(other, place)

    def change(stream):
        stream[place] = link

    replaced(whole, place, change)
    with pytest.raises(InteropError) as error:
        read_lstm(whole)
    assert str(error.value) == f"{whole}: {place}: expected data, found a link; it is not followed"


def test_links_of_a_zipped_file_are_not_followed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(FOLDER / "sequential.keras") as archive:
        config, weights = archive.read("config.json"), archive.read("model.weights.h5")
    for name in ("other.h5", "changed.h5"):
        (tmp_path / name).write_bytes(weights)

    def change(stream):
        stream["layers/bidirectional"] = h5py.ExternalLink("other.h5", "layers/bidirectional")

    replaced(tmp_path / "changed.h5", "layers/bidirectional", change)
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.write(tmp_path / "changed.h5", "model.weights.h5")
    with pytest.raises(InteropError, match=r"m\.keras: layers/bidirectional: expected data, found a link"):
        read_lstm(tmp_path / "m.keras")


def test_groups_that_hold_themselves_end(whole):
    expected = read_lstm(whole).tensors
    with h5py.File(whole, "r+") as stream:
        group = stream[CELL]
        for number in range(5):
            group[f"again{number}"] = stream["model_weights/lstm_1"]
    found = read_lstm(whole).tensors
    assert found.keys() == expected.keys()


def test_data_in_another_file_are_not_read(whole, tmp_path):
    raw = tmp_path / "secret.bin"
    raw.write_bytes(bytes(6 * 16 * 4))

    def change(stream):
        stream.create_dataset(f"{CELL}/kernel", (6, 16), "f4", external=[(raw, 0, 6 * 16 * 4)])

    replaced(whole, f"{CELL}/kernel", change)
    with pytest.raises(InteropError, match=r"kernel: expected an array in the file itself, found one that is not all"):
        read_lstm(whole)


def test_an_array_that_is_promised_but_not_there_takes_no_memory(whole):
    def change(stream):
        stream.create_dataset(f"{CELL}/kernel", (2**40, 16), "f8", chunks=(1024, 16))

    replaced(whole, f"{CELL}/kernel", change)
    with pytest.raises(InteropError, match=r"kernel: expected an array in the file itself, found one that is not all"):
        read_lstm(whole)


def test_packed_bytes_that_are_broken_are_told(tmp_path):
    path = tmp_path / "packed.keras"
    with zipfile.ZipFile(FOLDER / "sequential.keras") as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    content = bytearray(path.read_bytes())
    assert read_lstm(path).framework == "Keras"
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(bytes(content))
    with pytest.raises(InteropError, match=r"packed\.keras: expected a \.keras file, found a damaged one"):
        read_lstm(path)


def test_a_configuration_that_is_none_is_told(tmp_path):
    with zipfile.ZipFile(FOLDER / "sequential.keras") as old:
        config, weights = old.read("config.json").decode(), old.read("model.weights.h5")
    no_units = config.replace('"units": 4', '"units": "four"')
    assert no_units != config
    for broken in ("", "[]", "1" * 5000, no_units, '{"class_name": "Sequential"}'):
        path = tmp_path / "m.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", broken)
            archive.writestr("model.weights.h5", weights)
        with pytest.raises(InteropError, match="expected the configuration of a Keras model, found a damaged one"):
            read_lstm(path)


def test_a_part_that_unpacks_to_far_more_is_refused(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(10_000_000))
    with pytest.raises(
        InteropError, match=r"model\.weights\.h5: expected at most [\d,]+ bytes, found more; weights do"
    ):
        read_lstm(path)


def test_weights_without_a_configuration_are_refused(tmp_path):
    with zipfile.ZipFile(FOLDER / "sequential.keras") as archive:
        path = tmp_path / "model.weights.h5"
        path.write_bytes(archive.read("model.weights.h5"))
    with pytest.raises(InteropError) as error:
        read_lstm(path)
    assert str(error.value) == (
        f"{path}: expected a whole model, found HDF5 without model_config; save the whole model with "
        "model.save('model.keras')"
    )


@pytest.mark.parametrize("name", ["sequential.keras", "sequential.h5"])
def test_a_file_cut_anywhere_is_told_in_a_sentence(name, tmp_path):
    whole = (FOLDER / name).read_bytes()
    for length in (9, 200, len(whole) // 3, len(whole) // 2, len(whole) - 700, len(whole) - 30):
        path = tmp_path / name
        path.write_bytes(whole[:length])
        with pytest.raises(InteropError) as error:
            read_lstm(path)
        assert str(error.value).startswith(f"{path}: expected ")


def refusal(path: Path) -> str | None:
    """What is said of a file, None where it is imported."""
    try:
        read_lstm(path)
    except InteropError as error:
        return str(error)
    return None


def test_changed_bytes_never_end_in_a_traceback(tmp_path):
    random = np.random.default_rng(0)
    with zipfile.ZipFile(FOLDER / "sequential.keras") as archive:
        config, weights = archive.read("config.json"), bytearray(archive.read("model.weights.h5"))
    path = tmp_path / "changed.keras"
    for _ in range(60):
        broken = weights.copy()
        for position in random.integers(0, len(weights), size=20):
            broken[position] = int(random.integers(256))
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", bytes(broken))
        path.write_bytes(stream.getvalue())
        sentence = refusal(path)
        assert sentence is None or sentence.startswith(f"{path}: ")
