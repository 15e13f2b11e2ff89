"""Schemes: tags ↔ spans, strictness and its words, transition tables against enumeration of short sequences."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

from gatewise.errors import SchemeError
from gatewise.text import (
    SCHEMES,
    Span,
    check_tags,
    complete_tags,
    convert_tags,
    legal_transitions,
    make_tag,
    spans_from_tags,
    split_tag,
    tags_from_spans,
)

SPAN_SCHEMES = ("IOB1", "BIO", "BIOES", "BMES", "BILOU")
TAGS = {
    "IOB1": ["O", "B-X", "I-X", "B-YY", "I-YY"],
    "BIO": ["O", "B-X", "I-X", "B-YY", "I-YY"],
    "BIOES": ["O", "B-X", "I-X", "E-X", "S-X", "B-YY", "I-YY", "E-YY", "S-YY"],
    "BMES": ["O", "B-X", "M-X", "E-X", "S-X", "B-YY", "M-YY", "E-YY", "S-YY"],
    "BILOU": ["O", "B-X", "I-X", "L-X", "U-X", "B-YY", "I-YY", "L-YY", "U-YY"],
}


@st.composite
def spans_and_length(draw: st.DrawFn) -> tuple[list[Span], int]:
    spans = []
    position = 0
    for gap, width, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.sampled_from(["PER", "B-C", "", "人"])), max_size=6)
    ):
        spans.append(Span(start=position + gap, end=position + gap + width, label=label))
        position += gap + width
    return spans, position + draw(st.integers(0, 2))


@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
@given(case=spans_and_length())
def test_spans_to_tags_and_back(scheme: str, case: tuple[list[Span], int]) -> None:
    spans, length = case
    tags = tags_from_spans(reversed(spans), length, scheme)
    assert len(tags) == length
    assert spans_from_tags(tags, scheme) == spans
    for target in SPAN_SCHEMES:
        there = convert_tags(tags, scheme, target)
        assert spans_from_tags(there, target) == spans
        assert convert_tags(there, target, scheme) == tags


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", ["I-PER", "I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER", "I-PER"]),
        ("BIO", ["B-PER", "I-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER", "I-PER"]),
        ("BIOES", ["B-PER", "I-PER", "E-PER", "S-PER", "O", "S-LOC", "B-PER", "E-PER"]),
        ("BMES", ["B-PER", "M-PER", "E-PER", "S-PER", "O", "S-LOC", "B-PER", "E-PER"]),
        ("BILOU", ["B-PER", "I-PER", "L-PER", "U-PER", "O", "U-LOC", "B-PER", "L-PER"]),
    ],
)
def test_one_example_in_every_scheme(scheme: str, tags: list[str]) -> None:
    spans = [(0, 3, "PER"), (3, 4, "PER"), (5, 6, "LOC"), (6, 8, "PER")]
    assert [(span.start, span.end, span.label) for span in spans_from_tags(tags, scheme)] == spans


def is_legal_by_round_trip(tags: tuple[str, ...], scheme: str) -> bool:
    """Legal = some set of spans writes exactly these tags; all sets are tried, without looking at the rules."""
    return tags in ALL_WRITTEN[scheme, len(tags)]


def all_span_sets(length: int, labels: tuple[str, ...], start: int = 0) -> list[list[Span]]:
    if start >= length:
        return [[]]
    found = all_span_sets(length, labels, start + 1)  # token `start` outside
    for end in range(start + 1, length + 1):
        rest = all_span_sets(length, labels, end)
        found = found + [[Span(start=start, end=end, label=x), *spans] for x in labels for spans in rest]
    return found


ALL_WRITTEN = {
    (scheme, length): {tuple(tags_from_spans(spans, length, scheme)) for spans in all_span_sets(length, ("X", "YY"))}
    for scheme in SPAN_SCHEMES
    for length in range(5)
}


@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
def test_checks_and_transitions_agree_with_every_sequence_of_up_to_four_tags(scheme: str) -> None:
    names = TAGS[scheme]
    table = legal_transitions(names, scheme)
    for length in range(1, 5 if len(names) < 6 else 4):
        for path in product(range(len(names)), repeat=length):
            tags = tuple(names[at] for at in path)
            by_table = (
                table.start[path[0]] and table.end[path[-1]] and all(table.allowed[a][b] for a, b in pairwise(path))
            )
            legal = is_legal_by_round_trip(tags, scheme)
            assert by_table == legal, tags
            if legal:
                check_tags(tags, scheme)
            else:
                with pytest.raises(SchemeError):
                    check_tags(tags, scheme)


@given(data=st.data())
def test_spans_are_those_of_seqeval(data: st.DataObject) -> None:
    scheme, theirs = data.draw(st.sampled_from([("IOB1", IOB1), ("BIO", IOB2), ("BIOES", IOBES), ("BILOU", BILOU)]))
    tags = data.draw(st.sampled_from(sorted(ALL_WRITTEN[scheme, 4])))
    entities = Entities([list(tags)], theirs).entities[0]
    assert [(s.start, s.end, s.label) for s in spans_from_tags(tags, scheme)] == [
        (e.start, e.end, e.tag) for e in entities
    ]


def test_in_plain_everything_is_legal_and_nothing_is_a_span() -> None:
    table = legal_transitions(["NOUN", "I-X"], "plain")
    assert table.allowed == ((True, True), (True, True))
    assert table.start == table.end == (True, True)
    check_tags(["I-X", "NOUN", ""], "plain")
    assert spans_from_tags(["I-X", "NOUN"], "plain") == []
    assert convert_tags(["NOUN"], "plain", "plain") == ["NOUN"]


@pytest.mark.parametrize(
    ("tag", "parts"),
    [("B-PER", ("B", "PER")), ("O", ("O", "")), ("E", ("E", "")), ("M-a-b", ("M", "a-b")), ("U-人", ("U", "人"))],
)
def test_split_tag(tag: str, parts: tuple[str, str]) -> None:
    assert split_tag(tag) == parts
    assert make_tag(*parts) == tag


@pytest.mark.parametrize("tag", ["", "NOUN", "O-PER", "B-", "b-PER", "W-PER", "-PER"])
def test_split_tag_refuses(tag: str) -> None:
    with pytest.raises(SchemeError, match=f'such as "B-PER", found "{tag}"; mend the tag'):
        split_tag(tag)


@pytest.mark.parametrize(
    ("tags", "scheme", "message"),
    [
        (
            ["I-X"],
            "BIO",
            'tags[0]: expected "O" or "B-…" at the start of the sentence (BIO), found "I-X"; mend the tag',
        ),
        (["O", "B-X", "I-Y"], "BIO", 'tags[2]: expected "O", "B-…" or "I-X" after "B-X" (BIO), found "I-Y"; mend'),
        (["O", "S-X"], "BIO", 'tags[1]: expected "O" or "B-…" after "O" (BIO), found "S-X"; mend the tag, or name'),
        (["B-X", "O"], "BIOES", 'tags[1]: expected "I-X" or "E-X" after "B-X" (BIOES), found "O"; mend the tag'),
        (["S-X", "M-X"], "BMES", 'tags[1]: expected "O", "B-…" or "S-…" after "S-X" (BMES), found "M-X"; mend'),
        (["O", "B"], "BMES", 'tags[1]: expected "M" or "E" after "B" (BMES), found the end of the sentence; mend'),
        (["NOUN"], "BIO", 'tags[0]: expected "O" or "B-…" at the start of the sentence (BIO), found "NOUN"; mend'),
        (["O", "B-X"], "IOB1", 'tags[1]: expected "O" or "I-…" after "O" (IOB1), found "B-X"; mend the tag'),
        (["I-X", "B-Y"], "IOB1", 'tags[1]: expected "O", "I-…" or "B-X" after "I-X" (IOB1), found "B-Y"; mend the'),
        (["B-X"], "IOB1", 'tags[0]: expected "O" or "I-…" at the start of the sentence (IOB1), found "B-X"; mend'),
        (["B-X", "E-X"], "BILOU", 'tags[1]: expected "I-X" or "L-X" after "B-X" (BILOU), found "E-X"; mend'),
        (["U-X", "L-X"], "BILOU", 'tags[1]: expected "O", "B-…" or "U-…" after "U-X" (BILOU), found "L-X"; mend'),
        (["O"], "IOB2", 'expected a scheme (IOB1, BIO, BIOES, BMES, BILOU, plain), found "IOB2"; choose one of'),
    ],
)
def test_what_is_said_of_broken_tags(tags: list[str], scheme: str, message: str) -> None:
    with pytest.raises(SchemeError) as caught:
        spans_from_tags(tags, scheme)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([(3, 5, "A"), (1, 4, "B")], "expected spans that do not overlap, found B [1, 4) and A [3, 5); keep one"),
        ([(4, 7, "A")], "expected a span of at least one token inside 0…6, found A [4, 7); mend its ends"),
        ([(-1, 2, "A")], "expected a span of at least one token inside 0…6, found A [-1, 2); mend its ends"),
        ([(2, 2, "A")], "expected a span of at least one token inside 0…6, found A [2, 2); mend its ends"),
    ],
)
def test_what_is_said_of_broken_spans(spans: list[tuple[int, int, str]], message: str) -> None:
    with pytest.raises(SchemeError) as caught:
        tags_from_spans([Span(start=a, end=b, label=x) for a, b, x in spans], 6, "BIOES")
    assert str(caught.value).startswith(message)


def test_plain_holds_no_spans() -> None:
    with pytest.raises(SchemeError, match="found plain; choose"):
        tags_from_spans([], 2, "plain")
    with pytest.raises(SchemeError, match="cannot be converted: choose two of IOB1, BIO, BIOES, BMES, BILOU"):
        convert_tags(["NOUN"], "plain", "BIO")
    assert "plain" in SCHEMES


def test_transitions_refuse_a_tag_of_another_scheme() -> None:
    with pytest.raises(SchemeError, match=r'expected a tag of BIO \(prefixes B, I, O\), found "S-X"; name another'):
        legal_transitions(["O", "S-X"], "BIO")


def test_tags_are_completed_so_that_every_length_can_be_said() -> None:
    assert complete_tags(["B-A", "E-A", "O"], "BIOES") == ["B-A", "E-A", "I-A", "O", "S-A"]
    assert complete_tags(["S-A"], "BMES") == ["B-A", "E-A", "M-A", "S-A"]
    assert complete_tags(["U-A"], "BILOU") == ["B-A", "I-A", "L-A", "U-A"]
    assert complete_tags(["I-A", "O"], "IOB1") == ["B-A", "I-A", "O"]
    assert complete_tags(["B", "O"], "BIO") == ["B", "I", "O"]
    assert complete_tags(["NOUN"], "plain") == ["NOUN"]
    assert complete_tags([], "BIO") == []


@given(
    labels=st.lists(st.sampled_from(["PER", "LOC"]), min_size=1),
    length=st.integers(min_value=1, max_value=5),
    scheme=st.sampled_from(SPAN_SCHEMES),
)
def test_completed_tags_have_a_legal_sequence_of_any_length(labels: list[str], length: int, scheme: str) -> None:
    tags = complete_tags([f"B-{label}" for label in labels], scheme)
    legal = legal_transitions(tags, scheme)
    reached = {index for index, can_start in enumerate(legal.start) if can_start}
    for _ in range(length - 1):
        reached = {b for a in reached for b in range(len(tags)) if legal.allowed[a][b]}
    assert any(legal.end[index] for index in reached)
