"""Where training computes: the device, its threads, and random generators that nobody else draws from.

In: a configuration. Out: a `Place`; when it is left, torch's threads and generators are what they were before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import NamedTuple

import torch

from gatewise.errors import TrainingError
from gatewise.model.config import Config, TrainingConfig
from gatewise.training.directions import threads

THREADS = 2  # one a direction; more are used where they are asked for


class Place(NamedTuple):
    """Where a run computes: the device, and a second thread for the reverse direction where there is one."""

    device: torch.device
    helper: Executor | None


@contextmanager
def undisturbed(config: Config) -> Iterator[Place]:
    """The place that a configuration asks for; torch's threads and generators are afterwards what they were before."""
    training = config.training
    device = device_of(training)
    count = training.threads or min(torch.get_num_threads(), THREADS)
    directions = 2 if config.encoder.bidirectional and device.type == "cpu" else 1
    random_states = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    with random_states, threads(count, directions=directions) as helper:
        yield Place(device=device, helper=helper)


def device_of(training: TrainingConfig) -> torch.device:
    """The device that a configuration asks for; raises TrainingError when it is not there."""
    if training.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if training.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("training.device: expected a CUDA device, found none that torch can use; set it to cpu")
    return torch.device(training.device)


def seed_generators(device: torch.device, what: str) -> None:
    """Everything drawn from here on, on the CPU and on this device, is decided by `what`."""
    seed = int.from_bytes(hashlib.blake2b(what.encode(), digest_size=4).digest())
    torch.default_generator.manual_seed(seed)  # torch.manual_seed is for every device, and slow where there is one
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
