"""What cannot be trained is refused before the first step or as soon as it shows, with the cause and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from gatewise.errors import ConfigError, FormatError, TrainingError
from gatewise.model.config_reading import config_from_dict
from gatewise.model.label_facts import unseen_labels
from gatewise.text.sentence import sentence_from_forms
from gatewise.training.prepare import prepare
from gatewise.training.run import run_training
from gatewise.training.splits import Files, read_splits

pytestmark = pytest.mark.torch

SMALL: dict[str, Any] = {
    "features": {"token_dim": 4, "bigram_dim": 0},
    "encoder": {"hidden": 3},
    "training": {"epochs": 1, "threads": 1},
}
SPANS = "小 B-PER\n明 I-PER\n在 O\n\n北 B-LOC\n京 I-LOC\n好 O\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_dev_split_of_other_labels_only(tmp_path: Path) -> None:
    train = written(tmp_path / "train.conll", SPANS)
    dev = written(tmp_path / "dev.conll", "小 B-Name\n明 I-Name\n")
    with pytest.raises(
        TrainingError,
        match=r"dev\.conll: expected labels that .*train\.conll has \(LOC, PER\), found only others \(Name\); check",
    ):
        read_splits(config_from_dict(SMALL, where="test"), Files(train=train, dev=dev))


def test_some_labels_that_training_has_not_are_no_error(tmp_path: Path) -> None:
    train = written(tmp_path / "train.conll", SPANS)
    dev = written(tmp_path / "dev.conll", SPANS + "\n甲 B-NEW\n乙 I-NEW\n在 O\n丙 B-NEW\n")
    corpus = read_splits(config_from_dict(SMALL, where="test"), Files(train=train, dev=dev))
    assert unseen_labels(corpus.train, corpus.dev, "BIOES") == {"NEW": 2}
    result = run_training(corpus, Files(train=train, dev=dev), tmp_path / "model")
    assert result is not None
    assert result.scores["dev"].per_label["NEW"].correct == 0


def test_a_dev_split_without_any_span_is_no_error(tmp_path: Path) -> None:
    train = written(tmp_path / "train.conll", SPANS)
    dev = written(tmp_path / "dev.conll", "小 O\n明 O\n")
    corpus = read_splits(config_from_dict(SMALL, where="test"), Files(train=train, dev=dev))
    assert corpus.dev[0].tags == ("O", "O")


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_an_empty_split(tmp_path: Path, split: str) -> None:
    paths = {name: written(tmp_path / f"{name}.conll", SPANS) for name in ("train", "dev", "test")}
    written(paths[split], "\n\n")
    with pytest.raises(
        TrainingError, match=rf"{split}\.conll: expected at least one sentence, found none; check the path and the"
    ):
        read_splits(config_from_dict(SMALL, where="test"), Files(**paths))


def test_a_test_split_that_cannot_be_read_is_told_before_training(tmp_path: Path) -> None:
    train = written(tmp_path / "train.conll", SPANS)
    test = written(tmp_path / "test.conll", "小 B-PER\n明\n")
    with pytest.raises(FormatError, match=r"test\.conll:2: expected 2 columns, found 1"):
        read_splits(config_from_dict(SMALL, where="test"), Files(train=train, test=test))


def test_a_vocabulary_of_one() -> None:
    config = config_from_dict(SMALL | {"task": {"kind": "tags", "scheme": "plain"}}, where="test")
    with pytest.raises(
        TrainingError,
        match=r"at least 2 different tokens seen 1 time\(s\) or more, found 1; check the columns, or",
    ):
        prepare(config, [sentence_from_forms(["a", "a", "a"], ["X", "Y", "X"])])


def test_a_loss_that_is_not_finite_stops_at_its_step(tmp_path: Path) -> None:
    train = written(tmp_path / "train.conll", SPANS)
    broken = {"learning_rate": 1000.0, "epochs": 99, "threads": 1}
    files = Files(train=train)
    corpus = read_splits(config_from_dict(SMALL | {"training": broken}, where="test"), files)
    with pytest.raises(
        TrainingError, match=r"step \d+: expected a finite loss, found (nan|inf).*; lower training\.learning_rate \(now"
    ):
        run_training(corpus, files, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_model_that_nobody_could_open_is_not_trained(tmp_path: Path) -> None:
    """2,049 tags of their own; a model has at most 2,048."""
    train = written(tmp_path / "train.conll", "".join(f"w{number} T{number}\n" for number in range(2049)))
    corpus = read_splits(config_from_dict(SMALL, where="test"), Files(train=train))
    with pytest.raises(ConfigError, match=r"^the tags: expected at most 2,048 of all heads, found 2,049; check"):
        run_training(corpus, Files(train=train), tmp_path / "model")
    assert not (tmp_path / "model").exists()
