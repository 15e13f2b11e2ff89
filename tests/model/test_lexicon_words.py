"""Words found in sentences, and the sets they make: against every substring looked up one by one, and by hand."""

from __future__ import annotations

import json
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.errors import ModelError
from gatewise.model.lexicon import Lexicon, lexicon_from_dict, lexicon_to_dict
from gatewise.model.word_sets import KINDS, SET_INPUTS, SetEncoder, SetMember, members
from gatewise.model.word_trie import WordTrie

SIGNS = "中国人民a𠮷"
WORDS = st.lists(st.text(SIGNS, min_size=1, max_size=5), min_size=1, max_size=20, unique=True)
# "龘" is in no word, "ab" is a token of two characters, which no word has
SENTENCES = st.lists(st.lists(st.sampled_from([*SIGNS, "龘", "ab"]), min_size=1, max_size=12), min_size=1, max_size=5)
Found = set[tuple[int, int, str]]  # place, length, word


def every_substring(words: list[str], sentences: list[list[str]]) -> Found:
    """The oracle: each stretch of tokens, spelled out."""
    starts = [0, *accumulate(len(keys) + 1 for keys in sentences)]
    found: Found = set()
    for at, keys in zip(starts, sentences, strict=False):
        for start in range(len(keys)):
            for end in range(start + 1, len(keys) + 1):
                spelled = "".join(keys[start:end])
                if spelled in words and all(len(key) == 1 for key in keys[start:end]):
                    found.add((at + start, end - start, spelled))
    return found


@given(WORDS, SENTENCES)
def test_every_word_is_found_wherever_it_stands(words: list[str], sentences: list[list[str]]) -> None:
    half = len(words) // 2
    lexicon = Lexicon(entries=tuple(words[:half]), others=tuple(words[half:]), weights=(1,) * half)
    matches = lexicon.find(sentences)
    found = list(zip(matches.starts.tolist(), matches.lengths.tolist(), matches.words.tolist(), strict=True))
    assert len(set(found)) == len(found)
    assert {(start, length, words[word]) for start, length, word in found} == every_substring(words, sentences)


@given(WORDS, SENTENCES)
def test_the_sets_are_those_of_every_substring(words: list[str], sentences: list[list[str]]) -> None:
    lexicon = Lexicon(entries=(), others=tuple(words), weights=())
    wanted: set[tuple[int, str, str]] = set()
    for start, length, word in every_substring(words, sentences):
        if length == 1:
            wanted.add((start, "S", word))
            continue
        wanted |= {(start, "B", word), (start + length - 1, "E", word)}
        wanted |= {(place, "M", word) for place in range(start + 1, start + length - 1)}
    found = members(lexicon, sentences)
    rows = list(zip(found.places.tolist(), found.kinds.tolist(), found.words.tolist(), strict=True))
    assert {(place, KINDS[kind], words[word]) for place, kind, word in rows} == wanted
    assert len(rows) == len(wanted)


LEXICON = Lexicon(entries=("中国", "人民", "国"), others=("中国人民", "国人", "x0"), weights=(7, 2, 5))


def test_sets_and_shares_by_hand() -> None:
    encoded = SetEncoder(LEXICON).encode([["中", "国", "人", "民"], ["人"], ["国", "x", "0"]])
    numbers = {name: rows.to_lists() for name, rows in encoded.numbers.items()}
    words = encoded.words.to_lists()
    edges = np.cumsum([0, *map(len, words)])
    shares = [encoded.shares[a:b].tolist() for a, b in pairwise(edges)]
    assert (words[0], shares[0]) == ([0], [0.0])

    def at(kind: str, sentence: int, token: int) -> list[tuple[int, float]]:
        number = numbers[f"lexicon_{kind}"][sentence][token]
        return list(zip(words[number], shares[number], strict=True)) if number else []

    of_first = {kind: [at(kind, 0, t) for t in range(4)] for kind in "BMES"}
    eighth = pytest.approx(1 / 8)
    assert of_first == {  # 中国 has id 2 and weight 7, 人民 3 and 2, 国 4 and 5, all others id 1 and weight 1
        "B": [[(2, 7 / 8), (1, eighth)], [(1, 1)], [(3, 1)], []],
        "M": [[], [(1, 1)], [(1, 1)], []],
        "E": [[], [(2, 1)], [(1, 1)], [(3, pytest.approx(2 / 3)), (1, pytest.approx(1 / 3))]],
        "S": [[], [(4, 1)], [], []],
    }
    assert all(not at(kind, 1, 0) for kind in "BMES")
    assert [at("B", 2, 1), at("E", 2, 2), at("S", 2, 0)] == [[(1, 1)], [(1, 1)], [(4, 1)]]
    assert sorted(number for rows in numbers.values() for row in rows for number in row if number) == list(
        range(1, len(words))
    )


