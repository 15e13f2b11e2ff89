"""Further heads on the command line: tag, evaluate, explain, tags, models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gatewise.runtime import Tagger

Run = Any  # the fixture `gatewise_command`
TEXT = "小明住在北京。"
HEADS = ("names", "chunks")


@pytest.fixture
def model(stored: Path) -> Path:
    return stored / "v1-heads"


@pytest.fixture
def tagger(taggers: dict[str, Tagger]) -> Tagger:
    return taggers["v1-heads"]


def test_inline_shows_the_main_head_or_the_one_asked_for(gatewise_command: Run, model: Path) -> None:
    assert gatewise_command("tag", "-m", model, stdin=TEXT).out == "小明/PROPN 住/VERB 在/ADP 北京/PROPN 。/PUNCT\n"
    assert gatewise_command("tag", "-m", model, "--head", "names", stdin=TEXT).out == "[小明 PER]住在[北京 LOC]。\n"


def test_jsonl_holds_every_head(gatewise_command: Run, model: Path, tagger: Tagger) -> None:
    [line] = gatewise_command("tag", "-m", model, "--to", "jsonl", stdin=TEXT).out.splitlines()
    said, sentence = json.loads(line), tagger.tag(TEXT)
    assert list(said["heads"]) == list(HEADS)
    for name in HEADS:
        assert said["heads"][name]["tags"] == list(sentence.heads[name].tags or ())
        assert [span["text"] for span in said["heads"][name]["spans"]] == ["小明", "北京"]
    [line] = gatewise_command("tag", "-m", model, "--to", "jsonl", "--head", "names", stdin=TEXT).out.splitlines()
    alone = json.loads(line)
    assert "heads" not in alone
    assert [token["tag"] for token in alone["tokens"]] == said["heads"]["names"]["tags"]


def test_columns_hold_a_column_each(gatewise_command: Run, model: Path, tagger: Tagger) -> None:
    rows = gatewise_command("tag", "-m", model, "--to", "conll", stdin=TEXT).out.rstrip("\n").split("\n")
    sentence = tagger.tag(TEXT)
    columns = [sentence.forms, sentence.tags, *(sentence.heads[name].tags for name in HEADS)]
    assert [tuple(row.split("\t")) for row in rows] == list(zip(*columns, strict=True))


def test_what_is_doubtful_is_withheld_in_every_head(gatewise_command: Run, model: Path) -> None:
    ran = gatewise_command("tag", "-m", model, "--to", "jsonl", "--min-score", "1", stdin=TEXT)
    said = json.loads(ran.out)
    assert {tag for name in HEADS for tag in said["heads"][name]["tags"]} == {"O"}
    assert [line.split()[0] for line in ran.err.splitlines()] == ["withheld", "names:", "chunks:"]
    assert "names: withheld 2 of 2 spans, with a probability below 1" in ran.err
    alone = gatewise_command("tag", "-m", model, "--head", "names", "--min-score", "1", stdin=TEXT)
    assert (alone.out, alone.err.split()[:4]) == (TEXT + "\n", ["withheld", "2", "of", "2"])


def test_n_best_constraints_and_dictionary_are_for_the_head(
    gatewise_command: Run, model: Path, tagger: Tagger, tmp_path: Path
) -> None:
    ran = gatewise_command("tag", "-m", model, "--to", "jsonl", "--head", "names", "--n-best", 2, stdin=TEXT)
    entries = json.loads(ran.out)["n_best"]
    assert [entry["tags"] for entry in entries] == [list(s.tags or ()) for s in tagger.n_best(TEXT, 2, head="names")]
    known = tmp_path / "known.jsonl"
    known.write_text('{"spans": [{"start": 0, "end": 2, "label": "ORG"}]}\n', encoding="utf-8")
    ran = gatewise_command("tag", "-m", model, "--head", "names", "--constrain", known, stdin=TEXT)
    assert ran.out == "[小明 ORG]住在[北京 LOC]。\n"
    words = tmp_path / "words.txt"
    words.write_text("住在\n", encoding="utf-8")
    ran = gatewise_command(
        "tag", "-m", model, "--head", "chunks", "--dictionary", words, "--hard-dictionary", stdin=TEXT
    )
    assert "[住在 " in ran.out


def test_the_words_of_conllu_are_those_of_the_head(gatewise_command: Run, model: Path) -> None:
    rows = gatewise_command("tag", "-m", model, "--to", "conllu", stdin=TEXT).out
    assert "\n1\t小明\t_\tPROPN\t" in rows
    names = gatewise_command("tag", "-m", model, "--to", "conllu", "--head", "names", stdin=TEXT).out
    assert "\n1\t小\t_\tB-PER\t" in names


def test_a_head_is_evaluated_on_its_own_file(gatewise_command: Run, model: Path, tiny: Path) -> None:
    ran = gatewise_command("evaluate", model, tiny / "spans.conll", "--head", "names", "--json")
    report = json.loads(ran.out)
    assert set(report["labels"]) == {"LOC", "ORG", "PER"}
    assert "words" not in report
    ran = gatewise_command("evaluate", model, tiny / "spans.conll", "--head", "names")
    assert "v1-heads, head names, on spans.conll" in " ".join(ran.out.split())
    ran = gatewise_command("evaluate", model, tiny / "spans.conll", "--head", "names", "--json", "--calibration")
    assert json.loads(ran.out)["calibration"]["spans"]["count"] == report["overall"]["predicted"]
    main = json.loads(gatewise_command("evaluate", model, tiny / "segmentation.conllu", "--json").out)
    assert "words" in main


def test_a_head_is_explained(gatewise_command: Run, model: Path) -> None:
    ran = gatewise_command("explain", "-m", model, TEXT, "--head", "chunks", "--format", "json")
    said = json.loads(ran.out)
    assert said["head"] == "chunks"
    assert [span["label"] for span in said["spans"]] == ["PER", "LOC"]
    assert "Head: chunks." in gatewise_command("explain", "-m", model, TEXT, "--head", "chunks").out
    ran = gatewise_command("explain", "-m", model, TEXT, "--format", "json")
    assert json.loads(ran.out)["head"] is None


@pytest.mark.parametrize(
    "command",
    [
        ("tag", "-m", "MODEL", "--head", "nr"),
        ("evaluate", "MODEL", "FILE", "--head", "nr"),
        ("explain", "-m", "MODEL", TEXT, "--head", "nr"),
    ],
)
def test_an_unknown_head_is_refused_in_a_sentence(
    gatewise_command: Run, model: Path, tiny: Path, command: tuple[str, ...]
) -> None:
    given = [{"MODEL": model, "FILE": tiny / "spans.conll"}.get(word, word) for word in command]
    ran = gatewise_command(*given, stdin=TEXT)
    assert ran.code == 2
    assert ran.err == "error: v1-heads: expected a head of this model, found 'nr'; it has names, chunks\n"


def test_a_network_written_by_hand_has_no_heads(gatewise_command: Run) -> None:
    ran = gatewise_command("explain", "--head", "ner")
    assert ran.code == 2
    assert ran.err.startswith("error: --head ner: expected a trained model and a TEXT for it")


def test_every_head_s_labels_are_explained(gatewise_command: Run, model: Path, stored: Path) -> None:
    said = json.loads(gatewise_command("tags", model, "--json").out)
    assert list(said["heads"]) == list(HEADS)
    names = {entry["label"]: entry["count"] for entry in said["heads"]["names"]["labels"]}
    assert names == {"LOC": 8, "ORG": 4, "PER": 10}
    assert {entry["label"] for entry in said["labels"]} >= {"PROPN", "VERB"}
    page = gatewise_command("tags", model).out
    assert "v1-heads · head names · Scheme BIO" in page
    assert "v1-heads · 输出头 chunks · 标注方案 BIOES" in gatewise_command("tags", model, "--lang", "zh").out
    assert "heads" not in json.loads(gatewise_command("tags", stored / "v1-spans", "--json").out)


def test_the_list_of_models_names_each_head(
    gatewise_command: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatewise.model import bundled

    folder = Path(shutil.copytree(model, tmp_path / "three"))
    monkeypatch.setattr(bundled, "bundled_models", lambda: {"three": folder})
    assert "three\tsegmentation, names: spans, chunks: spans\t" in gatewise_command("models").out
    assert "## Scores of head names on dev" in gatewise_command("models", folder).out


HEADS_CONFIG = """
[task]
kind = "segmentation"
[features]
token_dim = 5
bigram_dim = 3
[encoder]
hidden = 5
[heads.names]
train = "{names}"
dev = "{names}"
scheme = "BIO"
[heads.dull]
train = "{names}"
[training]
epochs = 2
learning_rate = 0.03
threads = 1
"""


@pytest.mark.torch
def test_heads_are_trained_and_every_score_is_told(gatewise_command: Run, tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    config, corpus = tmp_path / "heads.toml", tiny / "segmentation.conllu"
    config.write_text(HEADS_CONFIG.format(names=tiny / "spans.conll"), encoding="utf-8")
    ran = gatewise_command("train", corpus, "--dev", corpus, "--config", config, "-o", tmp_path / "m", "--seeds", "2")
    assert ran.code == 0, ran.err
    shown = [line.split() for line in ran.err.splitlines()]
    assert ["train", "(names)", "12", "sentences,", "99", "tokens"] in shown
    assert "head dull" in ran.err
    assert ["epoch", "loss", "tokens/s", "dev", "F1", "names", "F1", "dull", "F1", "time"] in shown
    rows = [row for row in shown if row[:1] in (["1/2"], ["2/2"])]
    assert len(rows) == 4
    for row in rows:
        assert row[5] == "–"  # the head dull has no dev file
        assert 0 <= float(row[4]) <= 100
    for split in ("dev", "names dev"):
        assert sum(line.startswith(f"{split}: ") and "over 2 seeds" in line for line in ran.out.splitlines()) == 1
    assert "seed-1, head names, on dev" in ran.out
    again = gatewise_command(
        "train", corpus, "--dev", corpus, "--config", config, "-o", tmp_path / "m", "--seeds", "2", "--resume"
    )
    assert [line for line in again.out.splitlines() if "seeds" in line] == [
        line for line in ran.out.splitlines() if "seeds" in line
    ]


@pytest.mark.torch
def test_heads_that_cannot_be_trained_are_refused_in_a_sentence(
    gatewise_command: Run, tiny: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    settings = ("--set", "heads.w.train=" + str(tiny / "chunks.conll"))
    ran = gatewise_command("train", tiny / "spans.conll", "-o", tmp_path / "m", *settings)
    assert ran.code == 2
    assert ran.err.startswith("error: heads.w: expected characters, as the main head has them, found words in ")
    assert ran.err.count("\n") == 1
