"""The loss of a sentence, and what a label's weight does to it, against the sum over all paths in plain floats."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from gatewise.errors import TrainingError  # noqa: E402
from gatewise.model.archive import legality_of  # noqa: E402
from gatewise.model.config_reading import config_from_dict  # noqa: E402
from gatewise.text.sentence import sentence_from_forms  # noqa: E402
from gatewise.text.transitions import legal_transitions  # noqa: E402
from gatewise.training.batches import Batch, collate  # noqa: E402
from gatewise.training.losses import label_margins, sentence_losses  # noqa: E402
from gatewise.training.network import TaggerNetwork  # noqa: E402
from gatewise.training.prepare import Prepared, prepare  # noqa: E402

pytestmark = pytest.mark.torch

WEIGHTS = {"PER": 3.0, "O": 0.5}


SENTENCES = [
    sentence_from_forms(["我", "爱", "北", "京"], ["O", "O", "B-LOC", "I-LOC"]),
    sentence_from_forms(["他"], ["O"]),
    sentence_from_forms(["小", "明", "和", "小", "红"], ["B-PER", "I-PER", "O", "B-PER", "I-PER"]),
    sentence_from_forms(["京", "明"], ["B-LOC", "B-PER"]),
]


def prepared_from(output: str, weights: dict[str, float]) -> Prepared:
    table: dict[str, Any] = {
        "task": {"kind": "spans", "tokenizer": "characters", "scheme": "BIO"},
        "features": {"token_dim": 2, "bigram_dim": 0},
        "encoder": {"hidden": 2},
        "output": {"kind": output},
        "training": {"label_weights": weights},
    }
    return prepare(config_from_dict(table, where="test"), SENTENCES)


def random_case(prepared: Prepared) -> tuple[TaggerNetwork, Batch, Tensor]:
    """A network with random transitions, all sentences, and random emissions (time, batch, num_tags)."""
    legality = legality_of(prepared.labels, prepared.config.task.scheme)
    network = TaggerNetwork(prepared.config, sizes=prepared.sizes, legality=legality).double()
    generator = torch.Generator().manual_seed(2)
    for name, array in network.arrays().items():
        if name.startswith("crf."):
            array.copy_(torch.randn(array.shape, generator=generator))
    [batch] = collate(prepared.train, [range(len(prepared.train))])
    shape = (*batch.tags.shape, len(prepared.labels))
    return network, batch, torch.randn(shape, generator=generator, dtype=torch.float64)


def margin(tag: str) -> float:
    return math.log(WEIGHTS.get(tag.rpartition("-")[2], 1.0))


def plain_score(
    prepared: Prepared, network: TaggerNetwork, emissions: list[list[float]], gold: list[int], path: tuple[int, ...]
) -> float:
    """Of one path of a sentence with the emissions (time, num_tags), margins taken off where it goes with gold."""
    arrays, weighted = network.arrays(), prepared.config.training.label_weights
    moves, start, end = (arrays[f"crf.{name}"] for name in ("transitions", "start_transitions", "end_transitions"))
    total = float(start[path[0]] + end[path[-1]])
    total += sum(float(moves[a, b]) for a, b in itertools.pairwise(path))
    for t, tag in enumerate(path):
        total += emissions[t][tag]
        total -= margin(prepared.labels[tag]) if weighted and tag == gold[t] else 0.0
    return total


@pytest.mark.parametrize("weights", [{}, WEIGHTS])
def test_crf_losses_equal_the_sum_over_all_paths(weights: dict[str, float]) -> None:
    prepared = prepared_from("crf", weights)
    network, batch, emissions = random_case(prepared)
    table = legal_transitions(prepared.labels, "BIO")
    losses = sentence_losses(network, emissions, batch, label_margins(prepared).double()).tolist()
    assert len(losses) == len(SENTENCES)
    for column, length in enumerate(batch.lengths.tolist()):
        gold, rows = batch.tags[:length, column].tolist(), emissions[:length, column].tolist()
        legal = [
            path
            for path in itertools.product(range(len(prepared.labels)), repeat=length)
            if table.start[path[0]]
            and table.end[path[-1]]
            and all(table.allowed[a][b] for a, b in itertools.pairwise(path))
        ]
        totals = [plain_score(prepared, network, rows, gold, path) for path in legal]
        log_total = math.log(math.fsum(map(math.exp, totals)))
        wanted = log_total - plain_score(prepared, network, rows, gold, tuple(gold))
        assert losses[column] == pytest.approx(wanted, abs=1e-6)  # margins are float32


def test_softmax_losses_by_hand() -> None:
    prepared = prepared_from("softmax", WEIGHTS)
    network, batch, emissions = random_case(prepared)
    losses = sentence_losses(network, emissions, batch, label_margins(prepared).double())
    for column, length in enumerate(batch.lengths.tolist()):
        total = 0.0
        for t in range(length):
            gold = int(batch.tags[t, column])
            row = emissions[t, column].tolist()
            row[gold] -= margin(prepared.labels[gold])
            total += math.log(math.fsum(map(math.exp, row))) - row[gold]
        assert float(losses[column]) == pytest.approx(total, abs=1e-6)  # margins are float32


def test_a_weight_above_one_makes_a_label_be_found_more_often() -> None:
    """The gradient on the gold emissions of a label grows with its weight."""

    def pull(weights: dict[str, float]) -> float:
        prepared = prepared_from("crf", weights)
        network, batch, emissions = random_case(prepared)
        emissions.requires_grad_()
        sentence_losses(network, emissions, batch, label_margins(prepared).double()).sum().backward()
        starts = batch.tags == prepared.labels.index("B-PER")
        return -float(emissions.grad[starts][:, prepared.labels.index("B-PER")].sum())

    assert pull({"PER": 0.2}) < pull({}) < pull({"PER": 5.0})


def test_a_label_that_training_has_not_is_refused() -> None:
    with pytest.raises(
        TrainingError, match=r"label_weights: expected labels of the training split, found PERSON; it has"
    ):
        label_margins(prepared_from("crf", {"PERSON": 2.0}))
