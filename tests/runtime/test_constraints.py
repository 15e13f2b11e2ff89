"""Tagging around what is known: tags, n-best and probabilities against the enumeration of the paths that keep it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gatewise
from gatewise.crf import CRFScores, restricted
from gatewise.errors import ConfigError, ConstraintError
from gatewise.model.archive import legality_of
from gatewise.runtime import Constraints, KnownSpan, KnownTag, Tagger
from gatewise.runtime.decode import Decoder
from gatewise.text.schemes import find_problem, spans_from_tags
from gatewise.text.sentence import Sentence, Span, sentence_from_forms

LABELS = {
    "BIO": ("B-A", "I-A", "O", "I-C", "B-C"),
    "BIOES": ("B-A", "E-A", "I-A", "O", "S-A", "S-C"),
    "BIOES words": ("B-A", "E-A", "I-A", "S-A", "B-C", "E-C", "I-C", "S-C"),
    "plain": ("X", "Y", "O"),
}


def random_decoder(rng: np.random.Generator, kind: str) -> Decoder:
    labels, scheme = LABELS[kind], kind.split(maxsplit=1)[0]
    n = len(labels)
    learned = CRFScores(
        transitions=rng.normal(size=(n, n)), start_transitions=rng.normal(size=n), end_transitions=rng.normal(size=n)
    )
    return Decoder(labels=labels, scheme=scheme, scores=restricted(learned, legality_of(labels, scheme)))


def kept(tags: Sequence[str], scheme: str, constraints: Constraints) -> bool:
    """Whether tags of one-character tokens keep all constraints, from what these say and nothing else."""
    spans = spans_from_tags(tags, scheme)
    for known in constraints.spans:
        wanted = [s for s in spans if (s.start, s.end) == (known.start, known.end)]
        if not wanted or known.label not in (None, wanted[0].label):
            return False
    if any(tags[t] != known.tag for known in constraints.tags for t in range(known.start, known.end)):
        return False
    return all(tags[t] != known.tag for known in constraints.forbidden for t in range(known.start, known.end))


def paths_that_keep(decoder: Decoder, emissions: np.ndarray, constraints: Constraints) -> list[tuple[Any, float]]:
    """Every legal tagging that keeps the constraints, with its probability among these, best first."""
    found = []
    for path in itertools.product(range(len(decoder.labels)), repeat=len(emissions)):
        tags = tuple(decoder.labels[tag] for tag in path)
        if find_problem(tags, decoder.scheme) or not kept(tags, decoder.scheme, constraints):
            continue
        score = float(decoder.scores.start_transitions[path[0]]) + float(decoder.scores.end_transitions[path[-1]])
        score += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
        score += sum(float(decoder.scores.transitions[a, b]) for a, b in itertools.pairwise(path))
        found.append((tags, math.exp(score)))
    total = math.fsum(weight for _, weight in found)
    return sorted(((tags, weight / total) for tags, weight in found), key=lambda entry: -entry[1])


@given(data=st.data(), kind=st.sampled_from(list(LABELS)), seed=st.integers(0, 2**32 - 1), length=st.integers(1, 5))
def test_everything_equals_enumeration_or_is_refused(data: st.DataObject, kind: str, seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    decoder = random_decoder(rng, kind)
    edges = st.tuples(st.integers(0, length - 1), st.integers(1, length)).filter(lambda pair: pair[0] < pair[1])
    label = st.sampled_from([None, "A", "C"])
    tag = st.sampled_from(decoder.labels)
    known_spans = st.builds(lambda at, label: KnownSpan(start=at[0], end=at[1], label=label), edges, label)
    known_tags = st.builds(lambda at, tag: KnownTag(start=at[0], end=at[1], tag=tag), edges, tag)
    constraints = Constraints(
        spans=data.draw(st.lists(known_spans, max_size=0 if kind == "plain" else 2)),
        tags=data.draw(st.lists(known_tags, max_size=1)),
        forbidden=data.draw(st.lists(known_tags, max_size=3)),
    )
    sentence = sentence_from_forms(["字"] * length)
    emissions = rng.normal(size=(length, 1, len(decoder.labels))) * 2
    paths = paths_that_keep(decoder, emissions[:, 0], constraints)
    if not paths:
        with pytest.raises(ConstraintError, match=r'at "字" \(character [0-4]\)'):
            decoder.decode([sentence], emissions, constraints=[constraints])
        return
    [tagged] = decoder.decode([sentence], emissions, constraints=[constraints])
    assert tagged.tags == paths[0][0]
    assert tagged.path_probability == pytest.approx(paths[0][1], abs=1e-9)
    for t, (name, score) in enumerate(zip(tagged.tags or (), tagged.scores or (), strict=True)):
        assert score == pytest.approx(math.fsum(p for tags, p in paths if tags[t] == name), abs=1e-9)
    for span in tagged.spans:
        wanted = Span(start=span.start, end=span.end, label=span.label)
        there = math.fsum(p for tags, p in paths if wanted in spans_from_tags(tags, decoder.scheme))
        assert span.score == pytest.approx(there, abs=1e-9)
    ranked = decoder.n_best(sentence, emissions, 4, constraints)
    assert [found.tags for found in ranked] == [tags for tags, _ in paths[:4]]
    assert [found.path_probability for found in ranked] == pytest.approx([p for _, p in paths[:4]], abs=1e-9)


def test_only_the_sentence_that_has_constraints_is_changed(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    text = "小明住在北京。"
    free = tagger.tag(text)
    first, second = tagger.tag_sentences(
        [tagger.tokenize(text)] * 2, constraints=[{"spans": [{"start": 2, "end": 4, "label": "ORG"}]}, None]
    )
    assert [(s.text, s.label, round(s.score, 6)) for s in first.spans if s.start == 2] == [("住在", "ORG", 1)]
    assert (second.tags, second.scores) == (free.tags, pytest.approx(free.scores))
    assert tagger.tag(text, constraints={"text": text, "source": "by hand"}).tags == free.tags  # other keys


def test_the_bundled_model_keeps_words_and_tags_that_are_known() -> None:
    tagger = gatewise.load("zh")
    sentence = tagger.tag("我叫小明 ok", constraints={"spans": [{"start": 1, "end": 3}], "tags": [known(0, 1, "S-X")]})
    assert [span.text for span in sentence.spans][:3] == ["我", "叫小", "明"]
    assert sentence.spans[0].label == "X"
    assert sentence.spans[0].score == pytest.approx(1)
    forbidden = tagger.tag("我叫小明", constraints={"forbidden": [known(0, 1, "S-PRON")]})
    assert (forbidden.tags or ())[0] != "S-PRON"


def known(start: int, end: int, tag: str) -> dict[str, Any]:
    return {"start": start, "end": end, "tag": tag}


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (
            {"spans": [{"start": 0, "end": 2, "label": "PER"}, {"start": 1, "end": 3}]},
            "spans[1] (1…3): expected constraints that go together, found that it contradicts spans[0] (0…2, PER) at "
            '"明" (character 1); drop one of the two',
        ),
        (
            {"spans": [{"start": 0, "end": 2, "label": "PER"}], "tags": [known(1, 2, "O")]},
            "tags[0] (1…2, O): expected constraints that go together, found that it contradicts spans[0]",
        ),
        (
            {"tags": [known(0, 1, "B-PER"), known(1, 2, "O")]},
            'found that it contradicts tags[0] (0…1, B-PER) at "明" (character 1)',
        ),
        ({"tags": [known(0, 1, "I-PER")]}, "tags[0] (0…1, I-PER): expected a constraint that some legal tags keep"),
        ({"tags": [known(6, 7, "B-PER")]}, 'some legal tags keep, found none at "。" (character 6)'),
        ({"spans": [{"start": 0, "end": 9}]}, "spans[0] (0…9): expected 0 ≤ start < end ≤ 7 (the length of the text)"),
        ({"spans": [{"start": 2, "end": 2}]}, "expected 0 ≤ start < end"),
        ({"spans": [{"start": 0, "end": 1, "label": "XYZ"}]}, "expected a label of the model, LOC, ORG, PER, found"),
        ({"tags": [known(0, 1, "S-XYZ")]}, "tags[0] (0…1, S-XYZ): expected a tag of the model, B-LOC"),
        ({"spans": [{"start": "0", "end": 1}]}, 'constraints: spans[0]: expected a whole number under "start"'),
        ({"spans": [{"start": True, "end": 1}]}, "expected a whole number"),
        ({"spans": [{"start": 0, "end": 1, "label": 3}]}, 'expected a string or nothing under "label", found 3'),
        ({"spans": [[0, 1]]}, 'spans[0]: expected an object with "start" and "end", found [0, 1]'),
        ({"tags": [{"start": 0, "end": 1}]}, 'expected a string under "tag", found None'),
        ({"forbidden": "O"}, "constraints: forbidden: expected a list, found 'O'"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_sentence(
    taggers: dict[str, Tagger], constraints: dict[str, Any], said: str
) -> None:
    for call in (
        taggers["v1-spans"].tag,
        lambda text, constraints: taggers["v1-spans"].n_best(text, 2, constraints=constraints),
    ):
        with pytest.raises(ConstraintError, match=re.escape(said)):
            call("小明住在北京。", constraints=constraints)


def test_three_that_go_together_two_by_two_are_named_all() -> None:
    decoder = random_decoder(np.random.default_rng(0), "plain")
    constraints = Constraints(forbidden=[KnownTag(start=0, end=1, tag=tag) for tag in LABELS["plain"]])
    with pytest.raises(ConstraintError, match=r"keep all of forbidden\[0\].*forbidden\[1\].*forbidden\[2\]"):
        decoder.decode([sentence_from_forms(["字"])], np.zeros((1, 1, 3)), constraints=[constraints])


def test_edges_inside_a_token_and_at_white_space(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"]
    text = "我 👩‍👧 去"
    with pytest.raises(ConstraintError, match='found one inside "👩‍👧" \\(2…5\\); move it to an edge of this token'):
        tagger.tag(text, constraints={"spans": [{"start": 2, "end": 3}]})
    with pytest.raises(ConstraintError, match=r"spans\[0\] \(1…2\): expected at least one token there, found ' '"):
        tagger.tag(text, constraints={"spans": [{"start": 1, "end": 2}]})
    found = tagger.tag(text, constraints={"spans": [{"start": 1, "end": 6, "label": "PER"}]})  # spaces at its edges
    assert [(s.start, s.end, s.label) for s in found.spans if s.label == "PER"] == [(2, 5, "PER")]
    with pytest.raises(ConstraintError, match="white space may end a word"):
        taggers["v1-segmentation"].tag("小 明", constraints={"spans": [{"start": 0, "end": 3}]})
    with pytest.raises(ConstraintError, match="without tokens"):
        tagger.tag(" ", constraints={"tags": [known(0, 1, "O")]})
    with pytest.raises(ConstraintError, match="without tokens"):
        tagger.n_best(" ", 1, constraints={"tags": [known(0, 1, "O")]})
    with pytest.raises(ConstraintError, match="expected constraints for 2 sentences, found 1 entries"):
        tagger.tag_sentences([tagger.tokenize("我")] * 2, constraints=[None])


def test_plain_tags_have_no_spans_to_know(taggers: dict[str, Tagger]) -> None:
    with pytest.raises(ConstraintError, match='gives every token a plain tag; name it under "tags"'):
        taggers["v1-tags"].tag("The cat", constraints={"spans": [{"start": 0, "end": 3}]})
    found = taggers["v1-tags"].tag("The cat", constraints={"tags": [known(0, 3, "NOUN")]})
    assert (found.tags or ())[0] == "NOUN"


# n-best from texts


def test_n_best_from_a_text(taggers: dict[str, Tagger]) -> None:
    for tagger in taggers.values():
        text = "小明 ran"
        ranked = tagger.n_best(text, 6)
        assert 1 < len(ranked) <= 6
        assert ranked[0].tags == tagger.tag(text).tags
        assert len({sentence.tags for sentence in ranked}) == len(ranked)
        chances = [sentence.path_probability or 0 for sentence in ranked]
        assert chances == sorted(chances, reverse=True)
        assert sum(chances) <= 1 + 1e-9
        for sentence in ranked:
            assert isinstance(sentence, Sentence)
            assert sentence.text == text
            assert len(sentence.scores or ()) == len(sentence)
    assert taggers["v1-spans"].n_best("", 3) == []
    assert taggers["v1-spans"].n_best(taggers["v1-spans"].tokenize("小明"), 1)[0].text == "小明"
    with pytest.raises(ConfigError, match="n: expected a number of taggings of at least 1, found 0"):
        taggers["v1-spans"].n_best("小明", 0)


def test_fewer_than_were_asked_for_and_together_they_are_certain(taggers: dict[str, Tagger]) -> None:
    ranked = taggers["v1-tags"].n_best("小", 1000)
    assert len(ranked) == len(taggers["v1-tags"].labels)
    assert math.fsum(sentence.path_probability or 0 for sentence in ranked) == pytest.approx(1)
