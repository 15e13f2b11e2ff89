"""A model's folder as bytes, so that workers on machines without its files get it.

In: a bundled name or a folder. Out: its files, and on the other side a loaded `Tagger`.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gatewise import __version__
from gatewise.errors import ModelError
from gatewise.model.archive_files import MODEL_FILES
from gatewise.model.bundled import find_model
from gatewise.runtime import Tagger, load


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedModel:
    """The files of a model by name, and the version of gatewise that packed them."""

    files: Mapping[str, bytes]
    version: str


def unpack_model(packed: PackedModel, *, threads: int) -> Tagger:
    """The tagger, which can tag but not trace. Raises ModelError for another version's model."""
    if packed.version != __version__:
        raise ModelError(
            f"expected gatewise {packed.version} on every machine, found {__version__} on one; install the same "
            "version everywhere"
        )
    folder = tempfile.mkdtemp(prefix="gatewise-model-")
    try:
        for name, content in packed.files.items():
            Path(folder, name).write_bytes(content)
        tagger = load(folder, threads=threads)
    except BaseException:
        shutil.rmtree(folder)
        raise
    remove = weakref.finalize(tagger, shutil.rmtree, folder, ignore_errors=True)
    if threads == 1:  # nothing is read again, and a worker that is killed leaves nothing behind
        remove()
    return tagger


def pack_model(model: str | Path) -> PackedModel:
    """The files of a bundled model or of a model folder; raises ModelError where there is none."""
    folder = find_model(model)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name in MODEL_FILES}
    return PackedModel(files=files, version=__version__)
