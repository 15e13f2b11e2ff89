"""Adam for whole weights and for single rows of tables, gradient clipping over both, and averaged weights.

In: a network after `backward`. Out: its weights one step on, and a moving average of them. The whole state is in
`arrays()`, so that a run can go on bit for bit. Rows that a batch does not read cost nothing: their Adam state rests,
and their average, which would move towards a weight that stands still, is caught up in one go when next it is asked
for. Sources: Kingma and Ba 2015; torch.optim.SparseAdam for rows; averages as in Polyak and Juditsky 1992, decaying.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.training.distributed import ALONE, Group
from gatewise.training.network import TaggerNetwork
from gatewise.training.table import RowGradient, Table

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Optimizer:
    """Moves the weights of a network; `steps` counts how often."""

    def __init__(self, network: TaggerNetwork, *, clip: float, averaging: float) -> None:
        self.steps = 0
        self._network, self._clip, self._averaging = network, clip, averaging
        self._dense = {name: weight for name, weight in network.named_weights().items() if weight.requires_grad}
        self._adam = torch.optim.Adam(list(self._dense.values()), betas=BETAS, eps=EPSILON, fused=True)
        self._mean = {name: weight.detach().clone() for name, weight in self._dense.items()}
        self._tables = {name: _TableState(table) for name, table in network.inputs.tables()}
        self._kept = _Kept()

    def step(self, rate: float, group: Group = ALONE) -> Tensor:
        """One step of Adam at this learning rate; returns the norm of the whole gradient before it was clipped.

        With several processes in `group`, every one of them must call this, and all take the same step.
        """
        found = {name: state.table.take_gradient() for name, state in self._tables.items()}
        widths = {name: state.mean.shape[1] for name, state in self._tables.items()}
        rows = group.join_gradients(list(self._dense.values()), found, widths)
        gradients = [weight.grad for weight in self._dense.values() if weight.grad is not None]
        gradients += [read.gradient for read in rows.values()]
        norm = nn.utils.get_total_norm(gradients)
        torch._foreach_mul_(gradients, (self._clip / (norm + EPSILON)).clamp(max=1.0))
        self.steps += 1
        decay = self._next_decay()
        for settings in self._adam.param_groups:
            settings["lr"] = rate
        self._adam.step()
        with torch.no_grad():
            for name, read in rows.items():
                self._tables[name].step(read, rate, self.steps, decay, self._kept)
            if decay:
                torch._foreach_lerp_(list(self._mean.values()), list(self._dense.values()), 1 - decay)
        self._adam.zero_grad()
        return norm

    def _next_decay(self) -> float:
        """This step's share of the old average; it grows from small, so that the random start is soon forgotten."""
        decay = min(self._averaging, (1 + self.steps) / (10 + self.steps)) if self._averaging else 0.0
        self._kept.append(decay or 1.0)
        return decay

    def weights(self) -> dict[str, Tensor]:
        """The weights that count, by name: the averages, or without averaging the weights as they are."""
        current = self._network.arrays()
        if not self._averaging:
            return current
        means = dict(self._mean)
        for name, state in self._tables.items():
            state.catch_up(slice(None), self.steps, self._kept)
            means[name] = state.mean
        return {name: means.get(name, weight) for name, weight in current.items()}

    def arrays(self) -> dict[str, Tensor]:
        """All that a step depends on but `steps`: weights, moments, averages."""
        found: dict[str, Tensor] = {}
        for name, weight in self._network.arrays().items():
            found[f"weight/{name}"] = weight
        for name, weight in self._dense.items():
            moments = self._adam.state[weight]
            if moments:
                found |= {f"{kind}/{name}": moments[kind] for kind in ("exp_avg", "exp_avg_sq")}
            found[f"mean/{name}"] = self._mean[name]
        for name, state in self._tables.items():
            found |= {f"{kind}/{name}": array for kind, array in state.arrays().items()}
        return found

    def restore(self, arrays: Mapping[str, Tensor], steps: int) -> None:
        """Go back to where `arrays` and `steps` were taken."""
        self.steps = 0
        self._kept = _Kept()
        for _ in range(steps):
            self.steps += 1
            self._next_decay()
        with torch.no_grad():
            for name, weight in self._network.arrays().items():
                weight.copy_(_taken(arrays, f"weight/{name}", weight))
            for name, weight in self._dense.items():
                self._mean[name].copy_(_taken(arrays, f"mean/{name}", weight))
                if steps:
                    moments = {kind: _taken(arrays, f"{kind}/{name}", weight) for kind in ("exp_avg", "exp_avg_sq")}
                    moments = {kind: array.to(weight.device, copy=True) for kind, array in moments.items()}
                    self._adam.state[weight] = {"step": torch.tensor(float(steps), device=weight.device), **moments}
            for name, state in self._tables.items():
                for kind, array in state.arrays().items():
                    array.copy_(_taken(arrays, f"{kind}/{name}", array))


