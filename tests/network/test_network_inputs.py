"""Vectors of a sentence from .npy, .csv and .json files: what is read, and what is told of files that are none."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gatewise.errors import NetworkError
from gatewise.network import read_inputs

GOOD = {
    "a.json": "[[1, 2.5], [-3, 4e-1]]",
    "a.csv": "1,2.5\n-3,0.4\n",
    "b.csv": "\ufeff1, 2.5\r\n\r\n-3,4e-1\r\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_inputs_are_read(name, tmp_path):
    (tmp_path / name).write_text(GOOD[name], encoding="utf-8")
    np.testing.assert_array_equal(read_inputs(tmp_path / name), [[1, 2.5], [-3, 0.4]])


def test_inputs_of_numpy_are_read(tmp_path):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    for array in (x, x.astype(np.int16), np.asfortranarray(x)):
        np.save(tmp_path / "x.npy", array)
        found = read_inputs(tmp_path / "x.npy")
        np.testing.assert_array_equal(found, x)
        assert found.dtype == np.float64


WRONG = {
    "a.txt": (b"1", "expected a file that ends in .npy, .csv, .json, found .txt"),
    "a": (b"1", "expected a file that ends in .npy, .csv, .json, found no ending"),
    "a.csv": (b"a,b\n1,2\n", "expected numbers alone, found something else"),
    "b.csv": (b"1,2\n3\n", "expected 2 numbers, as in the first row, found 1"),
    "c.csv": (b"1,nan\n", "row 1: expected finite numbers, found others"),
    "d.csv": (b"\xff\xfe", "expected UTF-8, found other bytes; save the file as UTF-8"),
    "e.csv": (b"", "expected one row of numbers a token, (time, input_size), found shape (0, 0)"),
    "a.json": (b"[[1, 2], [3]]", "expected rows of one length, found [1, 2] numbers"),
    "b.json": (b"[1, 2]", "expected a list of lists of numbers, one a token: [[…], […]], found something else"),
    "c.json": (b"[[true]]", "expected a list of lists of numbers, one a token: [[…], […]], found something else"),
    "d.json": (b"[[1", "expected JSON, found something else"),
    "e.json": (b"[" * 100_000, "expected JSON, found something else"),
    "f.json": (b"[[1e999]]", "row 1: expected finite numbers, found others"),
    "g.json": (b"[[1" + b"0" * 400 + b"]]", "expected finite numbers, found one beyond them"),
    "h.json": (b"[[" + b"1" * 5000 + b"]]", "expected JSON, found something else"),
    "a.npy": (b"\x93NUMPY", "expected an array saved by numpy.save, found another file"),
    "b.npy": (b"text", "expected an array saved by numpy.save, found another file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_inputs_are_told_in_a_sentence(name, tmp_path):
    content, sentence = WRONG[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NetworkError) as error:
        read_inputs(path)
    assert re.fullmatch(rf"{re.escape(str(path))}(:\d+)?: {re.escape(sentence)}.*", str(error.value), re.DOTALL)


def test_an_array_of_objects_or_of_more_than_there_is(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([[{}]]), allow_pickle=True)
    with pytest.raises(NetworkError, match="expected an array saved by"):
        read_inputs(path)
    np.save(path, np.zeros((2, 2)))
    path.write_bytes(path.read_bytes().replace(b"(2, 2)", b"(2**9", 1).replace(b"(2**9", b"(9999999999, 2)", 1))
    with pytest.raises(NetworkError, match="expected an array saved by"):
        read_inputs(path)
    for array in (np.array([["a"]]), np.array([[1j]])):
        np.save(path, array)
        with pytest.raises(NetworkError, match="expected an array of numbers, found"):
            read_inputs(path)
