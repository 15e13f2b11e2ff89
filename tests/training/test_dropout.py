"""Dropout: how often, how much, on what, and decided by torch's generator alone."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from gatewise.training.dropout import Dropout, random_mask  # noqa: E402

pytestmark = pytest.mark.torch

SHAPE = (40, 30, 50)


def drawn(seed: int, rate: float = 0.3, shape: tuple[int, ...] = SHAPE) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return random_mask(shape, rate, torch.empty(0))


@pytest.mark.parametrize("rate", [0.03, 0.3, 0.5, 0.9])
def test_each_place_is_kept_with_the_probability_asked_for(rate: float) -> None:
    mask = drawn(1, rate)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    deviation = math.sqrt(rate * (1 - rate) / mask.numel())
    assert abs(float(mask.mean()) - rate) < 5 * deviation
    for axis in range(3):  # no axis has a pattern: neighbors are both kept as often as chance has it
        left, right = mask.movedim(axis, 0)[:-1], mask.movedim(axis, 0)[1:]
        assert abs(float((left * right).mean()) - rate**2) < 0.01


def test_the_seed_decides_and_every_draw_is_another() -> None:
    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        like = torch.empty(0)
        first, second = random_mask(SHAPE, 0.3, like), random_mask(SHAPE, 0.3, like)
    assert torch.equal(first, drawn(1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_any_number_of_places(count: int) -> None:
    assert random_mask((count,), 0.5, torch.empty(0, dtype=torch.float64)).shape == (count,)


@pytest.mark.parametrize("variational", [False, True])
def test_what_is_kept_grows_and_gradients_are_dropped_alike(variational: bool) -> None:
    dropout = Dropout(0.4, variational=variational).train()
    x = torch.full(SHAPE, 3.0, dtype=torch.float64, requires_grad=True)
    y = dropout(x)
    kept = y != 0
    torch.testing.assert_close(y[kept], torch.full_like(y[kept], 3.0 / 0.6), rtol=1e-12, atol=0)
    assert 0.5 < float(kept.double().mean()) < 0.7
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient, kept.double() / 0.6, rtol=1e-12, atol=0)
    same_over_time = bool((kept == kept[0]).all())
    assert same_over_time == variational


def test_nothing_is_dropped_when_not_training_or_at_rate_0() -> None:
    x = torch.randn(SHAPE)
    assert Dropout(0.4, variational=False).eval()(x) is x
    assert Dropout(0.0, variational=False).train()(x) is x
