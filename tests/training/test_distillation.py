"""Training beside teachers, from files to a folder: what counts how much, what raw text does and does not, going on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import gatewise  # noqa: E402
from gatewise.errors import TrainingError  # noqa: E402
from gatewise.formats import read_sentences  # noqa: E402
from gatewise.model.archive import open_model  # noqa: E402
from gatewise.model.config_reading import config_from_dict, read_config  # noqa: E402
from gatewise.text.sentence import Sentence  # noqa: E402
from gatewise.training import teachers  # noqa: E402
from gatewise.training.batches import collate  # noqa: E402
from gatewise.training.events import BatchReport, EpochReport  # noqa: E402
from gatewise.training.loop import train_tagger  # noqa: E402
from gatewise.training.losses import (  # noqa: E402
    all_margins,
    batch_emissions,
    batch_losses,
    sentence_losses,
    taught_losses,
)
from gatewise.training.predict import predict  # noqa: E402
from gatewise.training.prepare import Prepared, prepare  # noqa: E402
from gatewise.training.run import run_training  # noqa: E402
from gatewise.training.splits import Corpus, Files, read_splits  # noqa: E402
from gatewise.training.start import new_network  # noqa: E402
from gatewise.training.stopping import StoppedError  # noqa: E402

pytestmark = pytest.mark.torch

RAW = ("李明在上海读书。", "他爱北京", "鑫", "王芳从清华大学来。", "天气很好。")  # 鑫 is in no labeled sentence


class Recorder:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.batches: list[BatchReport] = []
        self.epochs: list[EpochReport] = []

    def on_batch(self, report: BatchReport) -> None:
        self.batches.append(report)

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


def corpus_of(train: Path, teaching: dict[str, Any] | None = None, **sections: Any) -> Corpus:
    table: dict[str, Any] = {
        "features": {"token_dim": 12, "bigram_dim": 8, "bigram_min_count": 1},
        "encoder": {"hidden": 16},
        "archive": {"numbers": "float32"},
        **sections,
    }
    table["training"] = {
        "epochs": 3,
        "batch_size": 3,
        "learning_rate": 0.01,
        "averaging": 0.9,
        "dropout": 0.2,
        "threads": 1,
    } | sections.get("training", {})
    if teaching:
        table["distillation"] = teaching
    return read_splits(config_from_dict(table, where="test"), Files(train=train, dev=train))


def prepared(train: Path, teaching: dict[str, Any] | None = None, **sections: Any) -> Prepared:
    corpus = corpus_of(train, teaching, **sections)
    return prepare(corpus.config, corpus.train, columns=corpus.columns)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "raw.txt"
    path.write_text("\n\n".join(RAW), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ensemble(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two models of names, trained until they know something, one of them with a softmax output and other features."""
    folder, found = tmp_path_factory.mktemp("teachers"), []
    for name, output in (("one", "crf"), ("two", "softmax")):
        features = {"token_dim": 12, "bigram_dim": 8 if output == "crf" else 0, "bigram_min_count": 1}
        corpus = corpus_of(
            tiny / "spans.conll",
            features=features,
            name=name,
            output={"kind": output},
            training={"epochs": 30, "seed": len(name), "dropout": 0.0, "unknown_weight": 0.1, "learning_rate": 0.02},
        )
        run_training(corpus, Files(train=tiny / "spans.conll", dev=tiny / "spans.conll"), folder / name)
        found.append(str(folder / name))
    return found


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(array, other[name]) for name, array in one.items())


def test_a_weight_of_0_is_training_without_teachers(tiny: Path, ensemble: list[str]) -> None:
    path = tiny / "spans.conll"
    without = train_tagger(prepared(path)).arrays
    assert same(without, train_tagger(prepared(path, {"teachers": ensemble, "weight": 0.0})).arrays)
    assert not same(without, train_tagger(prepared(path, {"teachers": ensemble, "weight": 0.01})).arrays)


