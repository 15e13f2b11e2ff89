"""Repair: the reading of conlleval, legal results, nothing changed that was legal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from gatewise.errors import SchemeError
from gatewise.text import SPAN_SCHEMES, check_tags, find_problem, repair_tags, spans_from_tags

LABELS = ("X", "YY")
ANY_TAGS = st.lists(
    st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIMESLU" for label in LABELS)]), max_size=9
)
# the letters that the conlleval reading of seqeval knows
KNOWN_TAGS = st.lists(
    st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in LABELS)]), max_size=9
)


@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
@given(tags=ANY_TAGS)
def test_the_result_is_legal_and_the_count_is_true(scheme: str, tags: list[str]) -> None:
    repair = repair_tags(tags, scheme)
    check_tags(repair.tags, scheme)
    assert len(repair.tags) == len(tags)
    assert repair.changed == sum(a != b for a, b in zip(tags, repair.tags, strict=True))
    assert (repair.changed == 0) == (find_problem(tags, scheme) is None)
    assert repair_tags(repair.tags, scheme).changed == 0
    assert all((a == "O") == (b == "O") for a, b in zip(tags, repair.tags, strict=True))
    assert all(a[2:] == b[2:] for a, b in zip(tags, repair.tags, strict=True))  # labels are never changed


@given(tags=KNOWN_TAGS)
def test_spans_are_those_of_the_conlleval_reading(tags: list[str]) -> None:
    expected = [(start, last + 1, label) for label, start, last in get_entities(tags)]
    for scheme in SPAN_SCHEMES:
        if find_problem(tags, scheme):
            mended = repair_tags(tags, scheme).tags
            assert [(s.start, s.end, s.label) for s in spans_from_tags(mended, scheme)] == expected


@pytest.mark.parametrize(
    ("scheme", "tags", "expected", "changed"),
    [
        ("BIO", "I-X I-X O I-X", "B-X I-X O B-X", 2),
        ("BIO", "B-X I-Y I-Y", "B-X B-Y I-Y", 1),
        ("BIO", "B-X B-X I-X", "B-X B-X I-X", 0),
        ("IOB1", "O B-X I-X", "O I-X I-X", 1),
        ("IOB1", "I-X B-X B-Y", "I-X B-X I-Y", 1),
        ("BIOES", "O B-X O", "O S-X O", 1),
        ("BIOES", "B-X I-X", "B-X E-X", 1),
        ("BIOES", "E-X S-X I-X", "S-X S-X S-X", 2),
        ("BIOES", "B-X I-Y E-Y", "S-X B-Y E-Y", 2),
        ("BMES", "B I E", "B M E", 1),
        ("BILOU", "B-X E-X S-X", "B-X L-X U-X", 2),
        ("BILOU", "L-X L-X", "U-X U-X", 2),
    ],
)
def test_examples_of_repair(scheme: str, tags: str, expected: str, changed: int) -> None:
    repair = repair_tags(tags.split(), scheme)
    assert (" ".join(repair.tags), repair.changed) == (expected, changed)


def test_plain_tags_need_no_repair() -> None:
    assert repair_tags(["NOUN", "I-X"], "plain").tags == ("NOUN", "I-X")


def test_a_tag_without_prefix_is_refused() -> None:
    with pytest.raises(SchemeError, match=r'^tags\[1\]: expected "O" or a prefix .* found "NOUN"; mend the tag'):
        repair_tags(["O", "NOUN"], "BIO")