class _TableState:
    """Adam's moments and the average of one table, each row as of the step that it was last read at."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.first, self.second = torch.zeros_like(table.weight), torch.zeros_like(table.weight)
        self.mean = table.weight.detach().clone()
        self.seen = torch.zeros(len(table.weight), dtype=torch.int32, device=table.weight.device)

    def arrays(self) -> dict[str, Tensor]:
        return {"exp_avg": self.first, "exp_avg_sq": self.second, "mean": self.mean, "seen": self.seen}

    def step(self, read: RowGradient, rate: float, steps: int, decay: float, kept: _Kept) -> None:
        """Adam on the rows that were read, as torch.optim.Adam has it, with the bias corrections of this step."""
        ids, gradient = read
        if decay:
            self.catch_up(ids, steps - 1, kept)
        first = self.first[ids].lerp_(gradient, 1 - BETAS[0])
        second = self.second[ids].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        spread = (second / (1 - BETAS[1] ** steps)).sqrt_().add_(EPSILON)
        moved = self.table.weight[ids].addcdiv_(first, spread, value=-rate / (1 - BETAS[0] ** steps))
        self.first.index_copy_(0, ids, first)
        self.second.index_copy_(0, ids, second)
        self.table.weight.index_copy_(0, ids, moved)
        if decay:
            self.mean.index_copy_(0, ids, self.mean[ids].lerp_(moved, 1 - decay))
            self.seen.index_fill_(0, ids, steps)

    def catch_up(self, ids: Tensor | slice, steps: int, kept: _Kept) -> None:
        """Bring the average of these rows to this step, during which their weights have not moved."""
        seen = self.seen[ids]
        share = kept.between(seen, steps).to(self.mean.dtype)[:, None]
        weight = self.table.weight.detach()[ids]
        self.mean[ids] = weight + (self.mean[ids] - weight) * share
        self.seen[ids] = steps


class _Kept:
    """How much of an old average is left between two steps: the product of the decays, kept as sums of logarithms."""

    def __init__(self) -> None:
        self._steps = 0
        self._logs = torch.zeros(1024, dtype=torch.float64)

    def append(self, decay: float) -> None:
        if self._steps + 1 == len(self._logs):
            self._logs = torch.cat([self._logs, torch.zeros_like(self._logs)])
        self._logs[self._steps + 1] = self._logs[self._steps] + math.log(decay)
        self._steps += 1

    def between(self, earlier: Tensor, later: int) -> Tensor:
        """For each of the steps `earlier` (rows,) what is left at the step `later`: (rows,), float64."""
        self._logs = self._logs.to(earlier.device)
        return (self._logs[later] - self._logs[earlier.long()]).exp()


def _taken(arrays: Mapping[str, Tensor], name: str, like: Tensor) -> Tensor:
    found = arrays.get(name)
    if found is None or found.shape != like.shape:
        shape = "nothing" if found is None else f"shape {tuple(found.shape)}"
        raise TrainingError(
            f"checkpoint: {name}: expected shape {tuple(like.shape)}, found {shape}; it is another run's, start anew"
        )
    return found
