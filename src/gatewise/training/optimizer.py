"""Adam for whole weights and for single rows of tables, gradient clipping over both, and averaged weights.

In: a network after `backward`. Out: its weights one step on, and a moving average of them. The whole state is in
`arrays()`, so that a run can go on bit for bit. Rows that a batch does not read cost nothing: their Adam state rests,
and their average, which would move towards a weight that stands still, is caught up in one go when next it is asked
for. Sources: Kingma and Ba 2015; torch.optim.SparseAdam for rows; averages as in Polyak and Juditsky 1992, decaying.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.adam import adam

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
        self._dense = {
            name: _Moved.at_rest(weight) for name, weight in network.named_weights().items() if weight.requires_grad
        }
        self._tables = {name: _TableState(table) for name, table in network.inputs.tables()}
        self._kept = _Kept()
        self._averaging_now: Future[None] | None = None

    def step(self, rate: float, group: Group = ALONE) -> Tensor:
        """One step of Adam at this learning rate; returns the norm of the whole gradient before it was clipped.

        With several processes in `group`, every one of them must call this, and all take the same step.
        """
        self._settle()
        for state in self._dense.values():
            if state.weight.grad is None:  # of a head that no sentence of this batch is labeled for
                state.weight.grad = torch.zeros_like(state.weight)
        found = {name: state.table.take_gradient() for name, state in self._tables.items()}
        widths = {name: state.all.mean.shape[1] for name, state in self._tables.items()}
        rows = group.join_gradients([state.weight for state in self._dense.values()], found, widths)
        moving = list(self._dense.values())
        gradients = [_gradient_of(state) for state in moving] + [read.gradient for read in rows.values()]
        norm = self._clip_gradients(gradients)
        self.steps += 1
        decay = self._next_decay()
        helper = self._network.encoder.helper
        if helper is None:
            self._step_dense(moving, rate)
            self._step_rows(rows, rate, decay)
            self._average_dense(decay)
        else:  # at once, as they touch different arrays; the averages are in nobody's way until the next step
            dense = helper.submit(self._step_dense, moving, rate)
            self._step_rows(rows, rate, decay)
            dense.result()
            self._averaging_now = helper.submit(self._average_dense, decay)
        return norm

    def _settle(self) -> None:
        """Wait until no other thread works on the averages."""
        if self._averaging_now is not None:
            self._averaging_now.result()
            self._averaging_now = None

    def _clip_gradients(self, gradients: list[Tensor]) -> Tensor:
        norm = nn.utils.get_total_norm(gradients)
        if norm.device.type != "cpu" or norm + EPSILON > self._clip:  # reading a number makes other devices wait
            torch._foreach_mul_(gradients, (self._clip / (norm + EPSILON)).clamp(max=1.0))
        return norm

    @torch.no_grad()
    def _step_dense(self, moving: Sequence[_Moved], rate: float) -> None:
        """Adam on whole weights; their gradients are used up."""
        _adam(moving, [_gradient_of(state) for state in moving], rate, self.steps)
        for state in moving:
            state.weight.grad = None

    @torch.no_grad()
    def _average_dense(self, decay: float) -> None:
        if decay:
            states = self._dense.values()
            torch._foreach_lerp_([state.mean for state in states], [state.weight for state in states], 1 - decay)

    @torch.no_grad()
    def _step_rows(self, read: Mapping[str, RowGradient], rate: float, decay: float) -> None:
        """Adam on the rows that were read, with the bias corrections of this step."""
        kept = self._kept if decay else None
        rows = [self._tables[name].take(one.ids, self.steps - 1, kept) for name, one in read.items()]
        _adam(rows, [one.gradient for one in read.values()], rate, self.steps)
        for name, row in zip(read, rows, strict=True):
            if decay:
                row.mean.lerp_(row.weight, 1 - decay)
            self._tables[name].put(row, read[name].ids, self.steps)

    def _next_decay(self) -> float:
        """This step's share of the old average; it grows from small, so that the random start is soon forgotten."""
        decay = min(self._averaging, (1 + self.steps) / (10 + self.steps)) if self._averaging else 0.0
        self._kept.append(decay or 1.0)
        return decay

    def weights(self) -> dict[str, Tensor]:
        """The weights that count, by name: the averages, or without averaging the weights as they are."""
        self._settle()
        current = self._network.arrays()
        if not self._averaging:
            return current
        means = {name: moved.mean for name, moved in self._dense.items()}
        for name, state in self._tables.items():
            state.catch_up(self.steps, self._kept)
            means[name] = state.all.mean
        return {name: means.get(name, weight) for name, weight in current.items()}

    def arrays(self) -> dict[str, Tensor]:
        """All that a step depends on but `steps`: weights, moments, averages."""
        self._settle()
        found: dict[str, Tensor] = {}
        for name, weight in self._network.arrays().items():
            found[f"weight/{name}"] = weight
        for name, state in self._states().items():
            found |= {f"{kind}/{name}": array for kind, array in state.arrays().items()}
        return found

    def _states(self) -> dict[str, _Moved | _TableState]:
        return {**self._dense, **self._tables}

    def restore(self, arrays: Mapping[str, Tensor], steps: int) -> None:
        """Go back to where `arrays` and `steps` were taken."""
        self._settle()
        self.steps = 0
        self._kept = _Kept()
        for _ in range(steps):
            self.steps += 1
            self._next_decay()
        with torch.no_grad():
            for name, weight in self._network.arrays().items():
                weight.copy_(_taken(arrays, f"weight/{name}", weight))
            for name, state in self._states().items():
                for kind, array in state.arrays().items():
                    array.copy_(_taken(arrays, f"{kind}/{name}", array))


