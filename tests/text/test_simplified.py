"""Traditional characters as simplified ones: one for one, and nothing else is touched."""

from __future__ import annotations

import unicodedata
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from gatewise.text.simplified import TABLE, simplified


def test_by_hand() -> None:
    assert simplified("臺灣的漢語，學習 Déjà 123") == "台湾的汉语，学习 Déjà 123"
    assert simplified("𫗦") == "𫗦"  # simplified itself, and beyond the first plane
    assert simplified("") == ""


@given(st.text())
def test_no_offset_changes(text: str) -> None:
    found = simplified(text)
    assert len(found) == len(text)
    assert all(a == b or unicodedata.category(a) == "Lo" for a, b in zip(text, found, strict=True))


def test_the_table_is_one_for_one() -> None:
    lines = files("gatewise.text").joinpath(TABLE).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len(rows) > 3000
    assert all(len(row) == 2 and len(row[0]) == len(row[1]) == 1 and row[0] != row[1] for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
