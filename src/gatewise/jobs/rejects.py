"""The rejects file: what could not be read or tagged, one JSON object a line, with its place and the reason.

`{"file", "line", "reason", "raw"}`: `raw` is what stood there; bytes that are not UTF-8 are U+FFFD in it, and then
`raw_base64` has it exactly. Of a sentence that was read but cannot be tagged or written, `raw` is the text.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

from gatewise.errors import JobError
from gatewise.jobs.parts import PartFile


class RejectsFile:
    """A rejects file that is written: into the part beside its place, or, where a job cannot go on, at its place."""

    def __init__(self, path: Path, *, part: PartFile | None = None) -> None:
        """Raises JobError where it cannot be written."""
        self._part = part
        try:
            self._stream = path.open("wb") if part is None else part.stream
        except OSError as error:
            raise JobError(
                f"{path}: cannot be written ({error.strerror}); check the path given to --rejects"
            ) from error

    def add(self, file: str, line: int, reason: str, raw: bytes) -> None:
        """Write one line."""
        entry = {"file": file, "line": line, "reason": reason, "raw": raw.decode("utf-8", "replace")}
        if entry["raw"] != raw.decode("utf-8", "surrogateescape"):
            entry["raw_base64"] = b64encode(raw).decode()
        self._stream.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def flush(self) -> None:
        """Let readers of the file see what there is."""
        self._stream.flush()

    def sync(self) -> int:
        """Have all of it on the disk; its size, 0 where it is not written into a part."""
        return 0 if self._part is None else self._part.sync()

    def close(self) -> None:
        """Stop writing."""
        self._stream.close()
