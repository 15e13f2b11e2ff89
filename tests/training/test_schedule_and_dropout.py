"""The learning rate by hand, and dropout: how much it drops, what it keeps, and what stays together."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from gatewise.model.config import TrainingConfig  # noqa: E402
from gatewise.training.dropout import Dropout, random_mask  # noqa: E402
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


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_masks_are_true_as_often_as_asked(rate: float) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        mask = random_mask((101, 999), rate, torch.device("cpu"))
    assert mask.shape == (101, 999)
    assert float(mask.float().mean()) == pytest.approx(rate, abs=0.005)
    assert float(mask.float().mean(0).std()) == pytest.approx(math.sqrt(rate * (1 - rate) / 101), rel=0.1)
    assert float(mask.float().mean(1).std()) == pytest.approx(math.sqrt(rate * (1 - rate) / 999), rel=0.3)


def test_certain_masks_are_certain() -> None:
    assert random_mask((50, 50), 1.0, torch.device("cpu")).float().mean() > 0.999
    assert not random_mask((50, 50), 0.0, torch.device("cpu")).any()


@pytest.mark.parametrize("variational", [False, True])
def test_dropout_keeps_the_mean_and_variational_dropout_the_units(variational: bool) -> None:
    layer, x = Dropout(0.25, variational=variational), torch.ones(40, 30, 50)
    assert layer.eval()(x) is x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        dropped = layer.train()(x)
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.05)
    same_over_time = bool((dropped == dropped[:1]).all())
    assert same_over_time == variational
    assert not (dropped[0] == dropped[0, :1]).all()  # another draw for each sentence