def test_with_a_weight_of_1_gold_tags_say_nothing(tiny: Path, ensemble: list[str], tmp_path: Path) -> None:
    """Labels that stand elsewhere change nothing, and the student says what its teachers say."""
    text = (tiny / "spans.conll").read_text("utf-8")
    turned = text.replace("PER", "X").replace("LOC", "PER").replace("X", "LOC")
    (tmp_path / "turned.conll").write_text(turned, "utf-8")
    teaching = {"teachers": ensemble, "weight": 1.0}
    training = {"epochs": 40, "dropout": 0.0, "unknown_weight": 0.0, "learning_rate": 0.02}
    data = [prepared(path, teaching, training=training) for path in (tiny / "spans.conll", tmp_path / "turned.conll")]
    trained = [train_tagger(one) for one in data]
    assert same(trained[0].arrays, trained[1].arrays)
    network = new_network(data[0])
    for name, array in network.arrays().items():
        array.copy_(trained[0].arrays[name])
    sentences = list(read_sentences(tiny / "spans.conll"))
    said = predict(network, data[0].train, data[0].labels)
    taught = [gatewise.load(ensemble[0]).tag_sentences(sentences), gatewise.load(ensemble[1]).tag_sentences(sentences)]
    pairs = [
        (own, one)
        for tags, a, b in zip(said, *taught, strict=True)
        for own, one, two in zip(tags, a.tags or (), b.tags or (), strict=True)
        if one == two
    ]
    assert len(pairs) > 80
    assert sum(own == one for own, one in pairs) / len(pairs) > 0.9


@pytest.mark.parametrize("output", ["crf", "softmax"])
def test_what_counts_how_much(tiny: Path, raw: Path, ensemble: list[str], output: str) -> None:
    """The loss of each sentence of a batch that mixes all kinds, put together from its parts."""
    data = prepared(
        tiny / "spans.conll",
        {"teachers": ensemble, "weight": 0.3, "raw": str(raw), "raw_weight": 0.7},
        output={"kind": output},
        training={"label_weights": {"PER": 3.0}},
        heads={"again": {"train": str(tiny / "spans.conll"), "scheme": "BIO", "weight": 2.0}},
    )
    labeled, network = len(data.train) - len(RAW), new_network(data).eval()
    [batch] = collate(data.train, [[*range(labeled - 3, len(data.train))]])
    assert batch.taught is not None
    assert batch.taught.columns is None
    margins = all_margins(data)
    with torch.no_grad():
        states = network.states(batch.inputs, batch.lengths)
        emissions = batch_emissions(network, states, batch)
        found = batch_losses(network, emissions, batch, margins)
        whole = network.heads[""](states)
        taught = taught_losses(network.heads[""], whole, batch.taught)
        gold = sentence_losses(network, whole[:, :3], replace(batch, tags=batch.tags[:, :3], lengths=batch.lengths[:3]),
                               margins[""])  # fmt: skip
        again = batch_losses(network, emissions, replace(batch, taught=None, gold_share=0.0), margins)
    assert found[:3].tolist() == pytest.approx((again[:3] + 0.7 * gold + 0.3 * taught[:3]).tolist(), rel=1e-5)
    assert found[3:].tolist() == pytest.approx((0.7 * taught[3:]).tolist(), rel=1e-5)
    assert not again[3:].any()
    assert (again[:3] > 0.1).all()


def test_raw_sentences_are_read_and_nothing_else(tiny: Path, raw: Path, ensemble: list[str]) -> None:
    path = tiny / "spans.conll"
    teaching = {"teachers": ensemble, "weight": 0.0, "raw": str(raw)}
    plain, data, heard = prepared(path), prepared(path, teaching), Recorder()
    assert data.vocabularies == plain.vocabularies
    assert "鑫" not in data.vocabularies["tokens"]
    assert data.labels == plain.labels
    assert {name: rate.tolist() for name, rate in data.unknown_rates.items()} == {
        name: rate.tolist() for name, rate in plain.unknown_rates.items()
    }
    assert data.train.labeled == (True,) * len(plain.train) + (False,) * len(RAW)
    assert data.train.lengths[len(plain.train) :] == tuple(map(len, RAW))
    train_tagger(data, heard)
    for epoch in (1, 2, 3):
        read = [index for one in heard.batches if one.epoch == epoch for index in one.batch_sentences]
        assert sorted(read) == list(range(len(data.train)))
    orders = [[one.batch_sentences for one in heard.batches if one.epoch == epoch] for epoch in (1, 2)]
    assert orders[0] != orders[1]


