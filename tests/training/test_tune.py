"""The search for settings: what it finds, what it keeps, and that a kill at any moment changes nothing in the end."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
optuna = pytest.importorskip("optuna")
pytest.importorskip("tomli_w")

from gatewise.errors import TrainingError  # noqa: E402
from gatewise.model.config_reading import config_from_dict, read_config  # noqa: E402
from gatewise.training.loop import train_tagger  # noqa: E402
from gatewise.training.prepare import prepare  # noqa: E402
from gatewise.training.space import changed, space_from_dict  # noqa: E402
from gatewise.training.splits import Files, read_splits  # noqa: E402
from gatewise.training.study import Trial  # noqa: E402
from gatewise.training.tune import Search, search  # noqa: E402

pytestmark = pytest.mark.torch

SMALL: dict[str, Any] = {
    "name": "names",
    "features": {"token_dim": 5, "bigram_dim": 3},
    "encoder": {"hidden": 6},
    "training": {
        "epochs": 8, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "dropout": 0.0, "threads": 1,
        "patience": 8,
    },
}  # fmt: skip
SPACE: dict[str, Any] = {
    "encoder": {"hidden": {"low": 2, "high": 8}},
    "training": {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}, "batch_size": {"choices": [2, 4, 8]}},
}
SETTINGS = """
name = "names"
[features]
token_dim = 5
bigram_dim = 3
[encoder]
hidden = 6
[training]
epochs = {epochs}
batch_size = 4
learning_rate = 0.03
averaging = 0.9
dropout = 0.0
threads = 1
patience = 100
"""
SPACE_FILE = """
[encoder]
hidden = { low = 2, high = 8 }
[training]
learning_rate = { low = 0.001, high = 0.1, log = true }
batch_size = { choices = [2, 4, 8] }
"""
WAIT = 120  # seconds until a process has done what it should


class Notes:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.epochs = 0
        self.results: list[tuple[Trial, bool]] = []

    def on_trial(self, number: int) -> None:
        self.begun.append(number)

    def on_epoch(self, report: Any) -> None:
        self.epochs += 1

    def on_result(self, trial: Trial, *, is_best: bool) -> None:
        self.results.append((trial, is_best))


def run_search(corpus: Path, folder: Path, *, space: dict[str, Any] = SPACE, **options: Any) -> tuple[Search, Notes]:
    config = config_from_dict(SMALL, where="test")
    splits = read_splits(config, Files(train=corpus, dev=corpus))
    notes, dimensions = Notes(), space_from_dict(space, splits.config, where="test")
    return search(splits, config, dimensions, folder, notes, **{"trials": 4} | options), notes


def timeless(trials: tuple[Trial, ...]) -> list[tuple[Any, ...]]:
    return [(trial.number, trial.state, trial.score, trial.epochs, trial.values, trial.why) for trial in trials]


def states(folder: Path) -> list[str]:
    """What an independent reader of the journal makes of each trial."""
    journal = optuna.storages.journal.JournalFileBackend(str(folder / "journal.jsonl"))
    study = optuna.load_study(study_name="gatewise", storage=optuna.storages.JournalStorage(journal))
    return [trial.state.name for trial in study.trials]


def test_a_configuration_with_heads_is_kept_whole(tiny: Path, tmp_path: Path) -> None:
    corpus = tiny / "spans.conll"
    table = SMALL | {"heads": {"again": {"train": str(corpus), "scheme": "BIO", "label_weights": {"PER": 2.0}}}}
    config = config_from_dict(table, where="test")
    splits = read_splits(config, Files(train=corpus, dev=corpus))
    space = space_from_dict({"training": {"epochs": {"low": 1, "high": 2}}}, splits.config, where="test")
    found = search(splits, config, space, tmp_path / "study", Notes(), trials=1)
    assert found.config is not None
    assert found.config.heads == config.heads
    assert read_config(tmp_path / "study" / "best.toml") == found.config


def test_trials_are_trainings_and_the_best_one_is_kept(tiny: Path, tmp_path: Path) -> None:
    corpus = tiny / "spans.conll"
    found, notes = run_search(corpus, tmp_path / "study")
    assert notes.begun == [1, 2, 3, 4]
    assert [trial for trial, _ in notes.results] == list(found.trials)
    assert notes.epochs == sum(trial.epochs for trial in found.trials)
    assert found.trials[0].values == {"encoder.hidden": 6, "training.learning_rate": 0.03, "training.batch_size": 4}
    given = config_from_dict(SMALL, where="test")
    for trial in found.trials:
        splits = read_splits(changed(given, trial.values, where="test"), Files(train=corpus, dev=corpus))
        trained = train_tagger(prepare(splits.config, splits.train, splits.dev))
        assert trial.score == trained.dev_score
    assert found.best is not None
    assert found.best.score == max(trial.score or 0.0 for trial in found.trials)
    bests = [trial.score or 0.0 for trial, is_best in notes.results if is_best]
    assert bests == sorted(set(bests))
    assert bests[-1] == found.best.score
    assert read_config(tmp_path / "study" / "best.toml") == found.config
    assert found.config == changed(given, found.best.values, where="test")


def test_what_is_kept_is_what_was_given_and_what_was_searched(tiny: Path, tmp_path: Path) -> None:
    run_search(tiny / "spans.conll", tmp_path / "study", trials=1, space={"encoder": {"layers": {"low": 1, "high": 2}}})
    text = (tmp_path / "study" / "best.toml").read_text(encoding="utf-8")
    assert text.startswith("# Trial 1 of a search with gatewise tune; best score on dev: ")
    keys = re.findall(r"^(\w+) = ", text, flags=re.MULTILINE)
    assert set(keys) == {
        "name", "token_dim", "bigram_dim", "hidden", "layers", "epochs", "batch_size", "learning_rate", "averaging",
        "dropout", "threads", "patience",
    }  # fmt: skip


def test_a_search_goes_on_where_it_was(tiny: Path, tmp_path: Path) -> None:
    whole, _ = run_search(tiny / "spans.conll", tmp_path / "whole", trials=6)
    run_search(tiny / "spans.conll", tmp_path / "parts", trials=2)
    parts, notes = run_search(tiny / "spans.conll", tmp_path / "parts", trials=6, resume=True)
    assert notes.begun == [3, 4, 5, 6]
    assert timeless(parts.trials) == timeless(whole.trials)
    assert len({str(trial.values) for trial in whole.trials}) > 4  # it does search
    again, notes = run_search(tiny / "spans.conll", tmp_path / "parts", trials=6, resume=True)
    assert (notes.begun, timeless(again.trials)) == ([], timeless(whole.trials))
    names = [(tmp_path / name / "best.toml").read_bytes() for name in ("whole", "parts")]
    assert names[0] == names[1]


def test_being_asked_to_stop_breaks_the_trial_off_and_no_more(tiny: Path, tmp_path: Path) -> None:
    whole, _ = run_search(tiny / "spans.conll", tmp_path / "whole", trials=3)
    steps = iter([False] * 60)
    stopped, _ = run_search(tiny / "spans.conll", tmp_path / "parts", trials=3, should_stop=lambda: next(steps, True))
    assert stopped.stopped
    assert len(stopped.trials) < 3
    assert states(tmp_path / "parts")[-1] == "FAIL"
    parts, _ = run_search(tiny / "spans.conll", tmp_path / "parts", trials=3, resume=True)
    assert timeless(parts.trials) == timeless(whole.trials)
    assert not parts.stopped


def test_no_trial_begins_after_the_time_is_over(tiny: Path, tmp_path: Path) -> None:
    found, notes = run_search(tiny / "spans.conll", tmp_path / "study", timeout=0.0)
    assert (found.trials, found.best, found.config, notes.begun) == ((), None, None, [])
    found, notes = run_search(tiny / "spans.conll", tmp_path / "study", timeout=1e-6, trials=9, resume=True)
    assert notes.begun == []


def test_trials_below_the_median_and_those_that_diverge_end_early(tiny: Path, tmp_path: Path) -> None:
    space = {"training": {"learning_rate": {"choices": [0.03, 0.05, 0.000001, 1000.0]}}}
    found, _ = run_search(tiny / "spans.conll", tmp_path / "study", space=space, trials=14)
    assert found.best is not None
    assert found.best.values["training.learning_rate"] in (0.03, 0.05)
    complete = [trial for trial in found.trials if trial.state == "complete"]
    assert all(trial.epochs == 8 and not trial.why for trial in complete)
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert {trial.why for trial in pruned} <= {"below the median", "diverged"}
    below = [trial for trial in pruned if trial.why == "below the median"]
    assert below
    for trial in below:
        assert 3 <= trial.epochs < 8
        assert len([other for other in complete if other.number < trial.number]) >= 5
        assert (trial.score or 0.0) < (found.best.score or 0.0)


def test_a_loss_that_is_not_finite_is_a_result_too(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gatewise.training import tune
    from gatewise.training.stopping import DivergedError

    def diverge(*arguments: Any, **options: Any) -> None:
        raise DivergedError("step 3: expected a finite loss, found nan")

    monkeypatch.setattr(tune, "train_tagger", diverge)
    found, notes = run_search(tiny / "spans.conll", tmp_path / "study", trials=2)
    assert [(trial.state, trial.why, trial.score) for trial in found.trials] == [("pruned", "diverged", None)] * 2
    assert (found.best, [is_best for _, is_best in notes.results]) == (None, [False, False])
    assert not (tmp_path / "study" / "best.toml").exists()


def test_an_error_that_is_none_of_these_ends_the_search_and_the_trial(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatewise.training import tune

    monkeypatch.setattr(tune, "train_tagger", lambda *arguments, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_search(tiny / "spans.conll", tmp_path / "study")
    monkeypatch.undo()
    assert states(tmp_path / "study") == ["FAIL"]
    found, _ = run_search(tiny / "spans.conll", tmp_path / "study", trials=1, resume=True)
    assert found.trials[0].values == {"encoder.hidden": 6, "training.learning_rate": 0.03, "training.batch_size": 4}


def test_folders_in_the_way_and_studies_of_something_else_are_refused(tiny: Path, tmp_path: Path) -> None:
    corpus, folder = tiny / "spans.conll", tmp_path / "study"
    run_search(corpus, folder, trials=1)
    with pytest.raises(TrainingError, match="study: expected no study, found one; go on with --resume, or choose"):
        run_search(corpus, folder)
    with pytest.raises(TrainingError, match="expected the study of this space, found one of another"):
        run_search(corpus, folder, space={"encoder": {"hidden": {"low": 2, "high": 9}}}, resume=True)
    with pytest.raises(TrainingError, match="expected the study of this configuration or data, found one of another"):
        run_search(tiny / "chunks.conll", folder, resume=True)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").write_text("years")
    (tmp_path / "file").write_text("")
    for name in ("taken", "file"):
        with pytest.raises(TrainingError, match=f"{name}: expected no folder or a study to go on with"):
            run_search(corpus, tmp_path / name, resume=True)
    config = config_from_dict(SMALL, where="test")
    splits = read_splits(config, Files(train=corpus))
    with pytest.raises(TrainingError, match="tuning: expected dev sentences"):
        search(splits, config, space_from_dict(SPACE, config, where="test"), folder, Notes(), trials=1)


def test_a_torn_line_and_a_lock_left_behind_are_mended_and_other_damage_is_told(tiny: Path, tmp_path: Path) -> None:
    corpus, folder = tiny / "spans.conll", tmp_path / "study"
    run_search(corpus, folder, trials=1)
    journal = folder / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole.splitlines(keepends=True)[-1][:-7])
    (folder / "journal.jsonl.lock").touch()
    began = time.monotonic()
    found, _ = run_search(corpus, folder, trials=2, resume=True)
    assert len(found.trials) == 2
    assert time.monotonic() - began < 25  # Optuna would wait 30 s for the lock
    journal.write_bytes(whole.replace(b"{", b"?", 1))
    with pytest.raises(TrainingError, match="expected Optuna's journal, found a damaged file"):
        run_search(corpus, folder, resume=True)


def command(tiny: Path, here: Path, study: str, *options: str) -> list[str]:
    corpus = str(tiny / "spans.conll")
    (here / "small.toml").write_text(SETTINGS.replace("{epochs}", "30"), encoding="utf-8")
    (here / "space.toml").write_text(SPACE_FILE, encoding="utf-8")
    return [
        sys.executable, "-m", "gatewise", "tune", corpus, "--dev", corpus, "-o", str(here / study),
        "--config", str(here / "small.toml"), "--space", str(here / "space.toml"), "--trials", "5", *options,
    ]  # fmt: skip


def lines(folder: Path) -> list[dict[str, Any]]:
    """The journal so far; its last line may be in the making."""
    journal = folder / "journal.jsonl"
    whole = journal.read_bytes().rpartition(b"\n")[0] if journal.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


def kill_within(arguments: list[str], folder: Path, reports: int) -> None:
    """Start a search and kill it once its journal has so many reports of epochs more, that is within a trial."""

    def told() -> int:
        return sum("intermediate_value" in line for line in lines(folder))

    wanted = told() + reports
    with open(os.devnull, "w") as nowhere, subprocess.Popen(arguments, stdout=nowhere, stderr=nowhere) as process:
        deadline = time.monotonic() + WAIT
        while told() < wanted:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait(WAIT) == -signal.SIGKILL


def test_a_search_killed_within_trials_ends_as_one_that_was_not(tiny: Path, tmp_path: Path) -> None:
    whole = subprocess.run(command(tiny, tmp_path, "whole"), capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stderr
    draws = random.SystemRandom()
    first, second = draws.randint(1, 50), draws.randint(1, 25)
    kill_within(command(tiny, tmp_path, "killed"), tmp_path / "killed", first)
    kill_within(command(tiny, tmp_path, "killed", "--resume"), tmp_path / "killed", second)
    shutil.copytree(tmp_path / "killed", tmp_path / "copy")
    assert states(tmp_path / "copy").count("RUNNING") <= 1
    done = subprocess.run(command(tiny, tmp_path, "killed", "--resume"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, (first, second, done.stderr)
    assert done.stdout == whole.stdout, (first, second)
    assert (tmp_path / "killed" / "best.toml").read_bytes() == (tmp_path / "whole" / "best.toml").read_bytes()
    found = states(tmp_path / "killed")
    assert found.count("FAIL") in (1, 2)  # a kill right after a trial's last report finds none at work
    assert len(found) - found.count("FAIL") == 5
    assert "RUNNING" not in found


def test_ctrl_c_keeps_what_is_done_and_one_process_has_the_study(
    gatewise_command: Any, tiny: Path, tmp_path: Path
) -> None:
    arguments, log = command(tiny, tmp_path, "study", "--set", "training.epochs=100000"), tmp_path / "log"
    with log.open("w") as stream, subprocess.Popen(arguments, stdout=stream, stderr=stream) as process:
        deadline = time.monotonic() + WAIT
        while not any("intermediate_value" in line for line in lines(tmp_path / "study")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        ran = gatewise_command(*arguments[3:], "--resume")
        assert ran.code == 2
        assert ran.err.endswith("expected a study that nobody works on, found another process at it\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT) == 130
    text = log.read_text()
    assert "stopped after 0 of 5 trials; go on with --resume\n" in text
    assert "Traceback" not in text


def test_the_table_fits_80_columns_with_the_default_space(gatewise_command: Any, tiny: Path, tmp_path: Path) -> None:
    corpus, folder = tiny / "spans.conll", tmp_path / "study"
    ran = gatewise_command(
        "tune", corpus, "--dev", corpus, "-o", folder, "--trials", 2, "--set", "training.epochs=1", "--timeout", "1h",
        "--seed", 4, "--device", "cpu",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert max(len(line.rstrip()) for line in ran.out.splitlines()) <= 80
    assert re.search(r"^best: trial \d, F1 [\d.]+; the configuration as given: [\d.]+$", ran.out, re.MULTILINE)
    told = ran.err.splitlines()[-1]
    assert told == f"gatewise train {corpus} --dev {corpus} --config {folder / 'best.toml'} -o MODEL"
    assert gatewise_command(*told.split()[1:-1], tmp_path / "model").code == 0
    stored = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))["config"]
    assert (stored["training"]["seed"], stored["training"]["device"]) == (4, "cpu")


def test_the_command_refuses_in_a_sentence(gatewise_command: Any, tiny: Path, tmp_path: Path) -> None:
    corpus = tiny / "spans.conll"
    (tmp_path / "space.toml").write_text("[encoder]\nhiden = { low = 1, high = 2 }\n")
    for arguments, message in {
        ("no.conll", "--dev", corpus): r"no\.conll: expected a file, found nothing",
        (corpus, "--dev", "no.conll"): r"no\.conll: expected a file, found nothing",
        (corpus, "--dev", corpus, "--space", tmp_path / "space.toml"): "unknown key 'encoder.hiden'; did you mean",
        (corpus, "--dev", corpus, "--set", "encoder.hiden=3"): "did you mean 'encoder.hidden'",
    }.items():
        ran = gatewise_command("tune", *arguments, "-o", tmp_path / "study")
        assert ran.code == 2
        assert re.search(message, ran.err), ran.err
        assert ran.err.startswith("error: ")
        assert len(ran.err.splitlines()) == 1
        assert not (tmp_path / "study").exists()
    for wrong in (["--timeout", "soon"], ["--trials", "0"], ["--dev", corpus]):
        ran = gatewise_command("tune", corpus, "--dev", corpus, *wrong)
        assert (ran.code, ran.err.startswith("Usage: ")) == (2, True)
