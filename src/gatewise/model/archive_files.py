"""The files of a model folder: their names, how large each may be, and reading one.

In: a path. Out: a file that is safe to read, its bytes, or the JSON object in it; or a ModelError that names the file
and what to do. Nothing is read of a file that is too large, is no file, or lies outside the folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gatewise.errors import ModelError
from gatewise.model.strict_json import parse_json

FORMAT_VERSION = 2  # what is written; every version from 1 on is read
KIND = "tagger"
TEMPERATURE_KEY = "temperature"
CONFIG_FILE, VOCABULARY_FILE = "config.json", "vocabulary.json"
WEIGHTS_FILE, GRAPH_FILE, CARD_FILE = "model.safetensors", "model.onnx", "README.md"
MODEL_FILES = {CONFIG_FILE, VOCABULARY_FILE, WEIGHTS_FILE, GRAPH_FILE, CARD_FILE}

LARGEST = {  # bytes
    CONFIG_FILE: 2**20,
    VOCABULARY_FILE: 2**25,
    WEIGHTS_FILE: 2**31 - 1,  # more cannot be one graph
    GRAPH_FILE: 2**31 - 1,
    CARD_FILE: 2**20,
}
MOST_TAGS = 2048  # of all heads: which may follow which is a table of them all
LONGEST_MESSAGE = 2000  # characters


def file_size(path: Path, most: int | None = None) -> int:
    """The bytes of a file of a model, at most `most`, or what its name allows; nothing is opened."""
    most = LARGEST[path.name] if most is None else most
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if os.path.dirname(os.path.realpath(path)) != os.path.realpath(path.parent):
        raise ModelError(f"{path}: expected a file, found a link that leads out of the folder; copy the file itself")
    if not stat.S_ISREG(status.st_mode):
        found = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise ModelError(f"{path}: expected a file, found {found}; copy the whole model again")
    if status.st_size > most:
        raise ModelError(
            f"{path}: expected at most {most:,} bytes, found {status.st_size:,}; this is no file of a gatewise model"
        )
    return status.st_size


def read_file(path: Path, most: int | None = None) -> bytes:
    """The bytes of a file of a model, see `file_size`."""
    size = file_size(path, most)
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise _unreadable(path, error) from error


def json_object(content: bytes, path: Path) -> dict[str, Any]:
    """The JSON object that a file holds."""
    try:
        found = parse_json(content)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: expected JSON, found a damaged file ({error}); copy it again") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(found).__name__}; copy the file again")
    return found


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """What a file holds may stand in a ModelError raised inside: cut in its middle, and no control characters."""
    try:
        yield
    except ModelError as error:
        message = str(error)
        if len(message) > LONGEST_MESSAGE:
            message = f"{message[: LONGEST_MESSAGE // 2]} … {message[-LONGEST_MESSAGE // 2 :]}"
        if not message.isprintable():
            message = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)
        raise ModelError(message) from error.__cause__


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(f"{path}: cannot be read ({error.strerror}); is {path.parent} a whole gatewise model?")
