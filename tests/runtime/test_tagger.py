"""The tagger in use: order, offsets, batches, strange texts; no torch anywhere."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gatewise
from gatewise.errors import ModelError, TextError
from gatewise.runtime import Tagger
from gatewise.runtime.session import Session
from gatewise.runtime.tagger import CHUNK
from gatewise.runtime.workers import BATCH_PLACES
from gatewise.text.schemes import check_tags
from gatewise.text.sentence import Sentence, Token, gaps, sentence_from_forms

MODELS = ("v1-spans", "v1-segmentation", "v1-softmax-rnn", "v1-tags")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("小明在北京 。\r\n\u200d👩👧"), max_size=25)


@pytest.fixture(params=MODELS)
def tagger(request: pytest.FixtureRequest, taggers: dict[str, Tagger]) -> Tagger:
    found: Tagger = taggers[request.param]
    return found


def check(tagger: Tagger, sentence: Sentence, text: str) -> None:
    """Whatever the text: it comes back as it was, and what is said of it can be said."""
    assert sentence.text == text
    pieces = gaps(sentence)
    interleaved = itertools.zip_longest(pieces, sentence.forms, fillvalue="")
    assert "".join(piece for pair in interleaved for piece in pair) == text
    for token in sentence:
        assert text[token.start : token.end] == token.text
    assert len(sentence.tags or ()) == len(sentence)
    assert set(sentence.tags or ()) <= set(tagger.labels)
    check_tags(sentence.tags or (), tagger.scheme)
    for span in sentence.spans:
        assert text[span.start : span.end] == span.text
        assert 0 <= span.score <= 1


def same(left: Sentence, right: Sentence) -> None:
    """Equal but for the rounding of float32 in batches of other shapes."""
    assert (left.text, left.tokens, left.tags) == (right.text, right.tokens, right.tags)
    assert (left.scores or ()) == pytest.approx(right.scores or (), abs=1e-4)
    assert [(s.start, s.end, s.label, s.text) for s in left.spans] == [
        (s.start, s.end, s.label, s.text) for s in right.spans
    ]
    assert [s.score for s in left.spans] == pytest.approx([s.score for s in right.spans], abs=1e-4)


@given(text=TEXTS)
def test_any_text_comes_back_as_it_went_in(taggers: dict[str, Tagger], text: str) -> None:
    for name in MODELS:
        check(taggers[name], taggers[name].tag(text), text)


@given(texts=st.lists(TEXTS, max_size=12))
def test_a_batch_changes_nothing_and_keeps_the_order(taggers: dict[str, Tagger], texts: list[str]) -> None:
    for name in ("v1-spans", "v1-softmax-rnn"):
        tagger = taggers[name]
        together = list(tagger.tag_many(texts))
        assert [sentence.text for sentence in together] == texts
        for text, sentence in zip(texts, together, strict=True):
            same(sentence, tagger.tag(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\r\n\t",
        "我",
        "a",
        "。",
        "👩‍👧‍👦🇨🇳",
        "\ufeff我",
        "\u200b",
        "龘𠮷𪚥",
        "e\u0301\u0301",
        "\x00",
        "ﷺ",
        "１２３",
        "i" * 200,
    ],
)
def test_strange_texts(tagger: Tagger, text: str) -> None:
    check(tagger, tagger.tag(text), text)
    assert tagger.trace(text).tags == tagger.tag(text).tags


def test_empty_texts_among_others(tagger: Tagger) -> None:
    texts = ["", "我 go", "", " ", "小明 has", ""]
    found = list(tagger.tag_many(texts))
    assert [sentence.text for sentence in found] == texts
    for index in (0, 2, 3, 5):
        assert (found[index].tags, found[index].tokens, found[index].spans) == ((), (), ())
    assert all(found[index].tags for index in (1, 4))
    assert list(tagger.tag_many([])) == []
    assert tagger.tag_sentences([]) == []


def test_ten_thousand_characters(taggers: dict[str, Tagger]) -> None:
    text = "小明住在北京。" * 1428 + "我叫李，"
    assert len(text) == 10_000
    tagger = taggers["v1-spans"]
    sentence = tagger.tag(text)
    check(tagger, sentence, text)
    assert len(sentence) == 10_000
    middle = tagger.tag("小明住在北京。" * 3).tags
    assert (sentence.tags or ())[7:14] == (middle or ())[7:14]
    assert all(0 < score <= 1 for score in sentence.scores or ())


def test_many_sentences_of_all_lengths_keep_their_order(taggers: dict[str, Tagger]) -> None:
    parts = ("小明", "我", "在", "北京", "大学", "。", "x", "👩‍👧")
    texts = ["".join(parts[(i * k) % 8] for k in range(i * 37 % 90)) for i in range(CHUNK + 300)]
    tagger = taggers["v1-segmentation"]
    found = list(tagger.tag_many(iter(texts)))
    assert [sentence.text for sentence in found] == texts
    for index in (0, 1, 7, 500, CHUNK - 1, CHUNK, CHUNK + 299):
        same(found[index], tagger.tag(texts[index]))


@pytest.mark.parametrize("threads", [1, 2])
def test_what_came_before_a_text_that_cannot_be_read_is_handed_out(stored: Path, threads: int) -> None:
    tagger = gatewise.load(stored / "v1-tags", threads=threads)
    good = [f"我 {number}" for number in range(CHUNK)]
    stream = tagger.tag_many([*good, "\ud800"])
    assert [sentence.text for sentence in itertools.islice(stream, CHUNK)] == good
    with pytest.raises(TextError, match="surrogate"):
        next(stream)


def test_tag_many_can_be_left_before_its_end(stored: Path) -> None:
    tagger = gatewise.load(stored / "v1-tags", threads=2)
    stream = tagger.tag_many("小明住在北京。" * (1 + number % 30) for number in itertools.count())
    assert len(list(itertools.islice(stream, CHUNK + 5))) == CHUNK + 5
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gatewise")]


def test_tag_many_asks_for_no_more_than_it_needs(taggers: dict[str, Tagger]) -> None:
    asked = itertools.count()

    def endless() -> Iterator[str]:
        for number in asked:
            yield f"我 {number}"

    stream = taggers["v1-tags"].tag_many(endless())
    assert [sentence.text for sentence in itertools.islice(stream, 3)] == ["我 0", "我 1", "我 2"]
    assert next(asked) <= 2 * CHUNK


@pytest.mark.parametrize("text", ["\ud800", "我\udfff叫", "ok \ud83d"])
def test_an_unpaired_surrogate_is_refused(tagger: Tagger, text: str) -> None:
    calls = (
        tagger.tag,
        tagger.trace,
        lambda text: list(tagger.tag_many(["我", text])),
        lambda text: tagger.tag_tokens([text]),
    )
    for call in calls:
        with pytest.raises(TextError, match=r"character \d: expected Unicode text, found the unpaired surrogate U\+D"):
            call(text)


@pytest.mark.parametrize("text", [None, 5, b"abc", ["a"]])
def test_what_is_no_text_is_refused(taggers: dict[str, Tagger], text: object) -> None:
    with pytest.raises(TextError, match="expected a text"):
        taggers["v1-spans"].tag(text)  # type: ignore[arg-type]


def test_tokens_that_are_given_are_kept(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-softmax-rnn"]
    forms = ["The", "old", "man", "don't", "saw", "New York", "."]
    sentence = tagger.tag_tokens(forms)
    assert sentence.forms == tuple(forms)
    assert sentence.text == "The old man don't saw New York ."
    check(tagger, sentence, sentence.text)
    assert tagger.tag_tokens([]).tags == ()
    spans = taggers["v1-spans"].tag_tokens(list("小明住在北京。"))
    same(spans, taggers["v1-spans"].tag("小明住在北京。"))
    assert [(span.text, span.label) for span in spans.spans] == [("小明", "PER"), ("北京", "LOC")]


def test_tags_that_stood_there_are_not_looked_at_and_inputs_stay_as_they_were(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    bare = sentence_from_forms(list("小明在北京"))
    tagged = bare.with_tags(["S-ORG"] * 5)
    untouched = (bare.tags, tagged.tags)
    first, second = tagger.tag_sentences([bare, tagged])
    same(first, second)
    assert (bare.tags, tagged.tags) == untouched


def test_offsets_are_those_of_the_text_around(taggers: dict[str, Tagger]) -> None:
    text = " 小明\u3000住在 北京。"
    tokens = tuple(Token(text=text[i], start=i, end=i + 1) for i in (1, 2, 4, 5, 7, 8, 9))
    [sentence] = taggers["v1-spans"].tag_sentences([Sentence(text=text, tokens=tokens)])
    assert [(span.start, span.end, span.text, span.label) for span in sentence.spans] == [
        (1, 3, "小明", "PER"),
        (7, 9, "北京", "LOC"),
    ]


def test_words_end_at_white_space(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-segmentation"]
    for text in ("小 明", "北\u3000京 大 学", "我们 去\r\n大 学"):
        for span in tagger.tag(text).spans:
            assert span.text.split() == [span.text]


def test_one_tagger_serves_many_threads(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    texts = ["小明住在北京。" * (1 + number % 5) for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        for text, sentence in zip(texts, pool.map(tagger.tag, texts), strict=True):
            same(sentence, tagger.tag(text))


def test_loading_by_path_with_a_number_of_threads(stored: Path, taggers: dict[str, Tagger]) -> None:
    for name in (stored / "v1-spans", str(stored / "v1-spans")):
        tagger = gatewise.load(name, threads=1)
        same(tagger.tag("小明住在北京。"), taggers["v1-spans"].tag("小明住在北京。"))
        assert (tagger.name, tagger.scheme) == ("v1-spans", "BIOES")
        assert "B-PER" in tagger.labels


@pytest.mark.parametrize("text", ["小明住在北京。", "", "the cat"])
def test_without_scores_the_tags_are_the_same_and_nothing_is_said_of_them(tagger: Tagger, text: str) -> None:
    with_scores, without = tagger.tag(text), tagger.tag(text, scores=False)
    assert (without.tokens, without.tags) == (with_scores.tokens, with_scores.tags)
    assert [(s.start, s.end, s.label, s.text) for s in without.spans] == [
        (s.start, s.end, s.label, s.text) for s in with_scores.spans
    ]
    assert all(math.isnan(span.score) for span in without.spans)
    assert without.path_probability is None
    if text:
        assert (without.scores, with_scores.scores is None) == (None, False)
        assert 0 < (with_scores.path_probability or 0) <= min(with_scores.scores or ())


def test_sentences_of_any_lengths_in_one_batch_come_back_in_their_order(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    sentences = [tagger.tokenize("小明住在北京。" * n) for n in (4, 1, 3, 0, 2)]
    batch = [sentence for sentence in sentences if len(sentence)]
    emissions = tagger._workers.session.emissions(tagger._workers.session.encode(batch))
    for bare, found in zip(batch, tagger._decoders[""].decode(batch, emissions), strict=True):
        same(found, tagger.tag(bare.text))


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_side_by_side_are_tagged_as_one_after_another(stored: Path, threads: int) -> None:
    """More than BATCH_PLACES, so several batches; emissions are the same number for number."""
    tagger = gatewise.load(stored / "v1-spans", threads=threads)
    texts = ["小明住在北京。" * (1 + number % 40) for number in range(700)]
    assert sum(map(len, texts)) > 10 * BATCH_PLACES
    found = list(tagger.tag_many(texts))
    assert [sentence.text for sentence in found] == texts
    one = gatewise.load(stored / "v1-spans", threads=1)
    for sentence, wanted in zip(found, one.tag_sentences([one.tokenize(text) for text in texts]), strict=True):
        assert sentence == wanted


def test_what_goes_wrong_in_one_of_several_batches_is_raised(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = gatewise.load(stored / "v1-spans", threads=2)

    def fails(session: Session, batch: object, heads: object) -> None:
        raise ModelError("broken")

    monkeypatch.setattr(Session, "all_emissions", fails)
    with pytest.raises(ModelError, match="broken"):
        list(tagger.tag_many(["小明住在北京。" * 300] * 8))
