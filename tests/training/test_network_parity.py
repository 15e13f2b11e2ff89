"""One network, three times: torch (training), NumPy (the equations), ONNX (the runtime); and mutations that must show.

Weights are random and asymmetric, sentences ragged, and the embeddings of the padding id hold garbage.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402

from gatewise.crf import CRFScores, forward_backward, viterbi  # noqa: E402
from gatewise.model.archive import ModelArchive, legality_of  # noqa: E402
from gatewise.model.config import Config  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.model.parameters import parameter_shapes  # noqa: E402
from gatewise.runtime.trace import run_encoder  # noqa: E402
from gatewise.training import export, export_layers  # noqa: E402
from gatewise.training import network as network_module  # noqa: E402
from gatewise.training.crf import log_partition  # noqa: E402
from gatewise.training.inputs import InputLayer  # noqa: E402
from gatewise.training.network import Encoder, TaggerNetwork  # noqa: E402

pytestmark = pytest.mark.torch

LABELS = ("B-X", "I-X", "B-Y", "I-Y", "O")
TOKENS, BIGRAMS = 11, 9  # ids
LENGTHS = (7, 1, 4, 2, 5)
Arrays = dict[str, npt.NDArray[np.float32]]
Float64s = npt.NDArray[np.float64]


def make_config(
    *,
    kind: str = "lstm",
    layers: int = 2,
    bidirectional: bool = True,
    bigram_dim: int = 2,
    numbers: str = "float32",
    dropout: float = 0.5,
) -> Config:
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "features": {"token_dim": 3, "bigram_dim": bigram_dim},
        "encoder": {"kind": kind, "hidden": 4, "layers": layers, "bidirectional": bidirectional},
        "archive": {"numbers": numbers},
        "training": {"dropout": dropout},
    }
    return config_from_dict(table, where="test")


def make_network(config: Config, seed: int = 0, constant: float | None = None) -> TaggerNetwork:
    """In float64, its weights representable in float32; `constant` puts one number everywhere."""
    network = TaggerNetwork(
        config, sizes={"tokens": TOKENS, "bigrams": BIGRAMS}, legality=legality_of(LABELS, config.task.scheme)
    ).double()
    generator = torch.Generator().manual_seed(seed)
    for array in network.arrays().values():
        values = torch.randn(array.shape, generator=generator) * 0.7
        if config.archive.numbers == "float16":
            values = values.half()
        array.copy_(values if constant is None else torch.full_like(values, constant))
    return network.eval()


def arrays_of(network: TaggerNetwork, dtype: str = "float32") -> Arrays:
    return {name: array.numpy().astype(dtype) for name, array in network.arrays().items()}


def make_ids(config: Config, seed: int = 1) -> tuple[Tensor, Tensor | None, Tensor]:
    """tokens (time, batch), bigrams (time + 1, batch), lengths (batch,), padded with id 0."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor(LENGTHS)
    tokens = torch.randint(1, TOKENS, (max(LENGTHS), len(LENGTHS)), generator=generator)
    bigrams = torch.randint(1, BIGRAMS, (max(LENGTHS) + 1, len(LENGTHS)), generator=generator)
    tokens[torch.arange(len(tokens))[:, None] >= lengths] = 0
    bigrams[torch.arange(len(bigrams))[:, None] > lengths] = 0
    return tokens, bigrams if config.features.bigram_dim else None, lengths


def inputs_of(tokens: Tensor, bigrams: Tensor | None) -> dict[str, Tensor]:
    """By the name of the feature, as the network takes them."""
    return {"tokens": tokens} if bigrams is None else {"tokens": tokens, "bigrams": bigrams}


def torch_emissions(network: TaggerNetwork, tokens: Tensor, bigrams: Tensor | None, lengths: Tensor) -> list[Float64s]:
    """Of each sentence, padding cut off: (length, num_tags)."""
    with torch.no_grad():
        emissions = network(inputs_of(tokens, bigrams), lengths).numpy()
    return [emissions[:length, column] for column, length in enumerate(lengths.tolist())]


def numpy_emissions(config: Config, arrays: Arrays, x: Float64s, lengths: Tensor) -> list[Float64s]:
    """By the equations of `lstm/`, a sentence at a time, from x (time, batch, input_size)."""
    archive = ModelArchive(
        folder=Path("nowhere"),
        config=config,
        scheme=config.task.scheme,
        labels=LABELS,
        vocabularies={},
        legality=legality_of(LABELS, config.task.scheme),
    )
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    weight, bias = wide["emission.weight"], wide["emission.bias"]
    return [
        run_encoder(x[:length, column], wide, archive)[-1].output @ weight.T + bias
        for column, length in enumerate(lengths.tolist())
    ]


