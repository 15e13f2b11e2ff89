"""The card and the scores on it, with numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from gatewise.model.card import TrainingFacts, format_card
from gatewise.model.config import Config
from gatewise.model.config_reading import config_from_dict
from gatewise.model.scoring import score_tags, score_words
from gatewise.text.sentence import Span

GOLD = [("B-PER", "E-PER", "O", "S-LOC"), ("O", "S-LOC")]
PREDICTED = [("B-PER", "E-PER", "S-PER", "S-LOC"), ("O", "O")]  # PER 1 of 1, 2 predicted; LOC 1 of 2, 1 predicted
FACTS = TrainingFacts(
    date="2025-01-02",
    version="0.1.0",
    splits={"train": (1234, 56789)},
    best_epoch=3,
    seconds=61.4,
    parameters=1234567,
    num_tags=5,
)


def make_config(**sections: Any) -> Config:
    task = {"kind": "spans", "scheme": "BIOES", "tokenizer": "characters"}
    return config_from_dict({"name": "zh-x", "task": task, **sections}, where="test")


def test_scores_of_spans_by_hand() -> None:
    scores = score_tags(GOLD, PREDICTED, "BIOES")
    assert scores.main == pytest.approx(2 * 2 / (3 + 3))
    assert scores.main_name == "F1"
    report = scores.to_dict()
    assert report["overall"] == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(2 / 3),
        "gold": 3,
        "predicted": 3,
        "correct": 2,
    }
    assert report["labels"]["PER"]["precision"] == 0.5
    assert report["labels"]["LOC"]["recall"] == 0.5
    assert {"F1", "overall", "labels"} <= report.keys()


def test_scores_of_plain_tags_by_hand() -> None:
    scores = score_tags([("NOUN", "VERB", "NOUN")], [("NOUN", "NOUN", "NOUN")], "plain")
    assert (scores.main, scores.main_name) == (pytest.approx(2 / 3), "accuracy")
    report = scores.to_dict()
    assert (report["correct"], report["total"]) == (2, 3)
    assert report["labels"]["NOUN"]["precision"] == pytest.approx(2 / 3)
    assert report["labels"]["VERB"]["f1"] == 0


def test_scores_of_words_by_hand() -> None:
    gold = [[Span(start=0, end=1, label="PRON"), Span(start=1, end=3, label="NOUN")]]
    predicted = [
        [Span(start=0, end=1, label="VERB"), Span(start=1, end=3, label="NOUN"), Span(start=3, end=4, label="X")]
    ]
    scores = score_words(gold, predicted)
    assert scores.main == pytest.approx(2 * 1 / (2 + 3))
    assert scores.words is not None
    assert scores.words.f1 == pytest.approx(2 * 2 / (2 + 3))
    assert scores.to_dict()["words"]["precision"] == pytest.approx(2 / 3)


def test_a_card_says_what_was_measured_and_nothing_else() -> None:
    card = format_card(make_config(card={"license": "MIT", "limits": "Short texts. "}), FACTS, {})
    assert "Scores" not in card
    assert card.startswith("# zh-x\n\nA BiLSTM-CRF sequence tagger (spans), 200 units in each direction.\n")
    assert "## License\n\nMIT\n\n## Limits\n\nShort texts.\n\n## Training\n" in card
    assert "## Data" not in card
    for row in ("| best epoch | 3 of at most 20 |", "| training time | 61 s |", "| date | 2025-01-02 |"):
        assert row in card
    assert "1,234,567 parameters" in card
    assert "| train split | 1,234 sentences, 56,789 tokens |" in card
    with_scores = format_card(make_config(), FACTS, {"test": score_tags(GOLD, PREDICTED, "BIOES")})
    assert "## Scores on test\n\n- F1: 66.67%\n" in with_scores
    assert "| PER | 50.00% | 100.00% | 66.67% | 1 |" in with_scores
    assert "Not stated" in with_scores


def test_a_model_without_description_is_described() -> None:
    config = make_config(encoder={"kind": "rnn", "hidden": 7, "bidirectional": False}, output={"kind": "softmax"})
    assert "\n\nAn RNN sequence tagger (spans), 7 units.\n" in format_card(config, FACTS, {})
    told = make_config(card={"description": "Names in novels."})
    assert "# zh-x\n\nNames in novels.\n" in format_card(told, FACTS, {})


def test_a_card_names_the_language_model() -> None:
    features = {"language_model": "runs/lm-zh", "language_model_hidden": 256, "language_model_embedding": 64}
    card = format_card(make_config(features=features), FACTS, {})
    assert "| language model | lm-zh, of characters, 256 units in each direction, its states as they are; its" in card
    card = format_card(make_config(features={**features, "language_model_dim": 48}), FACTS, {})
    assert ", 48 numbers made of each direction's states; its weights kept as they came in |" in card
    assert "language model" not in format_card(make_config(), FACTS, {})
