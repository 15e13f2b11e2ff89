"""The model folder: what is saved is what is opened, and whatever is broken is named in one sentence."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import gatewise
from gatewise.crf import CRFScores
from gatewise.errors import ConfigError, ModelError
from gatewise.model import saving
from gatewise.model.archive import check_target, open_model, save_model
from gatewise.model.bundled import bundled_models, find_model

FILES = ("config.json", "vocabulary.json", "model.safetensors", "model.onnx", "README.md")
Break = Callable[[Path], object]


@pytest.fixture
def model(stored: Path, tmp_path: Path) -> Path:
    """A copy of v1-spans that may be broken."""
    return Path(shutil.copytree(stored / "v1-spans", tmp_path / "model"))


def save_again(source: Path, target: Path, **changes: Any) -> None:
    """Open a model and save all of it elsewhere."""
    archive = open_model(source)
    parts: dict[str, Any] = {
        "config": archive.config,
        "scheme": archive.scheme,
        "labels": archive.labels,
        "vocabularies": archive.vocabularies,
        "arrays": load_file(source / "model.safetensors"),
        "graph": archive.graph_path.read_bytes(),
        "card": archive.card,
        "facts": archive.facts,
        "temperature": archive.temperature,
        "heads": archive.heads,
    }
    save_model(target, **parts | changes)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Saving


@pytest.mark.parametrize("name", ["v2-spans", "v2-segmentation", "v2-softmax-rnn", "v2-tags"])
def test_round_trip(stored: Path, tmp_path: Path, name: str) -> None:
    save_again(stored / name, tmp_path / "again")
    first, second = open_model(stored / name), open_model(tmp_path / "again")
    assert replace(second, folder=first.folder, legality=first.legality) == first
    assert np.array_equal(second.legality.allowed, first.legality.allowed)
    assert sorted(contents(tmp_path / "again")) == sorted(FILES)
    ours, theirs = (folder.arrays(lambda _: True) for folder in (first, second))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(array, theirs[key]) and array.dtype == np.float32 for key, array in ours.items())
    before, after = contents(stored / name), contents(tmp_path / "again")
    assert all(after[file] == before[file] for file in FILES if file != "config.json")  # which may have new keys


def test_the_config_of_a_model_is_readable_json_in_utf8(tmp_path: Path, model: Path) -> None:
    config = replace(open_model(model).config, name="小模型")
    save_again(model, tmp_path / "again", config=config)
    assert '"name": "小模型"' in (tmp_path / "again" / "config.json").read_text(encoding="utf-8")
    assert gatewise.load(tmp_path / "again").name == "小模型"


def test_a_model_is_replaced_whole_or_not_at_all(
    stored: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(model)
    real = os.replace
    for failing_at in (1, 2):
        moves: list[object] = []

        def move(source: object, target: object, failing_at: int = failing_at, moves: list[object] = moves) -> None:
            moves.append(source)
            if len(moves) == failing_at:
                raise OSError(28, "No space left on device")
            real(source, target)  # type: ignore[arg-type]

        monkeypatch.setattr(saving.os, "replace", move)
        with pytest.raises(ModelError, match=r"model: cannot be written \(No space left on device\)"):
            save_again(stored / "v1-tags", model)
        assert contents(model) == before
        assert [path.name for path in tmp_path.iterdir()] == ["model"]
    monkeypatch.setattr(saving.os, "replace", real)
    save_again(stored / "v1-tags", model)
    assert gatewise.load(model).name == "v1-tags"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_nothing_is_left_behind_when_writing_fails(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "model.onnx":
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ModelError, match="cannot be written"):
        save_again(stored / "v1-tags", tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_anything_else_is_refused(stored: Path, model: Path, tmp_path: Path) -> None:
    empty, foreign, half, file = (tmp_path / name for name in ("empty", "foreign", "half", "file"))
    for folder in (empty, foreign, half):
        folder.mkdir()
    (foreign / "config.json").write_text("{}")
    (foreign / "thesis.tex").write_text("years of work")
    (half / "README.md").write_text("mine")
    file.write_text("mine")
    check_target(tmp_path / "new")
    check_target(empty)
    check_target(model)
    for path, found in ((foreign, "found thesis.tex"), (half, "found parts of one"), (file, "found a file")):
        with pytest.raises(ModelError, match=f"{path.name}: expected .*{found}; choose another"):
            save_again(stored / "v1-tags", path)
    assert (foreign / "thesis.tex").read_text() == "years of work"
    save_again(stored / "v1-tags", empty)
    assert gatewise.load(empty).name == "v1-tags"


def test_the_folder_one_stands_in_can_be_written(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_again(stored / "v1-tags", Path("."))
    assert gatewise.load(tmp_path / "here").name == "v1-tags"


# Opening what is broken


def change_config(**changes: Any) -> Break:
    """Replace entries of config.json; a dotted name reaches into the tables."""

    def change(folder: Path) -> None:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        for key, value in changes.items():
            *parents, last = key.split("__")
            table = content
            for parent in parents:
                table = table[parent]
            if value is None:
                del table[last]
            else:
                table[last] = value
        (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")

    return change


def change_vocabulary(key: str, change: Callable[[list[str]], object]) -> Break:
    def apply(folder: Path) -> None:
        content = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        content[key] = change(content[key])
        (folder / "vocabulary.json").write_text(json.dumps(content), encoding="utf-8")

    return apply


def change_arrays(change: Callable[[dict[str, np.ndarray]], object]) -> Break:
    def apply(folder: Path) -> None:
        arrays = load_file(folder / "model.safetensors")
        change(arrays)
        save_file(arrays, folder / "model.safetensors")

    return apply


def swap(name: str, other: str) -> Break:
    """Put the file of another stored model in the place of this one's."""
    return lambda folder: shutil.copy(Path(__file__).parent.parent / "data" / "models" / other / name, folder / name)


