"""Batches by length: every sentence once, caps kept, padding where it belongs; and tokens lost to the unknown."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from gatewise.model.config import FeaturesConfig  # noqa: E402
from gatewise.model.feature_ids import FeatureEncoder  # noqa: E402
from gatewise.model.rows import rows_of  # noqa: E402
from gatewise.text.sentence import sentence_from_forms  # noqa: E402
from gatewise.text.vocabulary import PADDING_ID, UNKNOWN_ID, Vocabulary  # noqa: E402
from gatewise.training.batches import (  # noqa: E402
    Batch,
    EncodedSentences,
    collate,
    cut_batches,
    encode_sentences,
    unknown_rates,
    with_unknowns,
)
from gatewise.training.ragged import Ragged, ragged  # noqa: E402

pytestmark = pytest.mark.torch

LENGTHS = st.lists(st.integers(1, 40), max_size=60)


def of_lengths(lengths: list[int]) -> EncodedSentences:
    """Sentence b has the tokens 2+b, 3+b, …, the bigrams 3+b, 4+b, … and the tags 1+b, 2+b, …"""
    return EncodedSentences(
        inputs={
            "tokens": ragged(rows_of((range(2 + b, n + 2 + b) for b, n in enumerate(lengths)), lengths)),
            "bigrams": ragged(
                rows_of((range(3 + b, n + 4 + b) for b, n in enumerate(lengths)), [n + 1 for n in lengths])
            ),
        },
        tags=ragged(rows_of((range(1 + b, n + 1 + b) for b, n in enumerate(lengths)), lengths)),
        lengths=tuple(lengths),
    )


@given(lengths=LENGTHS, size=st.integers(1, 9), max_tokens=st.integers(1, 120), seed=st.none() | st.integers(0, 99))
def test_every_sentence_once_and_no_batch_too_large(
    lengths: list[int], size: int, max_tokens: int, seed: int | None
) -> None:
    shuffle = None if seed is None else random.Random(seed)
    batches = cut_batches(lengths, size=size, max_tokens=max_tokens, shuffle=shuffle)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= size
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= max_tokens


@given(lengths=LENGTHS, size=st.integers(1, 9))
def test_without_shuffling_batches_go_from_short_to_long(lengths: list[int], size: int) -> None:
    batches = cut_batches(lengths, size=size, max_tokens=10_000)
    in_order = [lengths[index] for batch in batches for index in batch]
    assert in_order == sorted(lengths)
    assert all(len(batch) == size for batch in batches[:-1])


def test_shuffling_changes_neighbors_and_order_from_call_to_call_but_not_with_the_seed() -> None:
    lengths = [random.Random(number).randint(1, 30) for number in range(100)]

    def cut(shuffle: random.Random) -> list[list[int]]:
        return cut_batches(lengths, size=8, max_tokens=1000, shuffle=shuffle)

    one, other = random.Random(3), random.Random(3)
    first, second = cut(one), cut(one)
    assert {frozenset(batch) for batch in first} != {frozenset(batch) for batch in second}
    assert [first, second] == [cut(other), cut(other)]
    spread = [max(chosen) - min(chosen) for chosen in ([lengths[i] for i in b] for b in first)]
    assert max(spread) <= 6  # still of like length


def assert_columns(batch: Batch, lengths: list[int]) -> None:
    """What `of_lengths` makes, a sentence a column, padding after it."""
    time = max(lengths[index] for index in batch.indices)
    assert batch.tokens == sum(lengths[index] for index in batch.indices)
    for column, index in enumerate(batch.indices):
        n = lengths[index]
        assert batch.lengths[column] == n
        padding = [PADDING_ID] * (time - n)
        assert batch.inputs["tokens"][:, column].tolist() == [*range(2 + index, n + 2 + index), *padding]
        assert batch.inputs["bigrams"][:, column].tolist() == [*range(3 + index, n + 4 + index), *padding]
        assert batch.tags[:, column].tolist() == [*range(1 + index, n + 1 + index), *[0] * (time - n)]


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12))
def test_collating_loses_nothing_and_pads_with_zeros(lengths: list[int]) -> None:
    seen: list[int] = []
    for batch in collate(of_lengths(lengths), cut_batches(lengths, size=4, max_tokens=30)):
        assert_columns(batch, lengths)
        seen += batch.indices
    assert sorted(seen) == list(range(len(lengths)))


def row(rows: Ragged, number: int) -> list[int]:
    start, length = int(rows.starts[number]), int(rows.lengths[number])
    found: list[int] = rows.values[start : start + length].tolist()
    return found


def test_encoding_by_hand() -> None:
    sentences = [sentence_from_forms(["叫"], ["O"]), sentence_from_forms(["我", "叫", "Ｘ9"], ["O", "B-NEW", "O"])]
    vocabularies = {"tokens": Vocabulary(entries=("叫", "x0")), "bigrams": Vocabulary(entries=("我叫", "x0</s>"))}
    encoded = encode_sentences(sentences, FeatureEncoder(FeaturesConfig(), vocabularies), {"B-PER": 0, "O": 1})
    assert encoded.lengths == (1, 3)
    assert row(encoded.inputs["tokens"], 1) == [UNKNOWN_ID, 2, 3]
    assert row(encoded.inputs["bigrams"], 1) == [UNKNOWN_ID, 2, UNKNOWN_ID, 3]
    assert row(encoded.tags, 1) == [1, 0, 1]  # what training never saw is tag 0, and can only be wrong
    assert row(encoded.inputs["bigrams"], 0) == [UNKNOWN_ID, UNKNOWN_ID]
    without = FeatureEncoder(FeaturesConfig(bigram_dim=0), vocabularies)
    assert set(encode_sentences(sentences, without, {"O": 0}).inputs) == {"tokens"}


def test_rare_tokens_are_replaced_by_the_unknown_as_often_as_their_rate_says() -> None:
    vocabulary = Vocabulary(entries=("often", "rare"))
    rates = unknown_rates(vocabulary, Counter(often=9, rare=1), 0.5)
    torch.testing.assert_close(rates, torch.tensor([0.0, 0.0, 0.5 / 9.5, 0.5 / 1.5]))
    assert not unknown_rates(vocabulary, Counter(often=9, rare=1), 0.0).any()
    ids = torch.tensor([PADDING_ID, UNKNOWN_ID, 2, 3]).expand(20_000, 4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        replaced = with_unknowns(ids, rates)
    assert (replaced[:, 0] == PADDING_ID).all()
    assert (replaced[:, 1] == UNKNOWN_ID).all()
    for column in (2, 3):
        assert set(replaced[:, column].tolist()) == {UNKNOWN_ID, column}
        assert float((replaced[:, column] == UNKNOWN_ID).float().mean()) == pytest.approx(
            float(rates[column]), abs=0.01
        )
