"""Files on this machine and on whatever fsspec reaches (s3://, gs://, hdfs://, https://, zip://…::…).

In: a path, or an address with `://`. Out: what is to be read or written, as `gatewise.jobs` has it; a local file to
read, which messages call by the name the user gave; a local path to write, which then stands under its address.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from gatewise.bulk.extra import ray_extra
from gatewise.errors import JobError
from gatewise.formats.source import WatchedFile, reading_failed
from gatewise.jobs import Input, find_inputs
from gatewise.jobs.outputs import make_folder, plan_outputs

_LOCAL = "file://"
_ONE_PROCESS = "memory://"


@dataclass(slots=True, kw_only=True)
class NamedFile(WatchedFile):
    """A file that messages call by another name than its path."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where results of so many `files`, one after the other, are written."""

    address: str
    files: int


def find_files(arguments: Sequence[str], format: str) -> list[Input]:
    """The files, local ones as `find_inputs` finds them, the others by the patterns of fsspec.

    Raises JobError for what is not there, and for what no worker could read.
    """
    return [entry for argument in arguments for entry in _find(argument, format)]


def find_places(output: str, inputs: Sequence[Input], target: str) -> list[Place]:
    """One place for all files, or in a folder of this machine one for each. Raises JobError as `plan_outputs` does."""
    local = _local(output)
    if local is None:
        return [Place(address=output, files=len(inputs))]
    make_folder(local)
    outputs = plan_outputs(inputs, local, target)
    return [Place(address=str(entry.path), files=len(entry.inputs)) for entry in outputs]


def absolute(address: str) -> str:
    """The address as a worker that stands in another folder finds it."""
    local = _local(address)
    return address if local is None else os.path.abspath(local)


@contextmanager
def fetched(address: str, name: str) -> Iterator[NamedFile]:
    """The file itself where it is local, else a copy of it that is gone after the `with`.

    Raises JobError for one that cannot be had.
    """
    local = _local(address)
    if local is not None:
        yield NamedFile(path=local, name=name)
        return
    with tempfile.TemporaryDirectory(prefix="gatewise-") as folder:
        copy = Path(folder, "input")
        with _said(name, "read"):
            system, path = _system(address)
            with system.open(path, "rb") as remote, copy.open("wb") as stream:
                shutil.copyfileobj(remote, stream)
        yield NamedFile(path=str(copy), name=name)


@contextmanager
def placing(address: str) -> Iterator[Path]:
    """A path to write a whole file to: the place itself, or a file on this machine's disk that is copied there."""
    local = _local(address)
    if local is not None:
        path = Path(local)
        if path.exists() and not path.is_file():
            what = "a directory" if path.is_dir() else "a device"
            raise JobError(f"{address}: expected a file to write, found {what}; name a file")
        yield path
        return
    with _said(address, "write"):
        system, target = _system(address)
    with tempfile.TemporaryDirectory(prefix="gatewise-") as folder:
        scratch = Path(folder, "output")
        yield scratch
        with _said(address, "write"):
            _put(system, str(scratch), target)


def _find(argument: str, format: str) -> Sequence[Input]:
    local = _local(argument)
    if local is None:
        return [Input(path=address, format=format) for address in _expand(argument)]
    found = find_inputs([local], format)
    for entry in found:
        if entry.size is None:
            raise JobError(f"{entry.path}: expected a file that workers can read, found a stream; save it first")
    return found


def _expand(address: str) -> list[str]:
    if address.startswith(_ONE_PROCESS):
        raise JobError(
            f"{address}: expected files that every worker can read, found the memory of one process; copy them to a "
            "disk or an object store"
        )
    if not has_magic(address):
        return [address]
    with _said(address, "read"):
        system, path = _system(address)
        found = [system.unstrip_protocol(name) for name in sorted(system.glob(path))]
    if not found:
        raise JobError(f"{address}: expected a pattern that fits files, found none that it fits; check the address")
    return found


def _put(system: Any, scratch: str, path: str) -> None:
    """Not every store makes a file appear at once, so it gets another name first."""
    part = f"{path}.part"
    try:
        system.put_file(scratch, part)
        system.mv(part, path)
    except BaseException:
        with suppress(Exception):
            system.rm(part)
        raise


def _local(address: str) -> str | None:
    if address.startswith(_LOCAL) and "::" not in address:
        return address.removeprefix(_LOCAL)
    return None if "://" in address or "::" in address else address


def _system(address: str) -> tuple[Any, str]:
    with ray_extra():
        import fsspec
    system, path = fsspec.core.url_to_fs(address)
    return system, path


@contextmanager
def _said(name: str, verb: str) -> Iterator[None]:
    """Errors of any store as a sentence; their classes have nothing in common."""
    try:
        yield
    except FileNotFoundError as error:
        raise JobError(reading_failed(name, error)) from error
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise JobError(
            f"{name}: expected a place that fsspec can {verb}, found that it cannot ({reason}); check the address, the "
            "permissions, and that the store's library is installed on every machine"
        ) from error
