"""Two directions at once: against a packed bidirectional nn.LSTM, to the bit against one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402

from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.training import directions  # noqa: E402
from gatewise.training.network import Encoder  # noqa: E402

pytestmark = pytest.mark.torch

LENGTHS = torch.tensor([7, 1, 4, 2, 5])
INSIDE = torch.arange(7)[:, None] < LENGTHS
INPUT, HIDDEN = 6, 4


@pytest.fixture
def helper() -> Iterator[Executor]:
    with ThreadPoolExecutor(1, "second") as pool:
        yield pool


def make_encoder(kind: str, layers: int, helper: Executor | None = None) -> Encoder:
    table = {"encoder": {"kind": kind, "hidden": HIDDEN, "layers": layers}, "training": {"dropout": 0.0}}
    encoder = Encoder(config_from_dict(table, where="test"), INPUT).double()
    generator = torch.Generator().manual_seed(layers)
    with torch.no_grad():
        for array in encoder.arrays().values():
            array.normal_(generator=generator)
    encoder.helper = helper
    return encoder


def make_x() -> Tensor:
    x = torch.randn(7, len(LENGTHS), INPUT, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    x[~INSIDE] = 30.0  # padding holds garbage
    return x.requires_grad_()


def gradients(states: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """Of a weighted sum of the states of real tokens, every number with a weight of its own."""
    generator = torch.Generator().manual_seed(6)
    weights = torch.randn(states.shape, generator=generator, dtype=states.dtype)
    return list(torch.autograd.grad((states * weights)[INSIDE].sum(), leaves))


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_states_and_gradients_are_those_of_a_packed_bidirectional_layer(
    kind: str, layers: int, helper: Executor
) -> None:
    encoder, x = make_encoder(kind, layers, helper), make_x()
    named = encoder.arrays()
    peer = (nn.LSTM if kind == "lstm" else nn.RNN)(INPUT, HIDDEN, num_layers=layers, bidirectional=True).double()
    with torch.no_grad():
        for name, array in named.items():
            getattr(peer, name).copy_(array)
    states = encoder(x, LENGTHS)
    theirs = pad_packed_sequence(peer(pack_padded_sequence(x, LENGTHS, enforce_sorted=False))[0])[0]
    torch.testing.assert_close(states[INSIDE], theirs[INSIDE], rtol=0, atol=1e-12)
    ours = gradients(states, [x, *named.values()])
    wanted = gradients(theirs, [x, *(getattr(peer, name) for name in named)])
    for name, got, reference in zip(["x", *named], ours, wanted, strict=True):
        torch.testing.assert_close(got, reference, rtol=0, atol=1e-12, msg=name)
    assert not ours[0][~INSIDE].any()


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_two_threads_give_the_bits_of_one(kind: str, helper: Executor) -> None:
    found = []
    for one in (None, helper):
        encoder, x = make_encoder(kind, 2, one).float(), make_x().detach().float().requires_grad_()
        states = encoder(x, LENGTHS)
        found.append([states, *gradients(states, [x, *encoder.arrays().values()])])
    assert all(torch.equal(left, right) for left, right in zip(*found, strict=True))


def test_the_reverse_direction_runs_beside_the_forward_one(helper: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=20)  # broken, and an error here, if one waits for the end of the other
    run, back = directions._Pass.run, directions._Pass.gradients

    def met_run(one: directions._Pass, x: Tensor, learning: bool) -> Tensor:
        meeting.wait()
        return run(one, x, learning)

    def met_back(one: directions._Pass, of_states: Tensor) -> tuple[Tensor, ...]:
        meeting.wait()
        return back(one, of_states)

    monkeypatch.setattr(directions._Pass, "run", met_run)
    monkeypatch.setattr(directions._Pass, "gradients", met_back)
    x = make_x()
    gradients(make_encoder("lstm", 2, helper)(x, LENGTHS), [x])


def test_without_gradients_nothing_is_kept_for_them(helper: Executor) -> None:
    encoder, x = make_encoder("lstm", 1, helper), make_x()
    with_gradient = encoder(x, LENGTHS)
    with torch.no_grad():
        without = encoder(x, LENGTHS)
    assert with_gradient.requires_grad
    assert not without.requires_grad
    assert torch.equal(with_gradient, without)


def test_an_error_in_the_second_thread_is_raised_here(helper: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: directions._Pass, rows: Tensor) -> Tensor:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("from the second thread")
        return rows

    monkeypatch.setattr(directions._Pass, "_trade", fails)
    with pytest.raises(ValueError, match="from the second thread"):
        make_encoder("lstm", 1, helper)(make_x(), LENGTHS)


@pytest.mark.parametrize(("count", "directions_", "each"), [(1, 2, 1), (2, 2, 1), (6, 2, 3), (3, 1, 3)])
def test_threads_are_shared_out_and_given_back(count: int, directions_: int, each: int) -> None:
    before = torch.get_num_threads()
    with directions.threads(count, directions=directions_) as second:
        assert torch.get_num_threads() == each
        assert (second is None) == (count == 1 or directions_ == 1)
        if second is not None:
            assert second.submit(torch.get_num_threads).result() == each
            assert second.submit(threading.current_thread).result() is not threading.current_thread()
    assert torch.get_num_threads() == before
