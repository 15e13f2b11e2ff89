"""The optimizer against torch's Adam where all rows are read, and against plain floats where only some are."""

from __future__ import annotations

import math
import random

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from gatewise.model.archive import legality_of  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.optimizer import Optimizer  # noqa: E402

pytestmark = pytest.mark.torch

ROWS, TIME, BATCH = 7, 5, 3
CLIP, AVERAGING = 0.6, 0.9
TABLE = "token_embedding.weight"


def make_network(seed: int = 0) -> TaggerNetwork:
    table = {
        "task": {"scheme": "BIO"},
        "features": {"token_dim": 3, "bigram_dim": 0},
        "encoder": {"hidden": 4},
        "training": {"dropout": 0.0},
    }
    config = config_from_dict(table, where="test")
    network = TaggerNetwork(config, sizes={"tokens": ROWS}, legality=legality_of(("B-X", "I-X", "O"), "BIO"))
    generator = torch.Generator().manual_seed(seed)
    for array in network.arrays().values():
        array.copy_(torch.randn(array.shape, generator=generator))
    return network.train()


def ids_of(step: int, *, all_rows: bool) -> Tensor:
    """(time, batch); either all rows are among them, or a few, others each time."""
    shuffled = random.Random(step)
    rows = list(range(ROWS)) if all_rows else shuffled.sample(range(ROWS), 3)
    ids = rows + [shuffled.choice(rows) for _ in range(TIME * BATCH - len(rows))]
    shuffled.shuffle(ids)
    return torch.tensor(ids).view(TIME, BATCH)


def loss_of(network: TaggerNetwork, ids: Tensor, step: int) -> Tensor:
    """Some function of the emissions and of the CRF's scores, another one at each step."""
    generator = torch.Generator().manual_seed(100 + step)
    emissions = network({"tokens": ids}, torch.tensor([TIME, TIME - 2, 1]))
    total = (emissions * torch.randn(emissions.shape, generator=generator)).sum()
    head = network.heads[""]
    for scores in (head.transitions, head.start_transitions, head.end_transitions):
        total = total + (scores * torch.randn(scores.shape, generator=generator)).sum()
    return total


def test_equals_torch_adam_with_clipping_where_every_row_is_read() -> None:
    ours, theirs = make_network(), make_network()
    optimizer = Optimizer(ours, clip=CLIP, averaging=0.0)
    theirs.eval()  # reads the table through plain embedding
    dict(theirs.inputs.tables())[TABLE].weight.requires_grad_()
    weights = [weight for weight in theirs.named_weights().values() if weight.requires_grad]
    adam = torch.optim.Adam(weights)
    norms = []
    for step in range(12):
        rate = 0.05 / (1 + step)
        ids = ids_of(step, all_rows=True)
        loss_of(ours, ids, step).backward()
        norms.append(float(optimizer.step(rate)))
        adam.zero_grad()
        loss_of(theirs, ids, step).backward()
        norm = nn.utils.clip_grad_norm_(weights, CLIP)
        assert norms[-1] == pytest.approx(float(norm), rel=1e-5)
        adam.param_groups[0]["lr"] = rate
        adam.step()
    assert max(norms) > CLIP  # so that something was clipped
    for name, array in ours.arrays().items():
        torch.testing.assert_close(array, theirs.arrays()[name].detach(), rtol=0, atol=2e-5, msg=name)


class PlainRow:
    """Adam on one row, in plain floats: its moments rest while it is not read."""

    def __init__(self, values: list[float]) -> None:
        self.values = values
        self.first, self.second = [0.0] * len(values), [0.0] * len(values)

    def step(self, gradient: list[float], rate: float, step: int) -> None:
        for k, g in enumerate(gradient):
            self.first[k] = 0.9 * self.first[k] + 0.1 * g
            self.second[k] = 0.999 * self.second[k] + 0.001 * g * g
            first, second = self.first[k] / (1 - 0.9**step), self.second[k] / (1 - 0.999**step)
            self.values[k] -= rate * first / (math.sqrt(second) + 1e-8)


def test_rows_that_are_not_read_rest_and_their_average_moves_on() -> None:
    network = make_network(3)
    optimizer = Optimizer(network, clip=1e9, averaging=AVERAGING)
    plain = [PlainRow(row) for row in network.arrays()[TABLE].double().tolist()]
    averages = [list(row.values) for row in plain]
    dense = network.arrays()["emission.weight"].double().clone()
    for step in range(1, 30):
        ids = ids_of(step, all_rows=False)
        loss_of(network, ids, step).backward()
        gradient = dict(zip(*_read(network), strict=True))
        assert set(gradient) == set(ids.unique().tolist())
        optimizer.step(0.02)
        decay = min(AVERAGING, (1 + step) / (10 + step))
        for number, row in enumerate(plain):
            if number in gradient:
                row.step(gradient[number], 0.02, step)
            averages[number] = [decay * a + (1 - decay) * v for a, v in zip(averages[number], row.values, strict=True)]
        dense = decay * dense + (1 - decay) * network.arrays()["emission.weight"].double()
        if step % 7 == 0:  # asking in between must change nothing
            optimizer.weights()
    values = torch.tensor([row.values for row in plain])
    torch.testing.assert_close(network.arrays()[TABLE], values, rtol=0, atol=2e-5)
    torch.testing.assert_close(optimizer.weights()[TABLE], torch.tensor(averages), rtol=0, atol=2e-5)
    torch.testing.assert_close(optimizer.weights()["emission.weight"].double(), dense, rtol=0, atol=2e-5)
    assert not torch.equal(optimizer.weights()[TABLE], network.arrays()[TABLE])


def _read(network: TaggerNetwork) -> tuple[list[int], list[list[float]]]:
    """The rows read in this step and their gradients, left where they are."""
    read = dict(network.inputs.tables())[TABLE]._read
    assert read is not None
    assert read[1].grad is not None
    return read[0].tolist(), read[1].grad.double().tolist()
