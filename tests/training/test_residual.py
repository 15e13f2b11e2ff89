"""Residual layers, four times: nn.LSTM a sentence at a time with the sum written out, our torch, NumPy, the graph."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from onnx import helper  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from gatewise.errors import ShapeError  # noqa: E402
from gatewise.lstm import Directions, LSTMWeights, run_layers  # noqa: E402
from gatewise.model.archive import ModelArchive, legality_of  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.runtime.trace import run_encoder  # noqa: E402
from gatewise.training.export import onnx_graph  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402

pytestmark = pytest.mark.torch

LABELS = ("B-X", "I-X", "O")
LENGTHS = (6, 1, 3)
Emissions = list[npt.NDArray[np.float64]]


def make_config(kind: str, layers: int, bidirectional: bool, token_dim: int = 5) -> Config:
    table = {
        "task": {"kind": "spans", "tokenizer": "words", "scheme": "BIO"},
        "features": {"token_dim": token_dim, "bigram_dim": 0},
        "encoder": {
            "kind": kind,
            "hidden": 4,
            "layers": layers,
            "bidirectional": bidirectional,
            "residual": True,
        },
    }
    return config_from_dict(table, where="test")


def make_network(config: Config) -> TaggerNetwork:
    legality = legality_of(LABELS, config.task.scheme)
    network = TaggerNetwork(config, sizes={"tokens": 9}, legality=legality).double().eval()
    generator = torch.Generator().manual_seed(3)
    for array in network.arrays().values():
        array.copy_(torch.randn(array.shape, generator=generator) * 0.7)
    return network


def make_ids() -> tuple[Tensor, Tensor]:
    lengths = torch.tensor(LENGTHS)
    tokens = torch.randint(1, 9, (max(LENGTHS), len(LENGTHS)), generator=torch.Generator().manual_seed(4))
    tokens[torch.arange(len(tokens))[:, None] >= lengths] = 0
    return tokens, lengths


def cut(emissions: Any) -> Emissions:
    return [np.asarray(emissions)[:length, column] for column, length in enumerate(LENGTHS)]


def by_peer(network: TaggerNetwork, config: Config) -> Emissions:
    """One sentence and one layer at a time through torch's own bidirectional module."""
    weights, found = network.arrays(), []
    tokens, _ = make_ids()
    kind = nn.LSTM if config.encoder.kind == "lstm" else nn.RNN
    for column, length in enumerate(LENGTHS):
        below = weights["token_embedding.weight"][tokens[:length, column]][:, None]
        for layer in range(config.encoder.layers):
            peer = kind(below.shape[2], 4, bidirectional=config.encoder.bidirectional).double()
            with torch.no_grad():
                for name, array in peer.named_parameters():
                    array.copy_(weights["encoder." + name.replace("_l0", f"_l{layer}")])
                states = peer(below)[0]
            below = states if layer == 0 else states + below
        found.append((below[:, 0] @ weights["emission.weight"].T + weights["emission.bias"]).numpy())
    return found


def by_torch(network: TaggerNetwork) -> Emissions:
    tokens, lengths = make_ids()
    with torch.no_grad():
        return cut(network({"tokens": tokens}, lengths))


def by_numpy(network: TaggerNetwork, config: Config) -> Emissions:
    archive = ModelArchive(
        folder=Path("nowhere"),
        config=config,
        scheme=config.task.scheme,
        labels=LABELS,
        vocabularies={},
        legality=legality_of(LABELS, config.task.scheme),
    )
    arrays = {name: array.numpy() for name, array in network.arrays().items()}
    tokens, _ = make_ids()
    return [
        run_encoder(arrays["token_embedding.weight"][tokens[:length, column].numpy()], arrays, archive)[-1].output
        @ arrays["emission.weight"].T
        + arrays["emission.bias"]
        for column, length in enumerate(LENGTHS)
    ]


def by_graph(network: TaggerNetwork, config: Config, mutate: Callable[[Any], None] = lambda graph: None) -> Emissions:
    arrays = {name: array.numpy().astype(np.float32) for name, array in network.arrays().items()}
    graph = onnx.load_from_string(onnx_graph(config, arrays))
    mutate(graph)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    tokens, lengths = make_ids()
    feeds = {"tokens": tokens.numpy(), "lengths": lengths.numpy().astype(np.int32)}
    return cut(session.run(["emissions"], feeds)[0])


def distance(left: Emissions, right: Emissions) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize(
    ("kind", "layers", "bidirectional"), list(itertools.product(("lstm", "rnn"), (1, 2, 3), (True, False)))
)
def test_all_four_agree(kind: str, layers: int, bidirectional: bool) -> None:
    config = make_config(kind, layers, bidirectional)
    network = make_network(config)
    wanted = by_peer(network, config)
    assert distance(wanted, by_torch(network)) < 1e-12
    assert distance(wanted, by_numpy(network, config)) < 1e-10
    assert distance(wanted, by_graph(network, config)) < 1e-5


def test_the_first_layer_has_none_even_where_the_sizes_are_equal() -> None:
    config = make_config("lstm", 2, bidirectional=True, token_dim=8)
    network = make_network(config)
    wanted = by_peer(network, config)
    assert distance(wanted, by_torch(network)) < 1e-12
    assert distance(wanted, by_numpy(network, config)) < 1e-10
    assert distance(wanted, by_graph(network, config)) < 1e-5


@pytest.mark.parametrize("layer", [1, 2])
def test_a_sum_that_is_dropped_from_the_graph_is_noticed(layer: int) -> None:
    config = make_config("lstm", 3, bidirectional=True)
    network = make_network(config)

    def drop(graph: Any) -> None:
        [node] = [node for node in graph.graph.node if node.output[0] == f"residual_l{layer}"]
        node.CopyFrom(helper.make_node("Identity", [node.input[0]], [node.output[0]]))

    assert distance(by_peer(network, config), by_graph(network, config, drop)) > 1e-2


def test_a_sum_that_is_dropped_from_the_equations_or_from_torch_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config("lstm", 3, bidirectional=True)
    network = make_network(config)
    table = config.to_dict()
    table["encoder"]["residual"] = False
    assert distance(by_peer(network, config), by_numpy(network, config_from_dict(table, where="test"))) > 1e-2
    network.encoder.residual = False
    assert distance(by_peer(network, config), by_torch(network)) > 1e-2


def test_layers_of_two_sizes_cannot_be_residual() -> None:
    def weights(size: int, hidden: int) -> Directions[LSTMWeights]:
        return Directions(
            forward=LSTMWeights(weight_ih=np.ones((4 * hidden, size)), weight_hh=np.ones((4 * hidden, hidden)))
        )

    with pytest.raises(ShapeError, match=r"states of a residual layer: expected shape \(3, 2\).*found \(3, 5\)"):
        run_layers(np.ones((3, 4)), [weights(4, 2), weights(2, 5)], residual=True)
    layers = run_layers(np.ones((3, 4)), [weights(4, 2), weights(2, 2)], residual=True)
    assert layers[0].carried is None
    assert layers[1].carried is not None
    np.testing.assert_allclose(layers[1].output, layers[1].forward.h + layers[0].forward.h)
    np.testing.assert_allclose(layers[1].states, layers[1].forward.h)
