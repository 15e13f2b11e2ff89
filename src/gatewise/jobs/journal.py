"""The journal of a job: how far it is, in a file beside the output, so that it can go on after a kill (docs/adr/0026).

In: what the job is (its files, model and options), and now and then a position up to which everything is on the disk.
Out: the file, which is a whole one at any moment; and, of a job that was broken off, the position to go on from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from gatewise.errors import JobError
from gatewise.jobs.parts import sync_folder

FORMAT = 1
_WORDS = {"gatewise": "the version of gatewise", "--model": "the model"}


@dataclass(slots=True, kw_only=True)
class Position:
    """How far a job is: `output` and `input` count from 0, `units` those done of that input, `size` the bytes of the
    part and `rejects_size` those of the rejects. `is_whole`: the output is complete, and may be under its own name."""

    output: int = 0
    input: int = 0
    units: int = 0
    size: int = 0
    rejects_size: int = 0
    is_whole: bool = False
    sentences: int = 0
    tokens: int = 0
    rejected: int = 0
    withheld: dict[str, list[int]] = field(default_factory=dict)  # by head: how many, of how many

    def begin(self, output: int) -> None:
        """Move to the beginning of an output."""
        self.output, self.input, self.units, self.size, self.is_whole = output, 0, 0, 0, False


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A journal at its place; `identity` says by its names (options, files) what the job depends on."""

    path: Path
    identity: Mapping[str, Any]

    def read(self) -> tuple[Position, str | None] | None:
        """The position of a job that was broken off, and what sets it apart from this one, None where it is the same.

        None where there is no journal, or nothing was done yet. Raises JobError for a file that is no journal.
        """
        try:
            found = json.loads(self.path.read_bytes())
            position, identity = Position(**found["position"]), dict(found["job"])
            if found["format"] != FORMAT:
                raise ValueError(f"of another version, {found['format']}")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JobError(
                f"{self.path}: expected the journal of a job, found a file that is none ({error}); remove it"
            ) from error
        if not position.sentences + position.rejected and not position.is_whole:
            return None
        return position, self._difference(identity)

    def write(self, position: Position) -> None:
        """Put a position onto the disk in place of the one before."""
        scratch = Path(f"{self.path}.new")
        content = {"format": FORMAT, "job": self.identity, "position": asdict(position)}
        with scratch.open("w", encoding="utf-8") as stream:
            json.dump(content, stream, ensure_ascii=False, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(scratch, self.path)
        sync_folder(self.path.parent)

    def remove(self) -> None:
        """Take the journal away, and what writing it may have left."""
        for path in (self.path, Path(f"{self.path}.new")):
            path.unlink(missing_ok=True)

    def _difference(self, found: Mapping[str, Any]) -> str | None:
        wanted = json.loads(json.dumps(self.identity))  # as it was stored
        for name in {**found, **wanted}:
            before, now = found.get(name), wanted.get(name)
            if before != now and (name != "--rejects" or before is not None):
                return _difference(name, before, now)
        return None


def _difference(name: str, before: Any, now: Any) -> str:
    if name == "files":
        old, new = ({entry[0]: entry[1:] for entry in entries or ()} for entries in (before, now))
        changed = [path for path in old if path in new and old[path] != new[path]]
        if changed:
            return f"{changed[0]} has changed since"
        if missing := [path for path in old if path not in new]:
            return f"{missing[0]} was among the files and is not now"
        return f"{next((path for path in new if path not in old), 'the order of the files')} is new"
    if name in _WORDS:
        return f"{_WORDS[name]} is another one"
    return f"{name} was {_shown(before)} and is {_shown(now)}"


def _shown(value: Any) -> str:
    return "not given" if value in (None, "", False) else str(value[0] if isinstance(value, list) else value)


def digest_of_model(folder: Path) -> str:
    """A number for all that the model folder holds, whatever it is called."""
    digest = blake2b(digest_size=16)
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".json", ".onnx", ".safetensors")):
        digest.update(path.name.encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
