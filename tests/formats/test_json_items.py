"""JSON objects one at a time: an array of any layout read in stretches of any size, held against `json.loads`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import FormatError
from gatewise.formats import source
from gatewise.formats.json_items import json_objects

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUES, max_size=3), max_size=4)


@given(objects=OBJECTS, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans(), chunk=st.integers(1, 40))
def test_arrays(
    tmp_path_factory: pytest.TempPathFactory, objects: list[Any], indent: int | None, ascii_only: bool, chunk: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "array.json"
    text = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    path.write_text("\ufeff \n" + text + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK", chunk)
        found = list(json_objects(path))
    assert [value for _, value in found] == objects
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    if indent == 2:
        assert all(lines[line - 1].startswith("  {") for line, _ in found)


@given(objects=OBJECTS, chunk=st.integers(1, 40), end=st.sampled_from(["\n", "\r\n", "\n\n \n"]))
def test_lines(tmp_path_factory: pytest.TempPathFactory, objects: list[Any], chunk: int, end: str) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.json"
    path.write_bytes("".join(json.dumps(value, ensure_ascii=False) + end for value in objects).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK", chunk)
        found = list(json_objects(path))
    assert [value for _, value in found] == objects
    assert [line for line, _ in found] == [1 + i * end.count("\n") for i in range(len(objects))]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 16])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"a": 1}\n', ':2: expected "]" of the JSON array, found the end of the file; is the file complete?'),
        (b'[{"a": 1},\n{"b"', ":2: expected a JSON object, found broken JSON (Expecting ':' delimiter: "),
        (b'[{"a": 1},\n{"b', ":2: expected a JSON object, found broken JSON (Unterminated string"),
        (b'[\n{"a" 1}' + b" " * 99, ":2: expected a JSON object, found broken JSON (Expecting ':' delimiter: "),
        (b"[\n3]", ':2: expected a JSON object, found "3'),
        (b"[{}]\n[]", ":2: expected the end after the array, found "),
        (b'[{"a": "\\ud800"}]', ":1: expected Unicode text, found the unpaired surrogate U+D800;"),
        (b'{"a": 1}\n"b"\n', ':2: expected a JSON object with "text", found "b"; write one object a line'),
        (b'{"a": 1}\n\xe6\x88\x91\xff', ":2: expected UTF-8, found the byte 0xFF after 3 good bytes; save"),
        (b'[{"a": ' + b"9" * 5000 + b"}]", ":1: expected a JSON object, found broken JSON (Exceeds the limit"),
        (b"[" + b'{"a":' * 100000, ":1: expected a JSON object, found broken JSON ("),
    ],
)
def test_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str, chunk: int
) -> None:
    if chunk < 100 < len(content):
        pytest.skip("long content is read in long stretches")
    path = tmp_path / "a.json"
    path.write_bytes(content)
    monkeypatch.setattr(source, "CHUNK", chunk)
    with pytest.raises(FormatError) as caught:
        list(json_objects(path))
    assert str(caught.value).startswith(f"{path}{message}")


def test_objects_come_before_the_array_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"a": 1},' + b" " * (1 << 17) + b"\xff")
    objects = json_objects(path)
    assert next(objects) == (1, {"a": 1})
    with pytest.raises(FormatError, match="expected UTF-8"):
        next(objects)
