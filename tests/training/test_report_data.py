"""What the report shows, against counts made by hand."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

from gatewise.model.calibration import Calibration, CalibrationChange, reliability
from gatewise.model.config_reading import config_from_dict
from gatewise.model.scoring import score_tags
from gatewise.text.sentence import sentence_from_forms
from gatewise.training.report_data import RunFacts, report_data, score_table
from gatewise.training.run_log import token_spans

pytestmark = pytest.mark.torch

GOLD = [("S-A", "S-A", "B-B", "E-B", "O", "S-C"), ("S-A", "O", "S-B")]
SAID = [("S-A", "S-B", "B-B", "I-B", "E-B", "S-C"), ("S-A", "S-C", "S-A")]


def test_the_confusion_matrix_counts_every_span_once() -> None:
    """Gold: A A B C, A B. Said: A B(as 2nd A) B(longer) C, A C(alone) A(as B)."""
    table = score_table(score_tags(GOLD, SAID, "BIOES").to_dict())
    assert table["matrix"]["labels"] == ["A", "B", "C"]
    assert table["matrix"]["rows"] == [[2, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0]]
    assert table["matrix"]["alone"] == [0, 1, 1]
    assert sorted(table["confusion"]) == [["A", "B", 1], ["B", "A", 1]]
    assert table["main"] == pytest.approx(2 * 3 / (6 + 7))


def test_plain_tags_have_a_matrix_without_a_rest() -> None:
    table = score_table(score_tags([("X", "Y", "X")], [("X", "X", "Z")], "plain").to_dict())
    assert table["matrix"]["labels"] == ["X", "Y", "Z"]
    assert table["matrix"]["rows"] == [[1, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert table["matrix"]["alone"] == [0, 0, 0]
    assert (table["overall"], table["main"]) == (None, pytest.approx(1 / 3))


def test_many_labels_are_a_list_of_confusions() -> None:
    gold = tuple(f"T{n}" for n in range(20))
    table = score_table(score_tags([gold], [gold[1:] + gold[:1]], "plain").to_dict())
    assert table["matrix"] is None
    assert len(table["confusion"]) == 20


def test_spans_of_plain_tags_are_those_that_differ() -> None:
    assert token_spans(("X", "Y", "X"), ("X", "X", "X"), "plain") == [(1, 2, "Y")]
    assert token_spans(GOLD[0], SAID[0], "BIOES") == [(0, 1, "A"), (1, 2, "A"), (2, 4, "B"), (5, 6, "C")]


def epoch(number: int, *, best: bool, seconds: float, slowest: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": "epoch", "step": 10 * number, "epoch": number, "loss": 1 / number, "dev_loss": 2 / number,
        "dev_score": 50.0, "learning_rate": 0.1, "tokens_per_second": 7.0, "is_best": best, "seconds": seconds,
        "dev": score_tags(GOLD, SAID, "BIOES").to_dict(), "gates": [], "slowest": slowest,
        "hardest": [{"sentence": 2, "tokens": 3, "loss_per_token": 9.0, "gold": [[2, 3, "B"]], "predicted": []}],
    }  # fmt: skip


def slow(step: int, seconds: float, tokens: int) -> dict[str, Any]:
    return {
        "step": step, "seconds": seconds, "sentences": 2, "tokens": tokens, "longest": 4, "longest_sentence": 1,
    }  # fmt: skip


def test_the_report_of_a_run() -> None:
    table = {"task": {"kind": "spans", "scheme": "BIOES"}, "training": {"epochs": 5}, "card": {"license": "mine"}}
    config = config_from_dict(table, where="test")
    dev = [
        sentence_from_forms(["甲", "乙", "丙", "丁", "戊", "己"], GOLD[0]),
        sentence_from_forms(["😀", "a", "b"], GOLD[1]),
    ]
    facts = RunFacts(name="m", config=config, splits={"train": dev[:1], "dev": dev})
    lines = [
        {"kind": "batch", "step": 1, "epoch": 1, "fraction": 0.1, "learning_rate": 0.1, "gradient_norm": None},
        epoch(1, best=True, seconds=3.0, slowest=[slow(4, 0.5, 5)]),
        epoch(2, best=True, seconds=5.0, slowest=[slow(14, 0.5, 8), slow(12, 0.9, 5)]),
        epoch(3, best=False, seconds=9.0, slowest=[]),
    ]
    data = report_data(facts, lines)
    assert (data["done"], data["kept"], data["score_name"], data["planned"]) == (False, 1, "F1", 5)
    assert [entry["seconds"] for entry in data["epochs"]] == [3.0, 2.0, 4.0]
    assert data["batches"] == [[0.5, 0.1, None]]
    assert [(entry["step"], entry["epoch"]) for entry in data["slowest"]] == [(12, 2), (4, 1), (14, 2)]
    assert data["slowest"][0]["per_token"] == pytest.approx(0.18)
    assert data["slowest"][0]["filled"] == pytest.approx(5 / 8)
    assert data["slowest"][0]["text"] == dev[0].text
    hardest = data["hardest"][0]
    [(start, end, label)] = hardest["gold"]
    assert (hardest["text"][start:end], label) == ("b", "B")
    assert data["label_history"]["C"] == [pytest.approx(2 / 3)] * 3
    assert [dict(split) for split in data["splits"]] == [
        {"name": "train", "sentences": 1, "tokens": 6, "labels": {"A": 2, "B": 1, "C": 1}},
        {"name": "dev", "sentences": 2, "tokens": 9, "labels": {"A": 3, "B": 2, "C": 1}},
    ]
    assert ["training.epochs", 5] in data["config"]
    assert not [row for row in data["config"] if row[0].startswith("card")]
    end = {
        "kind": "end",
        "best_epoch": 2,
        "seconds": 11.0,
        "scores": {"test": score_tags(GOLD, GOLD, "BIOES").to_dict()},
    }
    done = report_data(facts, [*lines, end])
    assert (done["done"], done["seconds"]) == (True, 11.0)
    assert done["tables"]["test"]["main"] == 1.0
    assert done["tables"]["dev"]["main"] < 1.0
    assert data["calibration"] == done["calibration"] == {}


def test_the_points_of_the_reliability_plot() -> None:
    before = Calibration(temperature=1, tokens=reliability([0.75, 0.25, 0.75], [True, False, False]), spans=None)
    after = Calibration(temperature=1.5, tokens=reliability([0.5, 0.25, 0.625], [True, False, False]), spans=None)
    change = CalibrationChange(before=before, after=after).to_dict()
    end = {"kind": "end", "seconds": 1.0, "scores": {}, "calibration": {"dev": change}}
    config = config_from_dict({"task": {"kind": "tags", "scheme": "plain"}}, where="test")
    data = report_data(RunFacts(name="m", config=config, splits={}), [end])
    tags = {
        "name": "tags",
        "count": 3,
        "error": [pytest.approx((0.25 + 2 * 0.25) / 3), pytest.approx((0.25 + 0.5 + 0.625) / 3)],
        "points": [
            [[0.25, 0.0, 1], [0.75, 0.5, 2]],
            [[0.25, 0.0, 1], [0.5, 1.0, 1], [0.625, 0.0, 1]],
        ],
    }
    assert data["calibration"] == {"dev": {"temperature": 1.5, "kinds": [tags]}}


def test_a_run_without_any_epoch_has_a_report_too() -> None:
    config = config_from_dict({"task": {"scheme": "BIOES"}}, where="test")
    data = report_data(RunFacts(name="m", config=config, splits={}), [])
    assert (data["epochs"], data["tables"], data["score_name"], data["hardest"]) == ([], {}, None, [])
