"""Sums of a model's files, so that a flipped bit is noticed.

In: the files as they are saved. Out: the key `files` of config.json, the bytes and the SHA-256 of each file that
tagging reads; and back, with a check of a file against it. The model card is not among them: it may be edited. A model
that was saved without the key loads as it did (ADR 0025).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatewise.errors import ModelError
from gatewise.model.archive_files import GRAPH_FILE, VOCABULARY_FILE, WEIGHTS_FILE, file_size

SUMS_KEY = "files"
SUMMED_FILES = (VOCABULARY_FILE, WEIGHTS_FILE, GRAPH_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSum:
    """What a file was when it was saved: its number of bytes, and their SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


def sums_to_dict(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What config.json says of the files beside it."""
    sums = {
        name: FileSum(bytes=len(files[name]), sha256=hashlib.sha256(files[name]).hexdigest()) for name in SUMMED_FILES
    }
    return {SUMS_KEY: {name: asdict(found) for name, found in sums.items()}}


def sums_from_dict(description: Mapping[str, Any], *, where: str) -> dict[str, FileSum]:
    """The sums that a config.json holds, by file; none where it was written without them."""
    if SUMS_KEY not in description:
        return {}
    table = description[SUMS_KEY]
    if not isinstance(table, dict) or set(table) != set(SUMMED_FILES) or not all(map(_is_sum, table.values())):
        raise ModelError(
            f"{where}: {SUMS_KEY}: expected bytes and sha256 of {', '.join(SUMMED_FILES)}, found something else; "
            f"restore the file, or leave {SUMS_KEY} out"
        )
    return {name: FileSum(**entry) for name, entry in table.items()}


def check_content(path: Path, content: bytes, sums: Mapping[str, FileSum]) -> None:
    """Raise ModelError unless these are the bytes that were saved."""
    if wanted := sums.get(path.name):
        _compare(path, wanted, FileSum(bytes=len(content), sha256=hashlib.sha256(content).hexdigest()))


def check_file(path: Path, sums: Mapping[str, FileSum]) -> None:
    """The same for a file that is not held in memory; one of another size is not read."""
    if wanted := sums.get(path.name):
        size = file_size(path)
        if size != wanted.bytes:
            _compare(path, wanted, FileSum(bytes=size, sha256=""))
        with path.open("rb") as stream:
            _compare(path, wanted, FileSum(bytes=size, sha256=hashlib.file_digest(stream, "sha256").hexdigest()))


def _compare(path: Path, wanted: FileSum, found: FileSum) -> None:
    if found.bytes != wanted.bytes:
        said = f"{wanted.bytes:,} bytes as they were saved, found {found.bytes:,}"
    elif found.sha256 != wanted.sha256:
        said = f"the bytes that were saved (SHA-256 {wanted.sha256[:12]}…), found others ({found.sha256[:12]}…)"
    else:
        return
    raise ModelError(f"{path}: expected {said}; the file was damaged or changed, copy it again")


def _is_sum(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"bytes", "sha256"}
        and type(entry["bytes"]) is int
        and isinstance(entry["sha256"], str)
    )
