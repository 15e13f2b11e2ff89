"""The gates of a network in training, against what PyTorch's own LSTM states imply."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.text.sentence import sentence_from_forms  # noqa: E402
from gatewise.training.gates import LONGEST, GateProbe  # noqa: E402
from gatewise.training.prepare import Prepared, prepare  # noqa: E402
from gatewise.training.start import new_network  # noqa: E402

pytestmark = pytest.mark.torch


def prepared_of(lengths: list[int], **encoder: Any) -> Prepared:
    table = {
        "task": {"kind": "tags", "scheme": "plain", "tokenizer": "characters", "spaces": "between"},
        "features": {"token_dim": 4, "bigram_dim": 3},
        "encoder": {"hidden": 5, "layers": 2, **encoder},
    }
    config: Config = config_from_dict(table, where="test")
    letters = "abcdefghij"
    sentences = [
        sentence_from_forms([letters[(n * n + k) % 10] for k in range(length)], ["X"] * length)
        for n, length in enumerate(lengths)
    ]
    return prepare(config, sentences)


def expected_gates(prepared: Prepared, network: Any, layer: int, *, reverse: bool) -> list[list[Any]]:
    """By sentence: i, f, o of every token, made of the inputs and of the states that nn.LSTM gives out."""
    found = []
    for index, length in enumerate(prepared.train.lengths):
        rows = torch.tensor([index])
        ids = {name: feature.padded(rows, 0) for name, feature in prepared.train.inputs.items()}
        layer_input = network.inputs(ids)[:LONGEST, 0]
        for below in network.encoder.layers[:layer]:
            outputs = [below[0](layer_input)[0]]
            if len(below) == 2:
                outputs.append(below[1](layer_input.flip(0))[0].flip(0))
            layer_input = torch.cat(outputs, dim=-1)
        module = network.encoder.layers[layer][int(reverse)]
        read = layer_input.flip(0) if reverse else layer_input
        states = module(read)[0]
        before = torch.cat([torch.zeros(1, 5), states[:-1]])
        pre = read @ module.weight_ih_l0.T + module.bias_ih_l0 + before @ module.weight_hh_l0.T + module.bias_hh_l0
        i, f, _, o = (block.sigmoid() for block in pre.chunk(4, dim=1))
        found.append([i, f, o])  # in the order of reading
        assert length
    return found


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_gates_are_those_of_the_network(bidirectional: bool) -> None:
    prepared = prepared_of([3, 70, 1, 9], bidirectional=bidirectional)  # one is longer than the probe reads
    torch.manual_seed(3)
    network = new_network(prepared).eval()
    with torch.no_grad():
        for weight in network.named_weights().values():
            weight.mul_(3.0)  # so that some gates saturate
        found = GateProbe(prepared.config, prepared.train).measure(network)
        assert len(found) == 2
        for layer, directions in enumerate(found):
            assert (directions.reverse is not None) == bidirectional
            for reverse, statistics in ((False, directions.forward), (True, directions.reverse)):
                if statistics is None:
                    continue
                gates = expected_gates(prepared, network, layer, reverse=reverse)
                assert statistics.tokens == 3 + LONGEST + 1 + 9
                for number, gate in enumerate("ifo"):
                    values = torch.cat([sentence[number] for sentence in gates])
                    assert statistics.mean[gate] == pytest.approx(float(values.mean()), abs=1e-6)
                    assert statistics.closed[gate] == pytest.approx(float((values < 0.1).float().mean()), abs=1e-3)
                    assert statistics.open[gate] == pytest.approx(float((values > 0.9).float().mean()), abs=1e-3)
                two = torch.cat([f[1:-1] * f[2:] for _, f, _ in gates if len(f) > 2])
                assert statistics.memory[2] == pytest.approx(float(two.mean()), abs=1e-6)


def test_an_rnn_has_none() -> None:
    prepared = prepared_of([3, 5], kind="rnn")
    assert GateProbe(prepared.config, prepared.train).measure(new_network(prepared)) == ()


def test_the_sample_is_small_and_spread_over_the_split() -> None:
    lengths = [1 + n % 90 for n in range(900)]
    prepared = prepared_of(lengths, layers=1, hidden=2, bidirectional=False)
    network = new_network(prepared)
    [layer] = GateProbe(prepared.config, prepared.train).measure(network)
    assert 500 <= layer.forward.tokens <= 1100
    batch = GateProbe(prepared.config, prepared.train)._batch
    assert batch is not None
    assert batch.indices[0] == 0
    assert batch.indices[-1] > 800
    assert list(batch.indices) == sorted(set(batch.indices))


def test_looking_leaves_the_weights_and_the_random_state() -> None:
    prepared = prepared_of([3, 8])
    network = new_network(prepared)
    weights = {name: array.clone() for name, array in network.arrays().items()}
    state = torch.get_rng_state()
    GateProbe(prepared.config, prepared.train).measure(network)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(array, weights[name]) for name, array in network.arrays().items())
