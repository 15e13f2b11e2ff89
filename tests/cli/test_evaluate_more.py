"""What `gatewise evaluate` adds when asked: training data, confidence, kinds of errors, the rules of conlleval."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

Run = Any  # the fixture `gatewise_command`


def test_words_unseen_in_training(gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path) -> None:
    gold = tiny / "segmentation.conllu"
    words = [line.split("\t")[1] for line in gold.read_text(encoding="utf-8").splitlines() if line[:1].isdigit()]
    train = tmp_path / "train.conllu"
    train.write_text("1\t我\t_\tPRON\t_\t_\t_\t_\t_\t_\n\n", encoding="utf-8")
    report = json.loads(gatewise_command("evaluate", stored / "v1-segmentation", gold, "--train", train, "--json").out)
    assert report["seen"] == {"recall": 1.0, "gold": words.count("我"), "correct": words.count("我")}
    assert report["unseen"]["gold"] == len(words) - words.count("我")
    ran = gatewise_command("evaluate", stored / "v1-segmentation", gold, "--train", train)
    assert "not in training" in ran.out


def test_an_unseen_word_is_found_by_its_edges_alone(
    gatewise_command: Run, stored: Path, tiny: Path, tmp_path: Path
) -> None:
    """Gold calls every word X: with labels nothing is right, and yet every word is found."""
    rows = (tiny / "segmentation.conllu").read_text(encoding="utf-8")
    gold, train = tmp_path / "gold.conllu", tmp_path / "train.conllu"
    gold.write_text(re.sub(r"\t_\t[A-Z]+\t", "\t_\tX\t", rows), encoding="utf-8")
    train.write_text("1\t猫\t_\tX\t_\t_\t_\t_\t_\t_\n\n", encoding="utf-8")
    report = json.loads(gatewise_command("evaluate", stored / "v1-segmentation", gold, "--train", train, "--json").out)
    assert report["F1"] == 0.0
    assert report["unseen"]["recall"] == report["words"]["f1"] == 1.0
    assert report["errors"]["label"]["gold"] == report["words"]["gold"]


def test_names_unseen_in_training(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    gold, train = tmp_path / "gold.conll", tmp_path / "train.conll"
    gold.write_text("小 B-PER\n明 I-PER\n住 O\n在 O\n北 B-LOC\n京 I-LOC\n。 B-LOC\n", encoding="utf-8")
    train.write_text("小 B-LOC\n明 I-LOC\n北 O\n京 O\n", encoding="utf-8")  # the text counts, not the label
    report = json.loads(gatewise_command("evaluate", stored / "v1-spans", gold, "--train", train, "--json").out)
    assert report["seen"] == {"recall": 1.0, "gold": 1, "correct": 1}
    assert report["unseen"] == {"recall": 0.5, "gold": 2, "correct": 1}
    assert report["token_accuracy"] == {"accuracy": 6 / 7, "gold": 7, "correct": 6}


def test_confidence_and_kinds_of_errors(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.conll"
    gold.write_text("小 B-PER\n明 I-PER\n住 O\n在 O\n北 B-ORG\n京 I-ORG\n。 O\n", encoding="utf-8")
    ran = gatewise_command("evaluate", stored / "v1-spans", gold, "--confidence", "--errors-summary", "--seed", "3")
    assert (ran.code, ran.err) == (0, "")
    assert "F1 50.00, 95 % interval 50.00 to 50.00 (1000 resamples)" in ran.out
    assert "right edges, wrong label: 1" in ran.out
    assert ["ORG", "LOC", "1"] in [line.split() for line in ran.out.splitlines()]
    report = json.loads(gatewise_command("evaluate", stored / "v1-spans", gold, "--confidence", "--json").out)
    assert report["interval"] == {"low": 0.5, "high": 0.5, "level": 0.95, "resamples": 1000}
    assert report["errors"]["label"] == {"gold": 1, "predicted": 1}
    assert report["confusion"] == [{"gold": "ORG", "predicted": "LOC", "count": 1}]
    assert report["macro"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "labels": 2}
    assert report["macro_all"]["labels"] == 3


def test_confusion_of_plain_tags(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.tsv"
    gold.write_text("A DET\nsaw X\nis AUX\nold ADJ\n. PUNCT\n", encoding="utf-8")
    report = json.loads(gatewise_command("evaluate", stored / "v1-tags", gold, "--json", "--confidence").out)
    assert report["errors"]["label"]["gold"] == 1
    assert sum(kind["gold"] for kind in report["errors"].values()) == 5
    assert (report["interval"]["low"], report["interval"]["high"]) == (0.8, 0.8)


def test_broken_gold(gatewise_command: Run, stored: Path, tmp_path: Path) -> None:
    """A name of one token goes on: refused in every scheme, or, as the CoNLL rules have it, two names."""
    gold = tmp_path / "gold.conll"
    gold.write_text("小 B-PER\n明 I-PER\n住 O\n在 O\n北 S-LOC\n京 I-LOC\n。 O\n", encoding="utf-8")
    refused = gatewise_command("evaluate", stored / "v1-spans", gold)
    assert refused.code == 2
    assert "gold.conll:" in refused.err
    report = json.loads(gatewise_command("evaluate", stored / "v1-spans", gold, "--conlleval", "--json").out)
    overall = report["overall"]
    assert (overall["gold"], overall["predicted"], overall["correct"]) == (3, 2, 1)
    ran = gatewise_command("evaluate", "zh", gold, "--conlleval")
    assert ran.code == 2
    assert "--conlleval: expected a task of spans, whose tags can be broken, found segmentation" in ran.err
