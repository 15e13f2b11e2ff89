"""`gatewise.train`: the same model as the command line makes, callbacks that watch and stop, sentences in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import gatewise  # noqa: E402
from gatewise.errors import ConfigError, FormatError, ModelError, TrainingError  # noqa: E402
from gatewise.formats import read_sentences  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.text import sentence_from_forms  # noqa: E402
from gatewise.training.events import BatchReport, EpochReport  # noqa: E402

pytestmark = pytest.mark.torch

SMALL: dict[str, Any] = {
    "features": {"token_dim": 5, "bigram_dim": 3},
    "encoder": {"hidden": 5},
    "training": {"epochs": 6, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "threads": 1, "seed": 7},
}
TOML = """
[features]
token_dim = 5
bigram_dim = 3
[encoder]
hidden = 5
[training]
epochs = 6
batch_size = 4
learning_rate = 0.03
averaging = 0.9
threads = 1
seed = 7
"""


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> gatewise.TrainResult:
    """A run on files, with nothing said but the configuration."""
    corpus = Path(__file__).parents[1] / "data" / "tiny" / "spans.conll"
    folder = tmp_path_factory.mktemp("plain") / "model"
    return gatewise.train(SMALL, train=corpus, dev=corpus, test=str(corpus), output=folder)


def test_the_command_line_makes_the_same_model(
    gatewise_command: Any, plain: gatewise.TrainResult, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "small.toml").write_text(TOML, encoding="utf-8")
    corpus, folder = tiny / "spans.conll", tmp_path / "model"
    ran = gatewise_command(
        "train", corpus, "--dev", corpus, "--test", corpus, "-o", folder, "--config", tmp_path / "small.toml",
        "--device", "cpu",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert weights(folder) == weights(plain.folder)
    for name in ("model.onnx", "vocabulary.json"):
        assert (folder / name).read_bytes() == (plain.folder / name).read_bytes()


def test_what_comes_back(plain: gatewise.TrainResult) -> None:
    assert plain.tagger.labels == gatewise.load(plain.folder).labels
    assert plain.tagger.tag("小明住在北京。") == gatewise.load(plain.folder).tag("小明住在北京。")
    assert set(plain.scores) == set(plain.calibrations) == {"dev", "test"}
    assert plain.calibrations["test"].after.temperature == plain.tagger.temperature
    assert (plain.config.task.kind, plain.config.task.tokenizer) == ("spans", "characters")
    assert [report.epoch for report in plain.history] == [1, 2, 3, 4, 5, 6]
    kept = [report for report in plain.history if report.is_best][-1]
    assert kept.dev_score == max(report.dev_score or 0.0 for report in plain.history)
    assert 100 * plain.scores["dev"].main == pytest.approx(kept.dev_score)


def test_every_way_to_say_the_configuration(plain: gatewise.TrainResult, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(TOML, encoding="utf-8")
    said: list[Any] = [config_from_dict(SMALL, where="test"), tmp_path / "small.toml", str(tmp_path / "small.toml")]
    for number, config in enumerate(said):
        folder = tmp_path / str(number)
        gatewise.train(config, train=tiny / "spans.conll", dev=tiny / "spans.conll", output=folder)
        assert weights(folder) == weights(plain.folder)
    other = gatewise.train(said[0], train=tiny / "spans.conll", dev=tiny / "spans.conll", output=tmp_path / "x", seed=8)
    assert weights(other.folder) != weights(plain.folder)
    assert other.config.training.seed == 8
    assert gatewise.train(train=tiny / "tags.conll", output=tmp_path / "defaults").config.training == Config().training


@pytest.mark.parametrize("name", ["spans.conll", "tags.conll", "segmentation.conllu"])
def test_sentences_in_memory_train_as_their_file_does(name: str, tiny: Path, tmp_path: Path) -> None:
    config = {**SMALL, "task": {"kind": "segmentation"}} if name.endswith("conllu") else SMALL
    sentences = list(read_sentences(tiny / name))
    read = gatewise.train(config, train=tiny / name, dev=tiny / name, test=tiny / name, output=tmp_path / "file")
    held = gatewise.train(config, train=sentences, dev=iter(sentences), test=sentences, output=tmp_path / "memory")
    assert weights(held.folder) == weights(read.folder)
    assert held.scores == read.scores
    assert held.config == read.config


class Watcher:
    """Listens to one kind of event, and stops at the one asked for."""

    def __init__(self, event: str, stop_at: int) -> None:
        self.seen: list[Any] = []
        self.stop_at = stop_at
        setattr(self, event, self.hear)

    def hear(self, report: BatchReport | EpochReport) -> None:
        self.seen.append(report)
        if len(self.seen) == self.stop_at:
            raise gatewise.StopTraining


def test_a_callback_stops_after_an_epoch_and_all_hear_of_it(
    plain: gatewise.TrainResult, tiny: Path, tmp_path: Path
) -> None:
    first, second = Watcher("on_epoch", 2), Watcher("on_epoch", 0)
    corpus, folder = tiny / "spans.conll", tmp_path / "model"
    result = gatewise.train(SMALL, train=corpus, dev=corpus, output=folder, callbacks=[first, second])
    assert [report.epoch for report in first.seen] == [1, 2]
    assert second.seen == first.seen == list(result.history)
    assert [report.loss for report in result.history] == [report.loss for report in plain.history[:2]]
    assert not (tmp_path / "model.run" / "checkpoint.safetensors").exists()
    assert result.scores["dev"].main * 100 == pytest.approx(max(report.dev_score for report in first.seen))


def test_a_callback_stops_within_an_epoch_whose_weights_count(tiny: Path, tmp_path: Path) -> None:
    watcher, corpus = Watcher("on_batch", 2), tiny / "spans.conll"
    result = gatewise.train(SMALL, train=corpus, dev=corpus, output=tmp_path / "two", callbacks=[watcher])
    assert [report.step for report in watcher.seen] == [1, 2]
    assert [(report.epoch, report.step) for report in result.history] == [(1, 2)]
    assert result.history[0].loss == pytest.approx(watcher.seen[-1].loss)
    assert result.scores["dev"].main * 100 == pytest.approx(result.history[0].dev_score)


def test_an_error_of_a_callback_is_its_own_and_the_run_can_go_on(
    plain: gatewise.TrainResult, tiny: Path, tmp_path: Path
) -> None:
    class Broken:
        def on_epoch(self, report: EpochReport) -> None:
            if report.epoch == 3:
                raise ZeroDivisionError("mine")

    corpus, folder = tiny / "spans.conll", tmp_path / "model"
    often = {**SMALL, "training": {**SMALL["training"], "checkpoint_seconds": 0}}
    with pytest.raises(ZeroDivisionError, match="mine"):
        gatewise.train(often, train=corpus, dev=corpus, output=folder, callbacks=[Broken()])
    assert not folder.exists()
    with pytest.raises(TrainingError, match="expected no unfinished run"):
        gatewise.train(often, train=corpus, dev=corpus, output=folder)
    result = gatewise.train(often, train=corpus, dev=corpus, output=folder, resume=True)
    assert weights(folder) == weights(plain.folder)
    assert [report.epoch for report in result.history] == [3, 4, 5, 6]


def test_what_cannot_be_trained_is_refused_in_a_sentence(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, folder = list(read_sentences(tiny / "spans.conll")), tmp_path / "model"
    bare = sentence_from_forms(["我", "在"])
    illegal = sentence_from_forms(["我", "在"], ["O", "I-PER"])

    def train(error: type[Exception], message: str, **changes: Any) -> None:
        with pytest.raises(error, match=message):
            gatewise.train(**({"config": SMALL, "train": good, "output": folder} | changes))

    train(ConfigError, "unknown key 'encoder.hiden'; did you mean", config={"encoder": {"hiden": 3}})
    train(ConfigError, "config: expected a Config, a dictionary or a path, found list", config=[1])
    wrong = replace(Config(), training=replace(Config().training, epochs=0))
    train(ConfigError, "training.epochs: expected a whole number of at least 1, found 0", config=wrong)
    train(ConfigError, "seed: training.seed: expected a whole number of at least 0, found -1", seed=-1)
    train(ConfigError, "seed: training.seed: expected a whole number, found 'x'", seed="x")
    train(FormatError, "train: sentence 2: expected a tag for every token, found none", train=[good[0], bare])
    train(FormatError, 'train: sentence 13, token 2: .*found "I-PER"', train=[*good, illegal, illegal])
    train(FormatError, 'dev: sentence 1, token 2: .*found "I-PER"', dev=[illegal, good[0], *good])
    train(TrainingError, "train: expected at least one sentence, found none", train=[])
    train(TrainingError, "test: expected at least one sentence, found none", test=[])
    train(TrainingError, "train: expected a path or sentences, found str", train=["我"])
    train(TrainingError, "dev: expected a path or sentences, found int", dev=3)
    train(FormatError, r"no\.conll: expected a file, found nothing", train=tmp_path / "no.conll")
    train(FormatError, r"no\.conll: expected a file, found nothing", test=tmp_path / "no.conll")
    train(
        TrainingError,
        "callbacks: expected objects with a method on_answers, on_start, on_batch, on_epoch, fo",
        callbacks=[print],
    )
    assert not folder.exists()
    folder.mkdir()
    (folder / "thesis.tex").write_text("years")
    train(ModelError, "expected no folder or a model to replace")
    monkeypatch.setenv("WORLD_SIZE", "2")
    train(TrainingError, "expected one process, found the environment of torch's launcher")


def test_nothing_of_torch_is_changed(tiny: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    config = {**SMALL, "training": {**SMALL["training"], "threads": threads + 1, "epochs": 1}}
    gatewise.train(config, train=tiny / "spans.conll", output=tmp_path / "model")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads
