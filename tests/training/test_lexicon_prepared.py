"""A lexicon made from a word list: which words have a vector, what each counts, and what is wrong with a list."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from gatewise.errors import ConfigError, FormatError, TrainingError  # noqa: E402
from gatewise.model.config import FeaturesConfig  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.corpus import resolve_config  # noqa: E402
from gatewise.model.lexicon import Lexicon  # noqa: E402
from gatewise.text.sentence import sentence_from_forms  # noqa: E402
from gatewise.training.lexicon import covered, prepare_lexicon  # noqa: E402
from gatewise.training.prepare import Prepared, prepare  # noqa: E402
from gatewise.training.word_list import read_word_list  # noqa: E402

pytestmark = pytest.mark.torch

WORDS = "中国 93 ns\n中国人\t12\n国人\n人\n李白1\n龘龘\n中国\n"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text(WORDS, encoding="utf-8")
    return path


def test_a_list_is_read_word_by_word(words: Path) -> None:
    assert read_word_list(words, 6) == ["中国", "中国人", "国人", "人", "李白0", "龘龘"]
    assert read_word_list(words, 2) == ["中国", "国人", "人", "龘龘"]
    words.write_bytes(gzip.compress(b"\xef\xbb\xbf" + "Ａ股 \r\n\r\n 人\r\n".encode()))
    assert read_word_list(words, 2) == ["a股", "人"]


def test_what_is_no_list_is_refused(words: Path, tmp_path: Path) -> None:
    def refusal() -> str:
        with pytest.raises(FormatError) as refused:
            read_word_list(words, 6)
        return str(refused.value).removeprefix(f"{words}")

    words.write_bytes("中国\n".encode() + "人\n".encode("gbk"))
    assert refusal().startswith(":2: expected a word list in UTF-8, found 'utf-8' codec can't decode byte")
    assert refusal().endswith("; convert the file")
    words.write_bytes(b" \n\n")
    assert refusal() == ": expected words of at most 6 characters, one a line, found none"
    words.write_bytes(gzip.compress("中国\n".encode() * 900)[:-9])
    assert refusal().startswith(": expected a word list, found that it cannot be read (")
    words.unlink()
    assert refusal() == ": expected a word list, found that it cannot be read (No such file or directory)"


def test_too_many_words_are_refused(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatewise.training.word_list.MOST_WORDS", 5)
    with pytest.raises(FormatError) as refused:
        read_word_list(words, 6)
    assert str(refused.value) == (
        f"{words}: expected at most 5 words, found 6; leave out the rare ones, or lower features.lexicon_longest"
    )


TRAIN = [list("中国人在中国"), list("国人"), list("人在")]
DEV = [list("中国"), list("李白8")]


def features(words: Path, **settings: Any) -> FeaturesConfig:
    return FeaturesConfig(lexicon=str(words), **settings)


def test_occurrences_and_weights_by_hand(words: Path) -> None:
    found = prepare_lexicon(features(words), TRAIN, DEV)
    assert found.occurrences == {"中国": 2, "中国人": 1, "国人": 2, "人": 3}
    # 中国人 covers 中国, 国人 and 人 where they stand in it, and 国人 covers 人
    assert dict(zip(found.lexicon.entries, found.lexicon.weights, strict=True)) == {"人": 2, "中国": 3, "国人": 2}
    assert found.lexicon.entries == ("人", "中国", "国人")
    assert found.lexicon.others == ("中国人", "李白0", "龘龘")
    assert found.vectors is None


def test_how_often_and_how_many(words: Path) -> None:
    assert prepare_lexicon(features(words, lexicon_min_count=3), TRAIN).lexicon.entries == ("人",)
    once = prepare_lexicon(features(words, lexicon_min_count=1), TRAIN).lexicon
    assert (once.entries, once.weights) == (("人", "中国", "国人", "中国人"), (2, 2, 2, 2))
    few = prepare_lexicon(features(words, lexicon_size=2), TRAIN).lexicon
    assert few.entries == ("人", "中国")
    assert few.others == ("中国人", "国人", "李白0", "龘龘")


def test_words_that_training_has_not_keep_pretrained_vectors(words: Path, tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("中国 3 4\n李白7 0 5\n李白0 6 8\n天 1 1\n", encoding="utf-8")
    found = prepare_lexicon(features(words, lexicon_vectors=str(path), lexicon_dim=2), TRAIN)
    assert found.lexicon.entries == ("人", "中国", "国人", "李白0")
    assert found.lexicon.weights == (2, 2, 2, 1)
    assert found.vectors is not None
    assert found.vectors.ids.tolist() == [3, 5]
    mean = (5 + 10) / 2  # of their lengths, which becomes 1
    assert found.vectors.values.flatten().tolist() == pytest.approx([3 / mean, 4 / mean, 6 / mean, 8 / mean])


def test_lists_and_vectors_of_another_language_are_refused(words: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as refused:
        prepare_lexicon(features(words), [["a", "b"]])
    assert str(refused.value) == (
        f"{words}: expected words of the training split, found none of 6; are both of one language and script?"
    )
    path = tmp_path / "vectors.txt"
    path.write_text("haus 3 4\n", encoding="utf-8")
    with pytest.raises(TrainingError) as refused:
        prepare_lexicon(features(words, lexicon_vectors=str(path), lexicon_dim=2), TRAIN)
    assert str(refused.value) == (
        f"{path}: expected vectors of words in {words}, found none of 6; are both of one language and script?"
    )
    path.write_text("中国 3 4\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"vectors\.txt:1: expected 3 numbers .*features\.lexicon_dim"):
        prepare_lexicon(features(words, lexicon_vectors=str(path), lexicon_dim=3), TRAIN)


SIGNS = "中国人a"


@given(
    st.lists(st.text(SIGNS, min_size=1, max_size=4), min_size=1, max_size=8, unique=True),
    st.lists(st.lists(st.sampled_from(SIGNS), min_size=1, max_size=8), min_size=1, max_size=3),
)
def test_a_word_is_covered_where_a_longer_one_stands_around_it(words: list[str], sentences: list[list[str]]) -> None:
    found = Lexicon(entries=(), others=tuple(words), weights=()).find(sentences)
    spans = list(zip(found.starts.tolist(), (found.starts + found.lengths).tolist(), strict=True))
    wanted = [any(a <= start and end <= b and (a, b) != (start, end) for a, b in spans) for start, end in spans]
    assert covered(found).tolist() == wanted


# In a configuration


def config_of(words: Path | str, **features: Any) -> Any:
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO", "spaces": "between"},
        "features": {"token_dim": 3, "bigram_dim": 0, "lexicon": str(words), "lexicon_dim": 2, **features},
    }
    return config_from_dict(table, where="test")


def prepared(words: Path, **features: Any) -> Prepared:
    train, dev = ([sentence_from_forms(keys, ["O"] * len(keys)) for keys in split] for split in (TRAIN, DEV))
    return prepare(config_of(words, **features), train, dev)


def test_another_list_is_another_run(words: Path, tmp_path: Path) -> None:
    first = prepared(words).fingerprint()
    assert prepared(words).fingerprint() == first
    words.write_text(WORDS + "在\n", encoding="utf-8")
    assert prepared(words).fingerprint() != first
    path = tmp_path / "vectors.txt"
    prints = []
    for numbers in ("3 4", "3 5"):
        path.write_text(f"中国 1 1\n国人 {numbers}\n", encoding="utf-8")
        prints.append(prepared(words, lexicon_vectors=str(path)).fingerprint())
    assert prints[0] != prints[1]


def test_words_are_lost_at_random_as_other_keys_are(words: Path) -> None:
    rates = prepared(words).unknown_rates["lexicon"].tolist()
    assert rates == pytest.approx([0, 0, 1 / 4, 1 / 3, 1 / 3])  # 人 three times, 中国 and 国人 twice


def test_settings_that_do_not_fit_are_refused(words: Path, tiny: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve_config(config_from_dict({"features": {"lexicon": str(words)}}, where="test"), tiny / "tags.conll")
    assert str(refused.value) == (
        "features.lexicon: expected tokens that are characters, found the tokenizer words; leave it out, or set "
        "task.tokenizer=characters where every token of the file is one character"
    )
    with pytest.raises(ConfigError) as refused:
        resolve_config(config_of("", lexicon_vectors="v.txt"), tiny / "spans.conll")
    assert str(refused.value) == (
        "features.lexicon_vectors: expected features.lexicon beside it, found none; give the list of words"
    )
    with pytest.raises(
        ConfigError, match=r"features\.lexicon_longest: expected a whole number of at most 16, found 17"
    ):
        config_of(words, lexicon_longest=17)
    for name in ("lexicon_dim", "lexicon_longest", "lexicon_size", "lexicon_min_count"):
        with pytest.raises(ConfigError, match=rf"features\.{name}: expected a whole number of at least 1, found 0"):
            config_of(words, **{name: 0})
