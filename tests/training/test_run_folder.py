"""The run folder: what a run leaves beside its model, and that a run that was stopped leaves the same."""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.errors import MissingExtraError, TrainingError
from gatewise.model.config import Config
from gatewise.model.config_reading import config_from_dict
from gatewise.training.events import BatchReport, EpochReport, Listeners, StartReport
from gatewise.training.loop import train_tagger
from gatewise.training.prepare import prepare
from gatewise.training.run import run_folder, run_training
from gatewise.training.splits import Files, read_splits
from gatewise.training.stopping import StoppedError

pytestmark = pytest.mark.torch

VARYING = {"time", "tokens_per_second", "seconds", "slowest"}  # what a clock says


def make_config(**training: Any) -> Config:
    table: dict[str, Any] = {
        "features": {"token_dim": 5, "bigram_dim": 3},
        "encoder": {"hidden": 5},
        "training": {"epochs": 4, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "threads": 1},
    }
    table["training"] |= {"checkpoint_seconds": 0} | training
    return config_from_dict(table, where="test")


def train(tiny: Path, folder: Path, config: Config, *, file: str = "spans.conll", **options: Any) -> Any:
    files = Files(train=tiny / file, dev=tiny / file, test=tiny / file)
    return run_training(read_splits(config, files), files, folder, **options)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    text = (run_folder(folder) / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def steady(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in VARYING}


def stopping_after(calls: int) -> Callable[[], bool]:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked >= calls

    return should_stop


def test_what_a_run_leaves(tiny: Path, tmp_path: Path) -> None:
    result = train(tiny, tmp_path / "model", make_config())
    folder = tmp_path / "model.run"
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.jsonl", "report.html"]  # no checkpoint
    assert result.report == folder / "report.html"
    lines = lines_of(tmp_path / "model")
    kinds = [line["kind"] for line in lines]
    assert kinds == ["start", *["batch", "batch", "batch", "epoch"] * 4, "end"]  # 12 sentences, 4 a batch
    assert [line["step"] for line in lines if line["kind"] == "epoch"] == [3, 6, 9, 12]
    first, second = [line for line in lines if line["kind"] == "epoch"][:2]
    assert first["learning_rate"] == pytest.approx(0.03 * (1 - (2 / 3) / 4))  # of the third of 3 batches in 4 epochs
    assert second["dev"]["labels"].keys() >= {"PER", "LOC"}
    assert second["dev_score"] == pytest.approx(100 * second["dev"]["F1"])
    assert [(entry["layer"], entry["direction"]) for entry in second["gates"]] == [(0, "forward"), (0, "reverse")]
    hardest = second["hardest"]
    assert [entry["loss_per_token"] for entry in hardest] == sorted(
        (entry["loss_per_token"] for entry in hardest), reverse=True
    )
    assert len({entry["sentence"] for entry in hardest}) == 10
    assert lines[-1]["scores"].keys() == {"dev", "test"}
    assert lines[-1]["scores"]["test"]["F1"] == result.scores["test"].main


def test_dev_loss_is_the_mean_over_its_sentences(tiny: Path) -> None:
    """The hardest sentences of a dev split of few are all of them; their losses make up the mean."""
    seen: list[EpochReport] = []

    class Watcher:
        def on_batch(self, report: BatchReport) -> None: ...

        def on_epoch(self, report: EpochReport) -> None:
            seen.append(report)

    corpus = read_splits(make_config(), Files(train=tiny / "spans.conll", dev=tiny / "spans.conll"))
    odd = corpus.dev[0].with_tags(["S-NEW", *["O"] * (len(corpus.dev[0]) - 1)])
    train_tagger(prepare(corpus.config, corpus.train, [*corpus.dev, odd]), Watcher())
    for report in seen:
        assert len(report.dev_losses) == len(report.dev_tags) == 13
        assert report.dev_losses[12] == float("inf")  # a tag that training does not know
        assert report.dev_loss == pytest.approx(sum(report.dev_losses[:12]) / 12)
        assert all(loss > 0 for loss in report.dev_losses)
    assert seen[-1].dev_loss is not None
    assert seen[0].dev_loss is not None
    assert seen[-1].dev_loss < seen[0].dev_loss


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5, 7, 12, 15, 16])
def test_a_run_that_was_stopped_ends_with_the_same_lines(tiny: Path, tmp_path: Path, stop: int) -> None:
    """Stopped at any question: within an epoch, at its last batch, after its end, after the last epoch."""
    config = make_config()
    train(tiny, tmp_path / "whole", config)
    with pytest.raises(StoppedError):
        train(tiny, tmp_path / "model", config, should_stop=stopping_after(stop))
    with (tmp_path / "model.run" / "metrics.jsonl").open("a") as stream:  # written after the checkpoint, then killed
        if stop < 16:  # after the last question there is no step left to write
            stream.write(json.dumps({"kind": "batch", "step": 99, "fraction": 0.99}) + "\n")
        stream.write('{"kind":"ba')
    again = train(tiny, tmp_path / "model", config, resume=True)
    found, expected = lines_of(tmp_path / "model"), lines_of(tmp_path / "whole")
    assert list(map(steady, found)) == list(map(steady, expected))
    assert again.scores["test"].main == expected[-1]["scores"]["test"]["F1"]


