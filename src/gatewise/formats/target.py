"""Binary files that appear under their name only when they are complete.

In: a path. Out: a stream to write to; on any error the path stays as it was and no scratch file is left behind.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

from gatewise.errors import FormatError


@contextmanager
def appearing(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """A scratch file beside `path`, renamed to it at the end of the `with`. Raises FormatError where that fails."""
    target = Path(path)
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as scratch:
            try:
                yield cast(BinaryIO, scratch)
                scratch.flush()
                os.fsync(scratch.fileno())
                os.chmod(scratch.name, mode_of(target))
                os.replace(scratch.name, target)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(scratch.name)
                raise
    except OSError as error:
        raise FormatError(f"{target}: cannot be written ({error.strerror or error}); check the path") from error


def mode_of(target: Path) -> int:
    """The permissions of the file that is replaced, else those of any new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