def test_the_seed_draws_raw_sentences(tiny: Path, raw: Path, ensemble: list[str]) -> None:
    def drawn(seed: int) -> list[str]:
        teaching = {"teachers": ensemble[:1], "raw": str(raw), "raw_sentences": 2}
        lessons = prepared(tiny / "spans.conll", teaching, training={"seed": seed}).lessons
        assert lessons is not None
        return [sentence.text for sentence in lessons.raw]

    assert drawn(3) == drawn(3)
    assert len({tuple(drawn(seed)) for seed in range(6)}) > 1
    assert all(set(drawn(seed)) < set(RAW) for seed in range(3))


def test_a_raw_sentence_that_is_too_long_is_refused(tiny: Path, raw: Path, ensemble: list[str]) -> None:
    longest = {"longest_sentence": 8}
    corpus = corpus_of(tiny / "spans.conll", {"teachers": ensemble, "raw": str(raw)}, training=longest)
    short = [sentence for sentence in corpus.train if len(sentence) <= 8]
    with pytest.raises(
        TrainingError, match=r"^the raw split, sentence 4 \('王芳从清华大学来。'…\): expected at most 8 tok"
    ):
        prepare(corpus.config, short)


TEACHING = {"weight": 0.4, "raw_sentences": 4, "raw_weight": 0.5}


@pytest.mark.parametrize("stop_at", [2, 7, 12])
def test_a_stopped_run_ends_with_the_same_weights(
    tiny: Path, raw: Path, ensemble: list[str], tmp_path: Path, stop_at: int
) -> None:
    teaching = TEACHING | {"teachers": ensemble, "raw": str(raw)}
    training = {"adversarial": 0.5, "label_weights": {"PER": 2.0}}
    whole = train_tagger(prepared(tiny / "spans.conll", teaching, training=training))
    assert all(array.isfinite().all() for array in whole.arrays.values())
    steps, path = iter(range(1000)), tmp_path / "checkpoint.safetensors"
    data = prepared(tiny / "spans.conll", teaching, training=training)
    with pytest.raises(StoppedError):
        train_tagger(data, checkpoint=path, should_stop=lambda: next(steps) == stop_at)
    data = prepared(tiny / "spans.conll", teaching, training=training)  # the teachers are asked again
    assert same(whole.arrays, train_tagger(data, checkpoint=path, resume=True).arrays)


def test_other_teachers_are_another_run(tiny: Path, raw: Path, ensemble: list[str], tmp_path: Path) -> None:
    path, checkpoint = tiny / "spans.conll", tmp_path / "checkpoint.safetensors"
    teaching = TEACHING | {"teachers": ensemble, "raw": str(raw)}
    with pytest.raises(StoppedError):
        train_tagger(prepared(path, teaching), checkpoint=checkpoint, should_stop=lambda: True)
    (tmp_path / "other.txt").write_text("\n".join(RAW[::-1]), "utf-8")
    for changed in ({"teachers": ensemble[:1]}, {"raw": str(tmp_path / "other.txt")}, {"weight": 0.41}):
        with pytest.raises(TrainingError, match="expected the checkpoint of this configuration and this data"):
            train_tagger(prepared(path, teaching | changed), checkpoint=checkpoint, resume=True)
    for folder in ensemble:
        shutil.copytree(folder, tmp_path / Path(folder).name)
    moved = {"teachers": [str(tmp_path / Path(folder).name) for folder in ensemble]}
    train_tagger(prepared(path, teaching | moved), checkpoint=checkpoint, resume=True)


