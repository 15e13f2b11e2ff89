"""Adam, clipping and averages against formulas written out in NumPy, float64, every row at every step; and threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from gatewise.model.archive import legality_of  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.optimizer import Optimizer  # noqa: E402

pytestmark = pytest.mark.torch

ROWS = {"tokens": 12, "bigrams": 9}
TABLES = ("token_embedding.weight", "bigram_embedding.weight")
STEPS, AVERAGING = 8, 0.6
Arrays = dict[str, npt.NDArray[np.float64]]


@pytest.fixture
def helper() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Late(Executor):
    """Puts work off until its result is asked for, as a thread that is always late."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        future = Future[Any]()

        def result(timeout: float | None = None) -> Any:
            if not future.done():
                future.set_result(work(*given, **named))
            return Future.result(future, timeout)

        future.result = result  # type: ignore[method-assign]
        return future


def make_network(helper: Executor | None = None) -> TaggerNetwork:
    table = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "features": {"token_dim": 3, "bigram_dim": 2},
        "encoder": {"hidden": 4},
        "training": {"dropout": 0.0},
    }
    network = TaggerNetwork(
        config_from_dict(table, where="test"), sizes=ROWS, legality=legality_of(("B-X", "I-X", "O"), "BIO")
    ).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for array in network.arrays().values():
            array.normal_(generator=generator)
    network.encoder.helper = helper
    return network.train()


def backward(network: TaggerNetwork, step: int) -> Arrays:
    """A loss of the weights alone that reads a few rows; returns its gradient, of whole tables, zero at other rows."""
    generator = torch.Generator().manual_seed(step)
    found: Arrays = {}
    loss = torch.zeros(())
    for name, weight in network.named_weights().items():
        if name in TABLES:
            table = dict(network.inputs.tables())[name]
            ids = torch.randint(len(weight), (2, 2), generator=generator)
            pull = torch.randn(2, 2, weight.shape[1], generator=generator, dtype=weight.dtype)
            loss = loss + (table(ids) * pull).sum()
            whole = torch.zeros_like(weight)
            whole.index_add_(0, ids.flatten(), pull.flatten(0, 1))
        else:
            whole = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
            loss = loss + (weight * whole).sum()
        found[name] = whole.detach().numpy().copy()
    loss.backward()
    return found


class Plain:
    """The same by formulas, one array after the other; rows without a gradient rest."""

    def __init__(self, weights: dict[str, Tensor], clip: float) -> None:
        self.weights = {name: array.numpy().copy() for name, array in weights.items()}
        self.first = {name: np.zeros_like(array) for name, array in self.weights.items()}
        self.second = {name: np.zeros_like(array) for name, array in self.weights.items()}
        self.means = {name: array.copy() for name, array in self.weights.items()}
        self.clip, self.steps, self.norm = clip, 0, 0.0

    def step(self, gradients: Arrays, rate: float) -> None:
        self.steps += 1
        self.norm = float(np.sqrt(sum((gradient**2).sum() for gradient in gradients.values())))
        for name, whole in gradients.items():
            gradient = whole * min(1.0, self.clip / self.norm)
            moves = np.ones(len(gradient), dtype=bool)
            if name in TABLES:
                moves = gradient.any(axis=tuple(range(1, gradient.ndim)))
            first = 0.9 * self.first[name] + 0.1 * gradient
            second = 0.999 * self.second[name] + 0.001 * gradient**2
            spread = np.sqrt(second / (1 - 0.999**self.steps)) + 1e-8
            moved = self.weights[name] - rate * first / (1 - 0.9**self.steps) / spread
            for old, new in ((self.first, first), (self.second, second), (self.weights, moved)):
                old[name] = np.where(moves.reshape(-1, *[1] * (gradient.ndim - 1)), new, old[name])
            decay = min(AVERAGING, (1 + self.steps) / (10 + self.steps))
            self.means[name] = decay * self.means[name] + (1 - decay) * self.weights[name]


