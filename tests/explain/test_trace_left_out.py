"""What the page of a trained model leaves out, and in which numbers it carries the rest."""

from __future__ import annotations

import shutil
import sys
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gatewise
from gatewise.explain.packed import packed_size
from gatewise.explain.trace_document import trace_document
from gatewise.explain.trace_page import shown_trace
from gatewise.runtime import Tagger, Trace

TEXT = "小明住在北京。"
HOSTILE = "</script><img src=x onerror=alert(1)> __proto__ <b>7</b>"


@pytest.mark.parametrize(("left_out", "seen"), [("weights", ["overview", "unit", "memory"]), ("values", ["overview"])])
def test_what_does_not_fit_is_left_out_and_said(
    traced: Any, taggers: dict[str, Tagger], monkeypatch: pytest.MonkeyPatch, left_out: str, seen: list[str]
) -> None:
    """A model of two layers: the last layer's values are smaller than all weights."""
    tagger = taggers["v1-segmentation"]
    trace = tagger.trace("小明")
    sizes = [packed_size(trace_document(trace, most=most)) for most in (10**9, 0)]
    most = next(size for size in range(sizes[1], sizes[0]) if left_out_at(trace, size) == left_out)
    home = sys.modules["gatewise.explain.trace_page"]  # the package has the function of that name
    monkeypatch.setattr(home, "shown_trace", partial(shown_trace, most=most))
    page = traced("小明", "v1-segmentation")
    assert "are left out" in page.text(".intro .note")
    assert [name for name in ("unit", "memory") if page.page.locator(f"#{name}").is_visible()] == seen[1:]
    assert page.texts(".token-card .tag") == list(trace.tags)
    assert not page.page.locator("#unit .columns").is_visible()
    assert page.key("leave-out").is_disabled()
    if left_out == "weights":
        assert "The last layer is shown." in page.text(".heat-controls")
        tag = trace.labels.index(trace.tags[0])
        total = page.number(page.text(".sum > b").split(" = ")[1])
        assert total == pytest.approx(trace.emissions[0, tag], abs=6e-4)
    page.key("force-other").select_option(label=next(tag for tag in trace.labels if tag[0] == "S" != trace.tags[0]))
    assert page.page.locator(".what-if").is_visible()


def test_a_model_of_whole_numbers_is_packed_as_it_is_stored(taggers: dict[str, Tagger]) -> None:
    """A byte for a weight of the layers, so that a model of 8 bits takes a quarter of the same in float32."""
    content = trace_document(taggers["v1-integers"].trace(TEXT))
    matrix = content["layers"][0]["forward"]["weight_hh"]
    rows, columns = matrix["shape"]
    assert (matrix["stored"], len(b64decode(matrix["base64"]))) == ("int8", rows * columns)
    assert matrix["step"]["shape"] == [rows]
    half = trace_document(taggers["v1-half-heads"].trace(TEXT))
    assert half["layers"][0]["forward"]["weight_hh"]["stored"] == half["emission_weight"]["stored"] == "float16"


@pytest.mark.parametrize("change", ["gone", "another"])
def test_a_model_whose_files_changed_shows_what_python_computed(stored: Path, tmp_path: Path, change: str) -> None:
    shutil.copytree(stored / "v1-spans", tmp_path / "model")
    trace = gatewise.load(tmp_path / "model").trace(TEXT)
    weights = tmp_path / "model" / "model.safetensors"
    weights.unlink()
    if change == "another":
        shutil.copy(stored / "v1-segmentation" / "model.safetensors", weights)
    content = trace_document(trace)
    assert (content["left_out"], content["layers"]) == ("files", None)
    assert content["values"]["forward"]["h"]["shape"] == list(trace.layers[-1].forward.h.shape)


def left_out_at(trace: Trace, most: int) -> str:
    return str(trace_document(trace, most=most)["left_out"])
