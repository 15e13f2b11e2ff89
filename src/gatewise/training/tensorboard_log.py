"""The lines of a run as events that TensorBoard shows.

In: the lines of metrics.jsonl as they are written. Out: an event file (extra `tensorboard`; tensorboardX writes it, so
that TensorBoard itself is needed only where one looks). A run that goes on tells TensorBoard from which step on the
events before are void.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gatewise.errors import MissingExtraError, TrainingError
from gatewise.training.metrics_file import Line

EVENT_FILES = "events.out.tfevents.*"
TOLD_DISTANCES = (1, 5, 10, 20, 40)  # of a memory


class TensorBoardLog:
    """Writes events; the file is opened at the first line, and without `resume` older ones are removed."""

    def __init__(self, folder: Path, *, resume: bool) -> None:
        """Raises MissingExtraError when the package is not installed."""
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise MissingExtraError(
                f"training.tensorboard = true needs tensorboardX ({error.name} is missing):"
                ' pip install "gatewise[tensorboard]", or set it to false'
            ) from error
        self._make, self._folder, self._resume = SummaryWriter, folder, resume
        self._writer: Any = None

    def add(self, lines: Sequence[Line]) -> None:
        """Write the numbers of the last of these lines, which are all of the run so far.

        Raises TrainingError when there is no room.
        """
        step = max(int(line.get("step", 0)) for line in lines)
        told = lines[-1:]
        try:
            if self._writer is None:
                self._writer = self._open(step)
                told = [line for line in lines if line.get("step", step) == step]  # the others of this step are void
            for line in told:
                for name, value in scalars(line):
                    self._writer.add_scalar(name, value, step, walltime=line["time"])
            self._writer.flush()  # a run may be killed at any moment
        except OSError as error:
            raise TrainingError(
                f"{self._folder}: events for TensorBoard cannot be written ({error.strerror}); make room, or go on with"
                " --resume --set training.tensorboard=false"
            ) from error

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()

    def _open(self, step: int) -> Any:
        if not self._resume and self._folder.is_dir():
            for path in self._folder.glob(EVENT_FILES):
                path.unlink()
        # names hold the time in whole seconds; the step keeps them apart and in order
        return self._make(str(self._folder), purge_step=step if self._resume else None, filename_suffix=f".{step:010d}")


def scalars(line: Line) -> Iterator[tuple[str, float]]:
    """The numbers of a line by the names under which TensorBoard groups them."""
    if line["kind"] == "end":
        for split, scores in line["scores"].items():
            yield from _scores(f"end_{split}", scores)
        for head, by_split in line.get("head_scores", {}).items():
            for split, scores in by_split.items():
                yield from _scores(f"end_{split}_{head}", scores)
        return
    for entry in line.get("gates", ()):
        yield from _gates(entry)
    # the loss of a batch is the mean of its epoch so far, that of an epoch line the mean of all of it
    group = "batch" if line["kind"] == "batch" else "train"
    for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second"):
        if line.get(name) is not None:
            yield f"{group}/{name}", line[name]
    if line.get("dev_loss") is not None:
        yield "dev/loss", line["dev_loss"]
    yield from _scores("dev", line.get("dev") or {})
    for head, scores in line.get("heads", {}).items():
        yield from _scores(f"dev_{head}", scores)


def _gates(entry: Line) -> Iterator[tuple[str, float]]:
    place = f"gates_layer{entry['layer'] + 1}_{entry['direction']}"
    for share in ("closed", "open"):
        for gate, value in entry[share].items():
            yield f"{place}/{gate}_{share}", value
    for distance in TOLD_DISTANCES:
        if distance < len(entry["memory"]):
            yield f"{place}/memory_after_{distance}", entry["memory"][distance]


def _scores(group: str, scores: Line) -> Iterator[tuple[str, float]]:
    for name in ("F1", "accuracy"):
        if name in scores:
            yield f"{group}/{name}", scores[name]
    for label, counts in scores.get("labels", {}).items():
        yield f"{group}_label/{label or 'word'}", counts["f1"]
