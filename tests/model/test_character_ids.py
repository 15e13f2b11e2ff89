"""Characters looked up in whole arrays get the ids that plain dictionaries give, whatever a character's key is."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.model import character_ids
from gatewise.model.character_ids import CharacterIds
from gatewise.model.config import FeaturesConfig
from gatewise.model.feature_ids import MANY_CHARACTERS, FeatureEncoder
from gatewise.text.vocabulary import Vocabulary

# … is looked up by three characters, ㎏ and ⅓ by more than one, İ by two, １ and 7 by 0, 𠮷 lies beyond the BMP
CHARACTERS = "我叫小明…㎏⅓İ１7Ａa.k𠮷é"
KEYS = Vocabulary(entries=("我", "...", "0", "a", "kg", "𠮷", "叫"))
PAIRS = Vocabulary(
    entries=(
        "我叫",
        "<s>我",
        "明</s>",
        "......",
        "a...",
        "....",
        "...a",
        "kgk",
        "kkg",
        "0⁄0a",
        "𠮷00",
        "00",
        "<s>...",
        "é.",
        "x" * 90,
    )
)


def expected(text: str) -> tuple[list[int], list[int]]:
    """By dictionaries, one character after the other."""
    keys = [unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", one).lower()) for one in text]
    keys = [re.sub(r"\d", "0", key) for key in keys]
    edged = ["<s>", *keys, "</s>"]
    ids, pair_ids = ({key: n + 2 for n, key in enumerate(one.entries)} for one in (KEYS, PAIRS))
    pairs = [edged[n] + edged[n + 1] for n in range(len(edged) - 1)]
    return [ids.get(key, 1) for key in keys], [pair_ids.get(pair, 1) for pair in pairs]


texts_of_characters = st.lists(st.text(st.sampled_from(CHARACTERS), min_size=1, max_size=12), min_size=1, max_size=6)


@pytest.mark.parametrize("room", [8, 0])  # with no room, pairs push one another into many tables
@given(texts=texts_of_characters)
def test_ids_are_those_of_dictionaries(room: int, texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(character_ids, "ROOM", room)
        lookup = CharacterIds(KEYS, PAIRS)
    for _ in range(2):  # then from the table
        ids, pairs = lookup.look_up(texts)
        assert ids.tolist() == [one for text in texts for one in expected(text)[0]]
        assert pairs.tolist() == [one for text in texts for one in expected(text)[1]]


def test_a_pair_between_two_texts_is_none() -> None:
    _, pairs = CharacterIds(KEYS, PAIRS).look_up(["我", "叫"])
    assert pairs.tolist() == [3, 1, 1, 1]  # <s>我, 我</s>, <s>叫, 叫</s>; 我叫 is known and not there


@pytest.mark.parametrize("bigram_dim", [8, 0])
def test_strings_among_lists_are_encoded_as_lists(bigram_dim: int) -> None:
    generator = np.random.default_rng(5)
    drawn = ["".join(generator.choice(list(CHARACTERS), size)) for size in generator.integers(1, 60, size=40)]
    mixed = [text if number % 3 else ["小明", *text] for number, text in enumerate(drawn)]
    assert sum(map(len, mixed)) > 2 * MANY_CHARACTERS
    features = FeaturesConfig(token_dim=8, bigram_dim=bigram_dim)
    encode = FeatureEncoder(features, {"tokens": KEYS, "bigrams": PAIRS}).encode
    for sentences in (mixed, drawn):
        found, by_key = encode(sentences).rows, encode([list(one) for one in sentences]).rows
        assert found.keys() == by_key.keys() == ({"tokens", "bigrams"} if bigram_dim else {"tokens"})
        for name, rows in found.items():
            assert rows.to_lists() == by_key[name].to_lists()
            assert rows.padded().tolist() == by_key[name].padded().tolist()


def test_of_no_known_pair_every_pair_is_unknown() -> None:
    ids, pair_ids = CharacterIds(KEYS, Vocabulary(entries=())).look_up(["我叫", "小"])
    assert ids.tolist() == [2, 8, 1]
    assert pair_ids.tolist() == [1] * 5
