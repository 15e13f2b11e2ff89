"""Running text: a word is labeled after what is believed of it near by. The oracle is the definition, in loops over
tokens, and the enumeration of all tag paths; it shares no code with what it judges."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import subprocess
import sys
import time
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
WORDS = ("Kent", "KENT", "kent", "of", "Of", "the", "Essex", "won", "1996", "1997-98", "tie", "Straße", "STRASSE", "Ö")
CHARACTERS = ("王", "小", "明", "京", "a", "，", "3", "Kent")  # of few, so that strings come again and overlap

Place = tuple[int, int, int]  # a sentence, and its tokens from the first up to the last, half-open


def label(tag: str) -> str:
    return tag.partition("-")[2]


def counts(form: str) -> bool:
    return form != form.lower() or (len(form) > 3 and not all(c in "0123456789-" for c in form))


class Text:
    """Sentences and what is believed of their tokens, with all that is derived from it as the definition says."""

    def __init__(self, sentences: Sequence[Sequence[str]], beliefs: Sequence[np.ndarray], tags: Sequence[str]) -> None:
        self.sentences, self.beliefs, self.tags = sentences, beliefs, tags

    def probability(self, i: int, t: int, tags: Sequence[str]) -> float:
        return sum(float(self.beliefs[i][t][k]) for k, tag in enumerate(self.tags) if tag in tags)

    def of_label(self, place: Place, name: str) -> float:
        i, start, end = place
        same = [tag for tag in self.tags if label(tag) == name]
        return sum(self.probability(i, t, same) for t in range(start, end)) / (end - start)

    def importance(self, place: Place) -> float:
        i, start, end = place
        inside = [tag for tag in self.tags if tag[0] in "IE"]
        longer = [
            max(self.probability(i, u, inside) for u in (t, t + 1) if u < len(self.sentences[i]))
            for t in range(start, end)
        ]
        surest = max(self.of_label(place, label(tag)) for tag in self.tags)
        return surest**4 * (1 + 8 * sum(longer) / len(longer))

    def said(self, place: Place, same: Sequence[Place], reach: int, name: str) -> float | None:
        """log(mean of the others + floor) for a label; None where there are no others."""
        others = [other for other in same if other != place and abs(other[0] - place[0]) <= reach]
        if not others:
            return None
        total = sum(map(self.importance, others))
        return math.log(sum(self.importance(o) * self.of_label(o, name) for o in others) / total + FLOOR)

    def strings(self) -> set[tuple[str, ...]]:
        """Strings of characters that the most probable tags make a span."""
        found = set()
        for i, forms in enumerate(self.sentences):
            row = [self.tags[int(np.argmax(self.beliefs[i][t]))] for t in range(len(forms))]
            for start in [t for t, tag in enumerate(row) if tag[0] in "BS"]:
                end = start + 1
                while end < len(row) and row[end][0] in "IE":
                    end += 1
                string = tuple(forms[start:end])
                if len(string) >= 2 and all(form in "王小明京" for form in string):
                    found.add(string)
        return found


def by_definition(
    sentences: Sequence[Sequence[str]], beliefs: Sequence[np.ndarray], tags: Sequence[str], reach: int, weight: float
) -> list[np.ndarray]:
    """weight × log(mean probability of the tag's label at all other places of the word within reach + floor); at each
    character of a name, 0.3 of that, as the longest name says, of equals the last.

    A place counts in the mean by its most probable label's probability, four times over, and nine times as much as it
    is sure that its tokens, or those after them, go on with a name.
    """
    text = Text(sentences, beliefs, tags)
    added = [np.zeros((len(forms), len(tags))) for forms in sentences]
    places = [(i, t, t + 1) for i, forms in enumerate(sentences) for t in range(len(forms))]
    for i, t, end in places:
        form = sentences[i][t]
        same = [place for place in places if sentences[place[0]][place[1]].casefold() == form.casefold()]
        same = [place for place in same if counts(sentences[place[0]][place[1]])]
        for number, tag in enumerate(tags):
            if counts(form) and (said := text.said((i, t, end), same, reach, label(tag))) is not None:
                added[i][t][number] = weight * said
    of_strings = {
        string: [
            (i, a, a + len(string))
            for i, forms in enumerate(sentences)
            for a in range(len(forms))
            if tuple(forms[a : a + len(string)]) == string
        ]
        for string in text.strings()
    }
    found = [(len(string), place, same) for string, same in of_strings.items() for place in same]
    for _, (i, start, end), same in sorted(found, key=lambda one: one[:2]):
        for number, tag in enumerate(tags):
            if (said := text.said((i, start, end), same, reach, label(tag))) is not None:
                added[i][start:end, number] = 0.3 * weight * said
    return added


@pytest.mark.parametrize("scheme", TAGS)
@given(
    st.lists(
        st.one_of(
            st.lists(st.sampled_from(WORDS), max_size=6),
            st.lists(st.sampled_from(CHARACTERS), max_size=7),
            st.lists(st.sampled_from(CHARACTERS[:2]), min_size=3, max_size=9),
        ),
        min_size=1,
        max_size=9,
    ),
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


def test_a_slow_pipe_is_the_same_text(gatewise_command, stored: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lines = ["Kent叫小明\n", "小红住在Kent\n", "我叫KENT\n"]
    (tmp_path / "text.txt").write_text("".join(lines), encoding="utf-8")
    arguments = ("-m", str(stored / "v1-spans"), "--to", "jsonl", "--neighbors", "5")
    whole = gatewise_command("tag", tmp_path / "text.txt", *arguments)
    command = [sys.executable, "-m", "gatewise", "tag", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for line in lines:
            program.stdin.write(line.encode())
            program.stdin.flush()
            time.sleep(1)
        program.stdin.close()
        assert program.stdout.read().decode() == whole.out