@pytest.mark.parametrize("clip", [1e9, 2.0], ids=["never clipped", "clipped"])
@pytest.mark.parametrize("beside", [False, True], ids=["one thread", "two threads"])
def test_steps_are_adam_and_the_averages_of_all_rows_are_kept(clip: float, beside: bool, helper: Executor) -> None:
    network = make_network(helper if beside else None)
    optimizer = Optimizer(network, clip=clip, averaging=AVERAGING)
    plain = Plain(network.arrays(), clip)
    for step in range(STEPS):
        gradients = backward(network, step)
        rate = 0.05 / (step + 1)
        norm = optimizer.step(rate)
        plain.step(gradients, rate)
        assert float(norm) == pytest.approx(plain.norm, rel=1e-12)
        for name, weight in network.arrays().items():
            np.testing.assert_allclose(weight.numpy(), plain.weights[name], rtol=0, atol=1e-9, err_msg=name)
    for name, mean in optimizer.weights().items():
        np.testing.assert_allclose(mean.numpy(), plain.means[name], rtol=0, atol=1e-9, err_msg=name)
        assert not np.allclose(mean.numpy(), plain.weights[name], rtol=0, atol=1e-4)


def test_two_threads_give_the_bits_of_one_however_late_the_second_is(helper: Executor) -> None:
    found = []
    for one in (None, helper, Late()):
        network = make_network(one).float()
        optimizer = Optimizer(network, clip=3.0, averaging=AVERAGING)
        for step in range(STEPS):
            backward(network, step)
            optimizer.step(0.05)
        found.append(optimizer.arrays())
    for other in found[1:]:
        assert found[0].keys() == other.keys()
        assert all(torch.equal(array, other[name]) for name, array in found[0].items())


@pytest.mark.parametrize("beside", [False, True], ids=["one thread", "two threads"])
def test_a_run_that_goes_on_ends_with_the_same_bits(beside: bool, helper: Executor) -> None:
    one = helper if beside else None
    whole = Optimizer(make_network(one), clip=3.0, averaging=AVERAGING)
    saved: dict[str, Tensor] = {}
    for step in range(STEPS):
        if step == STEPS // 2:
            saved = {name: array.clone() for name, array in whole.arrays().items()}
        backward(whole._network, step)
        whole.step(0.05)
    after = Optimizer(make_network(one), clip=3.0, averaging=AVERAGING)
    after.restore(saved, STEPS // 2)
    for step in range(STEPS // 2, STEPS):
        backward(after._network, step)
        after.step(0.05)
    ends, resumed = whole.arrays(), after.arrays()
    assert ends.keys() == resumed.keys()
    assert all(torch.equal(array, resumed[name]) for name, array in ends.items())
    assert not any(torch.equal(array, saved[name]) for name, array in ends.items() if name.startswith("mean"))


def test_without_averaging_the_weights_themselves_count() -> None:
    network = make_network()
    optimizer = Optimizer(network, clip=3.0, averaging=0.0)
    backward(network, 0)
    optimizer.step(0.05)
    assert all(torch.equal(array, network.arrays()[name]) for name, array in optimizer.weights().items())


def test_a_weight_that_a_step_does_not_use_has_a_gradient_of_zero() -> None:
    """A head that no sentence of a batch is labeled for is at the same step of Adam as all others (ADR 0012)."""
    networks = [make_network(), make_network()]
    before = networks[0].heads[""].emission.bias.detach().clone()
    for network, value in zip(networks, (None, torch.zeros_like(before)), strict=True):
        optimizer = Optimizer(network, clip=3.0, averaging=AVERAGING)
        for step in range(4):
            backward(network, step)
            if step % 2 == 0:
                network.heads[""].emission.bias.grad = value
            optimizer.step(0.05)
            if step == 0:
                assert torch.equal(network.heads[""].emission.bias, before)
    found, wanted = (network.arrays() for network in networks)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert not torch.equal(found["emission.bias"], before)
