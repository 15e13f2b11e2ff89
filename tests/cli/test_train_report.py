"""`gatewise train`: what it says about the files before it begins, and where it says the model and the report are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

pytestmark = pytest.mark.torch

TRAIN = "小 B-PER\n明 I-PER\n在 O\n\n北 B-LOC\n京 I-LOC\n好 O\n\n北 B-PER\n京 I-PER\n来 O\n\n小 B-PER\n明 I-PER\n在 O\n"
DEV = "小 B-PER\n明 I-PER\n在 O\n\n甲 B-NEW\n乙 I-NEW\n在 O\n丙 B-NEW\n"
TEST = "小 O\n明 O\n在 O\n\n好 B-LOC\n"
QUICK = ("--set", "training.epochs=2", "--set", "encoder.hidden=3", "--set", "training.threads=1")


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_files_are_judged_in_a_line_each(gatewise_command: Any, tmp_path: Path) -> None:
    train = written(tmp_path / "my train.conll", TRAIN)
    dev, test = written(tmp_path / "dev.conll", DEV), written(tmp_path / "test.conll", TEST)
    ran = gatewise_command("train", train, "--dev", dev, "--test", test, "-o", tmp_path / "model", *QUICK)
    assert ran.code == 0, ran.err
    lines = ran.err.splitlines()
    for level, count, message in [
        ("warning", 1, "dev: labels that train has not, never predicted: NEW 2×"),
        ("warning", 1, "dev: sentences that stand in train too, word for word"),
        ("warning", 1, "test: sentences that stand in train too, and are tagged otherwise there"),
        ("note", 1, "train: sentences that stand earlier in it too, word for word"),
    ]:
        assert f"{level:8}{count:>8}  {message}" in lines
    assert sum("strings labeled in more than one way" in line for line in lines) == 1
    assert not [line for line in lines if "labels that no other split has" in line]
    assert f"where:  gatewise check '{train}' {dev} {test}" in lines
    assert lines[-2:] == [f"model: {tmp_path / 'model'}", f"report: {tmp_path / 'model.run' / 'report.html'}"]
    [said] = [line for line in lines if line.startswith("temperature ")]
    assert any(
        re.match(r"stored as (int8, .*; on dev [\d.]+%, as float32 [\d.]+%|float32 \(int8 lost)", line)
        for line in lines
    )
    taken = r"temperature [\d.]+: expected calibration error of spans on dev [\d.]+ → [\d.]+ %, of spans on test .*"
    refused = r"temperature 1: (with the fitted temperature|the fit has no optimum).*"
    assert re.fullmatch(f"{taken}|{refused}", said)
    assert (tmp_path / "model.run" / "report.html").is_file()
    assert "model on test" in ran.out
    assert gatewise_command("check", train, dev, test).code == 0  # the command that was named


def test_clean_files_are_not_judged(gatewise_command: Any, tmp_path: Path) -> None:
    train = written(tmp_path / "train.conll", "小 B-PER\n明 I-PER\n在 O\n\n北 B-LOC\n京 I-LOC\n好 O\n")
    ran = gatewise_command("train", train, "-o", tmp_path / "model", *QUICK)
    assert ran.code == 0, ran.err
    assert "where:" not in ran.err
    assert "warning" not in ran.err


def test_columns_are_in_the_command(gatewise_command: Any, tmp_path: Path) -> None:
    rows = TRAIN.replace(" ", " x ")
    train = written(tmp_path / "train.conll", rows)
    ran = gatewise_command("train", train, "-o", tmp_path / "model", "--columns", "token,_,tag", *QUICK)
    assert ran.code == 0, ran.err
    assert f"where:  gatewise check {train} --columns token,_,tag" in ran.err


def test_parts_of_speech_that_change_are_not_doubtful(gatewise_command: Any, tmp_path: Path) -> None:
    train = written(tmp_path / "train.conll", "run VERB\nfast ADV\n\na DET\nrun NOUN\n")
    ran = gatewise_command("train", train, "-o", tmp_path / "model", *QUICK)
    assert ran.code == 0, ran.err
    assert "in more than one way" not in ran.err