def test_a_new_run_begins_a_new_folder(tiny: Path, tmp_path: Path) -> None:
    train(tiny, tmp_path / "model", make_config(epochs=3))
    (tmp_path / "model.run" / "notes.txt").write_text("mine")
    train(tiny, tmp_path / "model", make_config(epochs=1), resume=True)  # nothing to go on from
    assert [line["kind"] for line in lines_of(tmp_path / "model")].count("epoch") == 1
    assert (tmp_path / "model.run" / "notes.txt").read_text() == "mine"


def test_batch_lines_are_thinned_alike_however_often_a_run_stops(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatewise.training.run_log.BATCH_LINES", 7)
    config = make_config(epochs=6)
    train(tiny, tmp_path / "whole", config)
    steps = [line["step"] for line in lines_of(tmp_path / "whole") if line["kind"] == "batch"]
    assert 6 <= len(steps) <= 8
    for _ in range(9):
        with pytest.raises(StoppedError):
            train(tiny, tmp_path / "model", config, resume=True, should_stop=stopping_after(2))
    train(tiny, tmp_path / "model", config, resume=True)
    assert [line["step"] for line in lines_of(tmp_path / "model") if line["kind"] == "batch"] == steps


def test_the_report_is_there_after_each_epoch_and_says_whether_the_run_is_done(tiny: Path, tmp_path: Path) -> None:
    states = []

    class Watcher:
        def on_batch(self, report: BatchReport) -> None:
            path = tmp_path / "model.run" / "report.html"
            states.append(path.read_text(encoding="utf-8").count('"done":false') if path.exists() else None)

        def on_epoch(self, report: EpochReport) -> None: ...

    result = train(tiny, tmp_path / "model", make_config(epochs=2), listener=Watcher())
    assert states == [None, None, None, 1, 1, 1]
    page = result.report.read_text(encoding="utf-8")
    assert '"done":true' in page
    assert '"test":{"main":' in page


@pytest.mark.parametrize(
    ("file", "sections"),
    [
        ("tags.conll", {"task": {"tokenizer": "whitespace"}}),
        ("segmentation.conllu", {"task": {"kind": "segmentation"}}),
        ("chunks.conll", {"encoder": {"kind": "rnn", "hidden": 4, "layers": 2}}),
    ],
)
def test_other_tasks_and_an_rnn(tiny: Path, tmp_path: Path, file: str, sections: dict[str, Any]) -> None:
    table = {**make_config(epochs=2).to_dict(), **sections}
    train(tiny, tmp_path / "model", config_from_dict(table, where="test"), file=file)
    lines = lines_of(tmp_path / "model")
    epoch = [line for line in lines if line["kind"] == "epoch"][-1]
    assert bool(epoch["gates"]) == ("encoder" not in sections)
    assert epoch["hardest"]
    page = (tmp_path / "model.run" / "report.html").read_text(encoding="utf-8")
    assert f'"score_name":"{"accuracy" if file == "tags.conll" else "F1"}"' in page


def test_without_dev_the_last_weights_are_kept(tiny: Path, tmp_path: Path) -> None:
    files = Files(train=tiny / "spans.conll")
    run_training(read_splits(make_config(epochs=2), files), files, tmp_path / "model")
    epochs = [line for line in lines_of(tmp_path / "model") if line["kind"] == "epoch"]
    assert [(line["dev"], line["dev_loss"], line["hardest"], line["is_best"]) for line in epochs] == [
        (None, None, [], True)
    ] * 2
    assert '"kept":1' in (tmp_path / "model.run" / "report.html").read_text(encoding="utf-8")


def test_a_run_folder_that_cannot_be_written_is_told(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "model.run").write_text("a file")
    with pytest.raises(TrainingError, match=r"model\.run.*cannot be"):
        train(tiny, tmp_path / "model", make_config(checkpoint_seconds=600))
    assert (tmp_path / "model.run").read_text() == "a file"


def test_listeners_are_told_in_order_and_the_start_only_to_who_asks() -> None:
    told: list[str] = []

    class Plain:
        def on_batch(self, report: Any) -> None:
            told.append("plain batch")

        def on_epoch(self, report: Any) -> None:
            told.append("plain epoch")

    class Asking(Plain):
        def on_start(self, report: Any) -> None:
            told.append("start")

    both: Any = Listeners(Plain(), Asking())
    both.on_start(StartReport())
    both.on_batch(None)
    both.on_epoch(None)
    assert told == ["start", "plain batch", "plain batch", "plain epoch", "plain epoch"]


# TensorBoard


def events_in(folder: Path) -> list[Any]:
    """The events of all files, oldest first, read as the TFRecord format has them: length, its sum, data, its sum."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        content, at = path.read_bytes(), 0
        while at < len(content):
            (length,) = struct.unpack_from("<Q", content, at)
            found.append(Event.FromString(content[at + 12 : at + 12 + length]))
            at += 16 + length
    return found


def scalars_in(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """By name: step and value, without what a later start has made void (TensorBoard's rule for a restart)."""
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events_in(folder):
        if event.session_log.status == event.session_log.START and event.HasField("session_log"):
            found = {name: [point for point in points if point[0] < event.step] for name, points in found.items()}
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_events_tell_what_the_lines_tell(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    config = make_config(tensorboard=True)
    train(tiny, tmp_path / "model", make_config(tensorboard=True, epochs=2))  # replaced by the next one
    train(tiny, tmp_path / "model", config)
    lines = lines_of(tmp_path / "model")
    found = scalars_in(tmp_path / "model.run" / "tensorboard")
    epochs = [line for line in lines if line["kind"] == "epoch"]
    batches = [line for line in lines if line["kind"] == "batch"]
    for name, expected in {
        "train/loss": [(line["step"], line["loss"]) for line in epochs],
        "batch/gradient_norm": [(line["step"], line["gradient_norm"]) for line in batches],
        "dev/F1": [(line["step"], line["dev"]["F1"]) for line in epochs],
        "dev_label/PER": [(line["step"], line["dev"]["labels"]["PER"]["f1"]) for line in epochs],
        "gates_layer1_reverse/f_open": [
            (line["step"], line["gates"][1]["open"]["f"]) for line in lines if line.get("gates")
        ],
        "end_test/F1": [(12, lines[-1]["scores"]["test"]["F1"])],
    }.items():
        assert [step for step, _ in found[name]] == [step for step, _ in expected], name
        assert [value for _, value in found[name]] == pytest.approx([value for _, value in expected]), name


def test_events_of_a_run_that_was_stopped_are_those_of_one_that_was_not(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    config = make_config(tensorboard=True)
    train(tiny, tmp_path / "whole", config)
    for stop in (3, 3, 2, 4, 4):  # the last time, no step is left
        with pytest.raises(StoppedError):
            train(tiny, tmp_path / "model", config, resume=True, should_stop=stopping_after(stop))
    train(tiny, tmp_path / "model", config, resume=True)
    found, expected = (scalars_in(tmp_path / name / "tensorboard") for name in ("model.run", "whole.run"))
    assert found.keys() == expected.keys()
    for name in ("dev/loss", "batch/loss", "end_test/F1", "gates_layer1_forward/f_open"):
        assert found[name] == expected[name]


def test_a_missing_package_is_told_before_training(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtraError, match=r'pip install "gatewise\[tensorboard\]", or set it to false'):
        train(tiny, tmp_path / "model", make_config(tensorboard=True))
    assert not os.listdir(tmp_path)


def test_events_may_be_turned_on_when_a_run_goes_on(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    with pytest.raises(StoppedError):
        train(tiny, tmp_path / "model", make_config(), should_stop=stopping_after(6))
    train(tiny, tmp_path / "model", make_config(tensorboard=True), resume=True)
    assert [step for step, _ in scalars_in(tmp_path / "model.run" / "tensorboard")["train/loss"]] == [6, 9, 12]