def test_padded_sets_have_no_share_where_nothing_is() -> None:
    encoded = SetEncoder(LEXICON).encode([["中", "国", "人", "民"]])
    ids, shares = encoded.words.padded(), encoded.padded_shares()
    assert ids.shape == shares.shape == (2, len(encoded.words))
    for column, row in enumerate(encoded.words.to_lists()):
        assert ids[: len(row), column].tolist() == row
        assert not ids[len(row) :, column].any()
        assert not shares[len(row) :, column].any()
        assert shares[:, column].sum() == pytest.approx(1 if column else 0)


def test_members_are_named_with_their_shares() -> None:
    begin, _, end, _ = SetEncoder(LEXICON).members(["中", "国", "人", "民"])
    assert begin[0] == (
        SetMember(word="中国", share=0.875, known=True),
        SetMember(word="中国人民", share=0.125, known=False),
    )
    assert [[one.word for one in words] for words in end] == [[], ["中国"], ["国人"], ["人民", "中国人民"]]


def test_what_is_in_no_sentence_makes_no_sets() -> None:
    encoded = SetEncoder(LEXICON).encode([["龘"], ["龘", "龘"]])
    assert all(rows.to_lists() == [[0], [0, 0]] for rows in encoded.numbers.values())
    assert encoded.words.to_lists() == [[0]]
    assert list(encoded.numbers) == list(SET_INPUTS)


def test_a_trie_of_one_word_and_of_long_ones() -> None:
    trie = WordTrie(["人"])
    assert trie.find(np.array(trie.codes(["人", "x", "人"]))).starts.tolist() == [0, 2]
    trie = WordTrie(["长" * 32, "长"])
    found = trie.find(np.array(trie.codes(["长"] * 33)))
    assert sorted(found.lengths.tolist()) == [1] * 33 + [32, 32]


# In the archive


def test_a_lexicon_comes_back_as_it_was() -> None:
    content = json.loads(json.dumps(lexicon_to_dict(LEXICON)))
    assert lexicon_from_dict(content, 4, Path("vocabulary.json")) == LEXICON
    assert content == {
        "lexicon": ["中国", "人民", "国"],
        "lexicon_weights": [7, 2, 5],
        "lexicon_others": "中国人民 国人 x0",
    }


GOOD = lexicon_to_dict(LEXICON)
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "no others": ({"lexicon_others": None}, "lexicon_others: expected words in one string, found NoneType"),
    "a list of others": ({"lexicon_others": ["国人"]}, "lexicon_others: expected words in one string, found list"),
    "no entries": ({"lexicon": None}, "lexicon: expected a list of strings, found NoneType"),
    "twice": ({"lexicon_others": "国人 人民"}, "lexicon: expected each word once, found one twice"),
    "too long": ({"lexicon_others": "中国人民人"}, "lexicon: expected words of 1 to 4 characters, found '中国人民人'"),
    "empty": ({"lexicon_others": "国人 "}, "lexicon: expected words of 1 to 4 characters, found an empty one"),
    "empty entry": (
        {"lexicon": ["中国", "人民", ""]},
        "lexicon: expected words of 1 to 4 characters, found an empty one",
    ),
    "too many": ({"lexicon_others": " " * 1_000_000}, "lexicon: expected at most 1,000,000 words, found 1,000,003"),
    "no weights": ({"lexicon_weights": None}, "lexicon_weights: expected a list of 3 weights, found NoneType"),
    "few weights": ({"lexicon_weights": [1, 2]}, "lexicon_weights: expected a list of 3 weights, found 2"),
    "zero": (
        {"lexicon_weights": [1, 2, 0]},
        "lexicon_weights: expected whole numbers from 1 to 1,000,000,000, found 0",
    ),
    "true": ({"lexicon_weights": [1, 2, True]}, "expected whole numbers from 1 to 1,000,000,000, found True"),
    "half": ({"lexicon_weights": [1, 2, 0.5]}, "expected whole numbers from 1 to 1,000,000,000, found 0.5"),
    "huge": (
        {"lexicon_weights": [1, 2, 10**17]},
        "expected whole numbers from 1 to 1,000,000,000, found 1000000000000",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_lexicon_that_is_none_is_refused(name: str) -> None:
    change, message = WRONG[name]
    with pytest.raises(ModelError) as refused:
        lexicon_from_dict({**GOOD, **change}, 4, Path("vocabulary.json"))
    assert str(refused.value).startswith("vocabulary.json: ")
    assert message in str(refused.value)
    assert str(refused.value).endswith("; restore the file")
