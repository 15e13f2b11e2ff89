"""`gatewise check`, `tags` and `errors`: what they print, and with which code they exit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gatewise.cli.check import name_splits

Run = Any  # the fixture `gatewise_command`

GOOD = "小 B-PER\n明 I-PER\n来 O\n\n好 O\n"
OTHER = "北 B-LOC\n京 I-LOC\n"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return written


# check


def test_clean_files(gatewise_command: Run, write: Any) -> None:
    ran = gatewise_command(
        "check", write("train.conll", GOOD + "\n" + OTHER), write("dev.conll", "大 B-LOC\n\n王 B-PER\n")
    )
    assert (ran.code, ran.err) == (0, "")
    assert "Nothing to report." in ran.out
    assert re.search(r"train +3 +6 +6 +2\.0 +3 \(line 1\)", ran.out)
    assert re.search(r"PER +1 +1", ran.out)


def test_every_illegal_tag_is_listed_with_path_and_line(gatewise_command: Run, write: Any) -> None:
    bad = write("train.conll", GOOD + "\n是 O\n的 I-PER\n\n来 I-LOC\n去 O\n\n" + "南 B-LOC\n\n" * 3)
    ran = gatewise_command("check", bad)
    assert (ran.code, ran.err) == (1, "")
    assert re.search(r"^error +2  tags that break the scheme BIO$", ran.out, re.MULTILINE)
    assert f'{bad}:8: expected "O" or "B-…" after "O" (BIO), found "I-PER"' in ran.out
    assert f'{bad}:10: expected "O" or "B-…" at the start of the sentence (BIO), found "I-LOC"' in ran.out
    limited = gatewise_command("check", bad, "--limit", 1)
    assert "Illegal tags, 1 of 2" in limited.out
    assert f"{bad}:10" not in limited.out


def test_leaks_are_warnings_and_strict_makes_them_count(gatewise_command: Run, write: Any) -> None:
    train, test = write("my.train.tsv", GOOD), write("my.test.tsv", GOOD)
    ran = gatewise_command("check", train, test)
    assert ran.code == 0
    assert re.search(r"^warning +2  test: sentences that stand in train too, word for word$", ran.out, re.MULTILINE)
    assert f"{test}:1 is {train}:1" in ran.out
    assert gatewise_command("check", train, test, "--strict").code == 1


def test_standard_input(gatewise_command: Run, write: Any) -> None:
    ran = gatewise_command("check", "-", write("test.conll", OTHER), stdin=GOOD + "\n是 O\n的 I-PER\n\n" + OTHER * 3)
    assert (ran.code, ran.err) == (1, "")
    assert '<standard input>:8: expected "O" or "B-…" after "O" (BIO), found "I-PER"' in ran.out
    assert json.loads(gatewise_command("check", "-", "--json", stdin=GOOD).out)["files"] == {
        "train": "<standard input>"
    }


def test_the_column_of_the_tags(gatewise_command: Run, write: Any) -> None:
    rows = "1\ta\t_\tNOUN\tNN\t_\t_\t_\t_\t_\n2\tb\t_\tVERB\tVB\t_\t_\t_\t_\t_\n\n"
    path = write("a.conllu", rows)
    for column, labels in ((), ["NOUN", "VERB"]), (("--column", "xpos"), ["NN", "VB"]):
        report = json.loads(gatewise_command("check", path, "--json", *column).out)
        assert sorted(report["splits"]["train"]["labels"]) == labels
    ran = gatewise_command("check", path, "--column", "lemma")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(
        'error: column: expected one that conllu has (upos, xpos, pos, tag), found "lemma"; choose'
    )


def test_an_empty_file_is_an_error(gatewise_command: Run, write: Any) -> None:
    ran = gatewise_command("check", write("train.conll", GOOD), write("dev.conll", "\n"))
    assert (ran.code, ran.err) == (1, "")
    assert re.search(r"^error +1  dev: an empty file$", ran.out, re.MULTILINE)


def test_json_holds_everything(gatewise_command: Run, write: Any) -> None:
    train = write("train.conll", GOOD + "\n小 B-LOC\n明 I-LOC\n\na\u200bb O\n")
    test = write("test.conll", GOOD + "\n好 B-ORG\n")
    ran = gatewise_command("check", train, test, "--json")
    report = json.loads(ran.out)
    assert report["files"] == {"train": str(train), "test": str(test)}
    assert report["scheme"] == "BIO"
    assert report["splits"]["train"]["labels"] == {"LOC": 1, "PER": 1}
    assert report["only_in"] == {"train": ["LOC"], "test": ["ORG"]}
    assert report["odd_characters"][0]["code"] == "U+200B ZERO WIDTH SPACE"
    assert report["suspects"][0]["text"] == "小明"
    [leak] = [entry for entry in report["repeats"] if (entry["split"], entry["other"]) == ("test", "train")]
    assert (leak["exact"], leak["conflicting"], leak["places"]) == (3, 1, [[1, 1], [5, 5], [7, 5]])
    assert {finding["level"] for finding in report["findings"]} == {"warning", "note"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.conll"], "nothing.conll: expected a file, found nothing under this name"),
        (["-", "-"], "-: expected standard input for one of the files, found it for two; save one of them first"),
        (["wrong.conll", "--column", "xpos", "--columns", "token,_"], "wrong.conll:1: expected 2 columns, found 1"),
        (["wrong.conll"], "wrong.conll:1: expected 2 columns, found 1"),
        (["wrong.conll", "--from", "xml"], "--from: expected one of auto,"),
    ],
)
def test_bad_files_end_in_one_sentence(
    gatewise_command: Run, write: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(write("wrong.conll", "alone\n").parent)
    ran = gatewise_command("check", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {message}")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train.tsv", "test.tsv"], ["train", "test"]),
        (["a/x_train_v2.tsv", "a/x.dev.tsv", "b/test.tsv"], ["train", "dev", "test"]),
        (["latest.tsv", "devices.tsv"], ["train", "dev"]),
        (["train.tsv", "train.more.tsv"], ["train", "dev"]),
        (["one.test.tsv"], ["test"]),
    ],
)
def test_splits_are_named_by_their_files(names: list[str], splits: list[str]) -> None:
    assert list(name_splits([Path(name) for name in names])) == splits


# tags


def test_the_labels_of_the_bundled_model(gatewise_command: Run) -> None:
    ran = gatewise_command("tags", "zh")
    assert (ran.code, ran.err) == (0, "")
    assert re.search(r"PROPN +8,679 +proper noun +中国", ran.out)
    assert "Meanings: Universal Dependencies UPOS\nhttps://universaldependencies.org/u/pos/" in ran.out
    chinese = gatewise_command("tags", "zh", "--lang", "zh").out
    assert re.search(r"PROPN +8,679 +专有名词 +中国", chinese)
    assert "含义依据：Universal Dependencies UPOS" in chinese


def test_labels_as_json(gatewise_command: Run) -> None:
    found = json.loads(gatewise_command("tags", "zh", "--json").out)
    assert (found["model"], found["scheme"], found["tag_set"]["name"]) == ("zh", "BIOES", "upos")
    by_label = {entry["label"]: entry for entry in found["labels"]}
    assert len(by_label) == 16
    assert by_label["SYM"] == {
        "label": "SYM",
        "count": 2,
        "meaning": {"en": "symbol", "zh": "符号"},
        "example": "$",
    }


def test_a_model_of_before_has_no_counts(gatewise_command: Run, stored: Path) -> None:
    ran = gatewise_command("tags", stored / "v1-spans")
    assert re.search(r"LOC +place", ran.out)
    assert "saved without counts and examples; training it again stores them" in ran.out
    found = json.loads(gatewise_command("tags", stored / "v1-spans", "--json").out)
    assert all(entry["count"] is None and entry["example"] is None for entry in found["labels"])


def test_unknown_labels_are_never_guessed(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(stored / "v1-spans", tmp_path / "model"))
    config = folder / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace("-PER", "-人[red]"), encoding="utf-8")
    ran = gatewise_command("tags", folder)
    assert "Without a meaning, for this tag set does not hold them: 人[red]" in ran.out
    config.write_text(config.read_text(encoding="utf-8").replace("-LOC", "-Q"), encoding="utf-8")
    ran = gatewise_command("tags", folder)
    assert "No tag set known here explains these labels; none is guessed." in ran.out
    assert ran.code == 0


# errors


def test_the_page_is_written_and_counted(gatewise_command: Run, stored: Path, write: Any, tmp_path: Path) -> None:
    gold = write("gold.conll", "小 B-PER\n明 I-PER\n住 O\n在 O\n北 B-LOC\n京 I-LOC\n。 B-LOC\n\n好 O\n")
    ran = gatewise_command("errors", stored / "v1-spans", gold, "--html", tmp_path / "out.html", "--lang", "zh")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"{tmp_path / 'out.html'}: 1 error(s) in 1 of 2 sentence(s)\n"
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.startswith('<!doctype html>\n<html lang="zh-CN">')
    assert "gold.conll" in page


def test_what_the_page_does_not_explain_is_told(
    gatewise_command: Run, stored: Path, write: Any, tmp_path: Path
) -> None:
    gold = write("gold.conll", "好 B-PER\n\n天 B-LOC\n气 I-LOC\n")
    page = tmp_path / "out.html"
    ran = gatewise_command("errors", stored / "v1-spans", gold, "--html", page, "--explain-tokens", 1)
    assert ran.err == (
        f"{page}: 2 error(s) in 2 of 2 sentence(s)\n{page}: 1 of these 2 sentence(s) are explained in the page"
        " (--explain-tokens 1, and at most 2,000 in one sentence); the others name the command that explains them\n"
    )
    assert gatewise_command("errors", stored / "v1-spans", gold, "--html", page).err.count("\n") == 1
    ran = gatewise_command("errors", stored / "v1-spans", gold, "--html", page, "--explain-tokens", -1)
    assert (ran.code, "--explain-tokens" in ran.err) == (2, True)


def test_errors_needs_a_place_for_the_page(gatewise_command: Run, stored: Path, tiny: Path) -> None:
    ran = gatewise_command("errors", stored / "v1-spans", tiny / "spans.conll")
    assert ran.code == 2
    assert "--html" in ran.err
    ran = gatewise_command("errors", stored / "v1-spans", tiny / "spans.conll", "--html", "nowhere/out.html")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
