"""The stored model with three heads: what each says, decoded on its own, traced and evaluated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.crf import forward_backward, viterbi
from gatewise.errors import ConstraintError, ModelError
from gatewise.explain import render_text, trace_json, trace_text
from gatewise.runtime import Tagger, Trace, load
from gatewise.runtime.evaluate import evaluate_file
from gatewise.text.schemes import check_tags, spans_from_tags
from gatewise.text.sentence import Heads, Sentence

MODELS = Path(__file__).parent.parent / "data" / "models"
EXPECTED: list[dict[str, Any]] = json.loads((MODELS / "v1-heads.expected.json").read_text(encoding="utf-8"))
HEADS = ("names", "chunks")
TEXT = "我叫李，从上海来。"


@pytest.fixture
def tagger(taggers: dict[str, Tagger]) -> Tagger:
    return taggers["v1-heads"]


@pytest.mark.parametrize("head", HEADS)
def test_what_was_stored_is_still_said(tagger: Tagger, head: str) -> None:
    assert tagger.heads == HEADS
    texts = [entry["text"] for entry in EXPECTED]
    for entry, in_batch in zip(EXPECTED, tagger.tag_many(texts), strict=True):
        said = entry["heads"][head]
        trace = tagger.trace(entry["text"], head)
        for sentence in (tagger.tag(entry["text"]).heads[head], in_batch.heads[head], trace.sentence):
            assert list(sentence.tags or ()) == said["tags"]
            assert list(sentence.scores or ()) == pytest.approx(said["scores"], abs=1e-4)
            assert [[s.start, s.end, s.label] for s in sentence.spans] == [span[:3] for span in said["spans"]]
            assert [s.score for s in sentence.spans] == pytest.approx([span[3] for span in said["spans"]], abs=1e-4)
        wanted = np.array(said["emissions"]).reshape(-1, len(trace.labels))
        np.testing.assert_allclose(trace.emissions, wanted, rtol=0, atol=2e-5)


def test_heads_stand_over_the_same_tokens(tagger: Tagger) -> None:
    sentence = tagger.tag(TEXT)
    for name, said in sentence.heads.items():
        assert (said.text, said.tokens) == (sentence.text, sentence.tokens)
        assert not said.heads
        check_tags(said.tags or (), tagger.archive.head(name).scheme)
        tokens = spans_from_tags(said.tags or (), tagger.archive.head(name).scheme)
        assert [(s.start, s.end, s.label) for s in said.spans] == [
            (sentence.tokens[s.start].start, sentence.tokens[s.end - 1].end, s.label) for s in tokens
        ]
    assert [span.label for span in sentence.heads["names"].spans] == ["PER", "LOC"]
    assert [span.text for span in sentence.heads["names"].spans] == ["李", "上海"]
    assert sentence.spans
    assert sentence.spans != sentence.heads["names"].spans


def test_white_space_ends_the_words_of_a_segmentation_alone(tagger: Tagger) -> None:
    """Each head is decoded under its own rules: a name may reach across a space where a word may not."""
    sentence, other = tagger.trace("王 芳"), tagger.trace("王 芳", "names")
    assert sentence.breaks == (1,)
    assert other.breaks == ()


def test_what_heads_a_sentence_came_with_is_not_looked_at(tagger: Tagger, taggers: dict[str, Tagger]) -> None:
    bare = tagger.tokenize(TEXT)
    strange = replace(bare, heads=Heads({"strange": bare.with_tags(["X"] * len(bare))}))
    assert tagger.tag_sentences([strange]) == [tagger.tag(TEXT)]
    assert taggers["v1-spans"].tag_sentences([strange]) == [taggers["v1-spans"].tag(TEXT)]
    assert not taggers["v1-spans"].tag_sentences([strange])[0].heads


def test_an_empty_text_has_every_head(tagger: Tagger) -> None:
    for text in ("", " \n"):
        sentence = tagger.tag(text)
        assert {name: said.tags for name, said in sentence.heads.items()} == dict.fromkeys(HEADS, ())
        assert len(tagger.trace(text, "names")) == 0
    mixed = list(tagger.tag_many(["", TEXT, ""]))
    assert [len(sentence.heads["chunks"]) for sentence in mixed] == [0, 9, 0]


@pytest.mark.parametrize("head", ["", *HEADS])
def test_a_head_alone_says_what_it_says_beside_the_others(tagger: Tagger, head: str) -> None:
    texts = [TEXT, "", "小明住在北京。" * 3]
    for alone, whole in zip(tagger.tag_many(texts, head=head), tagger.tag_many(texts), strict=True):
        wanted = whole.heads[head] if head else whole
        assert replace(alone, heads=wanted.heads) == wanted
        assert not alone.heads


def test_without_scores_no_head_has_any(tagger: Tagger) -> None:
    without, with_scores = tagger.tag(TEXT, scores=False), tagger.tag(TEXT)
    for name in HEADS:
        assert without.heads[name].tags == with_scores.heads[name].tags
        assert without.heads[name].scores is None


def test_many_batches_have_every_head_whoever_tags_them(tagger: Tagger, stored: Path) -> None:
    texts = ["小明住在北京。" * (1 + number % 40) for number in range(200)]
    wide, narrow = (load(stored / "v1-heads", threads=threads) for threads in (3, 1))
    for some, others in zip(wide.tag_many(texts), narrow.tag_many(texts), strict=True):
        assert some == others
        assert list(some.heads) == list(HEADS)


def test_constraints_are_of_the_head_that_is_asked_for(tagger: Tagger) -> None:
    """`names` says PER of the first name; told that it is an organization it has to say so, and nobody else has."""
    known = {"spans": [{"start": 2, "end": 3, "label": "ORG"}]}
    free = tagger.tag(TEXT)
    told = tagger.tag(TEXT, head="names", constraints=known)
    assert [(span.text, span.label) for span in told.spans] == [("李", "ORG"), ("上海", "LOC")]
    assert tagger.tag(TEXT) == free
    with pytest.raises(ConstraintError):  # the main head marks words and has no such label
        tagger.tag(TEXT, constraints=known)
    word = {"spans": [{"start": 0, "end": 2, "label": "PROPN"}]}
    steered = tagger.tag(TEXT, constraints=word)
    assert (steered.spans[0].text, steered.spans[0].label) == ("我叫", "PROPN")
    assert steered.heads == free.heads


def test_n_best_and_dictionary_are_of_one_head(tagger: Tagger, tmp_path: Path) -> None:
    ranked = tagger.n_best(TEXT, 3, head="names")
    assert ranked[0].tags == tagger.tag(TEXT, head="names").tags
    assert [entry.heads for entry in ranked] == [{}] * 3
    assert sorted((e.path_probability or 0 for e in ranked), reverse=True) == [e.path_probability for e in ranked]
    words = tmp_path / "words.txt"
    words.write_text("从上海来\n", encoding="utf-8")
    steered = tagger.with_dictionary(words, hard=True, head="chunks")
    assert "从上海来" in [span.text for span in steered.tag(TEXT).heads["chunks"].spans]
    assert "从上海来" not in [span.text for span in steered.tag(TEXT).spans]
    assert tagger.tag(TEXT).heads["names"] == steered.tag(TEXT).heads["names"]
    assert "从上海来" in [span.text for span in tagger.with_dictionary(words, hard=True).tag(TEXT).spans]


def test_a_temperature_is_the_main_head_s(tagger: Tagger) -> None:
    warm, plain = tagger.with_temperature(3.0).tag(TEXT), tagger.tag(TEXT)
    assert warm.scores != plain.scores
    assert warm.heads == plain.heads


def traces(tagger: Tagger) -> dict[str, Trace]:
    return {name: tagger.trace(TEXT, name) for name in ("", *HEADS)}


def test_traces_of_the_heads_share_the_layers_and_nothing_after(tagger: Tagger) -> None:
    found = traces(tagger)
    main = found[""]
    for name, trace in found.items():
        assert (trace.head, trace.heads) == (name or None, HEADS)
        assert np.array_equal(trace.x, main.x)
        for layer, other in zip(trace.layers, main.layers, strict=True):
            assert np.array_equal(layer.output, other.output)
        states = trace.layers[-1].output
        np.testing.assert_allclose(trace.emissions, states @ trace.emission_weight.T + trace.emission_bias, atol=1e-12)
        assert trace.labels == tagger.archive.head(name).labels
        assert trace.fast_path_agrees
    assert found["names"].emissions.shape != main.emissions.shape
    assert (found[""].architecture, found["names"].architecture) == ("BiLSTM-CRF", "BiLSTM")


def test_the_numbers_of_a_head_s_trace_follow_from_one_another(tagger: Tagger) -> None:
    for name in HEADS:
        trace = tagger.trace(TEXT, name)
        length = np.array([len(trace)])
        best = viterbi(trace.emissions[:, None], length, trace.scores).tags[:, 0]
        assert tuple(trace.labels[tag] for tag in best) == trace.tags
        marginals = forward_backward(trace.emissions[:, None], length, trace.scores).marginals[:, 0]
        np.testing.assert_allclose(trace.marginals, marginals, atol=1e-12)


def test_an_unknown_head_is_refused(tagger: Tagger, taggers: dict[str, Tagger], tiny: Path) -> None:
    with pytest.raises(ModelError, match="v1-heads: expected a head of this model, found 'nr'; it has names, chunks"):
        tagger.trace(TEXT, "nr")
    for asked in (tagger.tag, tagger.tag_tokens):
        with pytest.raises(ModelError, match="it has names, chunks"):
            asked("我", head="nr")
    with pytest.raises(ModelError, match="it has names, chunks"):
        tagger.n_best(TEXT, 2, head="nr")
    with pytest.raises(ModelError, match=r"v1-spans: .* it has none beside its main head"):
        evaluate_file(taggers["v1-spans"], tiny / "spans.conll", head="names")


def test_the_explanation_says_which_head_it_is_of(tagger: Tagger, taggers: dict[str, Tagger]) -> None:
    said = json.loads(json.dumps(trace_json(tagger.trace(TEXT, "names"))))
    assert said["head"] == "names"
    assert said["labels"] == list(tagger.archive.heads["names"].labels)
    assert trace_json(tagger.trace(TEXT))["head"] is None
    page = render_text(trace_text(tagger.trace(TEXT, "names")), width=100)
    assert "Head: names. The layers are shared with: main  chunks\n" in page
    assert "Head: main. The layers are shared with: names  chunks\n" in render_text(
        trace_text(tagger.trace(TEXT)), width=100
    )
    assert "输出头：names。共用这些层的还有：主输出头  chunks\n" in render_text(
        trace_text(tagger.trace(TEXT, "names"), lang="zh"), width=100
    )
    assert "Head:" not in render_text(trace_text(taggers["v1-spans"].trace(TEXT)), width=100)


def test_each_head_is_scored_on_what_it_tags(tagger: Tagger, tiny: Path) -> None:
    names = evaluate_file(tagger, tiny / "spans.conll", head="names")
    assert names.spans is not None
    assert names.words is None
    assert names.spans.overall.gold == 22
    words = evaluate_file(tagger, tiny / "segmentation.conllu")
    assert words.words is not None
    hits = 0
    for sentence in tagger.tag_sentences(gold(tiny, tagger)):
        truth = next(s for s in gold(tiny, tagger) if s.text == sentence.text)
        found = set(spans_from_tags(sentence.heads["names"].tags or (), "BIO"))
        hits += len(found & set(spans_from_tags(truth.tags or (), "BIO")))
    assert names.spans.overall.correct == hits > 0


def gold(tiny: Path, tagger: Tagger) -> list[Sentence]:
    from gatewise.model.corpus import read_corpus

    return list(read_corpus(tiny / "spans.conll", tagger.archive.head("names").task))
