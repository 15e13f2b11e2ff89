"""metrics.jsonl: what a run that goes on keeps, and what a kill may leave behind."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from gatewise.errors import TrainingError
from gatewise.training.metrics_file import MetricsFile, write_whole

pytestmark = pytest.mark.torch


def run_of(epochs: int, batches: int) -> list[dict[str, Any]]:
    """A whole run: the start, a line for each batch, a line an epoch with the step of its last batch, the end."""
    lines: list[dict[str, Any]] = [{"kind": "start", "step": 0}]
    for epoch in range(epochs):
        lines += [{"kind": "batch", "step": epoch * batches + n, "loss": 1 / n} for n in range(1, batches + 1)]
        lines.append({"kind": "epoch", "step": (epoch + 1) * batches})
    return [*lines, {"kind": "end"}]


def stored(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("killed_at", range(1, 13))
def test_a_run_that_goes_on_ends_as_if_never_interrupted(tmp_path: Path, killed_at: int) -> None:
    """Killed after so many lines; it goes on from each of the lines that were written, the last one cut short."""
    whole = run_of(2, 4)
    for goes_on_at in range(1, min(killed_at, len(whole) - 1) + 1):
        path = tmp_path / f"{goes_on_at}.jsonl"
        killed = MetricsFile(path, resume=False)
        for line in whole[:killed_at]:
            killed.append(line)
        with path.open("a") as stream:
            stream.write('{"kind":"batch","step":9')
        resumed = MetricsFile(path, resume=True)
        for line in whole[goes_on_at:]:
            resumed.append(line)
        assert stored(path) == whole
        assert resumed.lines == whole


def test_a_new_run_drops_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "metrics.jsonl"
    for length in (5, 3):
        metrics = MetricsFile(path, resume=False)
        for line in run_of(1, 3)[:length]:
            metrics.append(line)
    assert stored(path) == run_of(1, 3)[:3]


def test_nothing_is_written_before_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    MetricsFile(path, resume=False)
    assert not path.parent.exists()


def test_the_file_is_whole_at_any_moment_of_the_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics.jsonl"
    first = MetricsFile(path, resume=False)
    for line in run_of(1, 3):
        first.append(line)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(TrainingError, match=r"metrics\.jsonl: cannot be written \(No space left on device\); m"):
        MetricsFile(path, resume=True).append({"kind": "batch", "step": 2})
    assert stored(path) == run_of(1, 3)
    assert [entry.name for entry in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(TrainingError, match=r"taken.metrics\.jsonl: cannot be written"):
        MetricsFile(tmp_path / "taken" / "metrics.jsonl", resume=False).append({"kind": "start", "step": 0})


def test_numbers_come_back_exactly_and_infinity_as_null(tmp_path: Path) -> None:
    numbers = [random.Random(3).random() * 10**n for n in range(-8, 9)]
    metrics = MetricsFile(tmp_path / "m.jsonl", resume=False)
    metrics.append({"kind": "epoch", "step": 1, "values": numbers, "norm": float("inf"), "deep": [{"x": float("nan")}]})
    [line] = stored(tmp_path / "m.jsonl")
    assert line["values"] == numbers
    assert (line["norm"], line["deep"]) == (None, [{"x": None}])
    assert metrics.lines == [line]


def test_a_text_is_replaced_at_once(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "report.html", "first")
    write_whole(tmp_path / "a" / "report.html", "第二 \ud800")  # half a character cannot be encoded
    assert (tmp_path / "a" / "report.html").read_text(encoding="utf-8") == "第二 ?"
    assert len(list((tmp_path / "a").iterdir())) == 1
