"""docs/results.md against the recipes and the script that makes its rows again."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gatewise.model.config_reading import read_config

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.source


@pytest.fixture(scope="module")
def accuracy() -> ModuleType:
    """benchmarks/accuracy.py, which is a script."""
    spec = importlib.util.spec_from_file_location("accuracy", ROOT / "benchmarks" / "accuracy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["accuracy"] = module
    spec.loader.exec_module(module)
    return module


def test_every_row_has_a_recipe_and_can_be_made_again(accuracy: ModuleType) -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`([\w.-]+)`\]\(\.\./recipes/([\w.-]+)\.toml\) \|", page, flags=re.MULTILINE)
    assert rows
    assert all(name == recipe for name, recipe in rows)
    assert {name for name, _ in rows} <= set(accuracy.ROWS)


def test_every_row_s_recipe_reads_the_vectors_that_are_made_for_it(accuracy: ModuleType) -> None:
    for name, row in accuracy.ROWS.items():
        features = read_config(ROOT / "recipes" / f"{name}.toml").features
        read = {
            features.vectors: features.token_dim,
            features.bigram_vectors: features.bigram_dim,
            features.lexicon_vectors: features.lexicon_dim,
        }
        assert read.keys() - {""} == set(row.vectors)
        assert features.lexicon == features.lexicon_vectors
        for vectors, dim in read.items():
            if vectors:
                options = accuracy.VECTORS[vectors].options
                assert options[options.index("--dim") + 1] == str(dim)


def test_the_files_of_heads_are_found_in_the_folder_of_the_corpora(accuracy: ModuleType, tmp_path: Path) -> None:
    found = accuracy.head_files(ROOT / "recipes" / "en-ner.toml", tmp_path)
    assert f"heads.biomedical.test={tmp_path / 'bc5cdr/test.tsv'}" in found
    assert [setting.partition("=")[0] for setting in found][-2:] == ["heads.upos.train", "heads.upos.dev"]
    assert accuracy.head_files(ROOT / "recipes" / "weibo.toml", tmp_path) == []


def test_dev_is_held_out_of_train_in_blocks(accuracy: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "msra").mkdir()
    sentences = [f"我\tO\n{number}\tO" for number in range(1640)]
    (tmp_path / "msra/train.tsv").write_text("\n\n".join(sentences) + "\n\n", encoding="utf-8")
    train, dev = accuracy.hold_out(tmp_path / "msra/train.tsv", tmp_path)
    held_out = dev.read_text(encoding="utf-8").strip().split("\n\n")
    assert held_out == sentences[700:800]
    assert train.read_text(encoding="utf-8").strip().split("\n\n") == sentences[:700] + sentences[800:]


def test_a_row_is_made_by_commands_in_turn(
    accuracy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(accuracy.subprocess, "run", lambda command, **_: ran.append(command))
    data, work = tmp_path / "data", tmp_path / "work"
    accuracy.main(["resume", "--data", str(data), "--work", str(work), "--set", "training.threads=1"])
    assert [command[3] for command in ran] == ["embed", "train"]
    assert ran[1][4:] == [
        *(
            str(data / "resume/train.tsv"),
            "--dev",
            str(data / "resume/dev.tsv"),
            "--test",
            str(data / "resume/test.tsv"),
        ),
        *("--config", str(ROOT / "recipes" / "resume.toml"), "-o", "resume", "--seeds", "5", "--resume"),
        *("--set", "training.threads=1"),
    ]
    assert capsys.readouterr().out.startswith(f"$ gatewise embed '{data}/raw_zh/*.txt.gz' -o zh_char64.txt --tokenizer")
    (work / "zh_char64.txt").touch()
    ran.clear()
    accuracy.main(["resume", "--data", str(data), "--work", str(work)])
    assert [command[3] for command in ran] == ["train"]
