"""`gatewise evaluate`, `convert` and `models`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gatewise.formats import read_sentences
from gatewise.model.bundled import bundled_models

Run = Any  # the fixture `gatewise_command`


def row(out: str, label: str) -> list[str]:
    """The numbers behind a label in the table."""
    [line] = [line for line in out.splitlines() if re.match(rf"\s*{label}\s", line)]
    return line.removeprefix(line[: line.index(label) + len(label)]).split()


# evaluate


def test_the_table_of_spans(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.conll"
    gold.write_text("小 B-PER\n明 I-PER\n住 O\n在 O\n北 B-LOC\n京 I-LOC\n。 B-LOC\n", encoding="utf-8")
    ran = gatewise_command("evaluate", stored / "v1-spans", gold)
    assert (ran.code, ran.err) == (0, "")
    assert row(ran.out, "label") == ["precision", "recall", "F1", "in", "gold"]
    assert row(ran.out, "PER") == ["100.00", "100.00", "100.00", "1"]
    assert row(ran.out, "LOC") == ["100.00", "50.00", "66.67", "2"]
    assert row(ran.out, "all, with labels") == ["100.00", "66.67", "80.00", "3"]
    assert "gold.conll" in ran.out.splitlines()[0]


def test_the_table_of_plain_tags(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.tsv"
    gold.write_text("A DET\nsaw X\nis AUX\nold ADJ\n. PUNCT\n", encoding="utf-8")
    ran = gatewise_command("evaluate", stored / "v1-tags", gold)
    assert row(ran.out, "accuracy") == ["80.00", "5"]
    assert row(ran.out, "X") == ["0.00", "0.00", "0.00", "1"]
    assert row(ran.out, "NOUN") == ["0.00", "0.00", "0.00", "0"]


def test_the_table_of_words(gatewise_command: Run, stored: Path, tiny: Path) -> None:
    ran = gatewise_command("evaluate", stored / "v1-segmentation", tiny / "segmentation.conllu")
    assert row(ran.out, "all, with labels")[:3] == row(ran.out, "words alone")[:3] == ["100.00"] * 3


def test_json(gatewise_command: Run, stored: Path, tiny: Path) -> None:
    report = json.loads(gatewise_command("evaluate", stored / "v1-spans", tiny / "spans.conll", "--json").out)
    assert report["F1"] == report["overall"]["f1"] == 1.0
    assert set(report["labels"]) == {"LOC", "ORG", "PER"}
    words = json.loads(
        gatewise_command("evaluate", stored / "v1-segmentation", tiny / "segmentation.conllu", "--json").out
    )
    assert words["words"]["gold"] == words["words"]["correct"] == words["overall"]["gold"]
    tags = json.loads(gatewise_command("evaluate", stored / "v1-tags", tiny / "tags.conll", "--json").out)
    assert (tags["accuracy"], tags["correct"]) == (1.0, tags["total"])


def test_columns(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.conll"
    gold.write_text("The x B-NP\ncat y I-NP\n", encoding="utf-8")
    ran = gatewise_command("evaluate", stored / "v1-softmax-rnn", gold, "--columns", "token, _, tag", "--json")
    assert json.loads(ran.out)["F1"] == 1.0


# convert


@pytest.mark.parametrize(("scheme", "inside"), [("BIO", "I"), ("BIOES", "E"), ("BMES", "E")])
def test_schemes(gatewise_command: Run, tiny: Path, tmp_path: Path, scheme: str, inside: str) -> None:
    ran = gatewise_command("convert", tiny / "spans.conll", tmp_path / "out.conll", "--scheme", scheme)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    text = (tmp_path / "out.conll").read_text(encoding="utf-8")
    assert text.startswith(f"小\tB-PER\n明\t{inside}-PER\n住\tO\n")
    assert gatewise_command("convert", tmp_path / "out.conll", "-", "--scheme", "BIO").out == "".join(
        (tiny / "spans.conll").read_text(encoding="utf-8").rstrip("\n") + "\n\n"
    )


@pytest.mark.parametrize("name", ["out.jsonl", "out.conll", "out.conllu"])
def test_formats_and_back(gatewise_command: Run, tiny: Path, tmp_path: Path, name: str) -> None:
    source = tiny / "segmentation.conllu"
    assert gatewise_command("convert", source, tmp_path / name).code == 0
    assert gatewise_command("convert", tmp_path / name, tmp_path / "again.conllu").code == 0
    wanted, found = list(read_sentences(source)), list(read_sentences(tmp_path / "again.conllu"))
    assert [(s.text, s.forms, s.tags) for s in found] == [(s.text, s.forms, s.tags) for s in wanted]


def test_streams_and_named_formats(gatewise_command: Run, tiny: Path) -> None:
    content = (tiny / "tags.conll").read_bytes()
    ran = gatewise_command("convert", "-", "-", "--from", "conll", "--to", "inline", stdin=content)
    assert ran.out.startswith("The/DET cat/NOUN sat/VERB")
    assert (
        gatewise_command("convert", "-", "-", "--from", "conll", stdin=content).out
        == content.decode().rstrip() + "\n\n"
    )


def test_another_scheme_from_standard_input(gatewise_command: Run, tiny: Path) -> None:
    content = (tiny / "spans.conll").read_bytes()
    ran = gatewise_command("convert", "-", "-", "--from", "conll", "--scheme", "BMES", stdin=content)
    assert ran.code == 2 or ran.out.startswith("小\tB-PER\n明\tE-PER\n")


# models


def test_the_list_names_every_bundled_model(gatewise_command: Run) -> None:
    ran = gatewise_command("models")
    assert ran.code == 0
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert [line[0] for line in lines] == list(bundled_models())
    assert all(re.fullmatch(r"\d+\.\d MB", line[2]) for line in lines)


def test_the_card_of_a_folder(gatewise_command: Run, stored: Path) -> None:
    ran = gatewise_command("models", stored / "v1-spans")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (stored / "v1-spans" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(bundled_models()))
def test_the_card_of_a_bundled_model(gatewise_command: Run, name: str) -> None:
    ran = gatewise_command("models", name)
    assert ran.out.startswith(f"# {name}\n")
    assert "## License" in ran.out
