"""Parts: outputs that are not complete yet, each in a file NAME.part beside its place.

In: where the output will be, and how many bytes of an earlier run's part are kept. Out: a stream to go on writing, its
bytes on the disk when asked; at the end, the file under its own name, in one step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from gatewise.errors import JobError
from gatewise.formats.target import mode_of

REMEDY = "start over without --resume"


class PartFile:
    """The part of an output, for this process alone; the system gives it back when the process ends, however."""

    def __init__(self, target: Path, *, keep: int = 0) -> None:
        """`keep`: the bytes of it that count. Raises JobError where it cannot be written, or another process does."""
        self.path = part_of(target)
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise JobError(f"{target}: cannot be written ({error.strerror}); check the path") from error
        self.stream: BinaryIO = os.fdopen(descriptor, "r+b")
        try:
            _hold(self.path, descriptor)
            if (found := os.fstat(descriptor).st_size) < keep:
                raise JobError(f"{self.path}: expected at least {keep:,} bytes, found {found:,}; {REMEDY}")
        except JobError:
            self.stream.close()
            raise
        self.stream.truncate(keep)
        self.stream.seek(keep)

    def sync(self) -> int:
        """Have all of it on the disk; its size."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        return self.stream.tell()

    def close(self) -> None:
        """Stop writing."""
        self.stream.close()


def part_of(target: Path) -> Path:
    """Where an output lies until it is complete."""
    return Path(f"{target}.part")


def finish(target: Path, columns: Mapping[str, str] | None = None) -> None:
    """Put the part at its place; done already, there is nothing to do. With `columns` the part is packed rows.

    Raises JobError where there is neither a part nor an output.
    """
    part = part_of(target)
    if not part.exists():
        if not target.exists():
            raise JobError(f"{part}: expected what was tagged, found nothing; {REMEDY}")
        return
    if columns is not None:
        from gatewise.formats.parquet import write_packed

        with part.open("rb") as packed:
            write_packed(packed, target, columns=columns)
        part.unlink()
    else:
        os.chmod(part, mode_of(target))
        os.replace(part, target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hold(path: Path, descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: nothing holds it
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise JobError(
            f"{path}: expected a part that nobody writes, found another process at it; wait for it"
        ) from error
