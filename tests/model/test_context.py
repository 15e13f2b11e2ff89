"""What a language model reads of a sentence, and where the tokens stand in it: by hand."""

from __future__ import annotations

import pytest

from gatewise.model.context import read_by_characters


@pytest.mark.parametrize(
    ("forms", "spaces", "text", "first", "last"),
    [
        (["好", "吗"], "none", "\n好吗\n", [1, 2], [1, 2]),
        (["在", "Rom"], "none", "\n在Rom\n", [1, 2], [1, 4]),
        (["in", "Rom", "!"], "between", "\nin Rom !\n", [1, 4, 8], [2, 6, 8]),
        (["用", "Python", "3", "写", "，", "ok"], "outside", "\n用Python 3写，ok\n", [1, 2, 9, 10, 11, 12], None),
        (["👩‍👧", "a"], "between", "\n👩‍👧 a\n", [1, 5], [3, 5]),
    ],
)
def test_what_is_read_of_a_sentence(
    forms: list[str], spaces: str, text: str, first: list[int], last: list[int] | None
) -> None:
    found, starts, ends = read_by_characters(forms, spaces)
    assert (found, list(starts)) == (text, first)
    assert list(ends) == (last or [1, 7, 9, 10, 11, 13])
    assert [found[a : b + 1] for a, b in zip(starts, ends, strict=True)] == forms
