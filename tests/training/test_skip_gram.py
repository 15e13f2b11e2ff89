"""Skip-gram: the vectors are gensim's own, words of a kind come near each other, subwords make up for what is rare."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest

gensim = pytest.importorskip("gensim")

from gensim.models import FastText, KeyedVectors, Word2Vec  # noqa: E402

from gatewise.errors import MissingExtraError, TrainingError  # noqa: E402
from gatewise.training.raw_text import KeptKeys  # noqa: E402
from gatewise.training.skip_gram import KeyVectors, SkipGram, train_vectors  # noqa: E402
from gatewise.training.vector_files import Float32s, read_vectors, write_vectors  # noqa: E402

COLORS, SHAPES = ["red", "green", "blue", "black"], ["round", "square", "flat", "long"]


def sentences_of(seed: int, *, mixed: bool = False) -> list[list[str]]:
    """Colors among some words, shapes among others; `mixed`: both among all of them."""
    draw = random.Random(seed)
    around = {kind: [f"{kind}{letter}{other}" for letter, other in product("abcdef", repeat=2)] for kind in "xy"}
    found = []
    for _ in range(600):
        kind = draw.choice("xy")
        middle = draw.choice((COLORS + SHAPES) if mixed else COLORS if kind == "x" else SHAPES)
        words = draw.choices(around[kind], k=draw.randint(2, 5))
        found.append([*words[:1], middle, *words[1:]])
    return found


def train(sentences: Sequence[list[str]], asked: SkipGram, further: Sequence[str] = ()) -> KeyVectors:
    with KeptKeys() as kept:
        for keys in sentences:
            kept.add(keys)
        return train_vectors(kept, asked, further)


def test_without_subwords_the_vectors_are_gensims_own_to_the_bit() -> None:
    sentences = sentences_of(3)
    found = train(sentences, SkipGram(dim=7, epochs=2, min_count=4, window=2, seed=11))
    job = sum(map(len, sentences)) // 20
    own = Word2Vec(
        sentences, sg=1, vector_size=7, epochs=2, min_count=4, window=2, seed=11, workers=1, batch_words=job
    ).wv
    assert list(found.trained) == own.index_to_key
    for key, numbers in found.trained.items():
        assert np.array_equal(numbers, own[key]), key
    assert (found.composed, found.missing) == ({}, ())


def pieces(key: str, shortest: int, longest: int) -> set[str]:
    """What fastText cuts a key into, from its paper: between < and >, which do not count alone."""
    marked = f"<{key}>"
    found = {marked[at : at + size] for size, at in product(range(shortest, longest + 1), range(len(marked))) if size}
    return {piece for piece in found if shortest <= len(piece) and piece not in ("<", ">")}


@pytest.mark.parametrize("lengths", [(1, 2), (3, 6)])
def test_with_subwords_they_are_gensims_too_and_so_is_what_is_composed(lengths: tuple[int, int]) -> None:
    sentences = [[*keys, "叫我"] for keys in sentences_of(4)]
    shortest, longest = lengths
    asked = SkipGram(dim=6, epochs=1, min_count=3, window=3, subwords=lengths, seed=5)
    found = train([*sentences, ["rare"]], asked, ["叫我", "blat", "rare"])
    kept = {key for keys in sentences for key in keys}
    grams = set().union(*(pieces(key, shortest, longest) for key in kept))
    own = FastText(
        sg=1,
        vector_size=6,
        min_count=3,
        window=3,
        seed=5,
        workers=1,
        min_n=shortest,
        max_n=longest,
        bucket=2 * len(grams),
        batch_words=(sum(map(len, sentences)) + 1) // 20,
    )
    own.build_vocab([*sentences, ["rare"]])
    own.train([*sentences, ["rare"]], total_examples=len(sentences) + 1, epochs=1)
    assert set(found.trained) == kept
    for key, numbers in found.trained.items():
        assert np.array_equal(numbers, own.wv[key]), key
    cut = {key: pieces(key, shortest, longest) for key in ("blat", "rare")}
    assert set(found.composed) == {key for key, parts in cut.items() if parts & grams}
    whole = {key for key, parts in cut.items() if parts <= grams}
    assert whole or lengths != (1, 2)
    for key in whole:  # of these gensim takes no row that was never trained
        assert found.composed[key] == pytest.approx(own.wv[key], abs=1e-6), key


def test_only_subwords_that_training_has_seen_are_composed() -> None:
    asked = SkipGram(dim=5, epochs=1, min_count=1, subwords=(2, 2))
    found = train([["我叫", "你叫", "我是"]] * 9, asked, ["我你", "龘龘", "你是", "我叫", "我你"])
    assert set(found.trained) == {"我叫", "你叫", "我是"}
    assert list(found.composed) == ["我你", "你是"]  # of the first, only <我 was seen
    assert found.missing == ("龘龘",)
    half = train([["我叫", "你叫", "我是"]] * 9, asked, ["我龘"])
    assert half.composed["我龘"].tolist() == found.composed["我你"].tolist()


def similarity(vectors: dict[str, Float32s], first: Sequence[str], second: Sequence[str]) -> float:
    """The mean cosine of pairs of different words."""
    pairs = [(vectors[a], vectors[b]) for a, b in product(first, second) if a != b]
    return float(np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]))


@pytest.mark.parametrize("subwords", [(0, 0), (3, 6)])
def test_words_of_a_kind_come_near_each_other(subwords: tuple[int, int]) -> None:
    asked = SkipGram(dim=12, epochs=40, min_count=1, window=4, subwords=subwords)
    gaps = []
    for mixed in (False, True):
        vectors = train(sentences_of(6, mixed=mixed), asked).trained
        within = (similarity(vectors, COLORS, COLORS) + similarity(vectors, SHAPES, SHAPES)) / 2
        gaps.append(within - similarity(vectors, COLORS, SHAPES))
    assert gaps[0] > 0.15
    assert abs(gaps[1]) < gaps[0] / 3  # where they stand in the same places, nothing sets them apart


def test_the_seed_decides_all_with_one_thread() -> None:
    asked = {"dim": 4, "epochs": 1, "min_count": 1, "subwords": (2, 3)}
    first, again, other = (
        train(sentences_of(2), SkipGram(**asked, seed=seed), ["redder"])  # type: ignore[arg-type]
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(first.trained[key], again.trained[key]) for key in first.trained)
    assert np.array_equal(first.composed["redder"], again.composed["redder"])
    assert not np.array_equal(first.trained["red"], other.trained["red"])


def test_progress_counts_every_sentence_of_every_epoch() -> None:
    heard: list[int] = []
    with KeptKeys() as kept:
        for keys in sentences_of(1):
            kept.add(keys)
        train_vectors(kept, SkipGram(dim=2, epochs=3), on_sentences=heard.append)
    assert heard == list(range(1, 1801))


def test_an_error_while_reading_is_raised_and_does_not_wait_forever() -> None:
    def fail(read: int) -> None:
        if read == 700:
            raise ValueError("the disk is gone")

    with KeptKeys() as kept:
        for keys in sentences_of(1):
            kept.add(keys)
        with pytest.raises(ValueError, match="the disk is gone"):
            train_vectors(kept, SkipGram(dim=2, epochs=3), on_sentences=fail)


def test_nothing_frequent_enough_is_told() -> None:
    with pytest.raises(TrainingError) as caught:
        train([["a", "b", "a"], ["a", "c"]], SkipGram(min_count=3))
    assert str(caught.value) == (
        "expected at least 2 different tokens seen 3 time(s) or more in the text, found 1 among 5 tokens; give more"
        " text, or lower --min-count"
    )


def test_without_gensim_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gensim", None)
    with pytest.raises(MissingExtraError) as caught:
        train([["a", "b"]] * 9, SkipGram())
    assert str(caught.value) == ('training vectors needs gensim (gensim is missing): pip install "gatewise[embed]"')


def test_files_come_back_through_gensim_and_through_the_reader(tmp_path: Path) -> None:
    vectors = {"我": [0.125, -3e-9, 7e8], "<s>我": [1 / 3, 0, -1], "a b": [1, 1, 1], "é\u3000": [9, 8, 7]}
    as_arrays = {key: np.array(numbers, dtype=np.float32) for key, numbers in vectors.items()}
    path = tmp_path / "vectors.txt"
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        assert write_vectors(as_arrays, 3, stream) == ["a b"]
    del vectors["a b"]
    assert path.read_text(encoding="utf-8").splitlines()[0] == "3 3"
    read = {key: numbers.tolist() for key, numbers in read_vectors(path, 3, lambda _: True)}
    own = KeyedVectors.load_word2vec_format(str(path))
    assert list(read) == own.index_to_key == list(vectors)
    for key, numbers in vectors.items():
        assert read[key] == pytest.approx(numbers, rel=1e-5), key
        assert own[key].tolist() == read[key]
