"""`gatewise train`, end to end: files and settings in, a folder out that the other commands take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

pytestmark = pytest.mark.torch

Run = Any  # the fixture `gatewise_command`

CONFIG = """
name = "names"
[features]
token_dim = 6
bigram_dim = 4
[encoder]
hidden = 6
[training]
epochs = 50
batch_size = 4
learning_rate = 0.03
averaging = 0.9
dropout = 0.0
unknown_weight = 0.0
patience = 50
threads = 1
[card]
license = "CC0-1.0"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_spans_from_a_file_to_a_tagged_text(gatewise_command: Run, tiny: Path, tmp_path: Path, config: Path) -> None:
    corpus, folder = tiny / "spans.conll", tmp_path / "model"
    ran = gatewise_command(
        "train", corpus, "--dev", corpus, "--test", corpus, "-o", folder, "--config", config,
        "--set", "encoder.hidden=7", "--set", "training.epochs=40", "--seed", "3",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "12 sentences, 99 tokens" in ran.err
    epochs = re.findall(r"^ +(\d+)/40 +[\d.]+ +[\d,]+ +([\d.]+)", ran.err, re.MULTILINE)
    assert [int(number) for number, _ in epochs] == list(range(1, 41))
    assert f"model: {folder}\n" in ran.err
    assert "Traceback" not in ran.err
    for split in ("dev", "test"):
        assert re.search(rf"model on {split}", ran.out)
    assert ran.out.count("all, with labels") == 2
    stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))["config"]
    assert (stored["encoder"]["hidden"], stored["training"]["seed"], stored["name"]) == (7, 3, "names")
    assert gatewise_command("tag", "-m", folder, stdin="小明住在北京。\n").out == "[小明 PER]住在[北京 LOC]。\n"
    report = json.loads(gatewise_command("evaluate", folder, corpus, "--json").out)
    assert report["F1"] == 1.0
    assert gatewise_command("models", folder).out.startswith("# names\n")


def test_the_same_seed_gives_the_same_files(gatewise_command: Run, tiny: Path, tmp_path: Path, config: Path) -> None:
    def weights(name: str, *options: object) -> bytes:
        arguments = ("train", tiny / "tags.conll", "-o", tmp_path / name, "--config", config)
        assert gatewise_command(*arguments, "--set", "training.epochs=2", *options).code == 0
        return (tmp_path / name / "model.safetensors").read_bytes()

    first = weights("first", "--seed", 5)
    assert weights("second", "--set", "training.seed=5") == first
    assert weights("third", "--seed", 6) != first
    assert weights("fourth", "--seed", 5, "--set", "training.seed=6") == first


def test_joint_segmentation_and_softmax_over_an_rnn(
    gatewise_command: Run, tiny: Path, tmp_path: Path, config: Path
) -> None:
    corpus = tiny / "segmentation.conllu"
    ran = gatewise_command(
        "train", corpus, "--dev", corpus, "-o", tmp_path / "model", "--config", config,
        "--set", "task.kind=segmentation", "--set", "encoder.kind=rnn", "--set", "output.kind=softmax",
        "--set", "archive.numbers=float16",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "words alone" in ran.out
    report = json.loads(gatewise_command("evaluate", tmp_path / "model", corpus, "--json").out)
    assert report["words"]["f1"] > 0.9
    ran = gatewise_command("tag", "-m", tmp_path / "model", stdin="我叫小明。\n")
    assert "".join(part.partition("/")[0] for part in ran.out.split()) == "我叫小明。"


def last_line(err: str) -> str:
    return err.rstrip("\n").rpartition("\n")[2]


def refused(ran: Any, message: str, *, lines: int | None = 1) -> None:
    """Exit code 2 and one sentence; `lines` None where the table of the data was printed before."""
    assert ran.code == 2
    assert last_line(ran.err).startswith("error: ")
    assert re.search(message, last_line(ran.err)), ran.err
    assert "Traceback" not in ran.err
    assert lines is None or len(ran.err.splitlines()) == lines


def test_what_cannot_be_trained_is_refused_in_a_sentence(
    gatewise_command: Run, tiny: Path, tmp_path: Path, config: Path
) -> None:
    (tmp_path / "wrong.toml").write_text("[encoder]\nhiden = 3\n")
    (tmp_path / "empty.conll").write_text("\n")
    (tmp_path / "broken.conll").write_text("小 B-PER\n明\n", encoding="utf-8")
    (tmp_path / "illegal.conll").write_text("小 B-PER\n明 I-ORG\n叫 O\n", encoding="utf-8")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").write_text("years")
    good, folder = tiny / "spans.conll", tmp_path / "model"

    def train(*arguments: object, output: Path = folder) -> Any:
        return gatewise_command("train", *arguments, "-o", output)

    refused(
        train(good, "--config", tmp_path / "wrong.toml"), r"wrong\.toml: unknown key 'encoder\.hiden'; did you mean"
    )
    refused(train(good, "--config", tmp_path / "no.toml"), r"no\.toml: cannot be read")
    refused(train(good, "--set", "encoder.hidden"), "--set: expected key=value")
    refused(train(good, "--set", "output.kind=crff"), "--set: output.kind: expected one of crf, softmax")
    refused(train(tmp_path / "no.conll"), r"no\.conll: expected a file, found nothing")
    refused(train(tmp_path / "empty.conll"), r"empty\.conll: expected at least one sentence")
    refused(train(tmp_path / "broken.conll"), r"broken\.conll:2: expected 2 columns, found 1")
    refused(train(tmp_path / "illegal.conll"), r"illegal\.conll:2: ")
    refused(train(good, "--dev", tmp_path / "broken.conll"), r"broken\.conll:2: ")
    refused(train(good, "--columns", "tag"), 'columns: expected "token" once')
    refused(train(good, "--set", "task.kind=segmentation"), "expected words, in CoNLL-U or as text")
    vectors = f"features.vectors={tmp_path / 'no.vec'}"
    refused(train(good, "--set", vectors), r"no\.vec: expected a file of vectors", lines=None)
    diverging = ("--config", config, "--set", "training.learning_rate=1000")
    refused(train(good, *diverging), "step .*: expected a finite loss.*lower training.learning_rate", lines=None)
    assert not folder.exists()
    refused(train(good, output=tmp_path / "taken"), "taken: expected no folder or a model to replace", lines=None)
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("arguments", [["--seed", "x"], ["--seed", "-1"], ["--sed", "1"], []])
def test_wrong_options_are_told_by_click(gatewise_command: Run, tiny: Path, arguments: list[str]) -> None:
    ran = gatewise_command("train", tiny / "spans.conll", *arguments)
    assert ran.code == 2
    assert ran.err.startswith("Usage: ")
    assert "Traceback" not in ran.err
