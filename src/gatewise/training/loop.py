"""The training loop: batches by length, Adam, averaged weights, early stopping on dev, and going on after a kill.

In: a `Prepared`. Out: a `TrainedTagger`, the best weights found and what they score on dev. Randomness is a function of
the seed, the step and the process alone, so a run that goes on from a checkpoint draws what it would have drawn, and
torch's own generator is left as it was found.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from gatewise.errors import TrainingError
from gatewise.training.adversarial import backward_twice
from gatewise.training.batches import Batch, collate, cut_batches
from gatewise.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from gatewise.training.distributed import ALONE, Group
from gatewise.training.events import Listener, Silence, StartListener, StartReport
from gatewise.training.look import Looker
from gatewise.training.losses import all_margins, batch_emissions, batch_losses
from gatewise.training.optimizer import Optimizer
from gatewise.training.place import Place, seed_generators, undisturbed
from gatewise.training.prepare import Prepared
from gatewise.training.progress import Progress, Since
from gatewise.training.schedule import learning_rate
from gatewise.training.start import new_network
from gatewise.training.stopping import DivergedError, StoppedError, never

STEPS_UNREAD_ON_CUDA = 20  # reading a number makes the device wait
STEPS_TO_AGREE = 20  # between questions of several processes to each other whether to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedTagger:
    """What training found: the best averaged weights, by name, and how they came about."""

    prepared: Prepared
    arrays: dict[str, Tensor]
    dev_score: float | None
    best_epoch: int
    seconds: float


def train_tagger(
    prepared: Prepared,
    listener: Listener | None = None,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    group: Group = ALONE,
    should_stop: Callable[[], bool] = never,
    should_end: Callable[[], bool] = never,
) -> TrainedTagger:
    """Train a tagger; without dev sentences all epochs are run and the last weights are kept.

    The state is saved to `checkpoint` now and then; with `resume` the run goes on from there if there is one, and ends
    with the same weights, bit for bit. After each step and each epoch `should_stop` is asked whether to break off, and
    `should_end` whether to end here as after the last epoch: dev is scored, the best weights are kept. Raises
    TrainingError when the loss stops being finite or the checkpoint is another run's, StoppedError when asked to stop.
    """
    with undisturbed(prepared.config) as place:
        run = Run(prepared, place, listener, checkpoint, group, should_stop, should_end)
        if resume:
            run.restore()
        return run.run()


class Run:
    """One training run; its state lives here and nowhere else. Made and used inside `undisturbed`."""

    def __init__(
        self,
        prepared: Prepared,
        place: Place,
        listener: Listener | None = None,
        checkpoint: Path | None = None,
        group: Group = ALONE,
        should_stop: Callable[[], bool] = never,
        should_end: Callable[[], bool] = never,
    ) -> None:
        device = place.device
        self.prepared, self.config, self.device = prepared, prepared.config, device
        self.listener, self.checkpoint, self.group = listener or Silence(), checkpoint, group
        self.should_stop, self.should_end, self.ended = should_stop, should_end, False
        self.train, self.dev = prepared.train.to(device), prepared.dev.to(device)
        self._seed("start")
        self.network = new_network(prepared).to(device)
        self.network.encoder.helper = place.helper
        training = self.config.training
        self.optimizer = Optimizer(self.network, clip=training.gradient_clip, averaging=training.averaging)
        self.margins = {name: margins.to(device) for name, margins in all_margins(prepared).items()}
        self.unread = torch.zeros(2, dtype=torch.float64, device=device)  # summed loss; norm of the last gradient
        self.looker = Looker(prepared, train=self.train, dev=self.dev)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self.saved_at = time.monotonic()
        self.fingerprint = prepared.fingerprint() if checkpoint else ""

    def run(self) -> TrainedTagger:
        training, progress = self.config.training, self.progress
        if progress.step == 0 and self.group.is_first and isinstance(self.listener, StartListener):
            self.listener.on_start(StartReport(gates=self.looker.gates(self.network)))
        while progress.epoch <= training.epochs and not self._has_given_up() and not self.ended:
            self._end_epoch(self._epoch())
        return TrainedTagger(
            prepared=self.prepared,
            arrays={name: array.cpu() for name, array in self.best.items()},
            dev_score=progress.best_score,
            best_epoch=progress.best_epoch,
            seconds=progress.seconds,
        )

    def _has_given_up(self) -> bool:
        """Whether patience is over; it begins once dev scores anything at all, which takes a while with little data."""
        if self.progress.best_score == 0:
            return False
        return self.progress.epoch - 1 - self.progress.best_epoch >= self.config.training.patience

    def _epoch(self) -> float:
        """The rest of this epoch; returns its last learning rate."""
        training, progress = self.config.training, self.progress
        self.network.train()
        order = cut_batches(
            self.train.lengths,
            size=training.batch_size * self.group.size,
            max_tokens=training.batch_tokens * self.group.size,
            shuffle=random.Random(f"{training.seed}/{progress.epoch}"),
        )
        shares = [self.group.share(joined) for joined in order]
        began, before = time.perf_counter(), (progress.epoch_seconds, progress.seconds)
        since = Since(began=began)
        every = STEPS_UNREAD_ON_CUDA if self.device.type == "cuda" else 1
        for number, batch in enumerate(self._collated(shares[progress.batch :]), start=progress.batch):
            rate = self._rate(progress.step, number, len(order))
            self.unread[0] += self.step(batch, len(order[number]), rate)
            since.sentences += order[number]
            progress.step, progress.batch = self.optimizer.steps, number + 1
            progress.sentences += len(order[number])
            progress.tokens += sum(self.train.lengths[index] for index in order[number])
            elapsed = time.perf_counter() - began
            progress.epoch_seconds, progress.seconds = before[0] + elapsed, before[1] + elapsed
            if progress.step % every == 0 or progress.batch == len(order):
                self._read_loss()
                self.listener.on_batch(progress.batch_report(training, rate, float(self.unread[1]), since, len(order)))
                since = Since(began=time.perf_counter())
            done_at = time.perf_counter()
            self._save_now_and_then()
            if self.ended:
                self._read_loss()
                break
            since.began += time.perf_counter() - done_at
        return self._rate(progress.step - 1, len(order) - 1, len(order))

    def _rate(self, step: int, number: int, batches: int) -> float:
        """The learning rate of this step, the batch `number` (from 0) of `batches` in this epoch."""
        training = self.config.training
        return learning_rate(training, step, (self.progress.epoch - 1 + number / batches) / training.epochs)

    def _collated(self, shares: Sequence[Sequence[int]]) -> Iterator[Batch | None]:
        """This process's batches; None where it has no part in one."""
        batches = collate(self.train, [share for share in shares if share])
        for share in shares:
            yield next(batches) if share else None

    def step(self, batch: Batch | None, sentences: int, rate: float) -> Tensor:
        """One step of all processes on `sentences` sentences; returns this one's summed loss.

        `unread[1]` is set to the norm of the gradient.
        """
        self._seed(f"{self.optimizer.steps}/{self.group.rank}")
        total = torch.zeros((), device=self.device)
        if batch is not None:
            total = self._backward(batch, scale=1 / sentences)
        self.unread[1] = self.optimizer.step(rate, self.group)
        return total

    def _backward(self, batch: Batch, scale: float) -> Tensor:
        """The gradients of `scale` times the summed loss, which is returned."""
        if length := self.config.training.adversarial:
            with self._precision():
                x = self.network.inputs(batch.inputs)
            return backward_twice(x, partial(self._losses_of, batch), length=length, scale=scale)
        total = self.losses(batch).sum()
        (total * scale).backward()  # type: ignore[no-untyped-call]
        return total.detach()

    def losses(self, batch: Batch) -> Tensor:
        """The loss of each sentence, over all heads and what teachers say, (batch,)."""
        with self._precision():
            x = self.network.inputs(batch.inputs)
        return self._losses_of(batch, x)

    def _precision(self) -> torch.autocast:
        half = self.config.training.precision == "bfloat16" and self.device.type == "cuda"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half)

    def _losses_of(self, batch: Batch, x: Tensor) -> Tensor:
        """The same from x, the vectors of the tokens."""
        with self._precision():
            states = self.network.states_of(x, batch.lengths)
            emissions = batch_emissions(self.network, states, batch)
        wide = {name: of_head.float() for name, of_head in emissions.items()}
        return batch_losses(self.network, wide, batch, self.margins)

    def _read_loss(self) -> None:
        loss = self.group.total(float(self.unread[0]))
        self.unread[0] = 0.0
        if not math.isfinite(loss):
            raise DivergedError(
                f"step {self.progress.step}: expected a finite loss, found {loss};"
                f" lower training.learning_rate (now {self.config.training.learning_rate}), or raise"
                " training.warmup_steps"
            )
        self.progress.loss += loss

    def _end_epoch(self, rate: float) -> None:
        """Score dev, keep the weights if they are the best, tell, and move on to the next epoch."""
        training, progress, began = self.config.training, self.progress, time.perf_counter()
        weights = self._weights()
        seen = self.looker.look(self.network, weights) if self.group.is_first else None
        score = self.group.told_by_first(None if seen is None else seen.score)
        is_best = score is None or progress.best_score is None or score > progress.best_score
        if is_best:
            self.best = {name: array.clone() for name, array in weights.items()}
            progress.best_epoch, progress.best_score = progress.epoch, score
        progress.seconds += time.perf_counter() - began
        if seen is not None:
            self.listener.on_epoch(progress.epoch_report(training, rate, seen, is_best=is_best))
        progress.begin_next_epoch()
        self._save_now_and_then()

    def _weights(self) -> dict[str, Tensor]:
        """The weights that count: the averaged ones, rounded as the archive will round them."""
        weights = self.optimizer.weights()
        if self.config.archive.numbers == "float16":
            return {name: array.half().float() for name, array in weights.items()}
        return weights

    def _seed(self, what: str) -> None:
        """Everything drawn from here on is decided by the seed and `what`."""
        seed_generators(self.device, f"{self.config.training.seed}/{what}")

    def _save_now_and_then(self) -> None:
        stops, self.ended = self._what_is_asked()
        if self.checkpoint is None:
            if stops:
                raise StoppedError(f"stopped at step {self.progress.step}; nothing was saved")
            return
        if stops or time.monotonic() - self.saved_at >= self.config.training.checkpoint_seconds:
            if self.group.is_first:
                self._save(self.checkpoint)
            self.saved_at = time.monotonic()
        if stops:
            raise StoppedError(f"stopped at step {self.progress.step}; go on with --resume")

    def _what_is_asked(self) -> tuple[bool, bool]:
        """Whether to break off, and whether to end here.

        Several processes must do so at the same step, and agree on it only now and then, because that takes time.
        """
        if self.group.size > 1 and self.progress.step % STEPS_TO_AGREE:
            return False, False
        return self.group.told_by_first((self.should_stop(), self.should_end()))

    def _save(self, path: Path) -> None:
        if self.group.size == 1:
            self._read_loss()  # what CUDA has not told yet
        best = {f"best/{name}": array for name, array in self.best.items()}
        state = {"fingerprint": self.fingerprint, **asdict(self.progress)}
        write_checkpoint(path, Checkpoint(arrays=self.optimizer.arrays() | best, state=state))

    def restore(self) -> None:
        """Go back to the checkpoint, if there is one."""
        found = read_checkpoint(self.checkpoint) if self.checkpoint else None
        if found is None:
            return
        state = dict(found.state)
        if state.pop("fingerprint", None) != self.fingerprint:
            raise TrainingError(
                f"{self.checkpoint}: expected the checkpoint of this configuration and this data, found another's; give"
                " the same files and settings again, or start anew without --resume"
            )
        self.progress = Progress(**state)
        self.optimizer.restore(found.arrays, self.progress.step)
        self.best = {
            name.removeprefix("best/"): array.to(self.device)
            for name, array in found.arrays.items()
            if name.startswith("best/")
        }
