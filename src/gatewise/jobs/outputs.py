"""Where a job writes: which outputs there are, and which files each of them is made of.

In: the files that are read, and what `-o` says: nothing, a file, or a folder. Out: one output for all files, or in a
folder one for each, under its name with the extension of the target's format.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewise.errors import JobError
from gatewise.formats.source import STANDARD_INPUT
from gatewise.jobs.inputs import Input

_EXTENSIONS = {
    "inline": ".txt",
    "conll": ".conll",
    "conllu": ".conllu",
    "jsonl": ".jsonl",
    "doccano": ".jsonl",
    "prodigy": ".jsonl",
    "cluener": ".json",
    "label-studio": ".json",
    "parquet": ".parquet",
    "docbin": ".spacy",
}
_WHOLE = ("docbin", "label-studio")  # formats that can only be written in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file to write (None: standard output) and the files that it is made of."""

    path: Path | None
    inputs: tuple[Input, ...]

    @property
    def is_device(self) -> bool:
        """Whether it is written into as it stands, as /dev/null and named pipes are."""
        return self.path is None or (self.path.exists() and not self.path.is_file() and not self.path.is_dir())


def is_folder(output: str) -> bool:
    """Whether `-o` names a folder: one that is there, or a name that ends in a slash."""
    return output.endswith(("/", os.sep)) or os.path.isdir(output)


def make_folder(output: str) -> None:
    """Make the folder that `-o` names, where it names one. Raises JobError where that fails."""
    if not is_folder(output):
        return
    try:
        os.makedirs(output, exist_ok=True)
    except OSError as error:
        raise JobError(f"{Path(output)}: cannot be made ({error.strerror}); check the path given to -o") from error


def plan_outputs(inputs: Sequence[Input], output: str | None, target: str) -> tuple[Output, ...]:
    """The outputs in the order in which they are made.

    Raises JobError where two would have the same name, or one the name of a file that is read.
    """
    if output is None or not is_folder(output):
        if output is None and target in ("parquet", "docbin"):
            raise JobError(f"--to {target}: expected a file to write to, found none; add -o FILE")
        return (Output(path=None if output is None else Path(output), inputs=tuple(inputs)),)
    made: dict[Path, Input] = {}
    for source in inputs:
        path = Path(output, _name(source, output, target))
        if path in made:
            raise JobError(
                f"{path}: expected an output for each file, found one for both {made[path].path} and {source.path}; "
                "rename one, or write them to two folders"
            )
        made[path] = source
    read = {os.path.realpath(source.path): source for source in inputs}
    for path in made:
        if os.path.realpath(path) in read:
            raise JobError(f"{path}: expected a name of its own, found that of a file to read; choose another folder")
    return tuple(Output(path=path, inputs=(source,)) for path, source in made.items())


def why_not_resumable(outputs: Sequence[Output], target: str) -> str | None:
    """What keeps a job from going on after a kill; None where it can."""
    again = [source.path for output in outputs for source in output.inputs if source.size is None]
    if again:
        return f"{'standard input' if again[0] == STANDARD_INPUT else again[0]} cannot be read again"
    if any(output.is_device for output in outputs):
        return "the output is no file (-o FILE)"
    return f"--to {target} is written in one go" if target in _WHOLE else None


def _name(source: Input, folder: str, target: str) -> str:
    if source.path == STANDARD_INPUT:
        raise JobError(f"{folder}: cannot be written for standard input, which has no name to go by; name a file")
    name = Path(source.path).name.removesuffix(".gz")
    return Path(name).stem + _EXTENSIONS[target]