def graph_outputs(
    config: Config, arrays: Arrays, tokens: Tensor, bigrams: Tensor | None, lengths: Tensor
) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
    """x (time, batch, input_size), and the emissions of each sentence, from the exported graph."""
    session = onnxruntime.InferenceSession(export.onnx_graph(config, arrays), providers=["CPUExecutionProvider"])
    feeds = {"tokens": tokens.numpy(), "lengths": lengths.numpy().astype(np.int32)}
    if bigrams is not None:
        feeds["bigrams"] = bigrams.numpy()
    x, emissions = session.run(["x", "emissions"], feeds)
    return x, [emissions[:length, column] for column, length in enumerate(lengths.tolist())]


def embedded(network: TaggerNetwork, tokens: Tensor, bigrams: Tensor | None) -> Float64s:
    with torch.no_grad():
        x: Float64s = network.inputs(inputs_of(tokens, bigrams)).numpy()
    return x


def distance(left: list[Float64s], right: list[Float64s]) -> float:
    """The largest difference of two emissions, over all sentences."""
    return max(float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True))


def numpy_distance(network: TaggerNetwork, config: Config, arrays: Arrays) -> float:
    """How far the equations with `arrays` are from torch with its own weights, both in float64."""
    ids = make_ids(config)
    x = embedded(network, *ids[:2])
    return distance(torch_emissions(network, *ids), numpy_emissions(config, arrays, x, ids[2]))


def graph_distance(network: TaggerNetwork, config: Config, arrays: Arrays) -> float:
    """How far the graph of `arrays` is from torch with its own weights."""
    ids = make_ids(config)
    return distance(torch_emissions(network, *ids), graph_outputs(config, arrays, *ids)[1])


@pytest.mark.parametrize(
    ("kind", "layers", "bidirectional", "bigram_dim"),
    list(itertools.product(("lstm", "rnn"), (1, 2, 3), (True, False), (0, 2))),
)
def test_numpy_torch_and_graph_agree(kind: str, layers: int, bidirectional: bool, bigram_dim: int) -> None:
    config = make_config(kind=kind, layers=layers, bidirectional=bidirectional, bigram_dim=bigram_dim)
    network = make_network(config, seed=layers)
    arrays, (tokens, bigrams, lengths) = arrays_of(network), make_ids(config)
    x = embedded(network, tokens, bigrams)
    by_torch = torch_emissions(network, tokens, bigrams, lengths)
    by_numpy = numpy_emissions(config, arrays, x, lengths)
    graph_x, by_graph = graph_outputs(config, arrays, tokens, bigrams, lengths)
    assert distance(by_torch, by_numpy) < 1e-10
    assert distance(by_torch, by_graph) < 1e-5
    assert distance(by_numpy, by_graph) < 1e-5
    assert np.array_equal(graph_x, x.astype(np.float32))
    assert np.concatenate(by_torch).std(axis=0).min() > 0.01  # so that 1e-5 says something


def test_parameter_shapes_are_those_of_the_network() -> None:
    for kind, bidirectional, bigram_dim in itertools.product(("lstm", "rnn"), (True, False), (0, 2)):
        config = make_config(kind=kind, bidirectional=bidirectional, bigram_dim=bigram_dim)
        found = {name: tuple(array.shape) for name, array in make_network(config).arrays().items()}
        sizes = {"tokens": TOKENS, "bigrams": BIGRAMS}
        assert found == parameter_shapes(config, sizes=sizes, num_tags=len(LABELS))


def in_batch_and_alone(config: Config, emissions: Callable[..., list[Float64s]]) -> float:
    """The largest difference between a sentence in the batch, in the batch turned around, and alone."""
    tokens, bigrams, lengths = make_ids(config)
    together = emissions(tokens, bigrams, lengths)
    turned = emissions(tokens.flip(1), None if bigrams is None else bigrams.flip(1), lengths.flip(0))[::-1]
    alone = [
        emissions(tokens[:n, b : b + 1], None if bigrams is None else bigrams[: n + 1, b : b + 1], lengths[b : b + 1])[
            0
        ]
        for b, n in enumerate(lengths.tolist())
    ]
    return max(distance(together, turned), distance(together, alone))


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_padding_does_not_leak(kind: str) -> None:
    config = make_config(kind=kind, layers=3)
    network = make_network(config)
    arrays = arrays_of(network)
    assert in_batch_and_alone(config, lambda *ids: torch_emissions(network, *ids)) < 1e-12
    assert in_batch_and_alone(config, lambda *ids: graph_outputs(config, arrays, *ids)[1]) < 2e-6


