"""A user dictionary: what it finds, how strongly it steers, and that tags stay legal and probabilities exact."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gatewise
from gatewise.crf import CRFScores, restricted
from gatewise.errors import ConfigError, FormatError
from gatewise.model.archive import legality_of
from gatewise.runtime import Dictionary, Tagger, read_dictionary
from gatewise.runtime.decode import Decoder
from gatewise.runtime.dictionary import DEFAULT_WEIGHT, Entry
from gatewise.text.schemes import check_tags, find_problem, spans_from_tags
from gatewise.text.sentence import Sentence, Span
from gatewise.text.tokenize import tokenize

LABELS = {"BIO": ("B-A", "I-A", "B-C", "I-C", "O"), "BIOES": ("B-A", "E-A", "I-A", "S-A", "S-C", "B-C", "I-C", "E-C")}


def words(sentence: Sentence) -> list[str]:
    return [span.text for span in sentence.spans]


def dictionary(*lines: str, hard: bool = False) -> Dictionary:
    entries = {}
    for line in lines:
        word, weight, *label = line.split()
        entries[word] = Entry(weight=float(weight), label=label[0] if label else None)
    return Dictionary(words=entries, hard=hard)


# What is found


def found(text: str, *lines: str, tokenizer: str = "characters") -> list[str]:
    sentence = tokenize(text, tokenizer)
    gaps = [t for t, (a, b) in enumerate(itertools.pairwise(sentence.tokens), start=1) if a.end != b.start]
    return [
        text[sentence.tokens[match.start].start : sentence.tokens[match.end - 1].end]
        for match in dictionary(*lines).matches(sentence, gaps)
    ]


def test_words_that_overlap_are_chosen_to_weigh_most_together() -> None:
    assert found("研究生命起源", "研究生 5", "研究 5", "生命 5") == ["研究", "生命"]  # four tokens against three
    assert found("研究生命起源", "研究生 900", "研究 0.01", "生命 0.01") == ["研究生"]
    assert found("中国人民", "中国 5", "中国人 5", "人民 5", "中国人民 5") == ["中国人民"]  # of equals, the longer
    assert found("云云云", "云云 5") == ["云云"]
    assert found("云计算好", "云计算 0") == []  # weighs nothing


def test_only_whole_tokens_and_nothing_across_white_space() -> None:
    assert found("用iPhone15写", "Phone 5", "iPhone15 5", tokenizer="mixed") == ["iPhone15"]
    assert found("云 计算", "云计算 5", "计算 5") == ["计算"]
    assert found("👩‍👧好", "👩 5", "👩‍👧好 5") == ["👩‍👧好"]


@given(
    text=st.text("甲乙丙 ", max_size=9),
    entries=st.dictionaries(st.text("甲乙丙", min_size=1, max_size=4), st.sampled_from([0.5, 3.0, 8.0]), max_size=5),
)
def test_the_choice_is_the_best_of_all(text: str, entries: dict[str, float]) -> None:
    chosen = found(text, *(f"{word} {weight}" for word, weight in entries.items()))
    value = sum(math.log1p(100 * entries[word]) * len(word) for word in chosen)

    def best(rest: str) -> float:
        if not rest:
            return 0.0
        taken = (
            math.log1p(100 * w) * len(word) + best(rest[len(word) :])
            for word, w in entries.items()
            if rest.startswith(word)
        )
        return max([best(rest[1:]), *taken])

    assert value == pytest.approx(best(text))


# How it steers


def decoder_with(rng: np.random.Generator, scheme: str, given: Dictionary) -> Decoder:
    labels = LABELS[scheme]
    n = len(labels)
    learned = CRFScores(
        transitions=rng.normal(size=(n, n)), start_transitions=rng.normal(size=n), end_transitions=rng.normal(size=n)
    )
    scores = restricted(learned, legality_of(labels, scheme))
    return Decoder(labels=labels, scheme=scheme, scores=scores, dictionary=given)


def steered_paths(
    decoder: Decoder, emissions: np.ndarray, unit: Span, weight: float, label: str | None
) -> list[tuple[tuple[str, ...], float]]:
    """Every legal tagging with its probability: times 1 + 100 weight at each token that is tagged as in the unit."""
    found = []
    length = unit.end - unit.start
    bare = ["B", *"I" * (length - 2), "E"] if decoder.scheme == "BIOES" else ["B", *"I" * (length - 1)]
    if length == 1:
        bare = ["S"] if decoder.scheme == "BIOES" else ["B"]
    for path in itertools.product(range(len(decoder.labels)), repeat=len(emissions)):
        tags = tuple(decoder.labels[tag] for tag in path)
        if find_problem(tags, decoder.scheme):
            continue
        here = tags[unit.start : unit.end]
        agree = sum(tag[0] == want and label in (None, tag[2:]) for tag, want in zip(here, bare, strict=True))
        if decoder.scheme == "BIO" and unit.end < len(tags):
            agree += tags[unit.end][0] != "I"
        score = float(decoder.scores.start_transitions[path[0]]) + float(decoder.scores.end_transitions[path[-1]])
        score += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
        score += sum(float(decoder.scores.transitions[a, b]) for a, b in itertools.pairwise(path))
        if math.isinf(weight):
            factor = float(agree == length + (decoder.scheme == "BIO" and unit.end < len(tags)))
        else:
            factor = (1 + 100 * weight) ** agree
        found.append((tags, math.exp(score) * factor))
    total = math.fsum(weight for _, weight in found)
    return sorted(((tags, weight / total) for tags, weight in found), key=lambda entry: -entry[1])


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@pytest.mark.parametrize("weight", [0.005, 0.2, math.inf])
@pytest.mark.parametrize("label", [None, "C"])
@pytest.mark.parametrize("word", ["乙", "乙丙", "乙丙丁", "丙丁"])
def test_tags_and_probabilities_equal_enumeration(scheme: str, weight: float, label: str | None, word: str) -> None:
    rng = np.random.default_rng(len(word))
    entries = Dictionary(words={word: Entry(weight=weight, label=label)})
    decoder = decoder_with(rng, scheme, entries)
    sentence = tokenize("甲乙丙丁", "characters")
    emissions = rng.normal(size=(4, 1, len(decoder.labels))) * 2
    at = sentence.text.index(word)
    unit = Span(start=at, end=at + len(word), label="")
    paths = steered_paths(decoder, emissions[:, 0], unit, weight, label)
    [tagged] = decoder.decode([sentence], emissions)
    assert tagged.tags == paths[0][0]
    assert tagged.path_probability == pytest.approx(paths[0][1], abs=1e-9)
    for t, (tag, score) in enumerate(zip(tagged.tags or (), tagged.scores or (), strict=True)):
        assert score == pytest.approx(math.fsum(p for tags, p in paths if tags[t] == tag), abs=1e-9)
    for span in tagged.spans:
        wanted = Span(start=span.start, end=span.end, label=span.label)
        there = math.fsum(p for tags, p in paths if wanted in spans_from_tags(tags, scheme))
        assert span.score == pytest.approx(there, abs=1e-9)
    ranked = decoder.n_best(sentence, emissions, 3)
    possible = [tags for tags, p in paths[:3] if p]
    assert [entry.tags for entry in ranked][: len(possible)] == possible
    if math.isinf(weight):
        assert any(s.start == at and s.text == word and s.label in (label or "AC") for s in tagged.spans)


def test_hard_words_that_cannot_be_kept_leave_the_tags_legal() -> None:
    """Without S tags a single token between two words has no legal tag: then the words give way."""
    labels = ("B-A", "I-A", "E-A")
    scores = restricted(
        CRFScores(transitions=np.zeros((3, 3)), start_transitions=np.zeros(3), end_transitions=np.zeros(3)),
        legality_of(labels, "BIOES"),
    )
    decoder = Decoder(
        labels=labels, scheme="BIOES", scores=scores, dictionary=dictionary("甲乙 1", "丁戊 1", hard=True)
    )
    [tagged] = decoder.decode([tokenize("甲乙丙丁戊", "characters")], np.zeros((5, 1, 3), dtype=np.float32))
    check_tags(tagged.tags or (), "BIOES")
    assert all(0 <= span.score <= 1 for span in tagged.spans)


# With models


def test_a_trace_is_steered_as_tags_are(stored: Path, tmp_path: Path) -> None:
    """In a model of half precision, whose graph does not round the states as int8 does."""
    path = tmp_path / "words.txt"
    path.write_text("住在 50\n", encoding="utf-8")
    plain, steered = (gatewise.load(stored / "v1-segmentation", dictionary=words) for words in (None, path))
    found, trace = steered.tag("小明住在北京。"), steered.trace("小明住在北京。")
    assert trace.tags == found.tags
    assert trace.sentence.scores == pytest.approx(found.scores, abs=1e-4)
    assert found.scores != pytest.approx(plain.tag("小明住在北京。").scores, abs=1e-2)


def test_the_bundled_segmenter_learns_words(tmp_path: Path) -> None:
    tagger = gatewise.load("zh")
    text = "李小福是创新办主任也是云计算方面的专家"
    before = words(tagger.tag(text))
    assert "创新办" not in before
    path = tmp_path / "words.txt"
    path.write_text("创新办 300 n\n云计算 5\n\n凱特琳 nz\n台中\n", encoding="utf-8")
    steered = gatewise.load("zh", dictionary=path)
    after = steered.tag(text)
    assert {"创新办", "云计算"} <= set(words(after))
    assert "".join(words(after)) == text
    check_tags(after.tags or (), steered.scheme)
    assert words(tagger.tag(text)) == before  # the first one stays as it was
    assert next(sentence.tags for sentence in steered.tag_many([text, "我叫小明"])) == after.tags
    assert steered.trace(text).tags == after.tags


def test_a_label_that_the_model_has_is_asked_for_and_any_other_is_told() -> None:
    tagger = gatewise.load("zh")
    entry = dictionary("我叫 1e9 VERB", "小明 1e9 nr")
    steered = tagger.with_dictionary(entry)
    assert next((s.text, s.label) for s in steered.tag("我叫小明").spans) == ("我叫", "VERB")
    assert "小明" in words(steered.tag("我叫小明"))
    assert entry.unknown_labels(steered._decoders[""].table) == ("nr",)


@given(
    text=st.text("我叫小明在 北京。a👩‍👧", max_size=20),
    hard=st.booleans(),
    weight=st.sampled_from([0, 1, 1e6, math.inf]),
)
def test_whatever_the_dictionary_tags_are_legal(
    taggers: dict[str, Tagger], text: str, hard: bool, weight: float
) -> None:
    entries = Dictionary(words={w: Entry(weight=weight) for w in ("我叫", "叫小", "明在", "京。a", "👩‍👧", "北 京")})
    for name in ("v1-spans", "v1-segmentation", "v1-softmax-rnn"):
        sentence = taggers[name].with_dictionary(entries, hard=hard).tag(text)
        check_tags(sentence.tags or (), taggers[name].scheme)
        assert sentence.text == text
        assert all(0 <= score <= 1 for score in sentence.scores or ())


def test_constraints_stand_above_the_dictionary() -> None:
    steered = gatewise.load("zh").with_dictionary(dictionary("我叫 1", hard=True))
    assert words(steered.tag("我叫小明"))[0] == "我叫"
    assert words(steered.tag("我叫小明", constraints={"spans": [{"start": 0, "end": 1}]}))[0] == "我"


def test_plain_tags_cannot_be_steered(taggers: dict[str, Tagger]) -> None:
    with pytest.raises(ConfigError, match="found plain tags"):
        taggers["v1-tags"].with_dictionary(dictionary("cat 1"))


# The file


def test_the_file_is_read_as_jieba_has_it(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeff创新办 3 i\r\n云计算 5\r\n凱特琳 nz\r\n台中\r\n台中 inf\r\n\r\n".encode())
    assert dict(read_dictionary(path).words) == {
        "创新办": Entry(weight=3, label="i"),
        "云计算": Entry(weight=5),
        "凱特琳": Entry(weight=DEFAULT_WEIGHT, label="nz"),
        "台中": Entry(weight=math.inf),
    }
    assert read_dictionary(path, hard=True).hard


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xe4\xba\x91 1 n x\n", r"words.txt:1: expected a word, a weight and a tag .* found 4 fields"),
        (b"a b c\n", "words.txt:1: expected a word"),
        (b"ok 1\nno -3\n", "words.txt:2: expected a weight of at least 0, found -3"),
        (b"no nan\n", "expected a weight of at least 0, found nan"),
        (b"\xff\n", "words.txt: expected UTF-8"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=said):
        read_dictionary(path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_dictionary(tmp_path / "none.txt")
