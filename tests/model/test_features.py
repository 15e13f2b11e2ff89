"""Features: what is counted, what is known, and the ids that training and the runtime share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from gatewise.model.config import FeaturesConfig
from gatewise.model.feature_ids import FeatureEncoder
from gatewise.model.features import build_vocabularies, count_keys, features_of, graph_inputs
from gatewise.text.vocabulary import UNKNOWN_ID, Vocabulary

PLAIN = FeaturesConfig(token_dim=3, bigram_dim=2, bigram_min_count=1)


def test_counting_by_hand() -> None:
    sentences = [["我", "叫", "Ｘ9"], ["叫"]]
    counts = count_keys(PLAIN, sentences)
    assert counts["tokens"] == Counter({"我": 1, "叫": 2, "x0": 1})
    assert counts["bigrams"] == Counter({"<s>我": 1, "我叫": 1, "叫x0": 1, "x0</s>": 1, "<s>叫": 1, "叫</s>": 1})
    assert set(count_keys(replace(PLAIN, bigram_dim=0), sentences)) == {"tokens"}


def test_what_is_seen_too_rarely_is_left_out() -> None:
    counts = {"tokens": Counter(a=2, b=1), "bigrams": Counter(ab=1, ba=3)}
    found = build_vocabularies(replace(PLAIN, min_count=2, bigram_min_count=2), counts)
    assert {name: vocabulary.entries for name, vocabulary in found.items()} == {"tokens": ("a",), "bigrams": ("ba",)}


def test_encoding_by_hand() -> None:
    vocabularies = {"tokens": Vocabulary(entries=("叫", "x0")), "bigrams": Vocabulary(entries=("我叫", "x0</s>"))}
    encoded = FeatureEncoder(PLAIN, vocabularies).encode([["叫"], ["我", "叫", "Ｘ9"]])
    assert encoded.rows["tokens"].to_lists() == [[2], [UNKNOWN_ID, 2, 3]]
    assert encoded.rows["bigrams"].to_lists() == [[UNKNOWN_ID, UNKNOWN_ID], [UNKNOWN_ID, 2, UNKNOWN_ID, 3]]
    without = FeatureEncoder(replace(PLAIN, bigram_dim=0), vocabularies).encode([["叫"]])
    assert {name: rows.to_lists() for name, rows in without.rows.items()} == {"tokens": [[2]]}


def test_the_graph_asks_for_the_features_that_are_on() -> None:
    assert graph_inputs(PLAIN) == ("tokens", "bigrams")
    assert graph_inputs(replace(PLAIN, bigram_dim=0)) == ("tokens",)
    assert [feature.parts for feature in features_of(PLAIN)] == [("token",), ("bigram_before", "bigram_after")]


FORMS = FeaturesConfig(token_dim=3, bigram_dim=0, characters="lstm", shape_dim=2, affix_length=2, form_min_count=1)


def test_features_of_forms_are_counted_by_token_and_looked_up_once_a_form() -> None:
    sentences = [["Ab", "x"], ["Ab"]]
    counts = count_keys(FORMS, sentences)
    assert counts["characters"] == Counter({"A": 2, "b": 2, "x": 1})
    assert counts["shapes"] == Counter({"Xx": 2, "x": 1})
    assert counts["prefixes"] == Counter({"a": 2, "ab": 2, "x": 1, "": 1})
    assert counts["suffixes"] == Counter({"b": 2, "ab": 2, "x": 1, "": 1})
    vocabularies = build_vocabularies(FORMS, counts)
    assert vocabularies["suffixes"].entries == ("ab", "b", "", "x")
    encoded = FeatureEncoder(FORMS, vocabularies).encode([["x", "Ab", "x"], ["aB"]])
    assert encoded.rows["form_of"].to_lists() == [[1, 2, 1], [3]]
    assert encoded.forms["characters"].to_lists() == [[0], [4], [2, 3], [UNKNOWN_ID, UNKNOWN_ID]]
    assert encoded.forms["shapes"].to_lists() == [[0], [3], [2], [UNKNOWN_ID]]
    assert encoded.forms["suffixes"].to_lists() == [[0, 0], [5, 4], [3, 2], [3, 2]]


def test_a_dimension_or_a_length_of_zero_turns_a_feature_off() -> None:
    assert graph_inputs(FORMS) == (
        "tokens",
        "characters",
        "shapes",
        "prefixes",
        "suffixes",
        "form_of",
        "spelling_lengths",
    )
    off = replace(FORMS, characters="none")
    assert graph_inputs(replace(off, affix_dim=0)) == graph_inputs(replace(off, affix_length=0))
    assert graph_inputs(replace(off, affix_dim=0)) == ("tokens", "shapes", "form_of")
    assert graph_inputs(replace(off, affix_dim=0, shape_dim=0)) == ("tokens",)


EVERY = FeaturesConfig(
    token_dim=3,
    bigram_dim=2,
    bigram_min_count=1,
    characters="lstm",
    shape_dim=2,
    affix_length=2,
    form_min_count=1,
    simplified=True,
)


def test_every_feature_reads_traditional_characters_as_simplified_ones() -> None:
    traditional, simple = [["學習", "漢語"], ["臺"]], [["学习", "汉语"], ["台"]]
    counts = count_keys(EVERY, traditional)
    assert counts == count_keys(EVERY, simple)
    assert counts == count_keys(replace(EVERY, simplified=False), simple)
    assert counts != count_keys(replace(EVERY, simplified=False), traditional)
    vocabularies = build_vocabularies(EVERY, counts)
    assert "学习" in vocabularies["tokens"]
    encoder = FeatureEncoder(EVERY, vocabularies)
    ours, theirs = encoder.encode(traditional), encoder.encode(simple)
    for name, rows in (*ours.rows.items(), *ours.forms.items()):
        assert rows.to_lists() == (theirs.rows | theirs.forms)[name].to_lists()
        assert name == "form_of" or not any(UNKNOWN_ID in row for row in rows.to_lists())
    without = FeatureEncoder(replace(EVERY, simplified=False), vocabularies).encode(traditional)
    assert without.rows["tokens"].to_lists() == [[UNKNOWN_ID, UNKNOWN_ID], [UNKNOWN_ID]]
    assert encoder.parts(["學習"]) == encoder.parts(["学习"])
    assert encoder.parts(["學習"])[0].keys == ("学习",)


def test_long_texts_of_single_characters_are_simplified_too() -> None:
    features = replace(PLAIN, simplified=True)
    vocabularies = build_vocabularies(features, count_keys(features, ["学习汉语"]))
    found = FeatureEncoder(features, vocabularies).encode(["學習漢語" * 300]).rows
    assert set(found["tokens"].to_lists()[0]) == {2, 3, 4, 5}
    assert (
        found["bigrams"].to_lists()[0][1:4]
        == FeatureEncoder(features, vocabularies).encode([list("学习汉语")]).rows["bigrams"].to_lists()[0][1:4]
    )
