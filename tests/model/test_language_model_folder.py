"""The folder of a language model: what is written is read, and what was changed on the way is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gatewise.errors import ModelError
from gatewise.model.language_model import (
    LanguageModel,
    language_model_shapes,
    open_language_model,
    save_language_model,
)
from gatewise.text.vocabulary import Vocabulary

CHARACTERS = ("\n", "好", "𠮷", " ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(5)
    shapes = language_model_shapes(hidden=3, dim=2, size=6)
    arrays = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    model = LanguageModel(hidden=3, dim=2, vocabulary=Vocabulary(entries=CHARACTERS), arrays=arrays)
    save_language_model(tmp_path / "lm", model, card="# lm\n")
    return tmp_path / "lm"


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_language_model(folder)
    return str(caught.value)


def test_what_is_written_is_read(folder: Path) -> None:
    model = open_language_model(folder)
    assert (model.hidden, model.dim, model.vocabulary.entries) == (3, 2, CHARACTERS)
    stored = load_file(folder / "model.safetensors")
    assert {name: array.shape for name, array in stored.items()} == {
        "language_model.embedding.weight": (6, 2),
        "language_model.embedding_reverse.weight": (6, 2),
        **{
            f"language_model.{kind}_l0{suffix}": shape
            for suffix in ("", "_reverse")
            for kind, shape in {
                "weight_ih": (12, 2),
                "weight_hh": (12, 3),
                "bias_ih": (12,),
                "bias_hh": (12,),
            }.items()
        },
    }
    for name, array in stored.items():
        np.testing.assert_array_equal(model.arrays[name], array)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "README.md"}


def change(**entries: Any) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | entries), encoding="utf-8")

    return changed


def flip(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])


def not_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "version": (
        change(format_version=2),
        "{}/config.json: expected format_version 1, found 2; a newer gatewise may read it: pip install --upgrade"
        " gatewise",
    ),
    "kind": (
        change(kind="tagger"),
        "{}/config.json: expected kind 'language_model', found 'tagger'; give the folder that gatewise pretrain has"
        " written",
    ),
    "huge": (
        change(hidden=10**9),
        "{}/config.json: hidden: expected a whole number from 1 to 4096, found 1000000000; copy the whole folder again",
    ),
    "true": (
        change(dim=True),
        "{}/config.json: dim: expected a whole number from 1 to 4096, found True; copy the whole folder again",
    ),
    "another size": (
        change(hidden=4),
        "{}/model.safetensors: language_model.bias_hh_l0: expected shape (16,), found shape (12,); the files of {} are"
        " not of one model, copy the whole folder again",
    ),
    "a character twice": (
        change(characters=["好", "好"]),
        "{}/config.json: characters: expected each entry once, found one twice; restore the file",
    ),
    "words": (
        change(characters=["你好", "a"]),
        "{}/config.json: characters: expected 1 to 100,000 characters, found 2 entries or longer ones; copy the whole"
        " folder again",
    ),
    "no sums": (
        change(files=[]),
        "{}/config.json: files: expected bytes and sha256 of model.safetensors, found None; copy the whole folder"
        " again",
    ),
    "a bit": (flip, "{}/model.safetensors: expected the bytes that were saved (SHA-256 "),
    "cut short": (cut_short, "{}/model.safetensors: expected "),
    "no JSON": (not_json, "{}/config.json: expected JSON, found a damaged file ("),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_changed_is_refused(folder: Path, name: str) -> None:
    change_it, said = CASES[name]
    change_it(folder)
    found, expected = refusal(folder), said.replace("{}", str(folder))
    assert found.startswith(expected) if expected.endswith(("(", "(SHA-256 ", "expected ")) else found == expected


def test_numbers_that_are_not_finite_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    arrays = load_file(path)
    arrays["language_model.weight_hh_l0_reverse"][1, 2] = np.inf
    save_file(arrays, path)
    content = path.read_bytes()
    change(files={path.name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}})(folder)
    assert refusal(folder) == (
        f"{path}: language_model.weight_hh_l0_reverse: expected finite numbers, found others; copy the file again"
    )


def test_a_link_that_leads_out_is_refused(folder: Path, tmp_path: Path) -> None:
    path = folder / "model.safetensors"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert refusal(folder).startswith(f"{path}: expected a file, found a link that leads out of the folder")
