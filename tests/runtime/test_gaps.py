"""White space ends a word: the decoder's mask against enumeration of all taggings that respect it."""

import itertools
import math

import numpy as np
import pytest

import gatewise
from gatewise.crf import CRFScores, restricted
from gatewise.model.archive import legality_of
from gatewise.runtime.decode import Decoder
from gatewise.text.schemes import find_problem, split_tag
from gatewise.text.sentence import Sentence
from gatewise.text.tokenize import tokenize

LABELS = {"BIOES": ("B-A", "E-A", "I-A", "O", "S-A"), "BIO": ("B-A", "I-A", "B-C", "I-C")}


def random_decoder(rng: np.random.Generator, scheme: str, *, break_at_gaps: bool) -> Decoder:
    labels = LABELS[scheme]
    n = len(labels)
    learned = CRFScores(
        transitions=rng.normal(size=(n, n)),
        start_transitions=rng.normal(size=n),
        end_transitions=rng.normal(size=n),
    )
    scores = restricted(learned, legality_of(labels, scheme))
    return Decoder(labels=labels, scheme=scheme, scores=scores, break_at_gaps=break_at_gaps)


def paths_that_respect_gaps(
    decoder: Decoder, sentence: Sentence, emissions: np.ndarray
) -> list[tuple[tuple[str, ...], float]]:
    """Every legal tagging without a span across white space, with its probability among these, in plain floats."""
    apart = [False] + [a.end < b.start for a, b in itertools.pairwise(sentence.tokens)]
    found = []
    for path in itertools.product(range(len(decoder.labels)), repeat=len(sentence)):
        tags = tuple(decoder.labels[tag] for tag in path)
        carried_on = any(gap and split_tag(tag)[0] in "IE" for gap, tag in zip(apart, tags, strict=True))
        if find_problem(tags, decoder.scheme) or carried_on:
            continue
        score = float(decoder.scores.start_transitions[path[0]]) + float(decoder.scores.end_transitions[path[-1]])
        score += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
        score += sum(float(decoder.scores.transitions[a, b]) for a, b in itertools.pairwise(path))
        found.append((tags, score))
    total = math.fsum(math.exp(score) for _, score in found)
    return [(tags, math.exp(score) / total) for tags, score in found]


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@pytest.mark.parametrize("seed", range(4))
def test_tags_and_probabilities_equal_enumeration(scheme: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    decoder = random_decoder(rng, scheme, break_at_gaps=True)
    sentences = [tokenize(text, "characters") for text in ("我叫 小明", "王\u3000明", "我们", " 是 的 ")]
    emissions = rng.normal(size=(4, 4, len(decoder.labels))) * 2
    for column, tagged in enumerate(decoder.decode(sentences, emissions)):
        paths = paths_that_respect_gaps(decoder, tagged, emissions[: len(tagged), column])
        assert tagged.tags == max(paths, key=lambda entry: entry[1])[0]
        for t, score in enumerate(tagged.scores or ()):
            there = math.fsum(p for tags, p in paths if tags[t] == (tagged.tags or ())[t])
            assert score == pytest.approx(there, abs=1e-12)


def test_without_the_rule_words_do_run_across() -> None:
    rng = np.random.default_rng(0)
    free = random_decoder(rng, "BIO", break_at_gaps=False)
    sentence = tokenize("我 叫 小 明 啊", "characters")
    emissions = rng.normal(size=(5, 1, 4))
    emissions[:, 0, 1] += 20  # I-A everywhere
    assert " " in free.decode([sentence], emissions)[0].spans[0].text


def test_the_bundled_segmenter_never_runs_across() -> None:
    tagger = gatewise.load("zh")
    for sentence in tagger.tag_many(["中 国 人 民 银 行", "New York 你好", "2004 年 我 们", "👨‍👩‍👧 e\u030b 𠮷 好"]):
        assert all(not any(map(str.isspace, span.text)) for span in sentence.spans)
        assert "".join(span.text for span in sentence.spans) == "".join(sentence.text.split())


def test_emissions_without_gaps_are_left_as_they_are() -> None:
    rng = np.random.default_rng(1)
    decoder = random_decoder(rng, "BIOES", break_at_gaps=True)
    emissions = rng.normal(size=(2, 1, 5))
    assert decoder.constrained([tokenize("我们", "characters")], emissions) is emissions
