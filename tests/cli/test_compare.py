"""`gatewise compare`: models and files against gold, and what cannot be compared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

Run = Any  # the fixture `gatewise_command`

GOLD = "小 B-PER\n明 I-PER\n住 O\n在 O\n北 B-LOC\n京 I-LOC\n。 O\n\n他 O\n在 O\n上 B-LOC\n海 I-LOC\n。 O\n"
A = GOLD.replace("明 I-PER", "明 B-PER")  # one name cut in two: three spans predicted, one right
B = GOLD.replace("上 B-LOC\n海 I-LOC", "上 B-PER\n海 I-PER").replace("京 I-LOC", "京 O")


def write(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, content in files.items():
        path = folder / f"{name}.conll"
        path.write_text(content, encoding="utf-8")
        paths.append(path)
    return paths


def test_two_files(gatewise_command: Run, tmp_path: Path) -> None:
    files = write(tmp_path, a=A, b=B, gold=GOLD)
    report = json.loads(gatewise_command("compare", *files, "--json").out)
    assert report["task"] == "spans"
    assert report["a"]["overall"] == {
        "precision": 2 / 4, "recall": 2 / 3, "f1": 4 / 7, "gold": 3, "predicted": 4, "correct": 2
    }  # fmt: skip
    assert report["b"]["overall"]["correct"] == 1
    assert report["difference"]["value"] == pytest.approx(1 / 3 - 4 / 7)
    assert report["difference"]["p_value"] == 1.0  # each of the four ways makes a difference at least as large
    assert report["fewer_errors"] == {"a": 1, "b": 1, "neither": 0}
    assert report["sentences"] == [
        {"number": 2, "text": "他在上海。", "errors_a": 0, "errors_b": 2},
        {"number": 1, "text": "小明住在北京。", "errors_a": 3, "errors_b": 2},
    ]
    assert {"boundary", "label"} <= set(report["a"]["errors"])
    for side in "ab":
        interval = report[side]["interval"]
        assert interval["low"] <= report[side]["F1"] <= interval["high"]


def test_the_difference_is_b_minus_a(gatewise_command: Run, tmp_path: Path) -> None:
    files = write(tmp_path, bad=(A + "\n") * 20, good=(GOLD + "\n") * 20, gold=(GOLD + "\n") * 20)
    report = json.loads(gatewise_command("compare", *files, "--json", "--rounds", "199").out)
    difference = report["difference"]
    assert 0 < difference["interval"]["low"] <= difference["value"] <= difference["interval"]["high"]
    assert difference["p_value"] == 1 / 200
    assert report["fewer_errors"] == {"a": 0, "b": 20, "neither": 20}


def test_the_text(gatewise_command: Run, tmp_path: Path) -> None:
    files = write(tmp_path, a=A, b=B, gold=GOLD)
    ran = gatewise_command("compare", *files, "--top", "1", "--rounds", "99")
    assert (ran.code, ran.err) == (0, "")
    assert "gold.conll: 2 sentences (spans)" in ran.out
    assert "B - A: -23.81, 95 % interval" in ran.out
    assert "(approximate randomization, 99 rounds)" in ran.out
    assert "fewer errors: A in 1 sentences, B in 1, neither in 0" in ran.out
    assert "他在上海。" in ran.out
    assert "小明住在北京。" not in ran.out


def test_what_is_equal_differs_in_nothing(gatewise_command: Run, stored: Path, tiny: Path) -> None:
    ran = gatewise_command("compare", stored / "v1-spans", stored / "v1-spans", tiny / "spans.conll")
    assert "B - A: +0.00, 95 % interval 0.00 to 0.00" in ran.out
    assert "p = 1.0000" in ran.out
    assert "differ most" not in ran.out


def test_tables_fit_a_terminal(gatewise_command: Run, tmp_path: Path) -> None:
    long = GOLD.replace("O\n\n", "O\n" + "very O\nfar O\n" * 100 + "\n")  # with places to fold at
    a, b, gold = write(tmp_path, a=long.replace("小 B-PER\n明 I", "小 O\n明 B"), b=long, gold_of_a_very_long_name=long)
    out = gatewise_command("compare", a, b, gold).out
    table = out[out.index("differ most") :].splitlines()
    assert table[2].split() == ["number", "A", "B", "text"]
    [row] = [line for line in table[4:] if line.strip()]  # a long sentence is cut, not folded over many lines
    assert row.split()[:6] == ["1", "2", "0", "小明住在北京。very", "far", "very"]
    assert row.rstrip().endswith("…")
    assert 90 < cell_len(row.rstrip()) <= 100  # columns, as the fixture has it
    assert "precision   recall       F1" in out  # beside a path that is folded, the numbers stand uncut


@pytest.mark.parametrize(("task", "name"), [("segmentation", "v1-segmentation"), ("tags", "v1-tags")])
def test_a_model_and_what_it_wrote(
    gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path, task: str, name: str
) -> None:
    gold, written = tiny / {"segmentation": "segmentation.conllu", "tags": "tags.conll"}[task], tmp_path / "out.conll"
    gatewise_command("tag", gold, "-m", stored / name, "--to", "conll", "-o", written)
    report = json.loads(gatewise_command("compare", stored / name, written, gold, "--json").out)
    assert report["task"] == task
    assert report["difference"]["value"] == 0.0
    assert report["a"]["labels"] == report["b"]["labels"] != {}


def test_words_in_a_file_without_white_space(gatewise_command: Run, tmp_path: Path) -> None:
    """The words of a prediction are laid on gold's text, whose white space the other file may not have."""

    def words(*forms: str, after: str = "_") -> str:
        return "".join(f"{n}\t{form}\t_\tX\t_\t_\t_\t_\t_\t{after}\n" for n, form in enumerate(forms, start=1)) + "\n"

    (tmp_path / "gold.conllu").write_text("# text = AB CD E\n" + words("AB", "CD", "E"), encoding="utf-8")
    other = words("AB", "C", "DE", after="SpaceAfter=No")
    (tmp_path / "other.conllu").write_text(other, encoding="utf-8")
    files = [tmp_path / name for name in ("other.conllu", "gold.conllu", "gold.conllu")]
    report = json.loads(gatewise_command("compare", *files, "--task", "segmentation", "--json").out)
    counts = report["a"]["words"]
    assert (counts["gold"], counts["predicted"], counts["correct"]) == (3, 3, 1)
    assert report["b"]["F1"] == 1.0


