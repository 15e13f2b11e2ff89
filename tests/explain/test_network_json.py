"""The JSON contract of design.md, to the letter, and what more directions and layers add to it."""

from __future__ import annotations

import json

import pytest

from gatewise.explain import network_json
from gatewise.network import EXAMPLES, read_network


def test_the_contract():
    content = network_json(read_network("article").run(gates="step"))
    assert list(content) == ["network", "gates", "steps", "outputs", "tags"]
    assert content["network"] == "article"
    assert content["gates"] == "step"
    assert json.dumps(content["steps"][0], ensure_ascii=False) == (
        '{"t": 1, "token": "我", "x": [2, -1, 1], "h_prev": [1], "c_prev": [1], '
        '"f": {"pre": [-90], "value": [0]}, "i": {"pre": [90], "value": [1]}, '
        '"g": {"pre": [2], "value": [2]}, "o": {"pre": [-110], "value": [0]}, '
        '"c": [2], "h": [0], "tag": "名词"}'
    )
    assert len(content["steps"]) == 4
    assert json.dumps(content["outputs"]) == "[[0], [2], [0], [0]]"
    assert content["tags"] == ["名词", "动词", "名词", "名词"]


def test_every_digit_is_there():
    content = network_json(read_network("article").run(gates="sigmoid"))
    assert content["steps"][0]["f"]["value"] == [pytest.approx(8.194e-40, rel=1e-3)]
    assert content["steps"][3]["f"]["value"] == [0.5]
    assert content["tags"][3] == "动词"


def test_an_rnn_has_sums_in_place_of_gates():
    content = network_json(read_network("rnn").run())
    assert content["gates"] is None
    assert list(content["steps"][0]) == ["t", "token", "x", "h_prev", "pre", "h", "tag"]


def test_two_directions_have_layers():
    content = network_json(read_network("bilstm").run())
    assert list(content) == ["network", "gates", "steps", "layers", "outputs", "tags"]
    assert list(content["steps"][0]) == ["t", "token", "output", "tag"]
    (layer,) = content["layers"]
    assert list(layer) == ["forward", "reverse"]
    for t, step in enumerate(content["steps"]):
        assert layer["forward"][t]["h"] + layer["reverse"][t]["h"] == step["output"] == content["outputs"][t]
        assert layer["reverse"][t]["t"] == t + 1
    assert list(layer["reverse"][0]) == ["t", "token", "x", "h_prev", "c_prev", "f", "i", "g", "o", "c", "h"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_strict_json_survives_the_round_trip(name):
    content = network_json(read_network(name).run())
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_the_empty_sentence():
    content = network_json(read_network("article").run([]))
    assert content["steps"] == content["outputs"] == content["tags"] == []
