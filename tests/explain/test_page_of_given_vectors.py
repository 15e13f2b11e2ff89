"""The page of a network whose vectors come from a file of their own, and of one that is too large for a page."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from gatewise.errors import NetworkError
from gatewise.explain import network_page
from gatewise.network import read_network

VECTORS = np.array([[0.5, -2.0, 1.25], [3.0, 0.0, -1.5]])


def test_each_token_has_its_vector() -> None:
    network = replace(read_network("article"), vectors={}, sentence=())
    run = network.run(None, None, VECTORS)
    page = network_page(network, run.tokens, run.gates, VECTORS)
    [data] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, flags=re.DOTALL)
    document = json.loads(data)["network"]
    assert document["sentence"] == ["x1", "x2"]
    assert document["vectors"] == [["x1", [0.5, -2, 1.25]], ["x2", [3, 0, -1.5]]]


def test_a_token_has_one_vector() -> None:
    network = read_network("article")
    with pytest.raises(NetworkError, match=r"expected tokens that are all different .* found '我' 2 times"):
        network_page(network, ("我", "我"), None, VECTORS)


def test_a_page_holds_so_many_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    network, module = read_network("article"), importlib.import_module("gatewise.explain.network_page")
    monkeypatch.setattr(module, "MOST_PARAMETERS", network.parameters)
    network_page(network)
    monkeypatch.setattr(module, "MOST_PARAMETERS", network.parameters - 1)
    with pytest.raises(NetworkError, match=rf"found {network.parameters}; use --format text"):
        network_page(network)