@dataclass(frozen=True, slots=True)
class _Moved:
    """A weight, or some rows of a table, with Adam's moments and its average: four arrays of one shape."""

    weight: Tensor
    first: Tensor
    second: Tensor
    mean: Tensor

    @classmethod
    def at_rest(cls, weight: Tensor) -> _Moved:
        """Before the first step."""
        return cls(weight, torch.zeros_like(weight), torch.zeros_like(weight), weight.detach().clone())

    def arrays(self) -> dict[str, Tensor]:
        return {"exp_avg": self.first, "exp_avg_sq": self.second, "mean": self.mean}


def _adam(moved: Sequence[_Moved], gradients: Sequence[Tensor], rate: float, steps: int) -> None:
    """Move these weights as torch.optim.Adam does in its step number `steps`, whenever they were moved last."""
    if not moved:
        return
    before = torch.full((len(moved),), steps - 1.0, device=moved[0].weight.device)
    adam(
        [one.weight for one in moved],
        list(gradients),
        [one.first for one in moved],
        [one.second for one in moved],
        [],
        list(before.unbind()),
        fused=True,
        amsgrad=False,
        beta1=BETAS[0],
        beta2=BETAS[1],
        lr=rate,
        weight_decay=0.0,
        eps=EPSILON,
        maximize=False,
    )


class _TableState:
    """Adam's moments and the average of one table, each row as of the step that it was last read at."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.all = _Moved.at_rest(table.weight.detach())
        self.seen = torch.zeros(len(table.weight), dtype=torch.int32, device=table.weight.device)

    def arrays(self) -> dict[str, Tensor]:
        return self.all.arrays() | {"seen": self.seen}

    def take(self, ids: Tensor, steps: int, kept: _Kept | None) -> _Moved:
        """Copies of these rows; with `kept` the average is caught up to this step."""
        arrays = (self.all.weight, self.all.first, self.all.second, self.all.mean)
        rows = _Moved(*(array.index_select(0, ids) for array in arrays))
        if kept is not None:
            share = kept.between(self.seen.index_select(0, ids), steps).to(rows.mean.dtype)[:, None]
            rows.mean.sub_(rows.weight).mul_(share).add_(rows.weight)
        return rows

    def put(self, rows: _Moved, ids: Tensor, steps: int) -> None:
        """Put rows back that were moved in this step."""
        self.all.weight.index_copy_(0, ids, rows.weight)
        self.all.first.index_copy_(0, ids, rows.first)
        self.all.second.index_copy_(0, ids, rows.second)
        self.all.mean.index_copy_(0, ids, rows.mean)
        self.seen.index_fill_(0, ids, steps)

    def catch_up(self, steps: int, kept: _Kept) -> None:
        """Bring the average of all rows to this step, at which the weights of most have stood still for a while."""
        share = kept.between(self.seen, steps).to(self.all.mean.dtype)[:, None]
        self.all.mean.sub_(self.all.weight).mul_(share).add_(self.all.weight)
        self.seen.fill_(steps)


class _Kept:
    """How much of an old average is left between two steps: the product of the decays, kept as sums of logarithms."""

    def __init__(self) -> None:
        self._steps = 0
        self._logs = np.zeros(1024)

    def append(self, decay: float) -> None:
        if self._steps + 1 == len(self._logs):
            self._logs = np.concatenate([self._logs, np.zeros_like(self._logs)])
        self._logs[self._steps + 1] = self._logs[self._steps] + math.log(decay)
        self._steps += 1

    def between(self, earlier: Tensor, later: int) -> Tensor:
        """For each of the steps `earlier` (rows,) what is left at the step `later`: (rows,), float64."""
        logs = torch.from_numpy(self._logs).to(earlier.device)
        return (logs[later] - logs[earlier]).exp()


def _gradient_of(moved: _Moved) -> Tensor:
    gradient = moved.weight.grad
    assert gradient is not None
    return gradient


def _taken(arrays: Mapping[str, Tensor], name: str, like: Tensor) -> Tensor:
    found = arrays.get(name)
    if found is None or found.shape != like.shape:
        shape = "nothing" if found is None else f"shape {tuple(found.shape)}"
        raise TrainingError(
            f"checkpoint: {name}: expected shape {tuple(like.shape)}, found {shape}; it is another run's, start anew"
        )
    return found
