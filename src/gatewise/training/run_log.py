"""The run folder of a training run, kept up to date while it lasts: metrics.jsonl, report.html, TensorBoard's events.

In: what the loop tells its listeners, and at the end the scores of the saved model. Out: the files. The report and the
events are made from the lines of metrics.jsonl alone (and the data), so a run that goes on has them whole.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatewise.explain.training_page import training_page
from gatewise.lstm import Directions, GateStatistics
from gatewise.model.calibration import CalibrationChange
from gatewise.model.scoring import Scores
from gatewise.text.schemes import spans_from_tags
from gatewise.training.events import BatchReport, EpochReport, StartReport
from gatewise.training.metrics_file import MetricsFile, write_whole
from gatewise.training.report_data import RunFacts, report_data
from gatewise.training.tensorboard_log import TensorBoardLog

METRICS_FILE, REPORT_FILE, EVENTS_FOLDER = "metrics.jsonl", "report.html", "tensorboard"
BATCH_LINES, BATCH_LINES_AN_EPOCH = 1000, 50  # of a whole run and of an epoch, at most
HARDEST, SLOWEST = 10, 5  # sentences of dev, and batches, told of an epoch
DIGITS = 6


class RunLog:
    """A listener that writes; nothing is written before the first event."""

    def __init__(self, folder: Path, facts: RunFacts, *, resume: bool = False) -> None:
        """Raises MissingExtraError when events for TensorBoard are asked for and the package is missing."""
        self.report = folder / REPORT_FILE
        self._facts = facts
        self._metrics = MetricsFile(folder / METRICS_FILE, resume=resume)
        wanted = facts.config.training.tensorboard
        self._events = TensorBoardLog(folder / EVENTS_FOLDER, resume=resume) if wanted else None
        self._lengths = [len(sentence) for sentence in facts.trained_on]
        self._slowest: list[tuple[float, int, dict[str, Any]]] = []  # a heap: seconds a token, step, what it was
        self._warm = False
        self._batch_lines = min(BATCH_LINES, BATCH_LINES_AN_EPOCH * facts.config.training.epochs)

    def on_start(self, report: StartReport) -> None:
        """Write the first line: how the gates stand before anything is learned, and what teaches."""
        distilled = self._facts.distilled
        told = _where_any("distilled", {} if distilled is None else distilled.to_dict())
        self._write({"kind": "start", "step": 0, "gates": gate_lines(report.gates), **told})

    def on_batch(self, report: BatchReport) -> None:
        """Write a line for some batches, the same ones in a run that was interrupted."""
        line = {
            "kind": "batch",
            "step": report.step,
            "epoch": report.epoch,
            "fraction": report.fraction,
            "loss": report.loss,
            "learning_rate": report.learning_rate,
            "gradient_norm": report.gradient_norm,
            "tokens_per_second": round(report.tokens_per_second, 1),
        }
        self._metrics.begin(line)
        self._note_time(report)
        if self._mark(report.fraction) > self._last_mark():
            self._write(line)

    def on_epoch(self, report: EpochReport) -> None:
        """Write a line, and the report anew."""
        self._write(
            {
                "kind": "epoch",
                "step": report.step,
                "epoch": report.epoch,
                "loss": report.loss,
                "learning_rate": report.learning_rate,
                "tokens_per_second": round(report.tokens_per_second, 1),
                "seconds": round(report.seconds, 3),
                "is_best": report.is_best,
                "dev_score": report.dev_score,
                "dev_loss": report.dev_loss,
                "dev": report.dev.to_dict() if report.dev else None,
                **_where_any("heads", {name: found.to_dict() for name, found in report.heads.items()}),
                "gates": gate_lines(report.gates),
                "hardest": self._hardest(report),
                "slowest": [entry for _, _, entry in sorted(self._slowest, key=lambda found: found[:2], reverse=True)],
            }
        )
        self._slowest = []
        self._write_report()

    def finish(
        self,
        scores: Mapping[str, Scores],
        *,
        best_epoch: int,
        seconds: float,
        head_scores: Mapping[str, Mapping[str, Scores]] | None = None,
        calibrations: Mapping[str, CalibrationChange] | None = None,
    ) -> None:
        """Write the last line, and the report with the scores and the calibration of the saved model, by split, and the
        scores of further heads by head and split."""
        further = {
            head: {split: found.to_dict() for split, found in by_split.items()}
            for head, by_split in (head_scores or {}).items()
        }
        self._write(
            {
                "kind": "end",
                "best_epoch": best_epoch,
                "seconds": round(seconds, 3),
                "scores": {split: found.to_dict() for split, found in scores.items()},
                **_where_any("head_scores", further),
                **_where_any("calibration", {split: found.to_dict() for split, found in (calibrations or {}).items()}),
            }
        )
        self._write_report()

    def close(self) -> None:
        """Let go of the files, however the run has ended."""
        if self._events:
            self._events.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._metrics.append(line | {"time": round(time.time(), 3)})
        if self._events:
            self._events.add(self._metrics.lines)

    def _write_report(self) -> None:
        write_whole(self.report, training_page(report_data(self._facts, self._metrics.lines)))

    def _last_mark(self) -> int:
        for line in reversed(self._metrics.lines):
            if line["kind"] == "batch":
                return self._mark(line["fraction"])
        return -1

    def _mark(self, fraction: float) -> int:
        """A batch has a line when this number is another one than at the line before."""
        return math.floor(fraction * self._batch_lines)

    def _note_time(self, report: BatchReport) -> None:
        """Keep the slowest batches of this epoch; the first steps of a process warm it up and do not count."""
        lengths = [self._lengths[index] for index in report.batch_sentences]
        if not self._warm or not lengths:
            self._warm = True
            return
        longest = max(report.batch_sentences, key=self._lengths.__getitem__)
        entry = {
            "step": report.step,
            "seconds": round(report.batch_seconds, DIGITS),
            "sentences": len(lengths),
            "tokens": sum(lengths),
            "longest": max(lengths),
            "longest_sentence": longest + 1,
        }
        keep = heapq.heappush if len(self._slowest) < SLOWEST else heapq.heappushpop
        keep(self._slowest, (report.batch_seconds / sum(lengths), report.step, entry))

    def _hardest(self, report: EpochReport) -> list[dict[str, Any]]:
        """The dev sentences of the highest loss a token, the highest first, with what was predicted."""
        scheme, dev = self._facts.config.task.scheme, self._facts.splits.get("dev", ())
        per_token = [
            (loss / len(sentence), index)
            for index, (loss, sentence) in enumerate(zip(report.dev_losses, dev, strict=False))
            if math.isfinite(loss)
        ]
        return [
            {
                "sentence": index + 1,
                "tokens": len(dev[index]),
                "loss_per_token": round(loss, DIGITS),
                "gold": token_spans(dev[index].tags or (), report.dev_tags[index], scheme),
                "predicted": token_spans(report.dev_tags[index], dev[index].tags or (), scheme),
            }
            for loss, index in heapq.nsmallest(HARDEST, per_token, key=lambda found: (-found[0], found[1]))
        ]


def _where_any(key: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a line that a run without further heads, dev, or teachers does not have."""
    return {key: found} if found else {}