def test_broken_sequences(gatewise_command: Run, tmp_path: Path) -> None:
    broken = GOLD.replace("北 B-LOC", "北 I-ORG").replace("小 B-PER", "小 B-LOC")
    files = write(tmp_path, a=broken, b=GOLD, gold=GOLD)
    ran = gatewise_command("compare", *files)
    assert ran.code == 2
    assert "a.conll:" in ran.err
    report = json.loads(gatewise_command("compare", *files, "--conlleval", "--json").out)
    overall = report["a"]["overall"]
    assert (overall["gold"], overall["predicted"], overall["correct"]) == (3, 5, 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            A.partition("\n\n")[0] + "\n",
            r"a\.conll: expected 2 sentences, as .*gold\.conll has, found 1; label the same",
        ),
        (
            A.replace("海", "河"),
            r'a\.conll: sentence 2, token 4: expected "海", as in .*gold\.conll, found "河"; label the',
        ),
        (A.replace("他 O\n", ""), r'a\.conll: sentence 2, token 1: expected "他", as in .*, found "在"'),
        (A + "好 O\n", r'a\.conll: sentence 2, token 6: expected the end of the sentence, as in .*, found "好"'),
        (
            A.replace("海 I-LOC\n。 O\n", "海 I-LOC\n"),
            r"sentence 2, token 5: expected \"。\", .* found the end of the sent",
        ),
    ],
)
def test_another_text_is_refused(gatewise_command: Run, tmp_path: Path, changed: str, message: str) -> None:
    ran = gatewise_command("compare", *write(tmp_path, a=changed, b=B, gold=GOLD))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert re.search(message, ran.err), ran.err


def test_another_text_of_words_is_refused(gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path) -> None:
    other = (tiny / "segmentation.conllu").read_text(encoding="utf-8").replace("明", "光", 2)
    (tmp_path / "other.conllu").write_text(other, encoding="utf-8")
    ran = gatewise_command(
        "compare", stored / "v1-segmentation", tmp_path / "other.conllu", tiny / "segmentation.conllu"
    )
    assert ran.code == 2
    assert 'other.conllu: sentence 1, character 4 (white space not counted): expected "明"' in ran.err


def test_what_cannot_be_compared(gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path) -> None:
    spans, tags = stored / "v1-spans", stored / "v1-tags"
    ran = gatewise_command("compare", spans, tags, tiny / "spans.conll")
    assert ran.code == 2
    assert "expected outputs of the same kind, found" in ran.err
    assert "v1-spans (spans) and" in ran.err
    ran = gatewise_command("compare", spans, "zhh", tiny / "spans.conll")
    assert ran.code == 2
    assert "zhh: expected a bundled model (en, en-ner, zh), a model folder or a labeled file, found nothing" in ran.err
    ran = gatewise_command("compare", tags, tags, tiny / "tags.conll", "--conlleval")
    assert "--conlleval: expected a task of spans, whose tags can be broken, found tags" in ran.err
    ran = gatewise_command("compare", tags, tags, tiny / "tags.conll", "--task", "chunks")
    assert "--task: expected one of auto, tags, spans, segmentation, found 'chunks'" in ran.err


def test_words_cut_differently_point_to_the_task(gatewise_command: Run, tmp_path: Path) -> None:
    def words(name: str, *forms: str) -> Path:
        rows = (f"{number}\t{form}\t_\tX" + "\t_" * 6 for number, form in enumerate(forms, start=1))
        (tmp_path / name).write_text("\n".join(rows) + "\n\n", encoding="utf-8")
        return tmp_path / name

    files = words("a.conllu", "我", "叫"), words("b.conllu", "我叫"), words("gold.conllu", "我", "叫")
    ran = gatewise_command("compare", *files)
    assert ran.code == 2
    assert ran.err.endswith("gold.conllu, or compare where words end, by --task segmentation\n")
    assert gatewise_command("compare", *files, "--task", "segmentation").code == 0
