"""What `check_corpus` finds, against corpora whose faults were planted, and against brute force."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.text import Sentence, sentence_from_forms
from gatewise.text.hygiene import CheckReport, Place, Reading, check_corpus, guess_scheme
from gatewise.text.odd_characters import CharacterCensus, character_kind, is_odd_token

Tagged = Sequence[tuple[str, str]]


def split(*sentences: str) -> Reading:
    """`"我/O 在/O 北京/B-LOC"` each; a token stands on a line of its own, a blank line after each sentence."""

    def read() -> Iterable[tuple[Sentence, Sequence[int]]]:
        line = 1
        for text in sentences:
            pairs = [entry.rpartition("/") for entry in text.split(" ")]
            forms, tags = [pair[0] for pair in pairs], [pair[2] for pair in pairs]
            yield sentence_from_forms(forms, tags), range(line, line + len(forms))
            line += len(forms) + 1

    return read


def repeat(report: CheckReport, name: str, other: str) -> tuple[int, int, int]:
    found = next(entry for entry in report.repeats if (entry.split, entry.other) == (name, other))
    return found.exact, found.normalized, found.conflicting


def test_sizes_labels_and_the_longest() -> None:
    report = check_corpus(
        {"train": split("小/B-PER 明/I-PER 来/O", "北京/B-LOC", "好/O 的/O"), "dev": split("小/B-PER")}
    )
    train = report.splits["train"]
    assert (train.sentences, train.tokens, train.characters) == (3, 6, 7)
    assert [(tokens, place.line) for tokens, place in train.longest] == [(3, 1), (2, 7), (1, 5)]
    assert train.labels == {"LOC": 1, "PER": 1}
    assert report.only_in == {"train": ("LOC",), "dev": ()}
    assert report.scheme == "BIO"


def test_leaks_duplicates_and_conflicts_are_counted_with_their_places() -> None:
    report = check_corpus(
        {
            "train": split("小/B-PER 明/I-PER", "IBM/B-ORG", "小/O 明/O", "x/O 1/O"),
            "dev": split("x/O 2/O"),
            "test": split("ibm/B-ORG", "IBM/O", "小/B-PER 明/I-PER", "neu/O"),
        }
    )
    assert repeat(report, "train", "train") == (1, 1, 1)
    assert repeat(report, "dev", "train") == (0, 1, 0)
    assert repeat(report, "test", "train") == (2, 3, 1)
    assert repeat(report, "test", "test") == (0, 1, 0)
    assert repeat(report, "test", "dev") == (0, 0, 0)
    leaks = next(entry for entry in report.repeats if (entry.split, entry.other) == ("test", "train"))
    assert leaks.places[1] == (Place(split="test", line=5), Place(split="train", line=1))


def test_the_same_text_in_other_tokens_is_no_exact_leak() -> None:
    report = check_corpus({"train": split("北京/O"), "test": split("北/O 京/O")})
    assert repeat(report, "test", "train") == (0, 0, 0)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "A"]), min_size=1, max_size=2), max_size=12), st.integers(0, 12))
def test_leaks_equal_brute_force(forms: list[list[str]], cut: int) -> None:
    texts = [" ".join(f"{form}/O" for form in sentence) for sentence in forms]
    train, test = texts[:cut], texts[cut:]
    report = check_corpus({"train": split(*train), "test": split(*test)})
    assert repeat(report, "test", "train")[0] == sum(text in train for text in test)
    loose = [text.lower() for text in train]
    assert repeat(report, "test", "train")[1] == sum(text.lower() in loose for text in test)
    assert repeat(report, "test", "test")[0] == sum(text in test[:n] for n, text in enumerate(test))


def test_all_illegal_tags_are_told_not_only_the_first() -> None:
    good = ["小/B-PER 明/I-PER 来/O"] * 5
    report = check_corpus(
        {"train": split(*good), "test": split("a/O b/I-PER c/I-PER", "x/B-PER y/I-LOC", "z/Q-PER q/I-PER")}
    )
    assert (report.scheme, report.illegal_count) == ("BIO", 3)
    assert [(illegal.place.line, illegal.message) for illegal in report.illegal] == [
        (2, 'expected "O" or "B-…" after "O" (BIO), found "I-PER"'),
        (6, 'expected "O", "B-…" or "I-PER" after "B-PER" (BIO), found "I-LOC"'),
        (8, 'expected "O" or "B-…" at the start of the sentence (BIO), found "Q-PER"'),
    ]
    assert report.splits["test"].labels == {}, "broken sentences are left out of the label counts"


def test_a_span_left_open_at_the_end_is_told_on_its_last_line() -> None:
    report = check_corpus({"train": split("a/S-X", "a/B-X b/E-X", "a/O b/B-X"), "dev": split("c/O")})
    assert report.scheme == "BIOES"
    assert [(illegal.place.line, illegal.message[-25:]) for illegal in report.illegal] == [
        (7, "d the end of the sentence")
    ]


@pytest.mark.parametrize("limit", [1, 3])
def test_places_are_limited_and_counts_are_not(limit: int) -> None:
    report = check_corpus({"train": split(*["a/B-X b/I-X"] * 9, *["a/O b/I-X"] * 5)}, limit=limit)
    assert (report.illegal_count, len(report.illegal)) == (5, limit)
    assert (repeat(report, "train", "train")[0], len(report.repeats[0].places)) == (13, limit)


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        (["B-X", "I-X", "O"], "BIO"),
        (["O", "I-X", "O", "I-X"], "IOB1"),
        (["B-X", "E-X", "S-Y"], "BIOES"),
        (["B-X", "M-X", "E-X"], "BMES"),
        (["B-X", "I-X", "L-X", "U-X"], "BILOU"),
        (["NOUN", "VERB", "O"], "plain"),
        (["B", "I", "B"], "BIO"),
        ([*["B-X", "I-X", "O"] * 9, "S-X"], "BIO"),
        ([*["B-X", "I-X", "O"] * 9, "oops"], "BIO"),
        (["O"], "BIO"),
        ([], "plain"),
    ],
)
def test_the_scheme_is_the_one_that_fewest_neighbors_break(tags: list[str], scheme: str) -> None:
    edges: list[str | None] = [None, *tags, None]
    pairs: dict[tuple[str | None, str | None], int] = {}
    for pair in pairwise(edges):
        pairs[pair] = pairs.get(pair, 0) + 1
    assert guess_scheme(pairs) == scheme


def test_suspects_are_ranked_by_how_one_sided_they_are() -> None:
    report = check_corpus(
        {
            "train": split(*["去/O 北/B-LOC 京/I-LOC"] * 9, "北/B-ORG 京/I-ORG 赢/O", *["日/O"] * 30, "日/B-LOC"),
            "dev": split(*["大/B-ORG 众/I-ORG"] * 3, "大/O 众/O", "大/O 家/O"),
        }
    )
    told = [[s.text, *((u.label, u.count) for u in s.usages)] for s in report.suspects]
    assert told == [
        ["北京", ("LOC", 9), ("ORG", 1)],
        ["大众", ("ORG", 3), ("O", 1)],
        ["日", ("O", 30), ("LOC", 1)],  # mostly outside: last, however one-sided
    ]
    rare = report.suspects[1].usages[1]
    assert (rare.split, rare.line) == ("dev", 10)


def test_what_stands_inside_a_longer_span_is_no_suspect() -> None:
    report = check_corpus({"train": split("北/B-LOC 京/I-LOC", "北/B-ORG 京/I-ORG 大/I-ORG", "北/O 大/O")})
    assert report.suspect_count == 0


def test_plain_tags_are_compared_word_by_word() -> None:
    report = check_corpus({"train": split(*["好/ADJ"] * 4, "好/ADV 好/O")})
    assert [(usage.label, usage.count) for usage in report.suspects[0].usages] == [("ADJ", 4), ("ADV", 1), ("O", 1)]


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("\ufffd", "replacement"),
        ("\ue000", "private use"),
        ("\U00100000", "private use"),
        ("\u0378", "unassigned"),
        ("\x00", "control"),
        ("\t", "control"),
        ("\u2028", "line separator"),
        ("\u200b", "zero width"),
        ("\ufeff", "zero width"),
        ("\xa0", "space"),
        ("\uf900", "compatibility"),
    ],
)
def test_odd_characters(character: str, kind: str) -> None:
    assert character_kind(character) == kind
    report = check_corpus({"train": split("好/O", f"a{character}b/O")})
    assert [(odd.kind, odd.count, odd.line) for odd in report.odd_characters] == [(kind, 1, 3)]


@pytest.mark.parametrize("character", [*"好aÄ1。，（ｱ😀\U00020000\u0301 \u3000"])
def test_usual_characters(character: str) -> None:
    assert character_kind(character) is None


def test_mixed_width_needs_both_widths() -> None:
    for text, kinds in (("Ａ/O B/O", []), ("Ａ/O A/O", ["mixed width"]), ("，/O ,/O", ["mixed width"])):
        report = check_corpus({"train": split(text)})
        assert [odd.kind for odd in report.odd_characters] == kinds


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_the_census_counts_every_character(text: str) -> None:
    census = CharacterCensus()
    census.add(text, "train", 7)
    for odd in census.odd():
        assert odd.count == text.count(odd.character)
        assert (odd.split, odd.line) == ("train", 7)
        assert unicodedata.category(odd.character) != "Lu" or odd.kind == "mixed width"


@pytest.mark.parametrize(
    ("form", "odd"),
    [("a", False), ("nhà nước", False), (" a", True), ("a\t", True), ("a\xa0b", True), ("\u3000", True)],
)
def test_tokens_with_odd_white_space(form: str, odd: bool) -> None:
    assert is_odd_token(form) is odd


def test_empty_splits_and_sentences_without_tags() -> None:
    bare = Sentence(text="  ", tokens=())
    untagged = replace(sentence_from_forms(["好"]), tags=None)
    report = check_corpus({"train": list, "dev": lambda: [(bare, (1,)), (untagged, (2,))]})
    assert report.scheme == "plain"
    assert report.splits["train"].sentences == 0
    dev = report.splits["dev"]
    assert (dev.without_tokens, dev.without_tags) == (1, 2)
