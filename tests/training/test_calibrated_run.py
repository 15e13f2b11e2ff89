"""The end of a run: a temperature fitted on dev is in the model, and its figures are in card, metrics and report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import gatewise
from gatewise.model.archive import open_model
from gatewise.model.config_reading import config_from_dict
from gatewise.training.run import RunResult, run_training
from gatewise.training.splits import Files, read_splits
from gatewise.training.stopping import StoppedError

pytestmark = pytest.mark.torch

LIST = list[float]


def train(folder: Path, corpus: Path, *, dev: bool = True, test: bool = True, **options: Any) -> RunResult:
    table = {
        "name": "small",
        "task": {"kind": "segmentation"},
        "features": {"token_dim": 5, "bigram_dim": 3},
        "encoder": {"hidden": 5},
        "training": {"epochs": 8, "batch_size": 4, "learning_rate": 0.03, "averaging": 0.9, "threads": 1},
    }
    table["training"] |= {"checkpoint_seconds": 0}
    files = Files(train=corpus, dev=corpus if dev else None, test=corpus if test else None)
    result = run_training(read_splits(config_from_dict(table, where="test"), files), files, folder, **options)
    assert result is not None
    return result


def end_of(folder: Path) -> dict[str, Any]:
    lines = (folder.with_name(folder.name + ".run") / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def expected_error(scores: LIST, right: list[bool]) -> float:
    """Over ten bins, in plain floats."""
    total = 0.0
    for number in range(10):
        members = [(s, r) for s, r in zip(scores, right, strict=True) if min(9, int(10 * s)) == number]
        total += abs(sum(s for s, _ in members) - sum(r for _, r in members))
    return total / len(scores)


def words_and_tags(tagger: Any, corpus: Path) -> tuple[tuple[LIST, list[bool]], tuple[LIST, list[bool]]]:
    """Scores and whether they are right, of the words that the tagger finds, and of the tags of their characters."""
    from gatewise.formats import read_sentences

    spans: tuple[LIST, list[bool]] = ([], [])
    tags: tuple[LIST, list[bool]] = ([], [])
    for gold in read_sentences(corpus, "conllu"):
        found = tagger.tag(gold.text)
        truth = {(token.start, token.end, tag) for token, tag in zip(gold.tokens, gold.tags or (), strict=True)}
        spans[0].extend(span.score for span in found.spans)
        spans[1].extend((span.start, span.end, span.label) in truth for span in found.spans)
        place = {}
        for start, end, label in truth:
            for at in range(start, end):
                position = "S" if end - start == 1 else "B" if at == start else "E" if at == end - 1 else "I"
                place[at] = f"{position}-{label}"
        tags[0].extend(found.scores)
        tags[1].extend(tag == place[token.start] for token, tag in zip(found.tokens, found.tags, strict=True))
    return spans, tags


def test_a_run_with_dev_ends_calibrated(tiny: Path, tmp_path: Path) -> None:
    corpus = tiny / "segmentation.conllu"
    result = train(tmp_path / "model", corpus)
    tagger = gatewise.load(result.folder)
    assert result.doubt == ""
    assert list(result.calibrations) == ["dev", "test"]
    change = result.calibrations["test"]
    assert tagger.temperature == change.after.temperature != 1
    assert change.before.temperature == 1
    for temperature, side in ((1, change.before), (tagger.temperature, change.after)):
        spans, tags = words_and_tags(tagger.with_temperature(temperature), corpus)
        assert side.spans is not None
        assert side.spans.expected_error == pytest.approx(expected_error(*spans))
        assert side.tokens.expected_error == pytest.approx(expected_error(*tags))
    assert change.after.spans is not None
    assert change.before.spans is not None
    assert change.after.spans.expected_error < change.before.spans.expected_error

    card = (result.folder / "README.md").read_text(encoding="utf-8")
    headings = re.findall("^## (.*)$", card, flags=re.MULTILINE)
    assert headings[:5] == ["Scores on dev", "Scores on test", "Calibration on dev", "Calibration on test", "License"]
    before, after = change.before.spans.expected_error, change.after.spans.expected_error
    assert f"- expected calibration error, spans: {after:.2%} ({before:.2%} at temperature 1)" in card
    assert end_of(result.folder)["calibration"]["test"] == change.to_dict()
    page = result.report.read_text(encoding="utf-8")
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert data["calibration"]["test"]["temperature"] == tagger.temperature
    assert data["calibration"]["test"]["kinds"][1]["error"] == [before, after]


def test_without_dev_nothing_is_fitted(tiny: Path, tmp_path: Path) -> None:
    result = train(tmp_path / "model", tiny / "segmentation.conllu", dev=False)
    assert (result.calibrations, result.doubt) == ({}, "")
    assert "temperature" not in json.loads((result.folder / "config.json").read_text(encoding="utf-8"))
    assert "Calibration" not in (result.folder / "README.md").read_text(encoding="utf-8")
    assert "calibration" not in end_of(result.folder)


def test_without_test_there_is_dev(tiny: Path, tmp_path: Path) -> None:
    result = train(tmp_path / "model", tiny / "segmentation.conllu", test=False)
    assert list(result.calibrations) == ["dev"]
    assert open_model(result.folder).temperature == result.calibrations["dev"].after.temperature


def test_a_run_that_was_stopped_ends_with_the_same_temperature(tiny: Path, tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", tiny / "segmentation.conllu")
    asked = 0

    def stop_once() -> bool:
        nonlocal asked
        asked += 1
        return asked == 11

    with pytest.raises(StoppedError):
        train(tmp_path / "model", tiny / "segmentation.conllu", should_stop=stop_once)
    again = train(tmp_path / "model", tiny / "segmentation.conllu", resume=True)
    assert again.calibrations == whole.calibrations
    for name in ("config.json", "model.safetensors", "model.onnx"):
        assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes()