def gate_lines(gates: Sequence[Directions[GateStatistics]]) -> list[dict[str, Any]]:
    """One entry a layer and direction; shares by gate, and what is left of a memory 0, 1, 2, … tokens later."""
    found: list[dict[str, Any]] = []
    for layer, directions in enumerate(gates):
        for name, statistics in (("forward", directions.forward), ("reverse", directions.reverse)):
            if statistics is None:
                continue
            entry: dict[str, Any] = {"layer": layer, "direction": name, "tokens": statistics.tokens}
            for key in ("closed", "open", "mean"):
                entry[key] = {gate: round(value, DIGITS) for gate, value in getattr(statistics, key).items()}
            for key in ("memory", "longest"):
                entry[key] = [round(float(value), DIGITS) for value in getattr(statistics, key)]
            found.append(entry)
    return found


def token_spans(tags: Sequence[str], others: Sequence[str], scheme: str) -> list[tuple[int, int, str]]:
    """The spans of these tags, in tokens; of plain tags those that the other side has not."""
    if scheme == "plain":
        pairs = zip(tags, others, strict=True)
        return [(index, index + 1, tag) for index, (tag, other) in enumerate(pairs) if tag != other]
    return [(span.start, span.end, span.label) for span in spans_from_tags(tags, scheme)]
