"""Files of pretrained vectors: word2vec text and binary, GloVe, fastText .vec, gzipped or not, told by their content.

In: a path, the length of the vectors, and which forms are wanted. Out: the wanted forms with their numbers, streamed.
The other way round, forms with their numbers become word2vec text.

Text has one entry a line, the form and then its numbers; an optional first line has two counts. Binary (word2vec.c)
has that line, and then each form in UTF-8, a space, and float32 numbers, little-endian. Forms that are no valid UTF-8,
which word2vec.c makes by cutting long ones, match nothing and are passed over.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO, TypeAlias

import numpy as np
import numpy.typing as npt

from gatewise.errors import FormatError

Float32s: TypeAlias = npt.NDArray[np.float32]
GZIP_MAGIC = b"\x1f\x8b"
LONGEST_LINE = 1 << 20  # bytes, of which the first entry is told to be text
LONGEST_FORM = 10_000  # bytes; a binary form that is longer is a file of another kind
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")  # bytes that stand in no text
_WRITABLE = re.compile(r"[^ \t\r\n]+")
REMEDY = "give word2vec text or binary, GloVe, or fastText .vec, gzipped or not"


def read_vectors(
    path: str | Path, dim: int, is_wanted: Callable[[str], bool], *, setting: str = "features.token_dim"
) -> Iterator[tuple[str, Float32s]]:
    """The wanted entries in the order of the file, each (dim,); `setting` is what messages say that decides `dim`.

    Raises FormatError, with the line, or in binary files the byte, for whatever is not of this form and length.
    """
    path = Path(path)
    try:
        with _opened(path) as stream:
            is_binary = _is_binary(stream)
        with _opened(path) as stream:
            yield from (_read_binary if is_binary else _read_text)(stream, path, dim, is_wanted, setting)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{path}: expected a file of vectors, found that it cannot be read ({reason})") from error


def write_vectors(vectors: Mapping[str, Float32s], dim: int, stream: TextIO) -> list[str]:
    """Write word2vec text in the order of the forms; those with a space or a line's end inside, which it cannot hold,
    are left out and returned."""
    left_out = [form for form in vectors if not _WRITABLE.fullmatch(form)]
    stream.write(f"{len(vectors) - len(left_out)} {dim}\n")
    for form, numbers in vectors.items():
        if _WRITABLE.fullmatch(form):
            stream.write(f"{form} {' '.join(map('{:.6g}'.format, numbers.tolist()))}\n")
    return left_out


def _opened(path: Path) -> io.BufferedReader:
    stream = path.open("rb")
    if stream.peek(2)[:2] != GZIP_MAGIC:
        return stream
    stream.close()
    return io.BufferedReader(gzip.open(path))


def _head(line: bytes) -> tuple[int, int] | None:
    """word2vec's first line: how many, how long."""
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        return int(fields[0]), int(fields[1])
    return None


def _is_binary(stream: io.BufferedReader) -> bool:
    """Whether the first entry is anything but a form and digits; a binary file always has a head before it.

    A byte of a number may be a line feed, so what stands where a binary entry's numbers would is looked at, too.
    """
    head = _head(stream.readline(LONGEST_LINE))
    if head is None:
        return False
    content = stream.read(LONGEST_LINE)
    line, _, _ = content.partition(b"\n")
    _, _, rest = content.partition(b" ")
    try:
        fields = line.decode("utf-8").split()
    except UnicodeDecodeError:
        return True
    if len(fields) < 2 or not _is_number(fields[-1]):
        return True
    return _NO_TEXT.search(rest[: 4 * head[1]]) is not None


def _check_head(head: tuple[int, int], dim: int, where: str, setting: str) -> None:
    if head[1] != dim:
        raise FormatError(f"{where}: expected vectors of {dim} numbers, found {head[1]}; set {setting}={head[1]}")


def _read_text(
    stream: io.BufferedReader, path: Path, dim: int, is_wanted: Callable[[str], bool], setting: str
) -> Iterator[tuple[str, Float32s]]:
    for number, raw in enumerate(stream, start=1):
        if number == 1 and (head := _head(raw)):
            _check_head(head, dim, f"{path}:1", setting)
            continue
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            if number == 1:
                raise FormatError(f"{path}:1: expected vectors as text in UTF-8, found {error}; {REMEDY}") from error
            continue
        form, _, rest = line.rstrip("\r\n").replace("\t", " ").partition(" ")
        if not is_wanted(form):
            continue
        values = rest.split()
        if len(values) > dim and not _is_number(values[0]):
            continue  # a form with spaces in it, of which this is but the first part
        yield form, _numbers(values, dim, where=f"{path}:{number}", setting=setting)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(values: list[str], dim: int, *, where: str, setting: str) -> Float32s:
    wide = np.array([float(value) for value in values if _is_number(value)])
    with np.errstate(over="ignore"):
        numbers = wide.astype(np.float32)
    if len(values) != dim or len(numbers) != dim or not np.isfinite(numbers).all():
        raise FormatError(
            f"{where}: expected {dim} numbers after the token, found {len(values)} ({' '.join(values)[:40]}); set"
            f" {setting} to the length of the file's vectors"
        )
    return numbers


def _read_binary(
    stream: io.BufferedReader, path: Path, dim: int, is_wanted: Callable[[str], bool], setting: str
) -> Iterator[tuple[str, Float32s]]:
    line = stream.readline()
    count, _ = head = _head(line) or (0, dim)
    _check_head(head, dim, f"{path}: byte 0", setting)
    offset = len(line)
    for number in range(1, count + 1):
        raw = _until_space(stream)
        if raw is None:
            raise FormatError(
                f"{path}: byte {offset}: expected entry {number} of {count}, a form and a space, found none; the file"
                f" is cut short or of another kind, {REMEDY}"
            )
        offset += len(raw) + 1
        numbers = stream.read(4 * dim)
        form = raw.lstrip(b"\n").decode("utf-8", errors="replace")
        if len(numbers) < 4 * dim:
            raise FormatError(
                f"{path}: byte {offset}: expected {dim} numbers of 4 bytes after {form[:40]!r}, found the file's"
                f" end after {len(numbers)} bytes; copy it again"
            )
        if is_wanted(form):
            values = np.frombuffer(numbers, dtype="<f4").astype(np.float32)
            if not np.isfinite(values).all():
                raise FormatError(
                    f"{path}: byte {offset}: expected {dim} finite numbers after {form[:40]!r}, found others; is"
                    " the file whole?"
                )
            yield form, values
        offset += 4 * dim


def _until_space(stream: io.BufferedReader) -> bytes | None:
    """What comes before the next space, which is passed over; None where there is none within reach."""
    found = b""
    while len(found) < LONGEST_FORM and (ahead := stream.peek(1)):
        end = ahead.find(b" ")
        if end >= 0:
            return found + stream.read(end + 1)[:-1]
        found += stream.read(len(ahead))
    return None