def test_padding_gets_no_gradient_and_gives_none() -> None:
    config = make_config(dropout=0.0)
    network = make_network(config)
    tokens, bigrams, lengths = make_ids(config)

    def gradients(extra: int) -> list[Tensor]:
        """Of the sum of real emissions, with `extra` steps of padding after all sentences."""
        padded = nn.functional.pad(tokens, (0, 0, 0, extra))
        edges = None if bigrams is None else nn.functional.pad(bigrams, (0, 0, 0, extra))
        inside = torch.arange(len(padded))[:, None] < lengths
        weights = network.named_weights()
        trained = [weight for name, weight in weights.items() if weight.requires_grad and not name.startswith("crf.")]
        network.train()  # so that the tables take gradients
        total = network(inputs_of(padded, edges), lengths)[inside].square().sum()
        dense = list(torch.autograd.grad(total, trained, retain_graph=True))
        total.backward()
        read = [gradient for _, table in network.inputs.tables() if (gradient := table.take_gradient()) is not None]
        assert len(read) == 2
        for ids, gradient in read:
            assert ids[0] == 0
            assert not gradient[0].any()  # the row of the padding
        return dense + [gradient for _, gradient in read]

    for short, long in zip(gradients(0), gradients(3), strict=True):
        torch.testing.assert_close(short, long, rtol=0, atol=1e-12)


