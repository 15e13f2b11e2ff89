"""Spelling, shape and affixes of a form, by hand and by properties."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.text.spelling import prefixes, spelling, suffixes, word_shape
from gatewise.text.vocabulary import normalize

FORMS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("EU", "XX"),
        ("rejects", "xxxx"),
        ("iPhone15", "xXxxxxdd"),
        ("ＩＰ９", "XXd"),
        ("1996-08-22", "dddd-dd-dd"),
        ("1,000,000", "d,ddd,ddd"),
        ("北京大学校", "cccc"),
        ("カタカナと", "cccc"),
        ("don't", "xxx'x"),
        ("......", "...."),
        ("$5%", "$d%"),
        ("e\u0301tat", "xxxx"),
        ("ǅ", "Xx"),  # NFKC takes the title-case letter apart
        ("q\u0323\u0307", "x"),
        ("٣٤", "dd"),
        ("", ""),
    ],
)
def test_shapes_by_hand(form: str, shape: str) -> None:
    assert word_shape(form) == shape


@given(FORMS)
def test_no_run_of_a_shape_is_longer_than_four_and_case_is_told(form: str) -> None:
    shape = word_shape(form)
    assert not any(sign * 5 in shape for sign in set(shape))
    assert len(shape) <= len(unicodedata.normalize("NFKC", form))


def test_spellings_by_hand() -> None:
    assert [spelling(form) for form in ("Ａb９", "e\u0301", "x")] == ["Ab9", "é", "x"]
    long = "".join(chr(ord("一") + number) for number in range(41))
    assert spelling(long[:40]) == long[:40]
    assert spelling(long) == long[:20] + long[21:]


@given(FORMS, st.integers(1, 5))
def test_affixes_are_the_ends_of_the_key(form: str, longest: int) -> None:
    key = normalize(form)
    front, back = prefixes(form, longest), suffixes(form, longest)
    assert len(front) == len(back) == longest
    for length, (first, last) in enumerate(zip(front, back, strict=True), start=1):
        if length > len(key):
            assert first == last == ""
        else:
            assert len(first) == len(last) == length
            assert key.startswith(first)
            assert key.endswith(last)


def test_affixes_by_hand() -> None:
    assert prefixes("Running", 3) == ["r", "ru", "run"]
    assert suffixes("Run9", 5) == ["0", "n0", "un0", "run0", ""]
