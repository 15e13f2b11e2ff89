"""The article's table, every number of it, and the two runs that part at step 4."""

from __future__ import annotations

import pytest

from gatewise.errors import NetworkError
from gatewise.network import compare_runs, read_network

# article, section 2: [x, h], pre and gate of forget and input, candidate, pre and gate of output, C, h
TABLE = [
    ((2, -1, 1, 1), (-90, 0), (90, 1), 2, (-110, 0), 2, 0),
    ((3, 1, -1, 0), (100, 1), (-100, 0), 3, (100, 1), 2, 2),
    ((2, 1, 1, 2), (120, 1), (80, 1), 2, (-120, 0), 4, 0),
    ((1, 0, -1, 0), (0, 0), (-100, 0), 1, (100, 1), 0, 0),
]


def test_step_gates_reproduce_the_table():
    run = read_network("article").run(gates="step")
    for step, (joined, forget, taken, candidate, put, c, h) in zip(run.layers[0].forward.steps, TABLE, strict=True):
        assert step.x + step.h_prev == joined
        for gate, expected in (("f", forget), ("i", taken), ("g", (candidate, candidate)), ("o", put)):
            (unit,) = step.linear[gate]
            assert (unit.pre, unit.value) == expected
            assert tuple(term.value for term in unit.terms) == joined
            assert sum(term.weight * term.value for term in unit.terms) == unit.pre
        assert (step.c, step.h) == ((c,), (h,))
    assert run.outputs == [0, 2, 0, 0]
    assert all(isinstance(output, int) for output in run.outputs)
    assert [tag.name for tag in run.tags] == ["名词", "动词", "名词", "名词"]
    assert [tag.wording.en for tag in run.tags] == ["noun", "verb", "noun", "noun"]


def test_sigmoid_gates_are_exact():
    run = read_network("article").run(gates="sigmoid")
    assert run.outputs == [0, 2, 0, 2]
    assert 0 < run.output_vectors[0][0] < 1e-47
    step = run.layers[0].forward.steps[3]
    assert step.linear["f"][0].value == 0.5
    assert step.c == (2.0,)
    assert [tag.name for tag in run.tags] == ["名词", "动词", "名词", "动词"]


def test_the_file_says_step():
    assert read_network("article").run().gates == "step"


def test_they_part_at_step_4_because_of_the_forget_gate():
    network = read_network("article")
    comparison = compare_runs(network.run(gates="step"), network.run(gates="sigmoid"))
    (parting,) = comparison.partings
    (gate,) = parting.gates
    assert (parting.first.t, parting.first.token, gate.gate, gate.unit) == (4, "明", "f", 1)
    assert (gate.pre, gate.first, gate.second) == (0, 0, 0.5)
    assert (parting.first.c, parting.second.c) == ((0,), (2,))
    assert [(difference.t, difference.token) for difference in comparison.outputs] == [(4, "明")]


def test_a_run_does_not_part_from_itself():
    network = read_network("article")
    run = network.run(gates="step")
    comparison = compare_runs(run, network.run(gates="step"))
    assert comparison.partings == comparison.outputs == ()
    with pytest.raises(NetworkError, match="two runs of one network over the same tokens"):
        compare_runs(run, network.run("我"))


def test_other_sentences():
    network = read_network("article")
    assert network.run("叫小叫").tokens == ("叫", "小", "叫")
    assert network.run(["小"]).outputs == [0]
    assert network.run([]).outputs == []
    with pytest.raises(NetworkError) as error:
        network.run("我叫王")
    assert str(error.value) == (
        "article.toml: token '王' has no vector; add it under [vectors], or use the tokens that have one: 我 叫 小 明"
    )


def test_gates_that_do_not_exist():
    with pytest.raises(NetworkError, match="expected one of sigmoid, step, found 'sigmod'; did you mean 'sigmoid'"):
        read_network("article").run(gates="sigmod")
    with pytest.raises(NetworkError, match="a rnn has no gates"):
        read_network("rnn").run(gates="step")
