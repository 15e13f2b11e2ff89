"""Networks of many units: summed up on the terminal, chosen units written out, every number in the JSON."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from rich.cells import cell_len
from safetensors.numpy import save_file

from gatewise.errors import NetworkError
from gatewise.explain import network_json, network_text, render_text
from gatewise.network import read_direction, read_network


@pytest.fixture
def large(tmp_path):
    """A run of a network with 20 and 9 units in two layers, the first in both directions."""
    random = np.random.default_rng(4)
    tensors = {}
    for place, size, hidden in (("l0", 5, 20), ("l0_reverse", 5, 20), ("l1", 40, 9)):
        shapes = {"weight_ih": (size,), "weight_hh": (hidden,), "bias_ih": (), "bias_hh": ()}
        tensors |= {f"{kind}_{place}": random.normal(size=(4 * hidden, *rest)) for kind, rest in shapes.items()}
    save_file(tensors, tmp_path / "my.safetensors")
    (tmp_path / "my.toml").write_text('kind = "lstm"\nweights = "my.safetensors"\n', encoding="utf-8")
    inputs = np.random.default_rng(2).normal(size=(4, 5))
    return read_network(tmp_path / "my.toml").run(["我", "叫", "小", "明"], inputs=inputs)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_large_network_is_summed_up(large, lang):
    text = render_text(network_text(large, lang=lang), width=80)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert len(text.splitlines()) < 120
    assert "--units 1,5" in text
    layer = large.layers[0]
    for direction in large.directions:
        arrays = direction.arrays
        for t, (step, reading) in enumerate(zip(direction.steps, read_direction(direction), strict=True)):
            shares = [0.0] * 4  # the ledger, unrolled
            read = range(t, 4) if direction.reverse else range(t, -1, -1)
            left = np.ones(direction.units)
            for s in read:
                shares[s] = float(np.abs(left * arrays.i[s] * arrays.g[s]).sum())
                left = left * arrays.f[s]
            for share in reading.memory:
                assert share.share == pytest.approx(shares[share.token] / sum(shares))
            assert f"{arrays.f[t].mean():.2f}" in text
            heights = [abs(value) for value in step.h]
            assert [heights[unit] for unit in reading.units] == sorted(heights, reverse=True)[:3]
            assert reading.openness.o == pytest.approx(np.mean([unit.value for unit in step.linear["o"]]))
    assert layer.forward.units == 20


def test_chosen_units_are_written_out(large):
    text = render_text(network_text(large, units=[20, 2]), width=80)
    assert "h₂₀ = " in text
    assert "h₂ = " in text
    assert "h₃ = " not in text
    assert re.search(r"forget gate f₂ ", text)
    third = text[text.index("Layer 2, forward") :]
    assert "h₂ = " in third  # the second layer has no unit 20
    assert "h₂₀ = " not in third
    with pytest.raises(NetworkError, match=r"units: expected numbers from 1 to 20 for .*my\.toml, found 21"):
        network_text(large, units=[21])


def test_units_of_a_small_network():
    run = read_network("bilstm").run()
    text = render_text(network_text(run, units=[2]), width=100)
    written_out = text[: text.index("Step gates and sigmoid gates")]
    assert "h₂ = " in written_out
    assert "h₁ = " not in written_out
    assert "--units" not in text


def test_every_number_of_a_large_network_is_in_the_json(large):
    content = json.loads(json.dumps(network_json(large)))
    assert content["layers"][0]["reverse"][3]["f"]["value"] == pytest.approx(large.layers[0].reverse.arrays.f[3])
    assert len(content["outputs"][0]) == 9
