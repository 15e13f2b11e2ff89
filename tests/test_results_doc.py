"""docs/results.md against the recipes and the script that makes its rows again."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

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
    work = tmp_path / "work"
    found = accuracy.head_files(ROOT / "recipes" / "en-ner.toml", tmp_path, work)
    assert f"heads.biomedical.test={tmp_path / 'bc5cdr/test.tsv'}" in found
    assert [setting.partition("=")[0] for setting in found][-2:] == ["heads.upos.train", "heads.upos.dev"]
    assert accuracy.head_files(ROOT / "recipes" / "resume.toml", tmp_path, work) == []


def test_a_head_s_file_that_is_thinned_is_in_the_folder_to_work_in(accuracy: ModuleType, tmp_path: Path) -> None:
    packed, work = tmp_path / "data" / "pku_199801" / "train.conllu.gz", tmp_path / "work"
    packed.parent.mkdir(parents=True)
    work.mkdir()
    packed.write_bytes(gzip.compress("".join(f"{n}\n\n" for n in range(1, 12)).encode()))
    [(name, of, every)] = accuracy.ROWS["ud_zh_gsdsimp_v2"].thinned
    accuracy.thin(name, tmp_path / "data" / of, every, work)
    assert (work / name).read_text(encoding="utf-8").split() == ["4", "8"]
    recipe = ROOT / "recipes" / "ud_zh_gsdsimp_v2.toml"
    assert accuracy.head_files(recipe, tmp_path / "data", work) == [
        f"heads.pku.train={work / name}",
        f"heads.pku.dev={tmp_path / 'data' / 'pku_199801/dev.conllu.gz'}",
    ]


def test_a_corpus_is_put_into_the_words_of_a_list() -> None:
    """Neighbors that the list has joined and the corpus never has; a word that the list has not is cut where its parts
    are frequent."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        import pku_convention
    finally:
        sys.path.remove(folder)
    counts = Counter({"放": 50, "在": 90, "放在": 9, "发家": 3, "致富": 4, "阿": 30, "南德": 1, "阿南德": 2, "大学": 8})
    convention = pku_convention.Convention(["放", "在", "发家", "致富", "发家致富", "阿", "大学"], counts)
    assert convention.apply(["放在", "大学"]) == ["放", "在", "大学"]
    assert convention.apply(["发家", "致富", "发家"]) == ["发家致富", "发家"]
    assert convention.apply(["阿南德"]) == ["阿南德"]  # 南德 is neither listed nor frequent


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
    accuracy.main(["conll2000", "--data", str(data), "--work", str(work), "--set", "training.threads=1"])
    assert [command[3] for command in ran] == ["embed", "train"]
    assert ran[1][4:] == [
        *(
            str(data / "conll2000/train.tsv"),
            "--dev",
            str(data / "conll2000/dev.tsv"),
            "--test",
            str(data / "conll2000/test.tsv"),
        ),
        *("--config", str(ROOT / "recipes" / "conll2000.toml"), "-o", "conll2000", "--seeds", "5", "--resume"),
        *("--set", "training.threads=1"),
    ]
    assert capsys.readouterr().out.startswith(
        f"$ gatewise embed '{data}/raw_en/*.txt.gz' -o en_word100.txt --tokenizer"
    )
    (work / "en_word100.txt").touch()
    ran.clear()
    accuracy.main(["conll2000", "--data", str(data), "--work", str(work)])
    assert [command[3] for command in ran] == ["train"]


def test_teachers_are_trained_before_their_student(
    accuracy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(accuracy.subprocess, "run", lambda command, **_: ran.append(command))
    (tmp_path / "zh_char64.txt").touch()
    (tmp_path / "zh_word50.txt").touch()
    accuracy.main(["resume", "--data", "data", "--work", str(tmp_path), "--set", "training.threads=1"])
    outputs = [(command[command.index("-o") + 1], command[command.index("--seeds") + 1]) for command in ran]
    assert outputs == [("resume-teacher", "3"), ("resume", "5")]
    assert all(command[-2:] == ["--set", "training.threads=1"] for command in ran)
    teachers = read_config(ROOT / "recipes" / "resume.toml").distillation.teachers
    assert teachers == tuple(f"resume-teacher/seed-{seed}" for seed in (1, 2, 3))


def test_a_row_of_running_text_is_scored_as_such(
    accuracy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = iter([0.9, 0.92, 0.94, 0.96, 0.98] * 2)

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        output = json.dumps({"F1": next(scores)}) if command[3] == "evaluate" else ""
        return subprocess.CompletedProcess(command, 0, stdout=output)

    monkeypatch.setattr(accuracy.subprocess, "run", run)
    (tmp_path / "en_whole100.txt").touch()
    accuracy.main(["conll2003", "--data", str(tmp_path), "--work", str(tmp_path)])
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in said if line.startswith("$ ")] == ["train", "train", *["evaluate"] * 10]
    for name in ("dev.tsv", "test.tsv"):
        assert f"{name}, neighbors 50: F1 94.00 ± 3.16 (90.00, 92.00, 94.00, 96.00, 98.00)" in said
        assert f"$ gatewise evaluate conll2003/seed-5 {tmp_path}/conll2003/{name} --neighbors 50 --json" in said
    teachers = read_config(ROOT / "recipes" / "conll2003.toml").distillation.teachers
    assert teachers == tuple(f"conll2003-teacher/seed-{seed}" for seed in range(1, 6))
