"""How a batch is laid out: columns by length, padding that is never looked at, and what is scaled."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.crf import lattice

LENGTHS = np.array([4, 1, 3])


def make_emissions(padding: float) -> np.ndarray:
    emissions = np.random.default_rng(4).normal(size=(4, 3, 5)).astype(np.float32)
    emissions[np.arange(4)[:, None] >= LENGTHS] = padding
    return emissions


@pytest.mark.parametrize("padding", [0.0, np.nan, np.inf, 3e38])
def test_columns_stand_by_length_with_0_at_padding(padding: float) -> None:
    emissions = make_emissions(padding)
    found = lattice(emissions, LENGTHS)
    assert found.lengths.tolist() == [1, 3, 4]
    assert found.order.tolist() == [1, 2, 0]
    assert found.first.tolist() == [0, 1, 1, 2]
    for column, sentence in enumerate([1, 2, 0]):
        length = LENGTHS[sentence]
        np.testing.assert_array_equal(found.values[:length, :, column], emissions[:length, sentence])
        assert not found.values[length:, :, column].any()
    assert found.emissions is emissions


@pytest.mark.parametrize("padding", [np.nan, np.inf, 3e38])
def test_what_is_scaled_raises_no_alarm_at_padding(padding: float) -> None:
    emissions = make_emissions(padding)
    with np.errstate(all="raise"):
        found = lattice(emissions, LENGTHS).scaled(4.0)
        values = found.values
    np.testing.assert_array_equal(values, 4 * lattice(make_emissions(0.0), LENGTHS).values)


def test_what_is_taken_is_the_emission_of_the_tag() -> None:
    emissions = make_emissions(0.0)
    tags = np.random.default_rng(6).integers(0, 5, (4, 3))
    taken = lattice(emissions, LENGTHS).taken(tags)
    for t in range(4):
        for column, sentence in enumerate([1, 2, 0]):
            assert taken[t, column] == emissions[t, sentence, tags[t, column]]
