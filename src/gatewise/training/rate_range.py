"""The learning-rate range test: a fresh network, one step after the other at a rising rate, and what the loss does.

In: a `Prepared`. Out: a `RangeTest`, the curve of the loss over the rate and what to read off it. The steps are those
of a real run, the rate aside; nothing outside is changed. Source: Smith 2017, “Cyclical learning rates for training
neural networks”, section 3.3, with the exponential rates of fastai (Howard and Gugger). Which rule reads it: ADR 0015.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from gatewise.errors import ConfigError, TrainingError
from gatewise.training.batches import Batch, collate, cut_batches
from gatewise.training.loop import Run
from gatewise.training.place import undisturbed
from gatewise.training.prepare import Prepared
from gatewise.training.stopping import StoppedError, never

EXPLODED = 4.0  # times the lowest loss so far, and above the loss at the start
MARGIN = 10.0  # from the highest good rate down to the one suggested
GOOD = 0.02  # of the whole fall of the loss: so much above its lowest is still good
LEAST_STEPS = 20
SPREAD = 0.03  # of all steps: the standard deviation of the bell that smooths the curve
DEV_SENTENCES = 64

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTest:
    """The curve: one entry a step, losses in nats a token; `smoothed` is their weighted mean over the steps around.

    `steepest` is the rate where the smoothed loss falls fastest over the logarithm of the rate, `lowest` where it is
    lowest, `highest_good` the last one where it is as good as lowest. `diverged` says whether the test stopped before
    its highest rate because the loss exploded.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float
    lowest: float
    highest_good: float
    diverged: bool

    @property
    def suggestion(self) -> float:
        """A tenth of the highest good rate: high, with room before the loss explodes."""
        return self.highest_good / MARGIN


def find_learning_rate(
    prepared: Prepared,
    *,
    low: float = 1e-5,
    high: float = 1.0,
    steps: int = 100,
    on_step: Callable[[int], None] | None = None,
    should_stop: Callable[[], bool] = never,
) -> RangeTest:
    """Take `steps` steps at rates that rise from `low` to `high` by one factor, until the loss explodes.

    The loss is that of each step's own batch; with dev sentences it is that of the same few of them after each step,
    which takes away the noise of the batches. `on_step` is told how many steps are done. Raises ConfigError for a range
    that is none, TrainingError when the loss falls nowhere in it, StoppedError when asked to stop.
    """
    if not 0 < low < high < math.inf:
        raise ConfigError(f"the range of rates: expected 0 < low < high, found {low:g} and {high:g}")
    if steps < LEAST_STEPS:
        raise ConfigError(f"the number of steps: expected at least {LEAST_STEPS}, found {steps}")
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    tokens: list[int] = []
    with undisturbed(prepared.config) as place:
        run = Run(prepared, place)
        sample = _dev_sample(run)
        for step, batch in zip(range(steps), _batches(run), strict=False):
            run.network.train()
            total = run.step(batch, len(batch.indices), float(rates[step]))
            losses.append(_loss_on(run, sample) if sample else float(total) / batch.tokens)
            tokens.append(1 if sample else batch.tokens)
            if on_step is not None:
                on_step(step + 1)
            if should_stop():
                raise StoppedError(f"stopped at step {step + 1}; there is no result")
            if _has_exploded(losses):
                break
    return read_curve(rates[: len(losses)], np.array(losses), np.array(tokens, dtype=np.float64), steps)


def read_curve(rates: Floats, losses: Floats, weights: Floats, steps: int) -> RangeTest:
    """What the curve says: `rates`, `losses`, `weights` of the steps that were done, of `steps` that were planned."""
    finite = int(np.isfinite(losses).sum())  # the last one alone may be none
    smoothed = smooth(losses[:finite], weights[:finite], SPREAD * steps)
    lowest = int(np.argmin(smoothed)) if len(smoothed) else 0
    slopes = np.diff(smoothed[: lowest + 1])
    if not len(slopes) or slopes.min() >= 0:
        raise TrainingError(
            f"the range of rates {rates[0]:g} to {rates[-1]:g}: expected a loss that falls somewhere, found none that"
            " does; begin lower, or take more steps"
        )
    steepest = int(np.argmin(slopes))
    fall = smoothed[: lowest + 1].max() - smoothed[lowest]
    highest_good = int(np.flatnonzero(smoothed <= smoothed[lowest] + GOOD * fall)[-1])
    return RangeTest(
        rates=tuple(rates.tolist()),
        losses=tuple(losses.tolist()),
        smoothed=tuple(smoothed.tolist()),
        steepest=float(math.sqrt(rates[steepest] * rates[steepest + 1])),
        lowest=float(rates[lowest]),
        highest_good=float(rates[highest_good]),
        diverged=len(losses) < steps,
    )


def smooth(values: Floats, weights: Floats, spread: float) -> Floats:
    """Each value's mean with those around it, weighted, and by a bell of this standard deviation (in steps).

    It looks to both sides, so that the curve is not shifted towards higher rates as a running mean would shift it.
    """
    places = np.arange(len(values))
    shares = np.exp(-0.5 * ((places[:, None] - places) / spread) ** 2) * weights
    averaged: Floats = shares @ values / shares.sum(axis=1)
    return averaged


def _has_exploded(losses: list[float]) -> bool:
    if not math.isfinite(losses[-1]):
        return True
    means = [sum(losses[end - 3 : end]) / 3 for end in range(3, len(losses) + 1)]  # three steps, against single peaks
    return bool(means) and means[-1] > EXPLODED * min(means) and means[-1] > means[0]


def _batches(run: Run) -> Iterator[Batch]:
    """The batches of a real run, epoch after epoch."""
    training, epoch = run.config.training, 0
    while True:
        epoch += 1
        order = cut_batches(
            run.train.lengths,
            size=training.batch_size,
            max_tokens=training.batch_tokens,
            shuffle=random.Random(f"{training.seed}/{epoch}"),
        )
        yield from collate(run.train, order)


def _dev_sample(run: Run) -> list[Batch]:
    """The same few dev sentences, spread over the split, whose tags training knows."""
    known = set(run.prepared.labels)
    usable = [index for index, tags in enumerate(run.prepared.dev_gold) if known.issuperset(tags)]
    chosen = usable[:: max(1, len(usable) // DEV_SENTENCES)][:DEV_SENTENCES]
    chosen.sort(key=run.dev.lengths.__getitem__)
    size = run.config.training.batch_size
    return list(collate(run.dev, [chosen[start : start + size] for start in range(0, len(chosen), size)]))


def _loss_on(run: Run, sample: list[Batch]) -> float:
    run.network.eval()
    with torch.no_grad():
        total = sum(float(run.losses(batch).sum()) for batch in sample)
    return total / sum(batch.tokens for batch in sample)
