"""Reading a sentence a second time where it hurts: gradients against autograd over the whole of it at once."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from gatewise.training.adversarial import backward_twice, worst_move  # noqa: E402

pytestmark = pytest.mark.torch

TIME, BATCH, SIZE = 4, 3, 5
LENGTHS = torch.tensor([4, 2, 1])
INSIDE = (torch.arange(TIME)[:, None] < LENGTHS)[..., None]


@pytest.fixture
def weights() -> list[torch.Tensor]:
    """What makes x, and what reads it."""
    draw = torch.Generator().manual_seed(3)
    return [torch.randn(SIZE, SIZE, generator=draw, dtype=torch.float64).requires_grad_() for _ in range(2)]


@pytest.fixture
def given() -> torch.Tensor:
    return torch.randn(TIME, BATCH, SIZE, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def losses(x: torch.Tensor, reader: torch.Tensor) -> torch.Tensor:
    """One loss a sentence; padding is not read."""
    return (torch.tanh(x @ reader).pow(2) * INSIDE).sum((0, 2))


def test_both_readings_count_for_all_weights(weights: list[torch.Tensor], given: torch.Tensor) -> None:
    maker, reader = weights
    x = given @ maker
    total = backward_twice(x, lambda x: losses(x, reader), length=0.7, scale=0.25)
    found = [weight.grad.clone() for weight in weights]

    x = given @ maker
    (of_x,) = torch.autograd.grad(losses(x, reader).sum(), x, retain_graph=True)
    steps = [0.7 * of_x[:, n] / of_x[:, n].flatten().norm() for n in range(BATCH)]
    moved = x + torch.stack(steps, dim=1)
    plain = losses(x, reader).sum()
    expected = torch.autograd.grad(0.125 * (plain + losses(moved, reader).sum()), weights)

    assert total.item() == pytest.approx(plain.item(), rel=1e-12)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)
    alone = torch.autograd.grad(0.25 * losses(given @ maker, reader).sum(), weights)
    assert all((one - other).abs().max() > 1e-3 for one, other in zip(found, alone, strict=True))


def test_the_move_hurts_and_is_as_long_as_asked(weights: list[torch.Tensor], given: torch.Tensor) -> None:
    reader = weights[1].detach()
    x = given.clone().requires_grad_()
    losses(x, reader).sum().backward()
    move = worst_move(x.grad, 0.01)
    for number in range(BATCH):
        assert move[:, number].norm().item() == pytest.approx(0.01)
    assert (losses(given + move, reader) > losses(given, reader)).all()
    assert (losses(given - move, reader) < losses(given, reader)).all()
    assert (move[~INSIDE.expand_as(move)] == 0).all()  # padding does not move


def test_a_sentence_without_a_gradient_stays_where_it_is() -> None:
    gradient = torch.zeros(TIME, 2, SIZE)
    gradient[1, 1, 2] = -3.0
    move = worst_move(gradient, 2.0)
    assert (move[:, 0] == 0).all()
    assert move[1, 1, 2] == -2.0
    assert move.abs().sum() == 2.0
