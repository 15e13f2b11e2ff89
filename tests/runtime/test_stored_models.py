"""The stored tiny models of every format version still load, and still say what they said when they were stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.model.archive import FORMAT_VERSION
from gatewise.native.library import VARIABLE
from gatewise.runtime import Tagger, load
from gatewise.text.schemes import check_tags
from gatewise.text.sentence import Sentence

MODELS = Path(__file__).parent.parent / "data" / "models"
NAMES = sorted(path.parent.name for path in MODELS.glob("*/config.json"))


def expected(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((MODELS / f"{name}.expected.json").read_text(encoding="utf-8"))
    return entries


def check(sentence: Sentence, entry: dict[str, Any], within: float = 1e-4) -> None:
    assert sentence.text == entry["text"]
    assert [[token.start, token.end] for token in sentence] == entry["tokens"]
    assert list(sentence.tags or ()) == entry["tags"]
    assert list(sentence.scores or ()) == pytest.approx(entry["scores"], abs=within)
    assert [[span.start, span.end, span.label] for span in sentence.spans] == [span[:3] for span in entry["spans"]]
    assert [span.score for span in sentence.spans] == pytest.approx([span[3] for span in entry["spans"]], abs=within)


def test_every_format_version_is_stored() -> None:
    versions = {int(name.partition("-")[0].removeprefix("v")) for name in NAMES}
    assert versions == set(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize("kernel", ["", "onnxruntime"])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_said_is_still_said(monkeypatch: pytest.MonkeyPatch, name: str, kernel: str) -> None:
    monkeypatch.setenv(VARIABLE, kernel)
    tagger, entries = load(MODELS / name), expected(name)
    # what was stored is what onnxruntime said; another kernel rounds the states of an int8 model elsewhere (ADR 0038)
    within = 0.01 if "integers" in name and not kernel else 1e-4
    for entry, in_batch in zip(entries, tagger.tag_many(entry["text"] for entry in entries), strict=True):
        check(tagger.tag(entry["text"]), entry, within)
        check(in_batch, entry, within)
        check_tags(in_batch.tags or (), tagger.scheme)


@pytest.mark.parametrize("name", NAMES)
def test_the_equations_still_give_the_stored_emissions(taggers: dict[str, Tagger], name: str) -> None:
    for entry in expected(name):
        trace = taggers[name].trace(entry["text"])
        wanted = np.array(entry["emissions"]).reshape(-1, len(trace.labels))
        np.testing.assert_allclose(trace.emissions, wanted, rtol=0, atol=2e-5)
        check(trace.sentence, entry, 1e-4 if "integers" not in name else 0.05)  # its graph rounds the states


@pytest.mark.parametrize("name", NAMES)
def test_stored_models_are_small(name: str) -> None:
    assert sum(path.stat().st_size for path in (MODELS / name).iterdir()) < 40_000
