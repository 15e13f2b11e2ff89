"""Adversarial training: each sentence is read a second time, its x moved where that hurts most.

In: x (time, batch, input_size) with its graph, and the loss as a function of x. Out: gradients, as `backward` leaves
them, of the mean of both losses. The move of a sentence is as long as asked for, its direction the gradient's (the fast
gradient method, Miyato, Dai and Goodfellow 2017). What made x is computed once: the gradients of both readings go
back through it together.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

SMALLEST_NORM = 1e-12  # of a sentence without a gradient, which does not move


def backward_twice(x: Tensor, losses: Callable[[Tensor], Tensor], *, length: float, scale: float) -> Tensor:
    """Gradients of `scale` times half the loss at x and half the loss at the moved x.

    `losses` gives one loss a sentence, (batch,). Returns their sum at x as it is.
    """
    total, of_x = _backward(x.detach(), losses, scale=scale / 2)
    moved = x.detach() + worst_move(of_x, length)
    _, of_moved = _backward(moved, losses, scale=scale / 2)
    x.backward(of_x + of_moved)  # type: ignore[no-untyped-call]
    return total


def worst_move(gradient: Tensor, length: float) -> Tensor:
    """For each sentence of (time, batch, size) its gradient, made `length` long over all its numbers."""
    norms = torch.linalg.vector_norm(gradient, dim=(0, 2), keepdim=True)
    move: Tensor = gradient * (length / norms.clamp(min=SMALLEST_NORM))
    return move


def _backward(x: Tensor, losses: Callable[[Tensor], Tensor], *, scale: float) -> tuple[Tensor, Tensor]:
    """Gradients of the weights are added where they belong; returns the summed loss and the gradient of x."""
    leaf = x.requires_grad_()
    total = losses(leaf).sum()
    (total * scale).backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return total.detach(), leaf.grad
