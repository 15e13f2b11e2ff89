"""What `gatewise embed` trains on: keys as the tagger's vocabularies have them, kept on disk, whole and in order."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ConfigError, FormatError, TrainingError
from gatewise.formats import read_conll
from gatewise.model.config import FeaturesConfig
from gatewise.model.features import build_vocabularies, count_keys
from gatewise.text import tokenize
from gatewise.training import raw_text
from gatewise.training.raw_text import Cut, KeptKeys, TextFile, choose_tokenizer

TEXT = "我１２Ａb。她 Don't!\n\n十２\n"
CUTS = {
    "characters": [["我", "0", "0", "a", "b", "。", "她", "d", "o", "n", "'", "t", "!"], [], ["十", "0"]],
    "mixed": [["我", "00ab", "。", "她", "don't", "!"], [], ["十", "0"]],
    "words": [["我", "00ab", "。", "她", "don't", "!"], [], ["十", "0"]],
    "whitespace": [["我00ab。她", "don't!"], [], ["十0"]],
}


def text_file(path: Path, content: str | bytes = TEXT) -> TextFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return TextFile(path=path, format="text")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("tokenizer", CUTS)
def test_texts_become_keys_by_hand(tmp_path: Path, tokenizer: str, packed: bool) -> None:
    file = text_file(tmp_path / "in.txt", gzip.compress(TEXT.encode()) if packed else TEXT)
    assert list(Cut(tokenizer=tokenizer).sentences(file)) == CUTS[tokenizer]


def test_bigrams_by_hand_with_the_edges_of_the_sentence(tmp_path: Path) -> None:
    file = text_file(tmp_path / "in.txt", "我叫１。好\n\n好\n")
    cut = Cut(tokenizer="characters", unit="bigram")
    assert list(cut.sentences(file)) == [["<s>我", "我叫", "叫0", "0。", "。好", "好</s>"], [], ["<s>好", "好</s>"]]
    split = Cut(tokenizer="characters", unit="bigram", split=True)
    assert list(split.sentences(file))[:2] == [["<s>我", "我叫", "叫0", "0。", "。</s>"], ["<s>好", "好</s>"]]


def test_labeled_files_stand_as_they_are_but_for_characters(tmp_path: Path) -> None:
    path = tmp_path / "in.conll"
    path.write_text("新华社\tB-ORG\n２０日\tO\n\nBei-jing\tB-LOC\n", encoding="utf-8")
    file = TextFile(path=path, format="conll")
    assert list(Cut(tokenizer="words").sentences(file)) == [["新华社", "00日"], ["bei-jing"]]
    assert list(Cut(tokenizer="characters").sentences(file)) == [list("新华社00日"), list("bei-jing")]
    named = TextFile(path=path, format="conll", columns=("tag", "token"))
    assert list(Cut(tokenizer="words").sentences(named)) == [["b-org", "o"], ["b-loc"]]


def test_keys_are_those_of_the_vocabularies_that_training_builds(tiny: Path, tmp_path: Path) -> None:
    sentences = list(read_conll(tiny / "spans.conll"))
    assert all(tokenize(sentence.text, "characters").forms == sentence.forms for sentence in sentences)
    file = text_file(tmp_path / "in.txt", "\n".join(sentence.text for sentence in sentences))
    features = FeaturesConfig(min_count=2, bigram_min_count=3)
    vocabularies = build_vocabularies(features, count_keys(features, [one.forms for one in sentences]))
    for unit, name, least in (("token", "tokens", 2), ("bigram", "bigrams", 3)):
        with KeptKeys() as kept:
            for keys in Cut(tokenizer="characters", unit=unit).sentences(file):
                kept.add(keys)
            assert set(kept.counts(least)) == set(vocabularies[name].entries)
            assert len(kept.counts(least)) > 3


@given(st.lists(st.lists(st.text(max_size=3), max_size=9), max_size=12), st.integers(1, 4))
def test_what_is_kept_comes_back_again_and_again(sentences: list[list[str]], longest: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_text, "LONGEST", longest)
        with KeptKeys() as kept:
            for keys in sentences:
                kept.add(keys)
            pieces = [keys[at : at + longest] for keys in sentences for at in range(0, len(keys), longest)]
            assert list(kept) == list(kept) == pieces
            assert (kept.sentences, kept.tokens) == (len(pieces), sum(map(len, sentences)))
            counted = Counter(key for keys in sentences for key in keys)
            assert kept.counts() == counted
            assert kept.counts(2) == {key: seen for key, seen in counted.items() if seen >= 2}


def test_a_long_line_is_not_cut_off_where_gensim_stops_reading(tmp_path: Path) -> None:
    file = text_file(tmp_path / "in.txt", "甲" * 10_000 + "乙" * 10_000 + "丙")
    with KeptKeys() as kept:
        for keys in Cut(tokenizer="characters").sentences(file):
            kept.add(keys)
        assert [len(keys) for keys in kept] == [10_000, 10_000, 1]
        assert kept.counts() == {"甲": 10_000, "乙": 10_000, "丙": 1}


def test_the_first_text_chooses_the_tokenizer(tmp_path: Path) -> None:
    chinese = text_file(tmp_path / "zh.txt", "我叫小明 OK\n")
    english = text_file(tmp_path / "en.txt", "I am here 我\n")
    labeled = TextFile(path=tmp_path / "no.conll", format="conll")
    assert choose_tokenizer([labeled, chinese, english]) == "characters"
    assert choose_tokenizer([english, chinese]) == "words"
    assert choose_tokenizer([labeled]) == "words"
    with pytest.raises(ConfigError) as caught:
        choose_tokenizer([TextFile(path="-", format="text")])
    assert str(caught.value) == (
        "--tokenizer: expected one of characters, mixed, words, english, whitespace for standard input, found auto;"
        " say which"
    )


def test_a_text_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    file = text_file(tmp_path / "in.txt", b"ok\n\xff\n")
    with pytest.raises(FormatError, match=r"in\.txt:2: expected UTF-8, found the byte 0xFF"):
        list(Cut(tokenizer="words").sentences(file))


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(raw_text.tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(TrainingError) as caught:
        KeptKeys()
    assert str(caught.value) == (
        f"{tmp_path / 'nowhere'}: expected room for the text as numbers, found that it cannot be written (No such file"
        " or directory); free some, or set TMPDIR to another folder"
    )
