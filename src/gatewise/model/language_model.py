"""A character language model on disk: a folder of plain files, read as carefully as a tagger's (ADR 0033).

    config.json         format version, sizes, the characters in the order of their ids, sums of the weights
    model.safetensors   two LSTMs, forward and reverse, each with its embedding, under PyTorch's names
    README.md           what it was trained on, and how well it predicts

In: a folder, or a language model to write. Out: a frozen `LanguageModel`, or a ModelError that says what is wrong. What
predicts the next character is not in it: a tagger reads states alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from gatewise.errors import ModelError
from gatewise.model.archive_files import (
    CARD_FILE,
    CONFIG_FILE,
    LARGEST,
    WEIGHTS_FILE,
    json_object,
    read_file,
    told_in_a_line,
)
from gatewise.model.config import ArchiveConfig, Config
from gatewise.model.file_sums import FileSum, check_file
from gatewise.model.heads import strings
from gatewise.model.language_model_shapes import SUFFIXES, embedding_name, layer_shapes
from gatewise.model.saving import write_folder
from gatewise.model.weights import Float32s, check_weights, read_arrays
from gatewise.text.vocabulary import Vocabulary

KIND = "language_model"
FORMAT_VERSION = 1
FILES = frozenset({CONFIG_FILE, WEIGHTS_FILE, CARD_FILE})
MOST_UNITS = 4096  # and numbers of an embedding
MOST_CHARACTERS = 100_000
RESTORE = "copy the whole folder again"
_FLOATS = Config(archive=ArchiveConfig(numbers="float32"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """Two character LSTMs of `hidden` units on embeddings of `dim` numbers, the ids of both from `vocabulary`.

    `arrays` as `language_model_shapes` names them.
    """

    hidden: int
    dim: int
    vocabulary: Vocabulary
    arrays: Mapping[str, Float32s]


def language_model_shapes(*, hidden: int, dim: int, size: int) -> dict[str, tuple[int, ...]]:
    """Name → shape of every weight; `size` is the number of ids, padding and unknown included."""
    return {embedding_name(suffix): (size, dim) for suffix in SUFFIXES} | layer_shapes(hidden=hidden, dim=dim)


def open_language_model(folder: str | Path) -> LanguageModel:
    """Read and check a folder; raises ModelError for whatever is not a whole language model."""
    folder = Path(folder)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise ModelError(f"{folder}: expected the folder of a language model (gatewise pretrain), found {found}")
    with told_in_a_line():
        return _opened(folder)


def _opened(folder: Path) -> LanguageModel:
    where = folder / CONFIG_FILE
    description = json_object(read_file(where), where)
    version, kind = description.get("format_version"), description.get("kind")
    if kind != KIND:
        raise ModelError(
            f"{where}: expected kind {KIND!r}, found {kind!r}; give the folder that gatewise pretrain has written"
        )
    if type(version) is not int or version != FORMAT_VERSION:
        raise ModelError(
            f"{where}: expected format_version {FORMAT_VERSION}, found {version!r}; a newer gatewise may read it:"
            " pip install --upgrade gatewise"
        )
    hidden, dim = (_size(description, name, where) for name in ("hidden", "dim"))
    characters = strings(description, "characters", where)
    if not 1 <= len(characters) <= MOST_CHARACTERS or any(len(one) != 1 for one in characters):
        raise ModelError(
            f"{where}: characters: expected 1 to {MOST_CHARACTERS:,} characters, found {len(characters):,} entries or"
            f" longer ones; {RESTORE}"
        )
    vocabulary = Vocabulary(entries=characters)
    shapes = language_model_shapes(hidden=hidden, dim=dim, size=vocabulary.size)
    check_file(folder / WEIGHTS_FILE, _sums(description, where))
    check_weights(folder / WEIGHTS_FILE, shapes, _FLOATS)
    arrays = read_arrays(folder / WEIGHTS_FILE, lambda name: True)  # noqa: ARG005 - all of them
    return LanguageModel(hidden=hidden, dim=dim, vocabulary=vocabulary, arrays=arrays)


def _size(description: Mapping[str, Any], name: str, where: Path) -> int:
    value = description.get(name)
    if type(value) is not int or not 1 <= value <= MOST_UNITS:
        raise ModelError(f"{where}: {name}: expected a whole number from 1 to {MOST_UNITS}, found {value!r}; {RESTORE}")
    return value


def _sums(description: Mapping[str, Any], where: Path) -> dict[str, FileSum]:
    found = description.get("files", {}).get(WEIGHTS_FILE) if isinstance(description.get("files"), dict) else None
    if not isinstance(found, dict) or type(found.get("bytes")) is not int or not isinstance(found.get("sha256"), str):
        raise ModelError(f"{where}: files: expected bytes and sha256 of {WEIGHTS_FILE}, found {found!r}; {RESTORE}")
    return {WEIGHTS_FILE: FileSum(bytes=found["bytes"], sha256=found["sha256"])}


def save_language_model(folder: str | Path, model: LanguageModel, *, card: str) -> None:
    """Write a folder whole or not at all; an older language model in that place is replaced. Raises ModelError."""
    target = Path(folder)
    check_language_model_target(target)
    weights = save({name: np.ascontiguousarray(array) for name, array in model.arrays.items()})
    description = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "hidden": model.hidden,
        "dim": model.dim,
        "characters": list(model.vocabulary.entries),
        "files": {WEIGHTS_FILE: {"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}},
    }
    config = (json.dumps(description, ensure_ascii=False, indent=1) + "\n").encode()
    files = {CONFIG_FILE: config, WEIGHTS_FILE: weights, CARD_FILE: card.encode()}
    for name, content in files.items():
        if len(content) > LARGEST[name]:
            raise ModelError(
                f"{target / name}: expected at most {LARGEST[name]:,} bytes, found {len(content):,}; make the language"
                " model smaller: --vocabulary, --hidden"
            )
    try:
        write_folder(Path(os.path.abspath(target)), files)
    except OSError as error:
        raise ModelError(f"{target}: cannot be written ({error.strerror}); check the disk and the path") from error


def check_language_model_target(folder: str | Path) -> None:
    """Raise ModelError unless `folder` is free, empty, or a language model, which saving may replace."""
    target = Path(folder)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    others = {entry.name for entry in target.iterdir()} - FILES if target.is_dir() else {"a file"}
    if not others:
        where = target / CONFIG_FILE
        if where.exists() and json_object(read_file(where), where).get("kind") == KIND:
            return
        others = {"something else"}
    raise ModelError(
        f"{target}: expected no folder or a language model to replace, found {', '.join(sorted(others)[:3])}; choose"
        " another -o"
    )
