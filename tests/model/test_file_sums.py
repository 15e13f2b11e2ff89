"""The sums of a model's files: what was saved is what is loaded, down to the last bit."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gatewise
from gatewise.errors import ModelError
from gatewise.model.archive import open_model

SUMMED = ("vocabulary.json", "model.safetensors", "model.onnx")


@pytest.fixture
def model(stored: Path, tmp_path: Path) -> Path:
    """A copy of v1-calibrated, which has sums."""
    return Path(shutil.copytree(stored / "v1-calibrated", tmp_path / "model"))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    change(content)
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")


def exchange_arrays(folder: Path, first: str, second: str) -> None:
    """The two have the same shape; their names change places, byte for byte."""
    path = folder / "model.safetensors"
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header, rest = path.read_bytes()[8 : 8 + size], path.read_bytes()[8 + size :]
    table = json.loads(header)
    table[first], table[second] = table[second], table[first]
    written = json.dumps(table, separators=(",", ":")).encode().ljust(size)
    path.write_bytes(size.to_bytes(8, "little") + written + rest)


def refusal(model: Path) -> str:
    with pytest.raises(ModelError) as refused:
        gatewise.load(model)
    return str(refused.value).removeprefix(str(model))[1:]


@pytest.mark.parametrize("name", ["v1-calibrated", "v1-half-heads", "v1-forms-cnn", "v1-forms-lstm"])
def test_sums_are_those_of_the_files(stored: Path, name: str) -> None:
    folder = stored / name
    table = json.loads((folder / "config.json").read_text(encoding="utf-8"))["files"]
    assert table == {
        file: {
            "bytes": (folder / file).stat().st_size,
            "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest(),
        }
        for file in SUMMED
    }


@pytest.mark.parametrize("file", SUMMED)
def test_a_flipped_bit_is_noticed(model: Path, file: str) -> None:
    whole = (model / file).read_bytes()
    wanted = hashlib.sha256(whole).hexdigest()[:12]
    chance = random.Random(5)
    for place in (0, len(whole) * 8 - 1, *(chance.randrange(len(whole) * 8) for _ in range(20))):
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        (model / file).write_bytes(content)
        found = hashlib.sha256(content).hexdigest()[:12]
        assert refusal(model) == (
            f"{file}: expected the bytes that were saved (SHA-256 {wanted}…), found others ({found}…); the file was"
            " damaged or changed, copy it again"
        )


@pytest.mark.parametrize("file", SUMMED)
def test_another_size_is_told_as_such(model: Path, file: str) -> None:
    size = (model / file).stat().st_size
    with (model / file).open("ab") as stream:
        stream.write(b" ")
    assert refusal(model) == (
        f"{file}: expected {size:,} bytes as they were saved, found {size + 1:,}; the file was damaged or changed, "
        "copy it again"
    )


def test_a_file_of_another_size_is_not_read(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "file_digest", None)
    os.truncate(model / "model.safetensors", 2**30)
    assert refusal(model).endswith("found 1,073,741,824; the file was damaged or changed, copy it again")


def test_exchanged_arrays_are_noticed(model: Path) -> None:
    """Only the sums can tell: names and shapes are right."""
    exchange_arrays(model, "crf.start_transitions", "crf.end_transitions")
    assert refusal(model).startswith("model.safetensors: expected the bytes that were saved (SHA-256 ")
    edit(model, lambda content: content.pop("files"))
    assert gatewise.load(model).tag("小明").tags


def test_the_graph_of_a_sister_is_noticed(model: Path, stored: Path) -> None:
    shutil.copy(stored / "v1-spans" / "model.onnx", model / "model.onnx")
    size = (stored / "v1-calibrated" / "model.onnx").stat().st_size
    assert refusal(model).startswith(f"model.onnx: expected {size:,} bytes as they were saved, found ")


def test_card_and_configuration_may_be_edited(model: Path) -> None:
    (model / "README.md").write_text("# Mine\n", encoding="utf-8")
    edit(model, lambda content: content.update(temperature=2.5, later_key={"a": 1}))
    tagger = gatewise.load(model)
    assert (tagger.archive.card, tagger.temperature) == ("# Mine\n", 2.5)


def test_a_model_without_sums_loads(model: Path, stored: Path) -> None:
    edit(model, lambda content: content.pop("files"))
    assert open_model(model).sums == {}
    assert open_model(stored / "v1-spans").sums == {}
    assert len(open_model(stored / "v1-calibrated").sums) == 3


HASH = "0" * 64


@pytest.mark.parametrize(
    "table",
    [
        [],
        None,
        {},
        {"model.onnx": {"bytes": 1, "sha256": HASH}},
        {file: {"bytes": 1, "sha256": HASH} for file in (*SUMMED, "../x")},
        {file: {"bytes": 1} for file in SUMMED},
        {file: {"bytes": 1.0, "sha256": HASH} for file in SUMMED},
        {file: {"bytes": 1, "sha256": 5} for file in SUMMED},
        {file: {"bytes": 1, "sha256": HASH, "md5": ""} for file in SUMMED},
        dict.fromkeys(SUMMED, HASH),
    ],
    ids=range(10),
)
def test_a_table_of_another_form_is_refused(model: Path, table: Any) -> None:
    edit(model, lambda content: content.update(files=table))
    assert refusal(model) == (
        "config.json: files: expected bytes and sha256 of vocabulary.json, model.safetensors, model.onnx, found "
        "something else; restore the file, or leave files out"
    )
