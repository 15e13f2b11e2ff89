"""State dictionaries of torch's nn.LSTM, as safetensors and as .pt, against the module's outputs; what is refused."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from safetensors.numpy import save_file

from gatewise.errors import InteropError
from gatewise.interop import pytorch, read_lstm, write_network
from gatewise.network import read_network

LENGTHS = (6, 1, 3)
SIZE, HIDDEN = 3, 4
ORDERS = [order for order in permutations("ifgo") if order != tuple("ifgo")]
CASES = [(layers, both, bias) for layers in (1, 3) for both in (False, True) for bias in (False, True)]


class Module:
    """An nn.LSTM with random weights under a name inside a model, and its outputs on ragged sentences in one batch."""

    def __init__(self, layers=2, both=True, bias=True, seed=0):
        self.torch = torch = pytest.importorskip("torch")
        generator = torch.Generator().manual_seed(seed)
        module = torch.nn.LSTM(SIZE, HIDDEN, layers, bias=bias, bidirectional=both, dtype=torch.float64)
        for parameter in module.parameters():
            parameter.data.normal_(generator=generator)
        self.model = torch.nn.ModuleDict({"emission": torch.nn.Linear(2, 2), "encoder": module})
        self.module = module
        self.sentences = [torch.randn(n, SIZE, dtype=torch.float64, generator=generator) for n in LENGTHS]
        packed = torch.nn.utils.rnn.pack_sequence(self.sentences, enforce_sorted=False)
        with torch.no_grad():
            padded, _ = torch.nn.utils.rnn.pad_packed_sequence(module(packed)[0])
        self.expected = [padded[:n, b].numpy() for b, n in enumerate(LENGTHS)]

    def saved(self, path):
        from safetensors.torch import save_file

        state = self.model.state_dict()
        save_file(state, path) if path.suffix == ".safetensors" else self.torch.save(state, path)
        return path

    def gap(self, path, tmp_path) -> float:
        """Imported, written, read again as a network and run."""
        out = tmp_path / "imported.toml"
        write_network(out, read_lstm(path), source=path.name)
        network = read_network(out)
        runs = [network.run(inputs=x.numpy()) for x in self.sentences]
        return max(
            np.abs(np.array(run.output_vectors) - states).max() for run, states in zip(runs, self.expected, strict=True)
        )


@pytest.mark.torch
@pytest.mark.parametrize("ending", ["safetensors", "pt"])
@pytest.mark.parametrize(("layers", "both", "bias"), CASES)
def test_parity(layers, both, bias, ending, tmp_path):
    module = Module(layers, both, bias)
    assert module.gap(module.saved(tmp_path / f"model.{ending}"), tmp_path) < 1e-10


@pytest.mark.torch
@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_every_other_order_of_the_gates_is_noticed(order, tmp_path, monkeypatch):
    module = Module(layers=1, both=False)
    monkeypatch.setattr(pytorch, "ORDER", "".join(order))
    assert module.gap(module.saved(tmp_path / "model.safetensors"), tmp_path) > 1e-3


@pytest.mark.torch
def test_float32_and_its_halves(tmp_path):
    from safetensors.torch import save_file

    module = Module()
    torch = module.torch
    for dtype, closeness in ((torch.float32, 1e-6), (torch.float16, 3e-2), (torch.bfloat16, 3e-1)):
        state = {name: tensor.to(dtype) for name, tensor in module.module.state_dict().items()}
        save_file(state, tmp_path / "model.safetensors")
        torch.save(state, tmp_path / "model.pt")
        found = [read_lstm(tmp_path / f"model.{ending}") for ending in ("safetensors", "pt")]
        for name, array in found[0].tensors.items():
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array, found[1].tensors[name])
            np.testing.assert_array_equal(array, state[name].float().numpy())
        assert module.gap(tmp_path / "model.pt", tmp_path) < closeness


@pytest.mark.torch
def test_the_network_is_a_state_dict_again(tmp_path):
    from safetensors.torch import load_file

    module = Module()
    write_network(tmp_path / "a.toml", read_lstm(module.saved(tmp_path / "model.pt")), source="model.pt")
    fresh = module.torch.nn.LSTM(SIZE, HIDDEN, 2, bidirectional=True, dtype=module.torch.float64)
    fresh.load_state_dict(load_file(tmp_path / "a.safetensors"))


@pytest.mark.torch
def test_a_checkpoint_holds_one_further_in(tmp_path):
    module = Module()
    content = {"epoch": 3, "model": {"state_dict": module.model.state_dict()}, "best": [0.5, None]}
    module.torch.save(content, tmp_path / "checkpoint.pth")
    found = read_lstm(tmp_path / "checkpoint.pth")
    assert found.place == "model.state_dict.encoder"
    assert found.mapping[0].source == "model.state_dict.encoder.weight_ih_l0"


def plain(prefix="lstm.", **changes):
    """Tensors of one layer without torch; `changes` by name replace, add, or with None remove."""
    random = np.random.default_rng(1)
    tensors = {
        "weight_ih_l0": random.normal(size=(8, 3)),
        "weight_hh_l0": random.normal(size=(8, 2)),
        "bias_ih_l0": random.normal(size=8),
        "bias_hh_l0": random.normal(size=8),
    }
    tensors |= changes
    return {prefix + name: array for name, array in tensors.items() if array is not None}


REFUSED = {
    "projections": (
        plain(weight_hr_l0=np.zeros((1, 2))),
        "lstm.weight_hr_l0: expected an LSTM without projections, found one with proj_size; its h is a product that "
        "the equations here do not have",
    ),
    "layer norm": (
        plain(**{"norm.weight": np.zeros(2)}),
        "expected nothing but the parameters of an nn.LSTM under 'lstm.', found 'lstm.norm.weight'; this may be "
        "another kind of LSTM, so it is not imported",
    ),
    "GRU": (
        plain(weight_hh_l0=np.zeros((6, 2))),
        "lstm.weight_hh_l0: expected shape (4*hidden, hidden), found (6, 2), the shape of an nn.GRU; only LSTMs are "
        "read",
    ),
    "RNN": (
        plain(weight_hh_l0=np.zeros((2, 2))),
        "lstm.weight_hh_l0: expected shape (4*hidden, hidden), found (2, 2), the shape of an nn.RNN; only LSTMs are "
        "read",
    ),
    "no LSTM": (
        {"a.weight": np.zeros(2)},
        "expected an nn.LSTM, that is a tensor named weight_hh_l0 or NAME.weight_hh_l0, found 'a.weight'",
    ),
    "one bias": (
        plain(bias_hh_l0=None),
        "expected both biases of every layer under 'lstm.', or none, found some of them",
    ),
    "a bias that does not fit": (
        plain(bias_hh_l0=np.zeros(4)),
        "l0: bias_hh: expected shape (8,), that is (4*hidden,), found (4,)",
    ),
    "rows that are no four blocks": (
        plain(weight_ih_l0=np.zeros((7, 3))),
        "lstm.weight_ih_l0: expected four blocks of rows, one a gate, found shape (7, 3)",
    ),
    "a bias without rows": (
        plain(bias_ih_l0=np.zeros(())),
        "lstm.bias_ih_l0: expected four blocks of rows, one a gate, found shape ()",
    ),
    "a layer is missing": (
        plain(weight_ih_l2=np.zeros((8, 2)), weight_hh_l2=np.zeros((8, 2)), bias_ih_l0=None, bias_hh_l0=None),
        "expected layers from 0 on without a gap, found 0, 2",
    ),
    "a chain that does not fit": (
        plain(weight_ih_l1=np.zeros((8, 3)), weight_hh_l1=np.zeros((8, 2)), bias_ih_l0=None, bias_hh_l0=None),
        "weight_ih_l1: expected 2 columns, as many as the layer reads, found 3",
    ),
    "not finite": (
        plain(bias_ih_l0=np.full(8, np.nan)),
        "lstm.bias_ih_l0: expected finite numbers, found others; the weights are broken",
    ),
    "whole numbers": (
        plain(bias_ih_l0=np.zeros(8, dtype=np.int8)),
        "lstm.bias_ih_l0: expected floating-point numbers, found int8; is it quantized?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_lstm_is_refused(name, tmp_path):
    tensors, sentence = REFUSED[name]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(InteropError) as error:
        read_lstm(tmp_path / "model.safetensors")
    assert str(error.value) == f"{tmp_path / 'model.safetensors'}: {sentence}"


def test_several_ask_for_one_by_its_name(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(plain("characters.") | plain("words.", bias_ih_l0=np.ones(8)) | {"other_weight_hh_l0": np.zeros(1)}, path)
    with pytest.raises(InteropError) as error:
        read_lstm(path)
    assert str(error.value) == (
        f"{path}: expected one nn.LSTM, found 2: 'characters.', 'words.'; choose one with --prefix"
    )
    for prefix in ("words", "words."):
        assert (read_lstm(path, prefix).tensors["bias_ih_l0"] == 1).all()
    with pytest.raises(InteropError, match=r"--prefix: expected one of 'characters.', 'words.', found 'word'"):
        read_lstm(path, "word")


def test_without_a_prefix(tmp_path):
    save_file(plain(""), tmp_path / "model.safetensors")
    found = read_lstm(tmp_path / "model.safetensors")
    assert (found.place, found.mapping[0].source) == ("", "weight_ih_l0")
