"""The learning rate over a run: up over the first steps, then down to the end.

In: the configuration and how far the run is. Out: a factor of the learning rate, 0 to 1.
"""

from __future__ import annotations

import math

from gatewise.model.config import TrainingConfig


def learning_rate(training: TrainingConfig, step: int, done: float) -> float:
    """The rate of step `step` (from 0), when the fraction `done` (0 to 1) of all epochs is behind."""
    warm = min(1.0, (step + 1) / training.warmup_steps) if training.warmup_steps else 1.0
    left = {"linear": 1.0 - done, "cosine": (1 + math.cos(math.pi * done)) / 2, "constant": 1.0}[training.decay]
    return training.learning_rate * min(warm, left) if training.warmup_steps else training.learning_rate * left
