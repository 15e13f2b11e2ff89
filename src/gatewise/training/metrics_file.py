"""The numbers of a training run as JSON Lines, one line an epoch and some of its batches, whatever befalls the run.

In: lines (dictionaries with `kind` and `step`). Out: a file of them. A run that goes on from a checkpoint first drops
what was written after it, so the file ends as if the run had never been interrupted; a line that was cut short by a
kill is dropped too. `docs/training.md` says what is in a line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatewise.errors import FormatError, TrainingError
from gatewise.formats.target import appearing

Line = Mapping[str, Any]
_ORDER = {"start": 0, "batch": 0, "epoch": 1, "end": 2}  # of lines with the same step


class MetricsFile:
    """The lines of a run, on disk and in memory. Without `resume` whatever the file held before is dropped."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._resume, self._begun = resume, False

    def begin(self, first: Line) -> None:
        """Keep what comes before the line that is about to be written, of a run that goes on; once."""
        if self._begun:
            return
        self._begun = True
        place = _place(first)
        self.lines = [line for line in self._read() if _place(line) < place] if self._resume else []
        content = "".join(format_line(line) for line in self.lines)
        write_whole(self.path, content)

    def append(self, line: Line) -> None:
        """Write a line; raises TrainingError when there is no room."""
        self.begin(line)
        text = format_line(line)
        self.lines.append(json.loads(text))  # what a run that goes on will read
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise _unwritable(self.path, error.strerror or str(error)) from error

    def _read(self) -> list[Line]:
        if not self.path.is_file():
            return []
        found: list[Line] = []
        for text in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
                _place(line)
            except (ValueError, KeyError, TypeError):
                continue  # cut short
            found.append(line)
        return found


def format_line(line: Line) -> str:
    """A line of the file, its end included; what is not a number in JSON (infinity) becomes null."""
    return json.dumps(_finite(line), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def write_whole(path: Path, content: str) -> None:
    """Put a text in its place at once, so that whoever reads finds the old one or the new one; raises TrainingError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with appearing(path) as stream:
            stream.write(content.encode("utf-8", "replace"))
    except (OSError, FormatError) as error:
        cause = error.__cause__ if isinstance(error, FormatError) else error
        raise _unwritable(path, getattr(cause, "strerror", None) or str(error)) from error


def _unwritable(path: Path, reason: str) -> TrainingError:
    return TrainingError(
        f"{path}: cannot be written ({reason}); make room or clear the way, and go on with --resume if a checkpoint"
        " was saved"
    )


def _place(line: Line) -> tuple[float, int]:
    order = _ORDER[line["kind"]]
    return (math.inf if line["kind"] == "end" else int(line["step"]), order)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value
