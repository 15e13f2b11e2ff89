"""Files of vocabularies and labels: their entries by id, the keys that these have here, and what is refused."""

from __future__ import annotations

import pytest

from gatewise.errors import InteropError
from gatewise.interop.entries import keys_of, read_entries


def test_entries_that_meet_under_one_key():
    entries = ["[UNK]", "Apple", "apple", "ｂ", "B", "2", "7", "<pad>", "c"]
    keys = keys_of(entries, None, "v.txt")
    assert keys.rows == {"apple": 2, "b": 3, "0": 5, "c": 8}
    assert keys.changed == ("Apple", "ｂ", "B", "2", "7")
    assert keys.lost == ("Apple", "B", "7")
    assert keys.unknown == 0
    with pytest.raises(InteropError, match=r"v\.txt: expected one entry for unknown tokens, found none; name it with"):
        keys_of(["a", "b"], None, "v.txt")
    assert keys_of(["a", "b"], "b", "v.txt").rows == {"a": 0}


WRONG = {
    "twice.txt": ("a\nb\na\n", "id 2: expected an entry that differs from all others, found 'a' again, which has id 0"),
    "empty.txt": ("a\n\nb\n", "id 1: expected an entry that differs from all others, found an empty one"),
    "none.txt": ("", "expected labels, found none"),
    "gap.json": ('{"a": 0, "b": 2}', "expected a list of texts, or an object from texts to the ids 0, 1, …, found"),
    "list.json": ("[1]", "expected a list of texts, or an object from texts to the ids 0, 1, …, found another"),
    "cut.json": (
        "[",
        "expected JSON, found a damaged file (Expecting value: line 1 column 2 (char 1)); write it again",
    ),
    "half.json": ('["\\ud800"]', "expected JSON, found a damaged file"),
    "same.json": ('{"a": 0, "a": 1}', "expected JSON, found a damaged file (the key 'a' stands twice in an object)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_entries_are_told(name, tmp_path):
    content, sentence = WRONG[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InteropError) as error:
        read_entries(tmp_path / name, "labels")
    assert str(error.value).startswith(f"{tmp_path / name}: {sentence}")
    with pytest.raises(InteropError, match="cannot be read"):
        read_entries(tmp_path / "nothing.txt", "labels")


def test_ids_of_an_object_need_no_order(tmp_path):
    (tmp_path / "a.json").write_text('{"b": 1, "a": 0}', encoding="utf-8")
    assert read_entries(tmp_path / "a.json", "labels") == ("a", "b")


def test_lines_end_with_a_line_feed_alone(tmp_path):
    path = tmp_path / "v.txt"
    path.write_bytes("\ufeffa\r\n\u2028\n\x85\n\u3000\n".encode())
    assert read_entries(path, "labels") == ("a", "\u2028", "\x85", "\u3000")