def write(name: str, content: bytes) -> Break:
    return lambda folder: (folder / name).write_bytes(content)


LABELS = [*(f"{prefix}-{label}" for prefix in "BEI" for label in ("LOC", "ORG", "PER")), "O", "S-LOC", "S-ORG", "S-PER"]
BROKEN: dict[str, tuple[Break, str, str]] = {
    "json": (write("config.json", b'{"format_version": 1,'), "config.json", "expected JSON, found a damaged file"),
    "not utf-8": (write("config.json", b'{"\xff": 1}'), "config.json", "expected JSON, found a damaged file"),
    "nested": (write("vocabulary.json", b"[" * 100_000), "vocabulary.json", "expected JSON, found a damaged file"),
    "list": (write("config.json", b"[]"), "config.json", "expected a JSON object, found list"),
    "later version": (
        change_config(format_version=3),
        "config.json",
        "expected format_version 1 to 2 .*found 3 ",
    ),
    "no version": (change_config(format_version=None), "config.json", "expected format_version 1 to 2 .*found None"),
    "other kind": (change_config(kind="translator"), "config.json", "kind 'tagger', found 1 and 'translator'"),
    "misspelled key": (
        change_config(config__encoder__hiden=5),
        "config.json",
        r"unknown key 'encoder\.hiden'; did you mean 'encoder\.hidden'\?; the file was changed",
    ),
    "range": (change_config(config__encoder__hidden=0), "config.json", r"encoder\.hidden: expected a whole number of"),
    "no config": (change_config(config=None), "config.json", "task: expected a decided task"),
    "config list": (change_config(config=[]), "config.json", r"expected a table of settings, found \[\]"),
    "undecided": (change_config(config__task__tokenizer="auto"), "config.json", "task: expected a decided task"),
    "unknown scheme": (change_config(scheme="IOBES"), "config.json", "scheme: expected one of BIO, .*found 'IOBES'"),
    "two schemes": (change_config(scheme="BIO"), "config.json", "decided task in the scheme BIO, found BIOES"),
    "labels text": (change_config(labels="O"), "config.json", "labels: expected a list of strings, found str"),
    "labels mixed": (change_config(labels=["O", 1]), "config.json", "labels: expected a list of strings"),
    "labels doubled": (change_config(labels=[*LABELS[:-1], "O"]), "config.json", "labels: expected each entry once"),
    "labels fewer": (change_config(labels=LABELS[1:]), "model.safetensors", "expected shape .*not of one model"),
    "no labels": (change_config(labels=[]), "model.safetensors", "expected shape .*not of one model"),
    "label of no scheme": (change_config(labels=[*LABELS[:-1], "X-PER"]), "config.json", 'labels: .*found "X-PER"'),
    "another encoder": (
        change_config(config__encoder__kind="rnn"),
        "model.safetensors",
        r"encoder\.bias_hh_l0: expected shape \(5,\), found shape \(20,\)",
    ),
    "more layers": (
        change_config(config__encoder__layers=2),
        "model.safetensors",
        r"encoder\.bias_hh_l1: expected shape \(20,\), found nothing",
    ),
    "softmax": (
        change_config(config__output__kind="softmax"),
        "model.safetensors",
        r"crf\.end_transitions: expected nothing, found shape \(13,\)",
    ),
    "tokens missing": (
        change_vocabulary("tokens", lambda entries: entries[1:]),
        "model.safetensors",
        r"token_embedding\.weight: expected shape .*found shape .*not of one model",
    ),
    "tokens doubled": (
        change_vocabulary("tokens", lambda entries: [entries[1], *entries[1:]]),
        "vocabulary.json",
        "tokens: expected each entry once",
    ),
    "tokens of another": (swap("vocabulary.json", "v1-tags"), "model.safetensors", "embedding.*not of one model"),
    "no bigrams": (change_vocabulary("bigrams", lambda _: None), "vocabulary.json", "bigrams: expected a list"),
    "weights of another": (swap("model.safetensors", "v1-tags"), "model.safetensors", "not of one model"),
    "weight missing": (
        change_arrays(lambda arrays: arrays.pop("emission.bias")),
        "model.safetensors",
        r"emission\.bias: expected shape \(13,\), found nothing",
    ),
    "weights garbage": (write("model.safetensors", b"PK\x03\x04" * 50), "model.safetensors", "found a damaged file"),
    "graph garbage": (write("model.onnx", b"\x80\x04cos\nsystem\n" * 20), "model.onnx", "found a damaged file"),
    "graph of another": (swap("model.onnx", "v1-tags"), "model.onnx", "inputs tokens, .*graph of another model"),
    "graph of more tags": (
        swap("model.onnx", "v1-segmentation"),
        "model.onnx",
        r"outputs x \(14\), emissions \(13\), found .*emissions \(40\)",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(model: Path, name: str) -> None:
    break_it, file, message = BROKEN[name]
    break_it(model)
    with pytest.raises(ModelError, match=message) as refusal:
        gatewise.load(model)
    assert str(refusal.value).startswith(f"{model / file}: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("file", FILES[:4])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.99])
def test_a_truncated_file_is_named(model: Path, file: str, kept: float) -> None:
    whole = (model / file).read_bytes()
    (model / file).write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ModelError, match=r"expected .*, found a damaged file") as refusal:
        gatewise.load(model)
    assert str(refusal.value).startswith(f"{model / file}: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("file", FILES[:4])
def test_a_missing_file_is_named(model: Path, file: str) -> None:
    (model / file).unlink()
    with pytest.raises(ModelError) as refusal:
        gatewise.load(model)
    assert str(refusal.value).startswith(f"{model / file}: ")


def test_a_missing_card_matters_only_to_those_who_read_it(model: Path) -> None:
    (model / "README.md").unlink()
    archive = gatewise.load(model).archive
    with pytest.raises(ModelError, match=r"README\.md: cannot be read"):
        _ = archive.card


def test_a_graph_of_a_smaller_vocabulary_is_noticed_when_it_runs(model: Path) -> None:
    """Names and sizes fit; only the ids do not."""

    def grow(arrays: dict[str, np.ndarray]) -> None:
        arrays["token_embedding.weight"] = np.tile(arrays["token_embedding.weight"], (9, 1))

    change_arrays(grow)(model)
    rows = len(load_file(model / "model.safetensors")["token_embedding.weight"])
    change_vocabulary("tokens", lambda entries: [*(chr(0x5000 + n) for n in range(rows - 2))])(model)
    tagger = gatewise.load(model)
    with pytest.raises(ModelError, match=r"model\.onnx: expected a graph that fits the vocabulary") as refusal:
        tagger.tag(chr(0x5000 + rows - 3))
    assert "\n" not in str(refusal.value)


def test_no_model_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for call, message in (
        (lambda: gatewise.load("no-such-model"), r"no-such-model: expected a model folder or a bundled model \("),
        (lambda: gatewise.load(tmp_path / "nothing"), "nothing: expected a model folder or a bundled model"),
        (lambda: gatewise.load(tmp_path / "file"), "file: expected a model folder, found a file"),
        (lambda: gatewise.load(tmp_path), r"config\.json: cannot be read \(No such file"),
        (lambda: open_model(tmp_path / "nothing"), "nothing: expected a model folder, found nothing"),
    ):
        with pytest.raises(ModelError, match=message):
            call()


def test_bundled_models_are_found_by_name_and_folders_by_path(stored: Path) -> None:
    for name, folder in bundled_models().items():
        assert find_model(name) == folder
        assert folder.name == name
    assert find_model(str(stored / "v1-tags")) == stored / "v1-tags"


def test_loading_runs_no_code(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    for folder in stored.glob("v1-*/"):
        gatewise.load(folder).trace("我 am")
        assert {path.name for path in folder.iterdir()} == set(FILES)


# What is inside


def test_softmax_knows_nothing_but_what_is_legal(stored: Path) -> None:
    archive = open_model(stored / "v1-softmax-rnn")
    scores: CRFScores = archive.crf_scores()
    assert set(np.unique(scores.transitions)) == {0.0, -np.inf}
    assert np.array_equal(np.isfinite(scores.transitions), archive.legality.allowed)


def test_a_crf_keeps_what_it_learned_where_that_is_legal(stored: Path) -> None:
    archive = open_model(stored / "v1-spans")
    scores, legality = archive.crf_scores(), archive.legality
    learned = load_file(stored / "v1-spans" / "model.safetensors")["crf.transitions"]
    assert np.array_equal(scores.transitions[legality.allowed], learned[legality.allowed])
    assert np.isneginf(scores.transitions[~legality.allowed]).all()
    names = {label: number for number, label in enumerate(archive.labels)}
    assert np.isfinite(scores.transitions[names["B-PER"], names["E-PER"]])
    assert np.isneginf(scores.transitions[names["B-PER"], names["E-LOC"]])
    assert np.isneginf(scores.start_transitions[names["E-PER"]])
    assert np.isneginf(scores.end_transitions[names["B-PER"]])


# Too large to be stored


def test_what_readers_would_refuse_is_not_trained(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_model(stored / "v1-half-heads")
    config, vocabularies = archive.config, archive.vocabularies
    saving.check_storable(config, vocabularies, {"": 40, "names": 13})
    with pytest.raises(
        ConfigError, match=r"^the tags: expected at most 2,048 of all heads, found 2,049; check the col"
    ):
        saving.check_storable(config, vocabularies, {"": 2036, "names": 13})
    saving.check_storable(config, vocabularies, {"": 2035, "names": 13})
    size = (stored / "v1-half-heads" / "vocabulary.json").stat().st_size
    monkeypatch.setitem(saving.LARGEST, "vocabulary.json", size)
    saving.check_storable(config, vocabularies, {"": 40, "names": 13})
    monkeypatch.setitem(saving.LARGEST, "vocabulary.json", size - 1)
    message = rf"^the vocabulary: expected at most {size - 1} bytes, found {size}; raise features\.min_count"
    with pytest.raises(ConfigError, match=message):
        saving.check_storable(config, vocabularies, {"": 40, "names": 13})
    monkeypatch.undo()
    numbers = sum(array.size for array in load_file(stored / "v1-half-heads" / "model.safetensors").values())
    monkeypatch.setitem(saving.LARGEST, "model.safetensors", 2**21 + 2 * numbers - 1)
    with pytest.raises(
        ConfigError, match=rf"^the weights: expected at most {2 * numbers - 1:,} bytes, found {2 * numbers:,};"
    ):
        saving.check_storable(config, vocabularies, {"": 40, "names": 13})


def test_what_readers_would_refuse_is_not_written(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match=r"again/README\.md: expected at most 1,048,576 bytes, found 1,048,577; make"):
        save_again(stored / "v1-tags", tmp_path / "again", card="x" * (2**20 + 1))
    assert not list(tmp_path.iterdir())
