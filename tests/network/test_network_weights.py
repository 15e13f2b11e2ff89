"""Networks whose weights stand in a safetensors file: what they compute, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from gatewise.errors import NetworkError
from gatewise.network import parse_network, read_network

TOML = 'kind = "lstm"\nweights = "my.safetensors"\n'


def tensors(sizes=((3, 2, True), (4, 1, False)), seed=4, biases=("bias_ih", "bias_hh")):
    """Random asymmetric weights of layers (input_size, hidden, both directions)."""
    random = np.random.default_rng(seed)
    found = {}
    for number, (size, hidden, both) in enumerate(sizes):
        for suffix in ("", "_reverse")[: 1 + both]:
            place = f"_l{number}{suffix}"
            found[f"weight_ih{place}"] = random.normal(size=(4 * hidden, size))
            found[f"weight_hh{place}"] = random.normal(size=(4 * hidden, hidden))
            found |= {f"{bias}{place}": random.normal(size=4 * hidden) for bias in biases}
    return found


def written(folder, found, toml=TOML):
    save_file(found, folder / "my.safetensors")
    path = folder / "my.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def by_hand(x, found, place, start):
    """One direction of one unit, in plain floats."""
    (h,), (c,) = start
    states = []
    for vector in x:
        rows = [
            sum(w * v for w, v in zip(found[f"weight_ih{place}"][k], vector, strict=True))
            + found[f"weight_hh{place}"][k][0] * h
            + found[f"bias_ih{place}"][k]
            + found[f"bias_hh{place}"][k]
            for k in range(4)
        ]
        c = sigmoid(rows[1]) * c + sigmoid(rows[0]) * math.tanh(rows[2])
        h = sigmoid(rows[3]) * math.tanh(c)
        states.append(h)
    return states


def test_both_biases_and_the_start_states_count(tmp_path):
    found = tensors(((3, 1, True),))
    found |= {"h0_l0": np.array([0.3]), "c0_l0": np.array([-0.7]), "c0_l0_reverse": np.array([0.2])}
    x = np.random.default_rng(0).normal(size=(4, 3))
    run = read_network(written(tmp_path, found)).run(inputs=x)
    forward = by_hand(x, found, "_l0", ([0.3], [-0.7]))
    reverse = by_hand(x[::-1], found, "_l0_reverse", ([0.0], [0.2]))[::-1]
    np.testing.assert_allclose(run.output_vectors, np.stack([forward, reverse], axis=1), atol=1e-12)
    assert run.tokens == ("x1", "x2", "x3", "x4")


def test_every_sum_is_that_of_its_terms_and_both_biases(tmp_path):
    run = read_network(written(tmp_path, tensors())).run(inputs=np.random.default_rng(0).normal(size=(3, 3)))
    for direction in run.directions:
        for step in direction.steps:
            for unit in (unit for units in step.linear.values() for unit in units):
                total = math.fsum(term.weight * term.value for term in unit.terms) + unit.bias + unit.bias_hh
                assert total == pytest.approx(unit.pre, abs=1e-12)


def test_the_own_sentence_may_stand_beside_the_weights(tmp_path):
    x = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
    found = tensors() | {"inputs": x}
    network = read_network(written(tmp_path, found))
    assert network.sentence == ("x1", "x2")
    assert network.run().output_vectors == network.run(inputs=x).output_vectors
    named = read_network(written(tmp_path, found, TOML + 'sentence = ["我", "叫"]\n'))
    assert named.run().tokens == ("我", "叫")
    with pytest.raises(NetworkError) as error:
        named.run(["我"])
    assert str(error.value) == (
        f"{tmp_path / 'my.toml'}: token '我' has no vector, for the network has none of its own; give the vectors of "
        "one with --inputs FILE, or in Python with inputs="
    )


def test_vectors_may_stand_in_the_toml_file(tmp_path):
    toml = TOML + 'sentence = ["b", "a"]\nvectors = { a = [1, 2, 3], b = [0, 0, 1] }\n'
    network = read_network(written(tmp_path, tensors(), toml))
    assert network.run().output_vectors == network.run(inputs=[[0, 0, 1], [1, 2, 3]]).output_vectors
    assert network.run("a").output_vectors == network.run(inputs=[[1, 2, 3]]).output_vectors


def test_parameters_are_counted(tmp_path):
    assert read_network(written(tmp_path, tensors())).parameters == 2 * (24 + 16 + 16) + (16 + 4 + 8)
    assert read_network("article").parameters == 16


REFUSED = {
    "another folder": (
        TOML.replace("my.saf", "../my.saf"),
        {},
        "weights: expected the name of a .safetensors file beside this one, found '../my.safetensors'; leave folders "
        "out",
    ),
    "from the root": (
        TOML.replace("my.saf", "/etc/my.saf"),
        {},
        "weights: expected the name of a .safetensors file beside this one, found '/etc/my.safetensors'; leave folders "
        "out",
    ),
    "another drive": (
        TOML.replace("my.saf", "c:my.saf"),
        {},
        "weights: expected the name of a .safetensors file beside this one, found 'c:my.safetensors'; leave folders "
        "out",
    ),
    "another ending": (
        TOML.replace("safetensors", "bin"),
        {},
        "weights: expected the name of a .safetensors file beside this one, found 'my.bin'; leave folders out",
    ),
    "layers too": (
        TOML + "layers = []\n",
        {},
        "weights: expected weights or layers, found both; take one out",
    ),
    "rnn": (
        TOML.replace("lstm", "rnn"),
        {},
        "weights: expected kind = \"lstm\", found 'rnn'; write the layers of a rnn here",
    ),
    "vectors of another size": (
        TOML + "vectors = { a = [1, 2] }\n",
        {},
        "vectors.a: expected 3 numbers, one an input of the weights, found 2",
    ),
    "vectors beside inputs": (
        TOML + "vectors = { a = [1, 2, 3] }\n",
        {"inputs": np.zeros((1, 3))},
        "vectors: expected none beside a file of weights that holds inputs, found some; take one out",
    ),
    "more tokens than inputs": (
        TOML + 'sentence = ["a", "b"]\n',
        {"inputs": np.zeros((1, 3))},
        "sentence: expected 1 tokens, as many as the file of weights has inputs, found 2",
    ),
    "a token without inputs": (
        TOML + 'sentence = ["a"]\n',
        {},
        "sentence[1]: token 'a' has no vector; add it under [vectors]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_one_sentence_about_the_toml_file(name, tmp_path):
    toml, more, sentence = REFUSED[name]
    path = written(tmp_path, tensors() | more, toml)
    with pytest.raises(NetworkError) as error:
        read_network(path)
    assert str(error.value) == f"{path}: {sentence}"


BROKEN = {
    "unknown": ({"weight_hr_l0": np.zeros((1, 1))}, "weight_hr_l0: expected names such as weight_ih_l0 or"),
    "leading zero": ({"weight_ih_l01": np.zeros((1, 1))}, "weight_ih_l01: expected names such as weight_ih_l0 or"),
    "gap": ({"weight_ih_l3": np.zeros((4, 1))}, "expected layers from 0 on without a gap, found 0, 1, 3"),
    "half a direction": ({"bias_ih_l1_reverse": np.zeros(4)}, "expected weight_ih_l1_reverse, found "),
    "chain": ({"weight_ih_l1": np.zeros((4, 3))}, "weight_ih_l1: expected 4 columns, as many as the layer reads"),
    "start": ({"h0_l0": np.zeros(3)}, "h0_l0: expected shape (2,), found (3,)"),
    "inputs": ({"inputs": np.zeros((2, 4))}, "inputs: expected shape (time, 3), found (2, 4)"),
    "shape": ({"bias_ih_l0": np.zeros(7)}, "l0: bias_ih: expected shape (8,), that is (4*hidden,), found (7,)"),
    "whole numbers": ({"bias_ih_l0": np.zeros(8, dtype=int)}, "bias_ih_l0: expected floating-point numbers"),
    "not finite": ({"h0_l0": np.array([0, np.inf])}, "h0_l0: expected finite numbers, found others"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_one_sentence_about_the_weights(name, tmp_path):
    more, sentence = BROKEN[name]
    path = written(tmp_path, tensors() | more)
    with pytest.raises(NetworkError) as error:
        read_network(path)
    assert str(error.value).startswith(f"{tmp_path / 'my.safetensors'}: {sentence}")


def test_weights_that_are_not_there_or_damaged(tmp_path):
    path = written(tmp_path, tensors())
    weights = tmp_path / "my.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(NetworkError, match=r"my\.safetensors: expected safetensors, found a damaged file"):
        read_network(path)
    weights.unlink()
    with pytest.raises(
        NetworkError, match=r"my\.safetensors: expected the weights of the network, found that they cannot"
    ):
        read_network(path)
    with pytest.raises(NetworkError, match="expected a network in a file, found one without a folder"):
        parse_network(TOML.encode(), "my.toml")
    weights.mkdir()
    with pytest.raises(NetworkError, match=r"my\.safetensors: expected a file of weights, found a folder, a pipe or a"):
        read_network(path)


def test_inputs_that_do_not_fit(tmp_path):
    network = read_network(written(tmp_path, tensors()))
    for inputs, tokens, sentence in (
        (np.zeros((2, 4)), None, r"inputs: expected shape \(time, 3\), the input of .*my\.toml, found \(2, 4\)"),
        (np.zeros((2, 3)), "abc", r"inputs: expected one row a token, 3, found 2; give as many of both"),
        (np.full((2, 3), np.nan), None, r"inputs: expected finite numbers, found others"),
        (
            None,
            None,
            r"my\.toml: expected a sentence, found none in the file; give the vectors of one with --inputs FILE",
        ),
    ):
        with pytest.raises(NetworkError, match=sentence):
            network.run(tokens, inputs=inputs)
    with pytest.raises(
        NetworkError, match=r"expected at most 200,000 tokens for a network of this size, found 200,001"
    ):
        network.run(inputs=np.zeros((200_001, 3)))
