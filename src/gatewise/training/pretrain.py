"""One direction of a character language model, learned from a stream.

In: ids (characters,) in the order of reading, so for the reverse direction turned around. Out: the weights of embedding
and LSTM, and how many bits a character of held-out text takes. The stream is cut into lanes that are read side by side,
window after window; states are carried from window to window, gradients are not (truncated backpropagation, Williams
and Peng 1990). Now and then a lane begins anew, from zero, as a tagger begins each sentence: states that are carried
for ever drift to where no sentence gets (ADR 0033). Given epochs alone, a run that goes on from a checkpoint ends in
the same weights, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.training.character_stream import Ids
from gatewise.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from gatewise.training.next_character import NextCharacter, States
from gatewise.training.stopping import DivergedError, StoppedError

CLIP = 1.0
WARMUP = 100  # steps, or a tenth of them all if that is less
RESTART = 0.05  # of the lanes begin anew with a window
LONGEST_STEP = 10.0  # seconds, a report included; more is a process that was paused, and does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainSettings:
    """How a language model is learned. It ends after `epochs`, or after `minutes` for each direction where they are not
    0 and come first. `lanes` are read side by side, `window` characters of each between two steps."""

    hidden: int = 256
    dim: int = 64
    vocabulary: int = 5_000
    epochs: int = 1
    minutes: float = 0.0
    lanes: int = 64
    window: int = 64
    learning_rate: float = 0.004
    seed: int = 1
    save_seconds: float = 30.0
    report_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainReport:
    """How far a direction is: `fraction` of its time, and the bits a character takes, of text it has just learned from
    and of held-out text."""

    direction: str
    fraction: float
    characters: int
    train_bits: float
    dev_bits: float
    characters_per_second: float
    seconds: float

    @property
    def perplexity(self) -> float:
        """Of held-out text, a character."""
        return float(2**self.dev_bits)


@dataclass(slots=True, kw_only=True)
class _Progress:
    """Where a direction stands; `loss` and `characters` are sums since the last report."""

    step: int = 0
    epoch: int = 0
    place: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    characters: int = 0
    all_characters: int = 0


class Pretraining:
    """One direction; its state lives here and nowhere else. The network's random start is drawn where it is made."""

    def __init__(
        self,
        direction: str,
        *,
        train: Ids,
        dev: Ids,
        network: NextCharacter,
        settings: PretrainSettings,
        checkpoint: Path,
        fingerprint: str,
        on_report: Callable[[PretrainReport], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.direction, self.settings, self.network = direction, settings, network
        self.lanes, self.dev = _in_lanes(train, settings.lanes), _in_lanes(dev, settings.lanes)
        self.checkpoint, self.fingerprint = checkpoint, fingerprint
        self.on_report, self.should_stop = on_report, should_stop
        self.optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
        self.states = network.start(self.lanes.shape[1])
        self.progress = _Progress()
        self.windows = math.ceil((len(self.lanes) - 1) / settings.window)

    def run(self) -> PretrainReport:
        """Learn until time is up; the last report says what came out."""
        progress, settings = self.progress, self.settings
        last = saved = reported = time.perf_counter()
        while self.fraction() < 1:
            self._step()
            now = time.perf_counter()
            progress.seconds += min(now - last, LONGEST_STEP)
            last = now
            if self.should_stop():
                self._save()
                raise StoppedError(f"stopped at step {progress.step} of {self.direction}; go on with --resume")
            if now - saved >= settings.save_seconds:
                self._save()
                saved = time.perf_counter()
            if now - reported >= settings.report_seconds and self.fraction() < 1:
                self.on_report(self._report())
                reported = time.perf_counter()
        report = self._report()
        self._save()
        self.on_report(report)
        return report

    def fraction(self) -> float:
        """How much of the run is done: all of it when either its epochs or its minutes are over."""
        settings, progress = self.settings, self.progress
        of_epochs = progress.step / (self.windows * settings.epochs)
        return max(of_epochs, progress.seconds / (60 * settings.minutes)) if settings.minutes else of_epochs

    def _step(self) -> None:
        progress, window = self.progress, self.settings.window
        ids, following = _window(self.lanes, progress.place, window)
        loss, self.states = self.network(ids, following, self._begun_anew(self.states))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        warmth = min(1.0, (progress.step + 1) / min(WARMUP, 1 + self.windows * self.settings.epochs // 10))
        self.optimizer.param_groups[0]["lr"] = self.settings.learning_rate * warmth * (1 - self.fraction())
        self.optimizer.step()
        value = loss.item()
        if not math.isfinite(value):
            raise DivergedError(
                f"step {progress.step} of {self.direction}: expected a finite loss, found {value}; lower"
                f" --learning-rate (now {self.settings.learning_rate})"
            )
        progress.step, progress.place = progress.step + 1, progress.place + window
        progress.loss, progress.characters = progress.loss + value * ids.numel(), progress.characters + ids.numel()
        progress.all_characters += ids.numel()
        if progress.place >= len(self.lanes) - 1:
            progress.epoch, progress.place = progress.epoch + 1, 0
            self.states = self.network.start(self.lanes.shape[1])

    def _begun_anew(self, states: States) -> States:
        """The states, zero in some lanes; which ones the seed and the step say, however often the run was stopped."""
        draw = np.random.default_rng([self.settings.seed, self.progress.step])
        goes_on = torch.from_numpy(draw.random(states[0].shape[1]) >= RESTART).view(1, -1, 1)
        return states[0] * goes_on, states[1] * goes_on

    def _report(self) -> PretrainReport:
        progress = self.progress
        found = PretrainReport(
            direction=self.direction,
            fraction=min(1.0, self.fraction()),
            characters=progress.all_characters,
            train_bits=progress.loss / max(progress.characters, 1) / math.log(2),
            dev_bits=self.dev_bits(),
            characters_per_second=progress.all_characters / max(progress.seconds, 1e-9),
            seconds=progress.seconds,
        )
        progress.loss, progress.characters = 0.0, 0
        return found

    @torch.no_grad()
    def dev_bits(self) -> float:
        """The bits that a character of the held-out text takes."""
        total, states = 0.0, self.network.start(self.dev.shape[1])
        for place in range(0, len(self.dev) - 1, self.settings.window):
            ids, following = _window(self.dev, place, self.settings.window)
            loss, states = self.network(ids, following, states)
            total += loss.item() * ids.numel()
        return total / ((len(self.dev) - 1) * self.dev.shape[1]) / math.log(2)

    def _save(self) -> None:
        arrays = {f"weight/{name}": array for name, array in self.network.state_dict().items()}
        arrays |= {"states/h": self.states[0], "states/c": self.states[1]}
        for name, weight in self.network.named_parameters():
            if moments := self.optimizer.state.get(weight):
                arrays |= {f"{kind}/{name}": moments[kind] for kind in ("exp_avg", "exp_avg_sq", "step")}
        state = {"fingerprint": self.fingerprint, **asdict(self.progress)}
        write_checkpoint(self.checkpoint, Checkpoint(arrays=arrays, state=state))

    def restore(self) -> None:
        """Go back to the checkpoint, if there is one; raises TrainingError for another run's."""
        found = read_checkpoint(self.checkpoint)
        if found is None:
            return
        state = dict(found.state)
        if state.pop("fingerprint", None) != self.fingerprint:
            raise TrainingError(
                f"{self.checkpoint}: expected the checkpoint of these settings and this text, found another's; give the"
                " same again, or start anew without --resume"
            )
        self.progress = _Progress(**state)
        weights = {name: found.arrays[f"weight/{name}"] for name in self.network.state_dict()}
        self.network.load_state_dict(weights)
        self.states = (found.arrays["states/h"], found.arrays["states/c"])
        for name, weight in self.network.named_parameters():
            if f"step/{name}" in found.arrays:
                kinds = ("exp_avg", "exp_avg_sq", "step")
                self.optimizer.state[weight] = {kind: found.arrays[f"{kind}/{name}"] for kind in kinds}


def _in_lanes(ids: Ids, lanes: int) -> Tensor:
    """The stream as lanes side by side, (time, lanes); fewer lanes where they would be too short to learn from."""
    lanes = max(1, min(lanes, len(ids) // 100))
    time = len(ids) // lanes
    return torch.from_numpy(np.ascontiguousarray(ids[: time * lanes].reshape(lanes, time).T, dtype=np.int64))


def _window(lanes: Tensor, place: int, window: int) -> tuple[Tensor, Tensor]:
    """The ids of a window, and for each the one that follows it."""
    end = min(place + window, len(lanes) - 1)
    return lanes[place:end], lanes[place + 1 : end + 1]
