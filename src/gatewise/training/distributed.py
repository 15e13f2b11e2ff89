"""Several processes that train one model, started by torch's own launcher (`torchrun`).

In: each process's gradient. Out: in every process the gradient of all of them together, as one process would have it
on the joined batch. With one process nothing here does anything. Processes speak gloo on the CPU and nccl on CUDA.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed

from gatewise.training.table import RowGradient

TIMEOUT = timedelta(minutes=30)  # one process scores dev while the others wait
NO_ROW = -1
SECONDS_TO_LET_GO = 0.1
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The processes of a run: this one's number and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that speaks, scores and saves."""
        return self.rank == 0

    def share(self, batch: Sequence[int]) -> Sequence[int]:
        """This process's part of a joined batch; the parts differ by at most one sentence."""
        return batch[self.rank :: self.size]

    def join_gradients(
        self, dense: Sequence[Tensor], rows: Mapping[str, RowGradient | None], widths: Mapping[str, int]
    ) -> dict[str, RowGradient]:
        """Sum the gradients of all processes: of the weights `dense` in place, of `rows` for all that were read.

        `widths` is the length of the vectors of each table. All processes must call this at the same time.
        """
        if self.size == 1:
            return {name: read for name, read in rows.items() if read is not None}
        flat = torch.cat([_gradient(weight).reshape(-1) for weight in dense])
        distributed.all_reduce(flat)
        for weight, part in zip(dense, torch.split(flat, [weight.numel() for weight in dense]), strict=True):
            weight.grad = part.view_as(weight)
        device = dense[0].device
        return {name: self._join_rows(read, widths[name], device) for name, read in rows.items()}

    def _join_rows(self, read: RowGradient | None, width: int, device: torch.device) -> RowGradient:
        own = torch.zeros(0, dtype=torch.int64, device=device) if read is None else read.ids
        count = torch.tensor([len(own)], device=device)
        counts = [torch.zeros_like(count) for _ in range(self.size)]
        distributed.all_gather(counts, count)
        padded = own.new_full((int(torch.cat(counts).max()),), NO_ROW)
        padded[: len(own)] = own
        everyones = [torch.empty_like(padded) for _ in range(self.size)]
        distributed.all_gather(everyones, padded)
        joined = torch.unique(torch.cat(everyones))
        joined = joined[joined != NO_ROW]
        gradient = torch.zeros(len(joined), width, device=device)
        if read is not None:
            gradient[torch.searchsorted(joined, own)] = read.gradient
        distributed.all_reduce(gradient)
        return RowGradient(joined, gradient)

    def total(self, value: float) -> float:
        """The sum of a number over all processes."""
        if self.size == 1:
            return value
        summed = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(summed)
        return float(summed)

    def told_by_first(self, value: Value) -> Value:
        """The first process's value, in every process."""
        if self.size == 1:
            return value
        told = [value]
        distributed.broadcast_object_list(told)
        return told[0]


ALONE = Group()


@contextmanager
def process_group(device: torch.device) -> Iterator[Group]:
    """The group that the launcher's environment describes; alone without one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=TIMEOUT)
    try:
        yield Group(rank=distributed.get_rank(), size=distributed.get_world_size())
        # All leave together and wait a moment: gloo's threads still hold tensors after the last exchange, need this
        # thread to rest so that they can let go of them, and a process that ended before that would be aborted.
        distributed.barrier()
        time.sleep(SECONDS_TO_LET_GO)
    finally:
        distributed.destroy_process_group()


def _gradient(weight: Tensor) -> Tensor:
    return torch.zeros_like(weight) if weight.grad is None else weight.grad
