"""The two directions of a recurrent layer, each in a thread of its own where there are two.

In: x (time, batch, input_size), padded. Out: the states of both, (time, batch, 2 * hidden), and their gradients in
`backward`. Left to themselves torch's kernels share out each step of time among their threads, which then wait for one
another at every step; a thread a direction waits once a layer, and what it computes does not depend on whether there
are one thread or two (docs/adr/0009).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def threads(count: int, *, directions: int) -> Iterator[Executor | None]:
    """Let torch use `count` threads for a while; with two directions they are shared out, and one more is beside this
    one to take the reverse direction: it comes out, None where there is nothing to share."""
    before = torch.get_num_threads()
    each = count // 2 if directions == 2 and count > 1 else count
    torch.set_num_threads(each)
    try:
        if each == count:
            yield None
            return
        with ThreadPoolExecutor(1, "gatewise", initializer=torch.set_num_threads, initargs=(each,)) as helper:
            yield helper
    finally:
        torch.set_num_threads(before)


def both_directions(
    x: Tensor, turned: Tensor, forward: nn.Module, reverse: nn.Module, helper: Executor | None
) -> Tensor:
    """The states of both side by side; `turned` (time * batch,) says which place each trades with when its sentence is
    turned around. Differentiable in x and in the weights of the modules."""
    passes = (_Pass(forward, None), _Pass(reverse, turned))
    weights = [weight for one in passes for weight in one.weights]
    states: Tensor = _Both.apply(x, passes, torch.is_grad_enabled(), helper, *weights)  # type: ignore[no-untyped-call]
    return states


class _Pass:
    """One direction over one batch: its states, and later its gradients."""

    def __init__(self, module: nn.Module, turned: Tensor | None) -> None:
        self.module, self.turned = module, turned
        self.weights = list(module.parameters())

    def run(self, x: Tensor, learning: bool) -> Tensor:
        """States (time, batch, hidden), without a gradient: what it needs is kept here."""
        with torch.set_grad_enabled(learning):  # every thread has its own
            self.x = self._trade(x.detach()).requires_grad_(learning)
            self.states: Tensor = self.module(self.x)[0]
            return self._trade(self.states.detach())

    def gradients(self, of_states: Tensor) -> tuple[Tensor, ...]:
        """Of x and of each weight, from those of the states."""
        wanted = [self.x, *self.weights]
        # The graph of this pass lives as long as the one of the network, which is a step, so nothing is freed here.
        of_x, *others = torch.autograd.grad(self.states, wanted, self._trade(of_states), retain_graph=True)
        return self._trade(of_x), *others

    def _trade(self, rows: Tensor) -> Tensor:
        """Each sentence turned around; doing it twice undoes it, so gradients travel the same way."""
        if self.turned is None:
            return rows
        time, batch, size = rows.shape
        return rows.reshape(time * batch, size).index_select(0, self.turned).view(time, batch, size)


class _Both(torch.autograd.Function):
    """Two passes at once. Autograd walks through a graph in one thread, so each pass has a graph of its own, and this
    function stands for both in the graph of the whole network."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        passes: tuple[_Pass, _Pass],
        learning: bool,
        helper: Executor | None,
        *weights: Tensor,  # noqa: ARG004 - so that autograd knows of them
    ) -> Tensor:
        ctx.passes, ctx.helper = passes, helper
        forward, reverse = passes
        if helper is None:
            return torch.cat([forward.run(x, learning), reverse.run(x, learning)], dim=-1)
        later = helper.submit(reverse.run, x, learning)
        return torch.cat([forward.run(x, learning), later.result()], dim=-1)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        forward, reverse = ctx.passes
        of_forward, of_reverse = grad_outputs[0].chunk(2, dim=-1)
        if ctx.helper is None:
            found, others = forward.gradients(of_forward), reverse.gradients(of_reverse)
        else:
            later = ctx.helper.submit(reverse.gradients, of_reverse)
            found, others = forward.gradients(of_forward), later.result()
        return found[0] + others[0], None, None, None, *found[1:], *others[1:]
