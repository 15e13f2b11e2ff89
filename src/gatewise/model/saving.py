"""Writing a model folder: whole or not at all.

In: the parts of a model. Out: a folder of the files that `model.archive` reads; or a ModelError, and what was there is
still there.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from gatewise.errors import ModelError
from gatewise.model.archive_files import (
    CARD_FILE,
    CONFIG_FILE,
    FORMAT_VERSION,
    GRAPH_FILE,
    KIND,
    MODEL_FILES,
    TEMPERATURE_KEY,
    VOCABULARY_FILE,
    WEIGHTS_FILE,
)
from gatewise.model.config import Config
from gatewise.model.heads import ModelHead, heads_to_dict
from gatewise.model.label_facts import LabelFacts
from gatewise.text.vocabulary import Vocabulary


def save_model(
    folder: str | Path,
    *,
    config: Config,
    scheme: str,
    labels: Sequence[str],
    vocabularies: Mapping[str, Vocabulary],
    arrays: Mapping[str, npt.NDArray[np.floating]],
    graph: bytes,
    card: str,
    facts: LabelFacts | None = None,
    temperature: float = 1.0,
    heads: Mapping[str, ModelHead] | None = None,
) -> None:
    """Write a model folder: first beside its place, then moved there whole, so that none is ever half written.

    An older model in that place is replaced; a folder that holds anything else is refused.
    """
    target = Path(folder)
    check_target(target)
    description = {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "scheme": scheme,
        "labels": list(labels),
        "config": config.to_dict(),
        **(facts.to_dict() if facts else {}),
        **({} if temperature == 1 else {TEMPERATURE_KEY: temperature}),
        **heads_to_dict(heads or {}),
    }
    entries: dict[str, list[str]] = {"tokens": [], "bigrams": []}  # version 1 has both, whether used or not
    entries |= {name: list(vocabulary.entries) for name, vocabulary in vocabularies.items()}
    weights = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    files = {
        CONFIG_FILE: (json.dumps(description, ensure_ascii=False, indent=1) + "\n").encode(),
        VOCABULARY_FILE: (json.dumps(entries, ensure_ascii=False) + "\n").encode(),
        WEIGHTS_FILE: save(weights),
        GRAPH_FILE: graph,
        CARD_FILE: card.encode(),
    }
    try:
        _write_whole(Path(os.path.abspath(target)), files)  # so that `.` has a name and a parent
    except OSError as error:
        raise ModelError(f"{target}: cannot be written ({error.strerror}); check the disk and the path") from error


def check_target(folder: str | Path) -> None:
    """Raise ModelError unless `folder` is free, empty, or a model and nothing else, which saving may replace."""
    target = Path(folder)
    if not target.exists():
        return
    if not target.is_dir():
        raise ModelError(f"{target}: expected a folder to write the model to, found a file; choose another -o")
    others = {entry.name for entry in target.iterdir()} - MODEL_FILES
    if others or (any(target.iterdir()) and not (target / CONFIG_FILE).exists()):
        shown = ", ".join(sorted(others)[:3]) or "parts of one"
        raise ModelError(f"{target}: expected no folder or a model to replace, found {shown}; choose another -o")


def _write_whole(target: Path, files: Mapping[str, bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        for name, content in files.items():
            (made / name).write_bytes(content)
        _put_in_place(made, target, old=Path(scratch) / "old")


def _put_in_place(made: Path, target: Path, *, old: Path) -> None:
    """Move the new folder to where it belongs; what was there comes back when that fails."""
    if not target.exists():
        os.replace(made, target)
        return
    os.replace(target, old)
    try:
        os.replace(made, target)
    except OSError:
        os.replace(old, target)
        raise