def test_a_killed_command_goes_on(tiny: Path, raw: Path, ensemble: list[str], tmp_path: Path) -> None:
    """The process is killed, and what comes out in the end are the bytes of a run that was not."""
    corpus = str(tiny / "spans.conll")

    def command(folder: str, *options: str) -> list[str]:
        settings = [
            f"distillation.teachers={json.dumps(ensemble)}",
            f"distillation.raw={json.dumps(str(raw))}",
            *("encoder.hidden=16", "features.token_dim=12", "training.epochs=15", "training.batch_size=2"),
            *("training.threads=1", "training.checkpoint_seconds=0"),
        ]
        pairs = [part for setting in settings for part in ("--set", setting)]
        return [sys.executable, "-m", "gatewise", "train", corpus, "-o", str(tmp_path / folder), *pairs, *options]

    whole = subprocess.run(command("whole"), capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "killed.run" / "checkpoint.safetensors"
    until = time.monotonic() + 120
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(0.05)
    process.kill()
    assert process.wait() != 0, "it was done before it was killed"
    resumed = subprocess.run(command("killed", "--resume"), capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    for name in ("model.safetensors", "config.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize(
    ("teacher", "train", "task"),
    [
        ("v2-segmentation", "segmentation.conllu", {"kind": "segmentation"}),
        ("v2-tags", "tags.conll", {"tokenizer": "whitespace"}),
        ("v2-softmax-rnn", "chunks.conll", {"scheme": "BIO"}),
        ("v2-heads", "segmentation.conllu", {"kind": "segmentation"}),  # its main head
    ],
)
def test_every_kind_of_task_can_be_taught(
    tiny: Path, stored: Path, tmp_path: Path, teacher: str, train: str, task: dict[str, str]
) -> None:
    teaching = {"teachers": [str(stored / teacher)], "raw": str(tiny / train), "raw_sentences": 3}
    corpus = corpus_of(tiny / train, teaching, task=task)
    run_training(corpus, Files(train=tiny / train, dev=tiny / train), tmp_path / "model")
    tagger = gatewise.load(tmp_path / "model")
    assert tagger.archive.config.task.kind == open_model(stored / teacher).config.task.kind
    assert set(tagger.labels) == set(open_model(stored / teacher).labels)
    assert len(tagger.tag(corpus.train[0].text).tags or ()) == len(corpus.train[0])


def test_the_folder_says_who_taught(tiny: Path, raw: Path, ensemble: list[str], tmp_path: Path) -> None:
    path = tiny / "spans.conll"
    corpus = corpus_of(path, {"teachers": ensemble, "raw": str(raw), "raw_sentences": 3, "weight": 0.25}, name="taught")
    result = run_training(corpus, Files(train=path, dev=path), tmp_path / "model")
    assert result is not None
    stored = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))
    said = stored["distilled"]
    assert [(one["path"], one["name"]) for one in said["teachers"]] == [(ensemble[0], "one"), (ensemble[1], "two")]
    assert all(re.fullmatch(r"[0-9a-f]{64}", one["sha256"]) for one in said["teachers"])
    assert (said["raw"], said["raw_sentences"], said["labeled_sentences"]) == (str(raw), 3, len(corpus.train))
    assert stored["config"]["distillation"]["teachers"] == ensemble
    archive = open_model(tmp_path / "model")
    assert archive.config == result.config
    assert (
        f"| teacher {ensemble[1]} | two, SHA-256 of its config.json {said['teachers'][1]['sha256']} |" in archive.card
    )
    assert f"| distilled on | {len(corpus.train)} labeled sentences, weight 0.25 beside gold tags |" in archive.card
    assert f"| raw text {raw} | 3 sentences, {said['raw_tokens']} tokens, loss weight 1 |" in archive.card
    lines = [json.loads(line) for line in (tmp_path / "model.run" / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert lines[0]["kind"] == "start"
    assert lines[0]["distilled"] == said
    assert f"raw text {raw}" in result.report.read_text("utf-8")
    assert result.scores["dev"].per_label.keys() == {"PER", "LOC", "ORG"}


def test_a_listener_is_told_how_far_the_teachers_are(tiny: Path, ensemble: list[str], tmp_path: Path) -> None:
    shares: list[float] = []

    class Watcher(Recorder):
        def on_answers(self, share: float) -> None:
            assert not self.epochs
            shares.append(share)

    corpus, watcher = corpus_of(tiny / "spans.conll", TEACHING | {"teachers": ensemble}), Watcher()
    run_training(corpus, Files(train=tiny / "spans.conll"), tmp_path / "model", watcher)
    answers = len(ensemble) * len(corpus.train)
    assert shares == pytest.approx([(1 + number) / answers for number in range(answers)])
    assert len(watcher.epochs) == 3


def test_a_run_can_be_stopped_while_its_teachers_answer(tiny: Path, ensemble: list[str], tmp_path: Path) -> None:
    class Impatient(Recorder):
        shares: tuple[float, ...] = ()

        def on_answers(self, share: float) -> None:
            self.shares += (share,)

    corpus, told = corpus_of(tiny / "spans.conll", {"teachers": ensemble}), Impatient()
    files = Files(train=tiny / "spans.conll", dev=None, test=None)
    with pytest.raises(StoppedError, match=r"^stopped before training, with \d+% of .* answers; nothing was saved$"):
        run_training(corpus, files, tmp_path / "model", told, should_stop=lambda: len(told.shares) == 3)
    assert (len(told.shares), told.batches, list(tmp_path.iterdir())) == (3, [], [])


def test_a_search_asks_its_teachers_once(
    tiny: Path, raw: Path, ensemble: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    from gatewise.training.space import space_from_dict
    from gatewise.training.tune import search

    asked: list[int] = []
    real = teachers.mean_of

    def counted(taggers: Any, labels: Any, sentences: Sequence[Sentence], *more: Any) -> Any:
        asked.append(len(sentences))
        return real(taggers, labels, sentences, *more)

    monkeypatch.setattr(teachers, "mean_of", counted)

    class Nobody:
        def on_trial(self, number: int) -> None: ...
        def on_epoch(self, report: EpochReport) -> None: ...
        def on_result(self, trial: Any, *, is_best: bool) -> None: ...

    corpus = corpus_of(tiny / "spans.conll", TEACHING | {"teachers": ensemble, "raw": str(raw)}, training={"epochs": 1})
    space = space_from_dict({"distillation": {"weight": {"low": 0.1, "high": 0.9}}}, corpus.config, where="test")
    found = search(corpus, corpus.config, space, tmp_path / "study", Nobody(), trials=3)
    assert len({trial.values["distillation.weight"] for trial in found.trials}) == 3
    assert asked == [len(corpus.train) + 4]
    assert found.config is not None
    assert read_config(tmp_path / "study" / "best.toml").distillation == found.config.distillation


def test_two_processes_learn_from_teachers(tiny: Path, raw: Path, ensemble: list[str], tmp_path: Path) -> None:
    corpus = str(tiny / "spans.conll")
    settings = [
        f"distillation.teachers={json.dumps(ensemble)}",
        f"distillation.raw={json.dumps(str(raw))}",
        *("encoder.hidden=16", "features.token_dim=12", "training.epochs=2", "training.batch_size=2"),
        *("training.threads=1", "training.device=cpu", "archive.numbers=float32"),
    ]
    pairs = [part for setting in settings for part in ("--set", setting)]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "gatewise"]
    command = [sys.executable, *launcher, "train", corpus, "--dev", corpus, "-o", str(tmp_path / "model"), *pairs]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert np.isfinite(gatewise.load(tmp_path / "model").tag(RAW[0]).scores or ()).all()
