"""A model with every option, never trained: what its explanation says of x and of residual layers is so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from rich.cells import cell_len  # noqa: E402

from gatewise.explain import render_text, trace_json, trace_text  # noqa: E402
from gatewise.model.archive import legality_of, open_model, save_model  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.features import build_vocabularies, count_keys  # noqa: E402
from gatewise.model.parameters import input_size, parameter_shapes  # noqa: E402
from gatewise.runtime import Tagger, Trace, load, read_trace  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402

pytestmark = pytest.mark.torch

LABELS = ("B-X", "I-X", "O")
TEXT = "The Zurich bank paid 1996 francs ."
SETTINGS: dict[str, Any] = {
    "name": "options",
    "task": {"kind": "spans", "tokenizer": "whitespace", "scheme": "BIO", "spaces": "between"},
    "features": {
        "token_dim": 3,
        "bigram_dim": 2,
        "bigram_min_count": 1,
        "characters": "cnn",
        "character_filters": 5,
        "shape_dim": 4,
        "affix_length": 2,
        "affix_dim": 3,
        "form_min_count": 1,
    },
    "encoder": {"hidden": 4, "layers": 3, "residual": True},
    "archive": {"numbers": "float32"},
}


def make(folder: Path, **encoder: Any) -> Tagger:
    """A folder of random weights, its vocabularies of one sentence."""
    config = config_from_dict({**SETTINGS, "encoder": {**SETTINGS["encoder"], **encoder}}, where="test")
    counts = count_keys(config.features, [["The", "bank", "paid", "1984", "francs", "."]])
    vocabularies = build_vocabularies(config.features, counts)
    sizes = {name: vocabulary.size for name, vocabulary in vocabularies.items()}
    draw = np.random.default_rng(7)
    arrays = {
        name: (draw.normal(size=shape) * 0.7).astype(np.float32)
        for name, shape in parameter_shapes(config, sizes=sizes, num_tags=len(LABELS)).items()
    }
    save_model(
        folder,
        config=config,
        scheme="BIO",
        labels=LABELS,
        vocabularies=vocabularies,
        arrays=arrays,
        graph=onnx_graph(config, arrays),
        card="",
    )
    assert {name: one.entries for name, one in open_model(folder).vocabularies.items()} == {
        name: one.entries for name, one in vocabularies.items()
    }
    assert legality_of(LABELS, "BIO").start.tolist() == [True, False, True]
    return load(folder)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    return make(tmp_path_factory.mktemp("options") / "model")


@pytest.fixture(scope="module")
def trace(tagger: Tagger) -> Trace:
    return tagger.trace(TEXT)


def test_the_parts_of_x_lie_side_by_side_and_are_named(tagger: Tagger, trace: Trace) -> None:
    assert [part.name for part in trace.parts] == [
        "token",
        "bigram_before",
        "bigram_after",
        "characters",
        "shape",
        "prefix_1",
        "prefix_2",
        "suffix_1",
        "suffix_2",
    ]
    assert [(part.start, part.stop) for part in trace.parts] == [
        (0, 3),
        (3, 5),
        (5, 7),
        (7, 12),
        (12, 16),
        (16, 19),
        (19, 22),
        (22, 25),
        (25, 28),
    ]
    assert trace.parts[-1].stop == trace.x.shape[1] == input_size(tagger.archive.config)


def test_each_part_is_the_vector_of_the_key_it_names(tagger: Tagger, trace: Trace) -> None:
    arrays, vocabularies = tagger.archive.arrays(lambda _: True), tagger.archive.vocabularies
    tables = {
        "token": ("tokens", "token_embedding.weight"),
        "bigram_before": ("bigrams", "bigram_embedding.weight"),
        "bigram_after": ("bigrams", "bigram_embedding.weight"),
        "shape": ("shapes", "shape_embedding.weight"),
        "prefix_1": ("prefixes", "prefix_embedding.weight"),
        "prefix_2": ("prefixes", "prefix_embedding.weight"),
        "suffix_1": ("suffixes", "suffix_embedding.weight"),
        "suffix_2": ("suffixes", "suffix_embedding.weight"),
    }
    for part in trace.parts:
        if part.name == "characters":
            continue
        name, table = tables[part.name]
        for t, (key, known) in enumerate(zip(part.keys, part.known, strict=True)):
            entries = vocabularies[name].entries
            assert known == (key in entries)
            row = entries.index(key) + 2 if known else 1
            np.testing.assert_array_equal(trace.x[t, part.start : part.stop], arrays[table][row].astype(np.float64))


def test_keys_and_what_is_known_by_hand(trace: Trace) -> None:
    by_name = {part.name: part for part in trace.parts}
    assert by_name["token"].keys == ("the", "zurich", "bank", "paid", "0000", "francs", ".")
    assert by_name["token"].known == (True, False, True, True, True, True, True)
    assert by_name["bigram_before"].keys[:2] == ("<s>the", "thezurich")
    assert by_name["bigram_after"].keys[-1] == ".</s>"
    assert by_name["characters"].keys == ("The", "Zurich", "bank", "paid", "1996", "francs", ".")
    assert by_name["characters"].known == (True, False, True, True, False, True, True)
    assert by_name["shape"].keys == ("Xxx", "Xxxxx", "xxxx", "xxxx", "dddd", "xxxx", ".")
    assert by_name["suffix_2"].keys == ("he", "ch", "nk", "id", "00", "cs", "")


def test_json_has_the_parts_and_what_residual_layers_add(trace: Trace) -> None:
    content = json.loads(json.dumps(trace_json(trace), allow_nan=False))
    assert content["input_parts"][3] == {
        "name": "characters",
        "start": 7,
        "stop": 12,
        "keys": ["The", "Zurich", "bank", "paid", "1996", "francs", "."],
        "known": [True, False, True, True, False, True, True],
    }
    first, second, third = content["layers"]
    assert "residual" not in first
    states = [
        np.concatenate([layer["forward"]["h"], layer["reverse"]["h"]], axis=1) for layer in (first, second, third)
    ]
    np.testing.assert_allclose(second["residual"], states[0])
    np.testing.assert_allclose(third["residual"], states[0] + states[1])
    emissions = (states[2] + np.array(third["residual"])) @ trace.emission_weight.T + trace.emission_bias
    np.testing.assert_allclose(content["emissions"], emissions, atol=1e-12)


def test_the_reference_and_the_graph_say_the_same(tagger: Tagger, trace: Trace) -> None:
    fast = tagger._workers.session.emissions(tagger._workers.session.encode([trace.sentence]))[:, 0]
    np.testing.assert_allclose(trace.emissions, fast, atol=1e-5)
    assert trace.fast_path_agrees


def test_all_units_together_make_the_lead_with_what_is_carried(trace: Trace) -> None:
    for t, reading in enumerate(read_trace(trace, units=8)):
        tag, rival = trace.labels.index(reading.tag), trace.labels.index(reading.rival)
        lead = trace.emissions[t, tag] - trace.emissions[t, rival]
        assert sum(unit.contribution for unit in reading.units) + reading.bias_lead == pytest.approx(lead)
        assert all(unit.contribution == unit.weight * (unit.h + unit.carried) for unit in reading.units)
        assert any(abs(unit.carried) > 0.05 for unit in reading.units)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_text_shows_keys_sizes_and_sums(trace: Trace, lang: str) -> None:
    for width in (80, 160):
        text = render_text(trace_text(trace, lang=lang), width=width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert "…" not in text
    assert re.search(
        r"^2 +Zurich +zurich\? +thezurich\? +zurichbank\? +Zurich\? +Xxxxx\? +z\? zu\? +h\? ch\?", text, re.M
    )
    sizes = {"en": "token 3, bigram before 2, bigram after 2", "zh": "词元 3、前二元组 2、后二元组 2"}
    assert sizes[lang] in text
    rows = re.findall(r"^ *[→←] \d+((?: +-?\d+\.\d{3}){9})$", text, flags=re.MULTILINE)
    assert len(rows) == 3 * len(trace)
    half = 0.0005 + 1e-9  # what the three decimals leave open, in each operand
    for row in rows:
        h, carried, weight, contribution = [float(number) for number in row.split()][-4:]
        slack = half * (1 + 2 * abs(weight) + abs(h + carried)) + half**2
        assert abs(contribution - weight * (h + carried)) <= slack


def test_without_residuals_nothing_is_said_of_them(tmp_path: Path) -> None:
    trace = make(tmp_path / "model", residual=False).trace(TEXT)
    assert all("residual" not in layer for layer in trace_json(trace)["layers"])
    text = render_text(trace_text(trace), width=120)
    assert "residual" not in text
    assert "w·(h+b)" not in text
    assert all(unit.carried == 0 for reading in read_trace(trace) for unit in reading.units)
