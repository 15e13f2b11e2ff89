"""Vectors of a sentence from a file: NumPy's .npy, .csv or .json.

In: a path; rows are tokens, columns the numbers of a vector. Out: a float64 array (time, input_size) of finite numbers,
or one NetworkError sentence.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from gatewise.errors import NetworkError
from gatewise.lstm.shapes import Array

LARGEST = 2**28  # bytes of a file: far more than anyone reads an explanation of


def read_inputs(path: Path) -> Array:
    """The vectors in a file, told apart by its ending."""
    readers = {".npy": _npy, ".csv": _csv, ".json": _json}
    read = readers.get(path.suffix.lower())
    if read is None:
        raise NetworkError(
            f"{path}: expected a file that ends in {', '.join(readers)}, found {path.suffix or 'no ending'}"
        )
    try:
        if path.stat().st_size > LARGEST:
            raise NetworkError(
                f"{path}: expected at most {LARGEST:,} bytes, found more; give the vectors of one sentence"
            )
        rows = read(path)
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    except UnicodeDecodeError as error:
        raise NetworkError(f"{path}: expected UTF-8, found other bytes; save the file as UTF-8") from error
    if rows.ndim != 2 or not rows.shape[1]:
        raise NetworkError(f"{path}: expected one row of numbers a token, (time, input_size), found shape {rows.shape}")
    if not np.isfinite(rows).all():
        row = int(np.argwhere(~np.isfinite(rows))[0][0])
        raise NetworkError(f"{path}: row {row + 1}: expected finite numbers, found others")
    return rows


def _npy(path: Path) -> Array:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a header may promise more than there is
    except (ValueError, EOFError, TypeError) as error:
        raise NetworkError(f"{path}: expected an array saved by numpy.save, found another file ({error})") from error
    if not isinstance(mapped, np.ndarray) or not np.issubdtype(mapped.dtype, np.number) or np.iscomplexobj(mapped):
        raise NetworkError(f"{path}: expected an array of numbers, found {getattr(mapped, 'dtype', 'an archive')}")
    return np.array(mapped, dtype=np.float64)


def _csv(path: Path) -> Array:
    rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        try:
            for fields in filter(None, reader):
                rows.append([float(field) for field in fields])
                if len(rows[-1]) != len(rows[0]):
                    raise NetworkError(
                        f"{path}:{reader.line_num}: expected {len(rows[0])} numbers, as in the first row, found"
                        f" {len(rows[-1])}"
                    )
        except UnicodeDecodeError:
            raise
        except (ValueError, csv.Error) as error:
            raise NetworkError(
                f"{path}:{reader.line_num}: expected numbers alone, found something else ({error}); take heads and"
                " names out"
            ) from error
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0)


def _json(path: Path) -> Array:
    text = path.read_text(encoding="utf-8-sig")
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError for a number of thousands of digits too
        raise NetworkError(f"{path}: expected JSON, found something else ({error})") from error
    is_matrix = isinstance(content, list) and all(isinstance(row, list) for row in content)
    if not is_matrix or any(type(value) not in (int, float) for row in content for value in row):
        raise NetworkError(
            f"{path}: expected a list of lists of numbers, one a token: [[…], […]], found something else"
        )
    if len({len(row) for row in content}) > 1:
        raise NetworkError(
            f"{path}: expected rows of one length, found {sorted({len(row) for row in content})} numbers"
        )
    try:
        return np.array(content, dtype=np.float64).reshape(len(content), len(content[0]) if content else 0)
    except OverflowError as error:
        raise NetworkError(f"{path}: expected finite numbers, found one beyond them ({error})") from error
