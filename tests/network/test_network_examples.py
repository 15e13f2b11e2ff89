"""The other examples, layers and kinds, and partings in networks that are not the article's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gatewise.errors import NetworkError
from gatewise.network import EXAMPLES, compare_runs, parse_network, read_network

TWO_LAYERS = """
kind = "lstm"
sentence = ["a", "b", "a"]
vectors = { a = [1, -1], b = [0.5, 2] }
[[layers]]
[layers.forward]
forget    = { x = [[0.3, -0.2]], h = [[0.5]], bias = [1] }
input     = { x = [[0.7, 0.1]], h = [[-0.4]] }
candidate = { x = [[-0.6, 0.9]], h = [[0.2]] }
output    = { x = [[0.8, 0.4]], h = [[0.1]] }
[layers.reverse]
forget    = { x = [[-0.3, 0.6]], h = [[0.1]] }
input     = { x = [[0.2, 0.5]], h = [[0.9]] }
candidate = { x = [[0.4, -0.7]], h = [[0.3]] }
output    = { x = [[-0.1, 0.6]], h = [[-0.5]] }
[[layers]]
[layers.forward]
forget    = { x = [[0.3, -0.2]], h = [[0.5]] }
input     = { x = [[0.7, 0.1]], h = [[-0.4]] }
candidate = { x = [[-0.6, 0.9]], h = [[0.2]] }
output    = { x = [[0.8, 0.4]], h = [[0.1]] }
"""

NEURON = """
kind = "neuron"
sentence = ["a", "b"]
vectors = { a = [1, -1], b = [0.5, 2] }
[[layers]]
[layers.forward]
x = [[2, 1], [0, -1]]
bias = [0.5, 0]
"""


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_of_a_run_follows_from_its_operands(name):
    run = read_network(name).run()
    for direction in run.directions:
        for step in direction.steps:
            for units in step.linear.values():
                for unit in units:
                    total = math.fsum(term.weight * term.value for term in unit.terms) + (unit.bias or 0)
                    assert total == pytest.approx(unit.pre, abs=1e-12)


def test_bilstm_needs_both_directions():
    network = read_network("bilstm")
    assert [tag.name for tag in network.run().tags] == ["发出", "其他", "其他", "头发"]
    assert [tag.name for tag in network.run("理发").tags] == ["其他", "头发"]
    assert [tag.name for tag in network.run("发信").tags] == ["发出", "其他"]
    assert len(network.run().outputs[0]) == 4


def test_rnn_forgets():
    run = read_network("rnn").run()
    assert [tag.wording.en for tag in run.tags] == ["question", "after the question", "after the question", "other"]
    assert run.gates is None
    h = [step.h for step in run.layers[0].forward.steps]
    assert h[1][1] == pytest.approx(math.tanh(1.5 * math.tanh(2)))


def test_the_second_layer_reads_both_directions_of_the_first():
    run = parse_network(TWO_LAYERS.encode(), "two.toml").run()
    first, second = run.layers
    assert not run.is_simple
    assert second.reverse is None
    for below, back, above in zip(first.forward.steps, first.reverse.steps, second.forward.steps, strict=True):
        assert above.x == below.h + back.h
    assert run.outputs == [round(step.h[0], 12) for step in second.forward.steps]
    assert first.forward.steps[0].linear["f"][0].bias == 1
    assert first.forward.steps[0].linear["i"][0].bias == 0
    assert second.forward.steps[0].linear["i"][0].bias is None


def test_partings_name_the_lowest_layer_in_each_reading_order():
    network = parse_network(TWO_LAYERS.encode(), "two.toml")
    comparison = compare_runs(network.run(gates="step"), network.run(gates="sigmoid"))
    assert [(p.layer, p.reverse, p.first.t) for p in comparison.partings] == [(1, False, 1), (1, True, 3)]


def test_a_neuron_sees_its_token_alone():
    run = parse_network(NEURON.encode(), "neuron.toml").run(["b", "a", "b"])
    steps = run.layers[0].forward.steps
    assert steps[0].h == steps[2].h == pytest.approx((math.tanh(3.5), math.tanh(-2)))
    assert steps[0].h_prev == steps[0].c == ()
    assert run.tags == (None, None, None)


def test_an_overflow_is_told():
    source = (
        NEURON.replace("x = [[2, 1], [0, -1]]", "x = [[1e308, 1e308], [0, 0]]") + '[activations]\noutput = "identity"'
    )
    with pytest.raises(NetworkError, match=r"neuron.toml: .*overflow in layer 1 at step 2 \(b\); use smaller weights"):
        parse_network(source.encode(), "neuron.toml").run()


def test_everything_is_float64_and_frozen():
    run = read_network("article").run()
    assert np.asarray(run.output_vectors).dtype == np.float64
    with pytest.raises(AttributeError):
        run.gates = "sigmoid"
