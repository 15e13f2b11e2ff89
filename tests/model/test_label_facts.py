"""Counts and examples of labels: made by training, kept by the archive, optional, and checked."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from gatewise.errors import ModelError
from gatewise.model.archive import open_model, save_model
from gatewise.model.label_facts import LabelFacts, bare_labels, label_facts
from gatewise.text import sentence_from_forms


def test_counts_and_examples_of_spans() -> None:
    facts = label_facts(
        [
            sentence_from_forms(["北", "京", "和", "小", "明"], ["B-LOC", "E-LOC", "O", "B-PER", "E-PER"]),
            sentence_from_forms(["北", "京"], ["B-LOC", "E-LOC"]),
            sentence_from_forms(["北", "京"], ["B-ORG", "E-ORG"]),
            sentence_from_forms(["国", "安"], ["B-ORG", "E-ORG"]),
        ],
        "BIOES",
    )
    assert facts.counts == {"LOC": 2, "ORG": 2, "PER": 1}
    assert facts.examples == {"LOC": "北京", "ORG": "国安", "PER": "小明"}, "北京 is LOC more often than ORG"


def test_plain_tags_are_their_own_labels_and_long_texts_are_no_examples() -> None:
    facts = label_facts([sentence_from_forms(["x" * 21, "y" * 20, "O"], ["URL", "X", "O"])], "plain")
    assert facts.counts == {"O": 1, "URL": 1, "X": 1}
    assert facts.examples == {"X": "y" * 20, "O": "O"}
    assert bare_labels(["URL", "O", "X"], "plain") == ("O", "URL", "X")
    assert bare_labels(["O", "B-URL", "S-X", "B"], "BIOES") == ("", "URL", "X")


def save_with(source: Path, target: Path, facts: LabelFacts | None) -> None:
    archive = open_model(source)
    save_model(
        target,
        config=archive.config,
        scheme=archive.scheme,
        labels=archive.labels,
        vocabularies=archive.vocabularies,
        arrays=load_file(source / "model.safetensors"),
        graph=archive.graph_path.read_bytes(),
        card=archive.card,
        facts=facts,
    )


def test_the_archive_keeps_them_and_does_without(stored: Path, tmp_path: Path) -> None:
    facts = LabelFacts(counts={"LOC": 2, "PER": 0}, examples={"LOC": "北京"})
    save_with(stored / "v1-spans", tmp_path / "with", facts)
    save_with(stored / "v1-spans", tmp_path / "without", None)
    assert open_model(tmp_path / "with").facts == facts
    assert open_model(tmp_path / "without").facts == LabelFacts()
    assert "label_counts" not in (tmp_path / "without" / "config.json").read_text(encoding="utf-8")


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"label_counts": []}, "label_counts: expected an object, found list"),
    ({"label_counts": {"B-LOC": 1}}, "label_counts: expected labels of the model, found 'B-LOC'"),
    ({"label_counts": {"LOC": -1}}, "label_counts: LOC: expected a count of at least 0, found -1"),
    ({"label_counts": {"LOC": True}}, "label_counts: LOC: expected a count of at least 0, found True"),
    ({"label_examples": {"LOC": 3}}, "label_examples: LOC: expected a text, found 3"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_what_is_broken_is_named(stored: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = Path(shutil.copytree(stored / "v1-spans", tmp_path / "model"))
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(ModelError, match=re.escape(message)) as refusal:
        open_model(folder)
    assert str(refusal.value).startswith(f"{path}: ")
