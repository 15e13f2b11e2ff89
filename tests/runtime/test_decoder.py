"""From emissions to tags: always legal, and every probability equals the enumeration of all paths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.crf import CRFScores, legal_only, restricted
from gatewise.errors import SchemeError
from gatewise.model.archive import legality_of
from gatewise.runtime.decode import Decoder
from gatewise.text.schemes import check_tags, find_problem, spans_from_tags
from gatewise.text.sentence import Sentence, Span, sentence_from_forms

Floats = npt.NDArray[np.floating]

ALL_PREFIXES = {"BIO": "BI", "BIOES": "BIES", "BMES": "BMES"}


def tags_of(scheme: str, names: Sequence[str]) -> list[str]:
    return ["O", *(f"{prefix}-{name}" for name in names for prefix in ALL_PREFIXES[scheme])]


def make_decoder(
    rng: np.random.Generator, scheme: str, labels: Sequence[str], *, crf: bool, spread: float = 1
) -> Decoder:
    legality = legality_of(labels, scheme)
    n = len(labels)
    learned = CRFScores(
        transitions=rng.normal(size=(n, n)) * spread,
        start_transitions=rng.normal(size=n) * spread,
        end_transitions=rng.normal(size=n) * spread,
    )
    scores = restricted(learned, legality) if crf else legal_only(legality)
    return Decoder(labels=tuple(labels), scheme=scheme, scores=scores)


def make_batch(rng: np.random.Generator, lengths: Sequence[int], num_tags: int) -> tuple[list[Sentence], Floats]:
    """Sentences of two-letter tokens with a space between, and emissions with garbage at padding."""
    sentences = [sentence_from_forms(["ab"] * length, separator=" ") for length in lengths]
    emissions = rng.normal(size=(max(lengths), len(lengths), num_tags)).astype(np.float32) * 2
    emissions[np.arange(max(lengths))[:, None] >= np.array(lengths)] = 1e6
    return sentences, emissions


@given(
    scheme=st.sampled_from(["BIO", "BIOES", "BMES"]),
    names=st.lists(st.sampled_from(["PER", "LOC", "X-Y", "名"]), min_size=1, max_size=3, unique=True),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 1.0, 4.0]),
    crf=st.booleans(),
    data=st.data(),
)
def test_tags_are_always_legal_and_probabilities_are_probabilities(
    scheme: str, names: list[str], lengths: list[int], seed: int, spread: float, crf: bool, data: st.DataObject
) -> None:
    known = tags_of(scheme, names)
    kept = data.draw(st.sets(st.sampled_from(known[1:])), label="tags of the model, besides O")
    labels = data.draw(st.permutations(["O", *sorted(kept)]), label="labels")
    rng = np.random.default_rng(seed)
    decoder = make_decoder(rng, scheme, labels, crf=crf, spread=spread)
    sentences, emissions = make_batch(rng, lengths, len(labels))
    for before, after in zip(sentences, decoder.decode(sentences, emissions * max(1.0, spread)), strict=True):
        check_tags(after.tags or (), scheme)
        assert (after.text, after.tokens) == (before.text, before.tokens)
        assert after.scores is not None
        assert len(after.scores) == len(after) == len(after.tags or ())
        assert all(0 < score <= 1 for score in after.scores)
        wanted = spans_from_tags(after.tags or (), scheme)
        assert [(span.start, span.end, span.label) for span in after.spans] == [
            (after.tokens[span.start].start, after.tokens[span.end - 1].end, span.label) for span in wanted
        ]
        for span in after.spans:
            assert 0 <= span.score <= 1
            assert span.text == after.text[span.start : span.end]


def test_a_tag_that_cannot_be_reached_takes_no_probability_from_the_others() -> None:
    labels = ("O", "I-A")  # no B-A: O O O … is the only path, however much the emissions speak for I-A
    decoder = make_decoder(np.random.default_rng(0), "BIO", labels, crf=False)
    emissions = np.tile(np.array([0, 90], dtype=np.float32), (12, 1, 1))
    [sentence] = decoder.decode([sentence_from_forms(["a"] * 12)], emissions)
    assert sentence.tags == ("O",) * 12
    assert sentence.scores == pytest.approx((1.0,) * 12)


def legal_paths(decoder: Decoder, emissions: Floats) -> list[tuple[tuple[str, ...], float]]:
    """Every legal tag sequence of one sentence with its probability, in plain floats."""
    indices = range(len(decoder.labels))
    found = []
    for path in itertools.product(indices, repeat=len(emissions)):
        tags = tuple(decoder.labels[tag] for tag in path)
        if find_problem(tags, decoder.scheme):
            continue
        score = float(decoder.scores.start_transitions[path[0]]) + float(decoder.scores.end_transitions[path[-1]])
        score += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
        score += sum(float(decoder.scores.transitions[a, b]) for a, b in itertools.pairwise(path))
        found.append((tags, score))
    total = math.fsum(math.exp(score) for _, score in found)
    return [(tags, math.exp(score) / total) for tags, score in found]


LABEL_SETS = [
    ("BIO", ("I-B", "O", "B-A", "I-A", "B-B")),
    ("BIO", ("B-A", "O", "B-B", "I-B")),  # A is never longer than one token
    ("BIOES", ("O", "E-A", "S-A", "I-A", "B-A")),
    ("BIOES", ("S-B", "B-A", "E-A", "S-A")),  # as for words: nothing is outside
    ("BMES", ("E-A", "O", "M-A", "S-A", "B-A")),
    ("BILOU", ("L-A", "O", "I-A", "U-A", "B-A")),
]


@pytest.mark.parametrize(("scheme", "labels"), LABEL_SETS)
@pytest.mark.parametrize("crf", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_everything_equals_enumeration(scheme: str, labels: tuple[str, ...], crf: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    decoder = make_decoder(rng, scheme, labels, crf=crf)
    sentences, emissions = make_batch(rng, [4, 1, 5, 2, 3], len(labels))
    spans_seen = 0
    for column, sentence in enumerate(decoder.decode(sentences, emissions)):
        paths = legal_paths(decoder, emissions[: len(sentence), column])
        assert sentence.tags == max(paths, key=lambda entry: entry[1])[0]
        assert sentence.path_probability == pytest.approx(max(p for _, p in paths), abs=1e-9)
        for t, (tag, score) in enumerate(zip(sentence.tags or (), sentence.scores or (), strict=True)):
            assert score == pytest.approx(math.fsum(p for tags, p in paths if tags[t] == tag), abs=1e-9)
        for span in sentence.spans:
            start = next(i for i, token in enumerate(sentence) if token.start == span.start)
            end = next(i for i, token in enumerate(sentence, start=1) if token.end == span.end)
            wanted = Span(start=start, end=end, label=span.label)
            there = math.fsum(p for tags, p in paths if wanted in spans_from_tags(tags, scheme))
            assert span.score == pytest.approx(there, abs=1e-9)
            spans_seen += 1
    assert spans_seen > 3


def test_iob1_is_refused() -> None:
    with pytest.raises(SchemeError, match="found IOB1; convert to BIO"):
        make_decoder(np.random.default_rng(0), "IOB1", ("I-A", "O", "B-A"), crf=False)


def test_plain_tags_have_probabilities_and_no_spans() -> None:
    rng = np.random.default_rng(4)
    labels = ("NOUN", "O", "B-VERB")  # with plain, these are just names
    for crf in (True, False):
        decoder = make_decoder(rng, "plain", labels, crf=crf)
        sentences, emissions = make_batch(rng, [3, 5, 1], 3)
        for column, sentence in enumerate(decoder.decode(sentences, emissions)):
            paths = legal_paths(decoder, emissions[: len(sentence), column])
            assert sentence.tags == max(paths, key=lambda entry: entry[1])[0]
            assert sentence.spans == ()
            for t, score in enumerate(sentence.scores or ()):
                wanted = math.fsum(p for tags, p in paths if tags[t] == (sentence.tags or ())[t])
                assert score == pytest.approx(wanted, abs=1e-9)


def test_softmax_without_constraints_is_the_softmax_of_each_token() -> None:
    rng = np.random.default_rng(5)
    decoder = make_decoder(rng, "plain", ("A", "B", "C"), crf=False)
    sentences, emissions = make_batch(rng, [4], 3)
    [sentence] = decoder.decode(sentences, emissions)
    wide = np.exp(emissions[:, 0].astype(np.float64))
    assert sentence.scores == pytest.approx((wide / wide.sum(-1, keepdims=True)).max(-1))


def test_softmax_is_kept_from_saying_what_is_illegal() -> None:
    decoder = make_decoder(np.random.default_rng(0), "BIOES", ("O", "B-A", "E-A", "S-A"), crf=False)
    emissions = np.array([[0, 9, 0, 0], [0, 9, 1, 0]], dtype=np.float32)[:, None]  # alone, each token says B-A
    [sentence] = decoder.decode([sentence_from_forms(["a", "b"])], emissions)
    assert sentence.tags == ("B-A", "E-A")
    paths = {
        ("B-A", "E-A"): 10,
        ("O", "O"): 0,
        ("O", "S-A"): 0,
        ("S-A", "O"): 0,
        ("S-A", "S-A"): 0,
    }
    wanted = math.exp(10) / sum(math.exp(score) for score in paths.values())
    assert sentence.spans[0].score == pytest.approx(wanted)


def test_a_bio_span_counts_only_where_it_ends() -> None:
    """The paths on which a span goes on are not this span."""
    decoder = make_decoder(np.random.default_rng(0), "BIO", ("O", "B-A", "I-A"), crf=False)
    emissions = np.array([[0, 4, 0], [0.1, 0, 0]], dtype=np.float32)[:, None]
    [sentence] = decoder.decode([sentence_from_forms(["a", "b"])], emissions)
    assert sentence.tags == ("B-A", "O")
    total = math.exp(4) * (math.exp(0.1) + 1 + 1) + 1 * (math.exp(0.1) + 1)
    assert sentence.spans[0].score == pytest.approx(math.exp(4) * (math.exp(0.1) + 1) / total, rel=1e-6)
    assert (sentence.scores or ())[0] == pytest.approx(math.exp(4) * (math.exp(0.1) + 2) / total, rel=1e-6)
