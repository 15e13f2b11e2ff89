"""Model folders from strangers: each is refused with a sentence, before memory is spent on what it claims."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import gatewise
from gatewise.errors import ModelError
from gatewise.model.archive import open_model
from gatewise.model.archive_files import LARGEST, read_file
from gatewise.model.strict_json import parse_json

FILES = ("config.json", "vocabulary.json", "model.safetensors", "model.onnx")
Break = Callable[[Path], object]
unix = pytest.mark.skipif(os.name == "nt", reason="pipes and links are those of Unix")


@pytest.fixture
def model(stored: Path, tmp_path: Path) -> Path:
    """A copy of v1-spans, which has no sums, that may be broken."""
    return Path(shutil.copytree(stored / "v1-spans", tmp_path / "model"))


def refusal(model: Path) -> str:
    """What loading this model says; always one printable line about a file in it."""
    with pytest.raises(ModelError) as refused:
        gatewise.load(model).trace("我")
    message = str(refused.value)
    assert message.isprintable()
    assert message.startswith(f"{model}{os.sep}")
    assert len(message) <= 2100
    return message.removeprefix(f"{model}{os.sep}")


# Files that are none


@unix
@pytest.mark.parametrize("file", FILES)
def test_what_is_no_file_is_not_opened(model: Path, file: str) -> None:
    (model / file).unlink()
    os.mkfifo(model / file)  # opening it would wait for ever
    assert refusal(model) == f"{file}: expected a file, found a pipe or a device; copy the whole model again"
    (model / file).unlink()
    (model / file).mkdir()
    assert refusal(model) == f"{file}: expected a file, found a folder; copy the whole model again"


@unix
@pytest.mark.parametrize("file", [*FILES, "README.md"])
@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "../secret"])
def test_a_link_that_leads_out_is_not_followed(model: Path, file: str, target: str) -> None:
    (model.parent / "secret").write_bytes((model / file).read_bytes())
    (model / file).unlink()
    (model / file).symlink_to(target)
    with pytest.raises(ModelError) as refused:
        _ = gatewise.load(model).archive.card
    assert str(refused.value) == (
        f"{model / file}: expected a file, found a link that leads out of the folder; copy the file itself"
    )


@unix
def test_links_within_the_folder_and_to_the_folder_are_followed(model: Path, tmp_path: Path) -> None:
    (model / "model.onnx").rename(model / "graph")
    (model / "model.onnx").symlink_to("graph")
    (tmp_path / "other name").symlink_to(model)
    assert gatewise.load(tmp_path / "other name").tag("小明").tags
    (model / "graph").unlink()
    (model / "graph").symlink_to("model.onnx")
    assert refusal(model).startswith("model.onnx: cannot be read (Too many levels of symbolic links)")


@pytest.mark.parametrize("file", [*FILES, "README.md"])
def test_a_file_that_is_too_large_is_not_read(model: Path, file: str) -> None:
    most = LARGEST[file]
    if file == "model.onnx":
        most = 2 * (model / "model.safetensors").stat().st_size + 2**20
    os.truncate(model / file, most + 1)  # a hole, which takes no disk
    with pytest.raises(ModelError) as refused:
        _ = gatewise.load(model).archive.card
    assert str(refused.value) == (
        f"{model / file}: expected at most {most:,} bytes, found {most + 1:,}; this is no file of a gatewise model"
    )
    os.truncate(model / file, 5)
    assert read_file(model / file, 5) == read_file(model / file)
    with pytest.raises(ModelError, match="expected at most 4 bytes, found 5"):
        read_file(model / file, 4)


# JSON


def write(name: str, content: bytes) -> Break:
    return lambda folder: (folder / name).write_bytes(content)


def edit(change: Callable[[dict[str, Any]], object]) -> Break:
    """Change what config.json says."""

    def apply(folder: Path) -> None:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        change(content)
        (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")

    return apply


def replace_text(file: str, old: str, new: str) -> Break:
    def apply(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")

    return apply


JSON: dict[str, tuple[Break, str]] = {
    "nan": (
        replace_text("config.json", '"dropout": 0.1', '"dropout": NaN'),
        "config.json: expected JSON, found a damaged file (NaN is no JSON); copy it again",
    ),
    "infinity": (
        edit(lambda content: content.update(temperature=float("inf"))),
        "config.json: expected JSON, found a damaged file (Infinity is no JSON); copy it again",
    ),
    "a number too large for a float": (
        replace_text("config.json", '"dropout": 0.1', '"dropout": 1e999'),
        "config.json: training.dropout: expected a number from 0 up to, not including, 1, found inf; the file was "
        "changed, restore it or train again",
    ),
    "key twice": (
        replace_text(
            "config.json", '"scheme": "BIOES",\n "labels"', '"scheme": "BIOES",\n "scheme": "BIO",\n "labels"'
        ),
        "config.json: expected JSON, found a damaged file (the key 'scheme' stands twice in an object); copy it again",
    ),
    "vocabulary twice": (
        write("vocabulary.json", b'{"tokens": ["a"], "tokens": ["b"]}'),
        "vocabulary.json: expected JSON, found a damaged file (the key 'tokens' stands twice in an object); copy it "
        "again",
    ),
    "digits": (
        replace_text("config.json", '"seed": 7', f'"seed": {"9" * 19}'),
        "config.json: expected JSON, found a damaged file (a whole number of 19 digits); copy it again",
    ),
    "half a pair": (
        replace_text("config.json", '"name": "v1-spans"', r'"name": "\ud83d"'),
        "config.json: expected JSON, found a damaged file ('utf-8' codec can't encode character '\\ud83d' in position",
    ),
    "objects": (
        write("vocabulary.json", b'{"tokens":[' + b",".join([b"{}"] * 10_000) + b"]}"),
        "vocabulary.json: expected JSON, found a damaged file (more than 10,000 objects and lists); copy it again",
    ),
    "deep": (
        write("config.json", b'{"a":' * 9_000 + b"1" + b"}" * 9_000),
        "config.json: expected JSON, found a damaged file (maximum recursion depth exceeded",
    ),
    "layers": (
        edit(lambda content: content["config"]["encoder"].update(layers=10**9)),
        "config.json: encoder.layers: expected a whole number of at most 1000, found 1000000000; the file was changed,",
    ),
    "affixes": (
        edit(lambda content: content["config"]["features"].update(affix_length=10**9)),
        "config.json: features.affix_length: expected a whole number of at most 1000, found 1000000000; the file was",
    ),
    "tags": (
        edit(lambda content: content.update(labels=[f"B-{number}" for number in range(2049)])),
        "config.json: labels: expected at most 2,048 tags, found 2,049; the file was changed, restore it",
    ),
    "hidden": (
        edit(lambda content: content["config"]["encoder"].update(hidden=10**18 - 1)),
        "model.safetensors: emission.weight: expected shape (13, 1999999999999999998), found shape (13, 10); the files",
    ),
    "true for 1": (
        replace_text("config.json", '"format_version": 1', '"format_version": true'),
        "config.json: expected format_version 1 to 2 and kind 'tagger', found True and 'tagger'; a newer gatewise",
    ),
    "a scheme that is a list": (
        edit(lambda content: content.update(scheme=[])),
        "config.json: scheme: expected one of BIO, BIOES, plain, found []; the file was changed",
    ),
}


@pytest.mark.parametrize("name", JSON)
def test_odd_json_is_refused(model: Path, name: str) -> None:
    break_it, message = JSON[name]
    break_it(model)
    assert refusal(model)[: len(message)] == message


def test_json_that_is_not_odd_is_read() -> None:
    brackets = json.dumps({"tokens": ["[", "{", 'a"[', "\\", '\\"['] * 9_000})
    value = {"a": [1, -2.5, None, True, "𠮷"], "b": {"c": 123456789012345678}, "𠮷": []}
    for text in (brackets, json.dumps(value), json.dumps(value, ensure_ascii=False), '"a[', "3", "[" * 20_000):
        try:
            expected = json.loads(text)
        except (ValueError, RecursionError):
            with pytest.raises((ValueError, RecursionError)):
                parse_json(text.encode())
        else:
            assert parse_json(text.encode()) == expected


def test_messages_are_short_and_printable(model: Path) -> None:
    """Terminals obey control characters, so none of a stranger's comes out."""
    arrays = load_file(model / "model.safetensors")
    save_file(arrays | {"\x1b[2J\nerror: all is well" + "x" * 5000: np.zeros(1, "f4")}, model / "model.safetensors")
    message = refusal(model)
    assert r"\x1b[2J\nerror: all is well" in message
    assert " … " in message
    assert message.endswith("are not of one model, copy the whole folder again")