@pytest.mark.parametrize("layers", [1, 2])
def test_encoder_equals_a_packed_bidirectional_lstm(layers: int) -> None:
    config = make_config(layers=layers)
    network = make_network(config, seed=3)
    peer = nn.LSTM(7, 4, num_layers=layers, bidirectional=True).double()
    with torch.no_grad():
        for name, array in network.encoder.arrays().items():
            getattr(peer, name).copy_(array)
    tokens, bigrams, lengths = make_ids(config)
    x = network.inputs(inputs_of(tokens, bigrams)).detach()
    ours = network.encoder(x, lengths)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    theirs = pad_packed_sequence(peer(packed)[0])[0]
    inside = torch.arange(len(tokens))[:, None] < lengths
    torch.testing.assert_close(ours[inside], theirs[inside], rtol=0, atol=1e-12)
    weights = torch.randn(ours[inside].shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    names = list(network.encoder.arrays())
    got = torch.autograd.grad((ours[inside] * weights).sum(), _parameters(network.encoder, names))
    wanted = torch.autograd.grad((theirs[inside] * weights).sum(), [getattr(peer, name) for name in names])
    for name, left, right in zip(names, got, wanted, strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=1e-12, msg=name)


def _parameters(encoder: Encoder, names: list[str]) -> list[Tensor]:
    """The encoder's parameters in the order of its `arrays()`."""
    named = encoder.arrays()
    return [named[name] for name in names]


# Mutations: each breaks one of the three on purpose, and the comparison that passes above must fail.


@pytest.mark.parametrize("order", list(itertools.permutations("ifgo")))
def test_only_one_order_of_the_gate_blocks_is_right(order: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config(layers=1)
    network = make_network(config)

    def reorder(array: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        blocks = dict(zip("ifgo", np.split(array, 4), strict=True))
        return np.concatenate([blocks[gate] for gate in order])

    monkeypatch.setattr(export_layers, "to_onnx_order", reorder)
    found = graph_distance(network, config, arrays_of(network))
    if order == tuple("iofg"):
        assert found < 1e-5
    else:
        assert found > 1e-2


def test_constant_weights_would_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config(layers=1)
    network = make_network(config, constant=0.3)
    monkeypatch.setattr(export_layers, "to_onnx_order", np.asarray)
    assert graph_distance(network, config, arrays_of(network)) < 1e-5


@pytest.mark.parametrize("order", [order for order in itertools.permutations("ifgo") if order != tuple("ifgo")])
def test_permuted_gate_blocks_in_the_equations_are_noticed(order: tuple[str, ...]) -> None:
    config = make_config(layers=1)
    network = make_network(config)
    arrays = arrays_of(network)
    for name, array in arrays.items():
        if name.startswith("encoder."):
            blocks = dict(zip("ifgo", np.split(array, 4), strict=True))
            arrays[name] = np.concatenate([blocks[gate] for gate in order])
    assert numpy_distance(network, config, arrays) > 1e-2


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
@pytest.mark.parametrize("layer", [0, 1])
def test_swapped_directions_are_noticed(kind: str, layer: int) -> None:
    config = make_config(kind=kind)
    network = make_network(config)
    arrays = arrays_of(network)
    assert numpy_distance(network, config, arrays) < 1e-10
    for name in [name for name in arrays if name.endswith(f"_l{layer}")]:
        arrays[name], arrays[f"{name}_reverse"] = arrays[f"{name}_reverse"], arrays[name]
    assert numpy_distance(network, config, arrays) > 1e-2
    assert graph_distance(network, config, arrays) > 1e-2


def test_reversing_over_the_padding_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config(layers=1)
    network = make_network(config)

    def whole(time: int, lengths: Tensor) -> Tensor:
        return torch.arange(time * len(lengths)).view(time, len(lengths)).flip(0).flatten()

    monkeypatch.setattr(network_module, "_turned_around", whole)
    assert numpy_distance(network, config, arrays_of(network)) > 1e-2


def test_bigrams_in_the_wrong_order_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config(layers=1)
    network = make_network(config)
    right = InputLayer.forward

    def swapped(layer: InputLayer, inputs: Mapping[str, Tensor]) -> Tensor:
        token, before, after = right(layer, inputs).split([3, 2, 2], dim=-1)
        return torch.cat([token, after, before], dim=-1)

    monkeypatch.setattr(InputLayer, "forward", swapped)
    assert graph_distance(network, config, arrays_of(network)) > 1e-2


def crf_distance(network: TaggerNetwork, mutate: Callable[[CRFScores], CRFScores]) -> float:
    """How far NumPy's log partition is from torch's on the same emissions, scores gone through `mutate`."""
    config = make_config()
    ids = make_ids(config)
    with torch.no_grad():
        emissions, scores = network(inputs_of(*ids[:2]), ids[2]), network.crf_scores()
        by_torch = log_partition(emissions, scores, ids[2]).numpy()
    learned = CRFScores(
        transitions=scores.transitions.numpy(),
        start_transitions=scores.start.numpy(),
        end_transitions=scores.end.numpy(),
    )
    sums = forward_backward(emissions.numpy(), ids[2].numpy(), mutate(learned))
    return float(np.abs(sums.log_partition - by_torch).max())


def test_transposed_transitions_and_swapped_ends_are_noticed() -> None:
    network = make_network(make_config())

    def transposed(scores: CRFScores) -> CRFScores:
        return CRFScores(
            transitions=scores.transitions.T,
            start_transitions=scores.start_transitions,
            end_transitions=scores.end_transitions,
        )

    def swapped(scores: CRFScores) -> CRFScores:
        return CRFScores(
            transitions=scores.transitions,
            start_transitions=scores.end_transitions,
            end_transitions=scores.start_transitions,
        )

    assert crf_distance(network, lambda scores: scores) < 1e-10
    assert crf_distance(network, transposed) > 1e-2
    assert crf_distance(network, swapped) > 1e-2


def test_forbidden_transitions_are_the_same_in_both() -> None:
    network = make_network(make_config())
    scores = network.crf_scores()
    for array, name in zip(scores, ("allowed", "start", "end"), strict=True):
        assert np.array_equal(np.isfinite(array.detach().numpy()), getattr(legality_of(LABELS, "BIO"), name))
    tokens, bigrams, lengths = make_ids(make_config())
    emissions = network(inputs_of(tokens, bigrams), lengths).detach().numpy()
    learned = CRFScores(
        **{
            name: array.detach().numpy()
            for name, array in zip(("transitions", "start_transitions", "end_transitions"), scores, strict=True)
        }
    )
    assert np.isfinite(viterbi(emissions, np.array(LENGTHS), learned).scores).all()


# float16


def test_float16_graph_computes_with_the_rounded_weights() -> None:
    config = make_config(numbers="float16")
    network = make_network(config)
    arrays = arrays_of(network, "float16")
    assert numpy_distance(network, config, arrays) < 1e-10
    assert graph_distance(network, config, arrays) < 1e-5


@pytest.mark.parametrize("numbers", ["float32", "float16"])
def test_the_graph_holds_the_values_of_the_archive_in_their_type(numbers: str) -> None:
    config = make_config(numbers=numbers)
    arrays = arrays_of(make_network(config), numbers)
    model = onnx.load_from_string(export.onnx_graph(config, arrays))
    constants = [onnx.numpy_helper.to_array(constant) for constant in model.graph.initializer]
    in_graph = [array.ravel() for array in constants if np.issubdtype(array.dtype, np.floating)]
    in_archive = [array.ravel() for name, array in arrays.items() if not name.startswith("crf.")]
    assert {array.dtype for array in in_graph} == {np.dtype(numbers)}
    assert np.array_equal(np.sort(np.concatenate(in_graph)), np.sort(np.concatenate(in_archive)))
