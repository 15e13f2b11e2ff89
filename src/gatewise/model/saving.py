"""Writing a model folder: whole or not at all.

In: the parts of a model. Out: a folder of the files that `model.archive` reads; or a ModelError, and what was there is
still there.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from gatewise.errors import ConfigError, ModelError
from gatewise.model.archive_files import (
    CARD_FILE,
    CONFIG_FILE,
    FORMAT_VERSION,
    GRAPH_FILE,
    KIND,
    LARGEST,
    MODEL_FILES,
    MOST_TAGS,
    TEMPERATURE_KEY,
    VOCABULARY_FILE,
    WEIGHTS_FILE,
)
from gatewise.model.config import Config
from gatewise.model.distilled import DISTILLED_KEY, Distilled
from gatewise.model.file_sums import sums_to_dict
from gatewise.model.heads import MAIN_HEAD, ModelHead, heads_to_dict
from gatewise.model.label_facts import LabelFacts
from gatewise.model.lexicon import Lexicon, lexicon_to_dict
from gatewise.model.parameters import parameter_shapes
from gatewise.model.shared_arrays import without_shared_arrays
from gatewise.text.vocabulary import Vocabulary


def save_model(
    folder: str | Path,
    *,
    config: Config,
    scheme: str,
    labels: Sequence[str],
    vocabularies: Mapping[str, Vocabulary],
    arrays: Mapping[str, npt.NDArray[np.generic]],
    graph: bytes,
    card: str,
    facts: LabelFacts | None = None,
    temperature: float = 1.0,
    heads: Mapping[str, ModelHead] | None = None,
    distilled: Distilled | None = None,
) -> None:
    """Write a model folder: first beside its place, then moved there whole, so that none is ever half written.

    What `graph` and `arrays` have in common is written once, with the arrays.
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
        **({DISTILLED_KEY: distilled.to_dict()} if distilled else {}),
    }
    weights = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    files = {
        VOCABULARY_FILE: _vocabulary_json(vocabularies),
        WEIGHTS_FILE: weights,
        GRAPH_FILE: without_shared_arrays(graph, weights),
        CARD_FILE: card.encode(),
    }
    description |= sums_to_dict(files)
    files[CONFIG_FILE] = (json.dumps(description, ensure_ascii=False, indent=1) + "\n").encode()
    _expect_readable(target, files)
    try:
        write_folder(Path(os.path.abspath(target)), files)  # so that `.` has a name and a parent
    except OSError as error:
        raise ModelError(f"{target}: cannot be written ({error.strerror}); check the disk and the path") from error


def check_storable(config: Config, vocabularies: Mapping[str, Vocabulary], num_tags: Mapping[str, int]) -> None:
    """Raise ConfigError where a model would be larger than a folder may be; `num_tags` by head.

    Asked before training, so that no time is lost.
    """
    if (found := sum(num_tags.values())) > MOST_TAGS:
        raise ConfigError(
            f"the tags: expected at most {MOST_TAGS:,} of all heads, found {found:,}; check the column of the tags, or "
            "train on coarser ones"
        )
    shapes = parameter_shapes(
        config,
        sizes={name: vocabulary.size for name, vocabulary in vocabularies.items()},
        num_tags=num_tags[MAIN_HEAD],
        heads={name: count for name, count in num_tags.items() if name != MAIN_HEAD},
    )
    weights = sum(map(math.prod, shapes.values())) * (2 if config.archive.numbers == "float16" else 4)
    for what, size, most in (
        ("the vocabulary", len(_vocabulary_json(vocabularies)), LARGEST[VOCABULARY_FILE]),
        ("the weights", weights, LARGEST[WEIGHTS_FILE] - 2**21),  # beside which a header and nodes have room
    ):
        if size > most:
            raise ConfigError(
                f"{what}: expected at most {most:,} bytes, found {size:,}; raise features.min_count and "
                "features.bigram_min_count, or make the dimensions smaller"
            )


def _vocabulary_json(vocabularies: Mapping[str, Vocabulary]) -> bytes:
    entries: dict[str, list[str]] = {"tokens": [], "bigrams": []}  # version 1 has both, whether used or not
    found: dict[str, Any] = entries | {name: list(vocabulary.entries) for name, vocabulary in vocabularies.items()}
    for vocabulary in vocabularies.values():
        if isinstance(vocabulary, Lexicon):
            found |= lexicon_to_dict(vocabulary)
    return (json.dumps(found, ensure_ascii=False) + "\n").encode()


def _expect_readable(target: Path, files: Mapping[str, bytes]) -> None:
    """What is larger than readers take is not written."""
    for name, content in files.items():
        if len(content) > LARGEST[name]:
            raise ModelError(
                f"{target / name}: expected at most {LARGEST[name]:,} bytes, found {len(content):,}; make the model "
                "smaller, or raise features.min_count for fewer entries"
            )


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


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files beside its place and move it there whole; what was there comes back when that fails."""
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
