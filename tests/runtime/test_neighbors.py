"""Running text: a word is labeled after what is believed of it near by. The oracle is the definition, in loops over
tokens, and the enumeration of all tag paths; it shares no code with what it judges."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError
from gatewise.runtime import Tagger, load
from gatewise.runtime.evaluate import evaluate_file
from gatewise.runtime.neighbors import FLOOR, Neighbors
from gatewise.runtime.tag_table import tag_table
from gatewise.runtime.workers import batches_of
from gatewise.text.schemes import find_problem
from gatewise.text.sentence import Sentence, sentence_from_forms

TAGS = {
    "BIO": ("B-PER", "I-PER", "B-ORG", "I-ORG", "O"),
    "BIOES": ("O", "S-A", "B-A", "I-A", "E-A", "E-C", "B-C", "I-C", "S-C"),
}
WORDS = (
    "Kent",
    "KENT",
    "kent",
    "of",
    "Of",
    "the",
    "Essex",
    "won",
    "1996",
    "1997-98",
    "tie",
    "beat",
    "Straße",
    "STRASSE",
)


def label(tag: str) -> str:
    return tag.partition("-")[2]


def counts(form: str) -> bool:
    return form != form.lower() or (len(form) > 3 and not all(c in "0123456789-" for c in form))


def by_definition(
    sentences: Sequence[Sequence[str]], beliefs: Sequence[np.ndarray], tags: Sequence[str], reach: int, weight: float
) -> list[np.ndarray]:
    """weight × log(mean probability of the tag's label at all other places of the word within reach + floor).

    A place counts in the mean by its most probable label's probability, four times over, and nine times as much as it
    is sure that the word, or the next one, goes on with a name.
    """
    places = [(i, t) for i, forms in enumerate(sentences) for t in range(len(forms))]
    added = [np.zeros((len(forms), len(tags))) for forms in sentences]

    def of_label(i: int, t: int, name: str) -> float:
        return sum(float(beliefs[i][t][k]) for k, tag in enumerate(tags) if label(tag) == name)

    def goes_on(i: int, t: int) -> float:
        return sum(float(beliefs[i][t][k]) for k, tag in enumerate(tags) if tag[0] in "IE")

    def importance(i: int, t: int) -> float:
        longer = max(goes_on(i, u) for u in (t, t + 1) if u < len(sentences[i]))
        return max(of_label(i, t, label(tag)) for tag in tags) ** 4 * (1 + 8 * longer)

    for i, t in places:
        form = sentences[i][t]
        others = [
            (j, u)
            for j, u in places
            if (j, u) != (i, t) and abs(i - j) <= reach and sentences[j][u].casefold() == form.casefold()
            if counts(sentences[j][u])
        ]
        if not counts(form) or not others:
            continue
        for number, tag in enumerate(tags):
            total = sum(importance(j, u) for j, u in others)
            mean = sum(importance(j, u) * of_label(j, u, label(tag)) for j, u in others) / total
            added[i][t][number] = weight * math.log(mean + FLOOR)
    return added


@pytest.mark.parametrize("scheme", TAGS)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=6), min_size=1, max_size=9),
    st.integers(0, 4),
    st.floats(0, 2),
    st.integers(0, 1000),
)
def test_what_is_added_is_as_defined(
    scheme: str, sentences: list[list[str]], reach: int, weight: float, seed: int
) -> None:
    rng, tags = np.random.default_rng(seed), TAGS[scheme]
    beliefs = [rng.dirichlet(np.full(len(tags), 0.4), len(forms)) for forms in sentences]
    made = [sentence_from_forms(forms) for forms in sentences]
    found = Neighbors(reach=reach, weight=weight).added(made, beliefs, tag_table(tags, scheme))
    for got, wanted in zip(found, by_definition(sentences, beliefs, tags, reach, weight), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-9)


@pytest.fixture
def text() -> list[Sentence]:
    """Sentences of ragged lengths, one of them empty, in which Kent comes again and again."""
    lines = ["Kent won", "", "在 Kent 有 人", "the tie", "小 明 叫 KENT", "我 住 在 北 京 Kent Kent", "Essex of kent"]
    return [sentence_from_forms(line.split()) for line in lines]


def path_sums(tagger: Tagger, emissions: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """The best path and all marginals, by every legal path there is; float64."""
    scores, labels, factor = tagger.crf_scores, tagger.labels, 1 / tagger.temperature
    best, total, sums = (-math.inf, ()), 0.0, np.zeros(emissions.shape)
    for path in itertools.product(range(len(labels)), repeat=len(emissions)):
        score = float(scores.start_transitions[path[0]]) + float(scores.end_transitions[path[-1]])
        score += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
        score += sum(float(scores.transitions[a, b]) for a, b in itertools.pairwise(path))
        if score == -math.inf:
            continue
        assert find_problem([labels[tag] for tag in path], tagger.scheme) is None
        best = max(best, (score, tuple(labels[tag] for tag in path)))
        total += math.exp(score * factor)
        sums[range(len(path)), path] += math.exp(score * factor)
    return best[1], sums / total  # type: ignore[return-value]


@pytest.mark.parametrize("temperature", [1.0, 1.7])
def test_tags_and_probabilities_are_those_of_all_paths(
    taggers: dict[str, Tagger], text: list[Sentence], temperature: float
) -> None:
    plain = taggers["v1-spans"].with_temperature(temperature)
    short = [sentence for sentence in text if len(sentence) <= 4]
    alone = {id(s): e[: len(s), c].astype(float) for b, e in plain.emissions(short) for c, s in enumerate(b)}
    emissions = [alone.get(id(sentence), np.zeros((0, len(plain.labels)))) for sentence in short]
    beliefs = [path_sums(plain, e)[1] if len(e) else e for e in emissions]
    added = by_definition([s.forms for s in short], beliefs, plain.labels, reach=3, weight=1.5)
    assert any(abs(change).max(initial=0) > 0.5 for change in added)
    found = plain.with_neighbors(3, weight=1.5).tag_sentences(short)
    for sentence, own, change in zip(found, emissions, added, strict=True):
        if not len(own):
            assert sentence.tags == ()
            continue
        tags, marginals = path_sums(plain, own + change)
        assert sentence.tags == tags
        wanted = [marginals[t, plain.labels.index(tag)] for t, tag in enumerate(tags)]
        assert list(sentence.scores or ()) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("model", ["v1-spans", "v1-heads"])
def test_one_thread_or_several_and_any_batch(stored: Path, text: list[Sentence], model: str) -> None:
    apart = [*text, *[sentence_from_forms([])] * 6]  # further from each other than the reach: as many texts alone
    one, two = (load(stored / model, threads=count).with_neighbors(5) for count in (1, 2))
    assert len(list(batches_of([len(sentence) for sentence in apart * 600]))) > 2
    alone = one.tag_sentences(apart)
    for tagger in (one, two):
        for found, wanted in zip(tagger.tag_sentences(apart * 600), itertools.cycle(alone), strict=False):
            assert found.tags == wanted.tags
            assert {name: said.tags for name, said in found.heads.items()} == {
                name: said.tags for name, said in wanted.heads.items()
            }
    assert all(find_problem(sentence.tags or (), one.scheme) is None for sentence in alone)


def test_the_tagger_it_comes_from_stays_as_it_was(taggers: dict[str, Tagger], text: list[Sentence]) -> None:
    plain = taggers["v1-spans"]
    before = plain.tag_sentences(text)
    changed = plain.with_neighbors(10, weight=4).tag_sentences(text)
    assert plain.tag_sentences(text) == before
    assert [s.scores for s in changed] != [s.scores for s in before]
    assert plain.with_neighbors(10, weight=0).tag_sentences(text) == before
    # no word comes again within one sentence of the others: nothing is steered
    assert plain.with_neighbors(10).tag_sentences(text[:1]) == before[:1]


def test_constraints_hold_and_what_they_say_is_believed_elsewhere(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"].with_neighbors(1)
    here, there = sentence_from_forms(["在", "Kent", "有"]), sentence_from_forms(["Kent", "叫"])
    known = {"spans": [{"start": 1, "end": 5, "label": "LOC"}]}
    assert here.text[1:5] == "Kent"
    free = tagger.tag_sentences([here, there])[1]
    first, second = tagger.tag_sentences([here, there], constraints=[known, None])
    assert [(span.text, span.label) for span in first.spans] == [("Kent", "LOC")]
    assert first.spans[0].score == pytest.approx(1)

    assert (free.tags, second.tags) == (("O", "O"),) * 2
    assert (second.scores or ())[0] < (free.scores or ())[0] - 0.1  # O is less probable beside a sure LOC


def test_texts_in_a_stream(taggers: dict[str, Tagger]) -> None:
    tagger = taggers["v1-spans"].with_neighbors(2)
    texts = ["小明住在北京Kent", "", "Kent叫小红", "我叫KENT"]
    tokenized = [tagger.tokenize(text) for text in texts]
    assert list(tagger.tag_many(texts)) == tagger.tag_sentences(tokenized)
    assert next(iter(tagger.tag_many(texts, scores=False))).scores is None


@pytest.mark.parametrize("model", ["v1-tags", "v1-segmentation"])
def test_a_model_without_spans_is_refused(taggers: dict[str, Tagger], model: str) -> None:
    with pytest.raises(ConfigError, match="expected a model that marks spans"):
        taggers[model].with_neighbors()


@pytest.mark.parametrize(("reach", "weight"), [(-1, 1.0), (3, -0.1), (3, math.nan), (3, math.inf)])
def test_reach_and_weight_are_checked(taggers: dict[str, Tagger], reach: int, weight: float) -> None:
    with pytest.raises(ConfigError, match="neighbors: expected a"):
        taggers["v1-spans"].with_neighbors(reach, weight=weight)


def test_a_file_is_scored_as_running_text(gatewise_command, stored: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    gold = tmp_path / "gold.conll"
    gold.write_text("Kent\tB-PER\n叫\tO\n\n我\tO\n叫\tO\nKent\tB-PER\n", encoding="utf-8")
    model = tmp_path / "model"
    shutil.copytree(stored / "v1-spans", model)
    wanted = evaluate_file(load(model).with_neighbors(7), gold)
    ran = gatewise_command("evaluate", model, gold, "--neighbors", "7", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert f'"f1": {wanted.main}' in ran.out
    refused = gatewise_command("evaluate", "zh", gold, "--neighbors", "7")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: zh: expected a model that marks spans")


def test_a_file_is_tagged_as_running_text_and_another_file_is_another_text(
    gatewise_command, stored: Path, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    texts = {"a": ["Kent叫小明", "在Kent"], "b": ["我叫KENT", "小红住在Kent"]}
    for name, lines in texts.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tagger = load(stored / "v1-spans").with_neighbors(5)
    wanted = [tagger.tag_sentences([tagger.tokenize(line) for line in lines]) for lines in texts.values()]
    together = tagger.tag_sentences([tagger.tokenize(line) for lines in texts.values() for line in lines])
    scores = [sentence.scores for sentence in itertools.chain(*wanted)]
    assert scores != [sentence.scores for sentence in together]
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    ran = gatewise_command("tag", *files, "-m", stored / "v1-spans", "--to", "jsonl", "--neighbors", "5")
    assert (ran.code, ran.err) == (0, "")
    found = [[token["score"] for token in json.loads(line)["tokens"]] for line in ran.out.splitlines()]
    for got, expected in zip(found, scores, strict=True):
        assert got == pytest.approx(expected, abs=1e-6)
    refused = gatewise_command("tag", *files, "--to", "jsonl", "--n-best", "2", "--neighbors", "5")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "error: --n-best: expected no --neighbors, which change the best tags alone; leave one out\n"