# Weights


def rewrite(change: Callable[[dict[str, Any]], object]) -> Break:
    """Change the header of the weights by hand; the numbers stay as they are."""

    def apply(folder: Path) -> None:
        content = (folder / "model.safetensors").read_bytes()
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        change(header)
        written = json.dumps(header).encode()
        (folder / "model.safetensors").write_bytes(len(written).to_bytes(8, "little") + written + content[8 + size :])

    return apply


def arrays(change: Callable[[dict[str, np.ndarray]], object]) -> Break:
    def apply(folder: Path) -> None:
        found = load_file(folder / "model.safetensors")
        change(found)
        save_file(found, folder / "model.safetensors")

    return apply


def cast(kind: str, *names: str) -> Break:
    def change(found: dict[str, np.ndarray]) -> None:
        found.update({name: array.astype(kind) for name, array in found.items() if name in names or not names})

    return arrays(change)


def poison(name: str, value: float) -> Break:
    return arrays(lambda found: found[name].reshape(-1).__setitem__(3, value))


BIAS = "emission.bias"
DAMAGED = "model.safetensors: expected safetensors, found a damaged file ("
WEIGHTS: dict[str, tuple[Break, str]] = {
    "float64": (
        cast("f8"),
        "model.safetensors: bigram_embedding.weight: expected numbers in F32, as archive.numbers says, found F64; copy "
        "the whole folder again",
    ),
    "int64": (
        cast("i8"),
        "model.safetensors: bigram_embedding.weight: expected numbers in F32, as archive.numbers says",
    ),
    "float16": (cast("f2"), "model.safetensors: bigram_embedding.weight: expected numbers in F32, as archive.numbers"),
    "mixed": (
        cast("f2", BIAS),
        f"model.safetensors: {BIAS}: expected numbers in F32, as archive.numbers says, found F16",
    ),
    "bfloat16": (
        rewrite(lambda header: header[BIAS].update(dtype="BF16", shape=[26])),
        f"model.safetensors: {BIAS}: expected shape (13,), found shape (26,)",
    ),
    "unknown kind": (rewrite(lambda header: header[BIAS].update(dtype="F128")), DAMAGED),
    "huge shape": (rewrite(lambda header: header[BIAS].update(shape=[10**12])), DAMAGED),
    "shape past 64 bits": (rewrite(lambda header: header[BIAS].update(shape=[2**40] * 3)), DAMAGED),
    "negative shape": (rewrite(lambda header: header[BIAS].update(shape=[-13])), DAMAGED),
    "past the end": (rewrite(lambda header: header[BIAS].update(data_offsets=[2**40, 2**40 + 52])), DAMAGED),
    "backwards": (
        rewrite(lambda header: header[BIAS].update(data_offsets=header[BIAS]["data_offsets"][::-1])),
        DAMAGED,
    ),
    "overlap": (
        rewrite(lambda header: header["crf.end_transitions"].update(data_offsets=header[BIAS]["data_offsets"])),
        DAMAGED,
    ),
    "missing": (rewrite(lambda header: header.pop(BIAS)), DAMAGED),
    "renamed": (
        rewrite(lambda header: header.update({"emission.bais": header.pop(BIAS)})),
        "model.safetensors: emission.bais: expected nothing, found shape (13,); the files of",
    ),
    "more": (
        arrays(lambda found: found.update(more=np.zeros(5, "f4"))),
        "model.safetensors: more: expected nothing, found shape (5,); the files of",
    ),
    "more at the end": (lambda folder: os.truncate(folder / "model.safetensors", 9000), DAMAGED),
    "huge header": (
        write("model.safetensors", (2**63).to_bytes(8, "little") + b"{}"),
        DAMAGED + "a header of 9,223,372,036,854,775,808 bytes); copy it again",
    ),
    "header of the largest kind": (
        write("model.safetensors", (2**20 + 1).to_bytes(8, "little") + b'{"a": "' + b" " * 2**20),
        DAMAGED + "a header of 1,048,577 bytes); copy it again",
    ),
    "not a number": (
        poison("crf.transitions", float("nan")),
        "model.safetensors: crf.transitions: expected finite numbers, found others; copy the file again",
    ),
    "infinite": (
        poison("encoder.weight_hh_l0", float("inf")),
        "model.safetensors: encoder.weight_hh_l0: expected finite numbers, found others; copy the file again",
    ),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_odd_weights_are_refused(model: Path, name: str) -> None:
    break_it, message = WEIGHTS[name]
    break_it(model)
    assert refusal(model)[: len(message)] == message


# Memory

MEASURE = """
import re, sys
import gatewise
from gatewise.model import strict_json
from gatewise.errors import ModelError
gatewise.load(sys.argv[1]).trace("我")
strict_json.MOST_CONTAINERS = int(sys.argv[2])
peak = lambda: int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
before = peak()
for folder in sys.argv[3:]:
    try:
        gatewise.load(folder)
        print("loaded", folder)
    except ModelError as error:
        pass
print((peak() - before) * 1024 / 1e6)
"""

BOMBS: dict[str, Break] = {
    "lists": write("vocabulary.json", b'{"tokens":[' + b"[]," * 1_500_000 + b"[]]}"),
    "digits": write("config.json", b'{"a":' + b"9" * 1_000_000 + b"}"),
    "layers": JSON["layers"][0],
    "affixes": JSON["affixes"][0],
    "hidden": JSON["hidden"][0],
    "huge shape": WEIGHTS["huge shape"][0],
    "huge header": WEIGHTS["huge header"][0],
    "holes": lambda folder: os.truncate(folder / "model.onnx", 2**31),
}


def megabytes(good: Path, folders: list[Path], most_containers: int) -> float:
    """How far loading these folders raises the peak of a process that has loaded a model before."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(good), str(most_containers), *map(str, folders)],
        capture_output=True,
        text=True,
        check=True,
    )
    *loaded, measured = done.stdout.splitlines()
    assert not loaded
    return float(measured)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read as Linux tells it")
def test_bombs_take_no_memory(stored: Path, tmp_path: Path) -> None:
    """The largest of the files is 4.5 MB; what is read of it is there as bytes and as text."""
    for name, break_it in BOMBS.items():
        break_it(Path(shutil.copytree(stored / "v1-spans", tmp_path / name)))
    folders = [tmp_path / name for name in BOMBS]
    assert megabytes(stored / "v1-spans", folders, 10_000) < 32
    assert megabytes(stored / "v1-spans", folders[:1], 10**9) > 64  # without the limit it would have exploded


# Anything


@pytest.mark.parametrize("file", FILES)
def test_whatever_is_changed_the_model_loads_or_a_sentence_says_why_not(model: Path, file: str) -> None:
    """Bytes replaced, cut out, doubled, at random."""
    whole = (model / file).read_bytes()
    head = min(len(whole), 1500)  # where names and sizes are
    chance = random.Random(11)
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 20))):
            place = chance.randrange(chance.choice((head, len(whole))))
            length = chance.choice((0, 1, 1, 8))
            content[place : place + length] = chance.randbytes(chance.choice((0, 1, 1, 1, 9)))
        (model / file).write_bytes(content)
        message = said(model)
        assert message is None or (message.startswith(f"{model}{os.sep}") and message.isprintable())
        refused += message is not None
    assert refused > 5


def said(model: Path) -> str | None:
    """Why the model is refused, if it is."""
    try:
        open_model(model).graph()
    except ModelError as error:
        return str(error)
    return None
