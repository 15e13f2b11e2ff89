"""The files of a model folder: their names, and reading one.

In: a path. Out: its bytes, or the JSON object in it; or a ModelError that names the file and what to do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gatewise.errors import ModelError

FORMAT_VERSION = 1
KIND = "tagger"
TEMPERATURE_KEY = "temperature"
CONFIG_FILE, VOCABULARY_FILE = "config.json", "vocabulary.json"
WEIGHTS_FILE, GRAPH_FILE, CARD_FILE = "model.safetensors", "model.onnx", "README.md"
MODEL_FILES = {CONFIG_FILE, VOCABULARY_FILE, WEIGHTS_FILE, GRAPH_FILE, CARD_FILE}


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        content = json.loads(read_file(path))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: expected JSON, found a damaged file ({error}); copy it again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(content).__name__}; copy the file again")
    return content


def read_file(path: Path, most: int = -1) -> bytes:
    """The bytes of a file, or the first `most`."""
    try:
        with path.open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); is {path.parent} a whole gatewise model?"
        ) from error
