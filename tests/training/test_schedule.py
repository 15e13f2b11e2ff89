"""The learning rate over a run, by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from gatewise.model.config import TrainingConfig  # noqa: E402
from gatewise.training.schedule import learning_rate  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("decay", "warmup", "step", "done", "wanted"),
    [
        ("linear", 0, 0, 0.0, 0.1),
        ("linear", 0, 70, 0.75, 0.025),
        ("cosine", 0, 50, 0.5, 0.05),
        ("cosine", 0, 25, 0.25, 0.1 * (1 + math.sqrt(0.5)) / 2),
        ("constant", 0, 99, 0.99, 0.1),
        ("constant", 4, 0, 0.0, 0.025),
        ("constant", 4, 3, 0.1, 0.1),
        ("linear", 10, 4, 0.2, 0.05),  # still rising
        ("linear", 10, 9, 0.4, 0.06),  # the fall has the word
    ],
)
def test_the_learning_rate_by_hand(decay: str, warmup: int, step: int, done: float, wanted: float) -> None:
    training = TrainingConfig(learning_rate=0.1, decay=decay, warmup_steps=warmup)
    assert learning_rate(training, step, done) == pytest.approx(wanted)
