"""The loss on what teachers say against the enumeration of all paths, in plain floats; and that mutations are seen."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from gatewise.crf import Legality  # noqa: E402
from gatewise.training import crf  # noqa: E402
from gatewise.training.batches import Target  # noqa: E402
from gatewise.training.crf import PathScores  # noqa: E402
from gatewise.training.head import OutputHead  # noqa: E402
from gatewise.training.losses import head_losses, taught_losses  # noqa: E402
from gatewise.training.soft_tags import Counts, SoftSentence, SoftTarget, soft_tags  # noqa: E402

pytestmark = pytest.mark.torch

NUM_TAGS = 3
LENGTHS = [4, 1, 3, 2]
Paths = dict[tuple[int, ...], float]  # the probability of each
# tag 1 does not follow 0, 2 does not start a sentence, 1 does not end one
LEGALITY = Legality(
    allowed=np.array([[1, 0, 1], [1, 1, 1], [1, 1, 1]], dtype=bool),
    start=np.array([1, 1, 0], dtype=bool),
    end=np.array([1, 0, 1], dtype=bool),
)


def is_legal(path: Sequence[int]) -> bool:
    moves = [LEGALITY.allowed[a, b] for a, b in itertools.pairwise(path)]
    return all(map(bool, (*moves, LEGALITY.start[path[0]], LEGALITY.end[path[-1]])))


def legal_paths(length: int) -> Iterator[tuple[int, ...]]:
    return filter(is_legal, itertools.product(range(NUM_TAGS), repeat=length))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A head with random scores, emissions with garbage at padding, and the mean of two teachers, path by path."""

    head: OutputHead
    emissions: Tensor  # (time, batch, num_tags)
    taught: list[Paths]

    @property
    def target(self) -> SoftTarget:
        return target_of(self.taught)


def make_case(seed: int, kind: str = "crf") -> Case:
    draw = np.random.default_rng(seed)
    head = OutputHead(2, LEGALITY, kind=kind).double()
    with torch.no_grad():
        for array in (head.transitions, head.start_transitions, head.end_transitions):
            array.copy_(torch.from_numpy(draw.normal(size=tuple(array.shape)) * 1.5))
    emissions = draw.normal(size=(max(LENGTHS), len(LENGTHS), NUM_TAGS)) * 2
    emissions[np.arange(len(emissions))[:, None] >= np.array(LENGTHS)] = 1e6
    taught = []
    for length in LENGTHS:
        mixture: Paths = {}
        for _ in range(2):  # teachers: any distribution over the legal paths, as sharp as it likes to be
            weights = {path: math.exp(3 * draw.normal()) for path in legal_paths(length)}
            total = math.fsum(weights.values())
            for path, weight in weights.items():
                mixture[path] = mixture.get(path, 0.0) + weight / total / 2
        taught.append(mixture)
    return Case(head=head, emissions=torch.from_numpy(emissions).requires_grad_(), taught=taught)


def target_of(taught: Sequence[Paths]) -> SoftTarget:
    """What the loss is given: the expected counts, added up path by path."""
    said = []
    for paths in taught:
        length = len(next(iter(paths)))
        tags, moves = np.zeros((length, NUM_TAGS)), np.zeros((NUM_TAGS, NUM_TAGS))
        for path, share in paths.items():
            for t, tag in enumerate(path):
                tags[t, tag] += share
            for before, after in itertools.pairwise(path):
                moves[before, after] += share
        said.append(SoftSentence(tags=counts(tags), moves=counts(moves)))
    found = soft_tags(said).target(torch.arange(len(said)), torch.tensor(LENGTHS))
    assert found is not None
    return found


def counts(table: np.ndarray) -> Counts:
    flat = table.ravel()  # in float64, so that nothing is lost here
    places = np.flatnonzero(flat).astype(np.int32)
    return Counts(places=places, values=flat[places])


def path_score(case: Case, column: int, path: Sequence[int]) -> float:
    rows, head = case.emissions.tolist(), case.head
    moves, start, end = (a.tolist() for a in (head.transitions, head.start_transitions, head.end_transitions))
    score = math.fsum(rows[t][column][tag] for t, tag in enumerate(path))
    return score + start[path[0]] + end[path[-1]] + math.fsum(moves[a][b] for a, b in itertools.pairwise(path))


def cross_entropy(case: Case, column: int) -> float:
    """The mean over the teachers' paths of minus the logarithm of the student's probability."""
    scores = {path: path_score(case, column, path) for path in legal_paths(LENGTHS[column])}
    log_total = math.log(math.fsum(math.exp(score) for score in scores.values()))
    return math.fsum(share * (log_total - scores[path]) for path, share in case.taught[column].items())


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_cross_entropy_of_all_paths(seed: int) -> None:
    case = make_case(seed)
    losses = taught_losses(case.head, case.emissions, case.target).tolist()
    for column in range(len(LENGTHS)):
        assert losses[column] == pytest.approx(cross_entropy(case, column), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_gradients_are_expected_counts_less_the_teachers(seed: int) -> None:
    case = make_case(seed)
    weights = torch.tensor([0.3, -1.7, 2.0, 1.1], dtype=torch.float64)
    (taught_losses(case.head, case.emissions, case.target) * weights).sum().backward()
    emissions, moves = np.zeros(tuple(case.emissions.shape)), np.zeros((NUM_TAGS, NUM_TAGS))
    start, end = np.zeros(NUM_TAGS), np.zeros(NUM_TAGS)
    for column, length in enumerate(LENGTHS):
        scores = {path: path_score(case, column, path) for path in legal_paths(length)}
        total = math.fsum(map(math.exp, scores.values()))
        for path, score in scores.items():
            more = float(weights[column]) * (math.exp(score) / total - case.taught[column][path])
            for t, tag in enumerate(path):
                emissions[t, column, tag] += more
            for before, after in itertools.pairwise(path):
                moves[before, after] += more
            start[path[0]] += more
            end[path[-1]] += more
    head = case.head
    for array, wanted in (
        (case.emissions, emissions),
        (head.transitions, moves),
        (head.start_transitions, start),
        (head.end_transitions, end),
    ):
        assert array.grad is not None
        assert array.grad.numpy() == pytest.approx(wanted, abs=1e-9)  # 0 at padding and where it is forbidden, no NaN


def test_gradcheck() -> None:
    case = make_case(7)
    target, head = case.target, case.head
    inside = torch.arange(max(LENGTHS))[:, None] < torch.tensor(LENGTHS)
    emissions = torch.where(inside[..., None], case.emissions.detach(), 1.0).requires_grad_()
    raw = [array.detach().clone().requires_grad_() for array in head.crf_scores()]

    def loss(emissions: Tensor, *raw: Tensor) -> Tensor:
        legal = (head.legal_transitions, head.legal_start, head.legal_end)
        scores = PathScores(*(a.masked_fill(~b, -math.inf) for a, b in zip(raw, legal, strict=True)))
        expected = crf.expected_score(emissions, scores, target.paths, target.lengths)
        return crf.log_partition(emissions, scores, target.lengths) - expected

    for array in raw:
        with torch.no_grad():
            array[torch.isinf(array)] = 0.7  # what is masked may be anything
    assert torch.autograd.gradcheck(loss, (emissions, *raw))


@pytest.mark.parametrize("kind", ["crf", "softmax"])
def test_sure_teachers_are_gold_tags(kind: str) -> None:
    case = make_case(3, kind)
    paths = [list(legal_paths(length))[-1] for length in LENGTHS]
    tags = torch.ones(max(LENGTHS), len(LENGTHS), dtype=torch.long)
    for column, path in enumerate(paths):
        tags[: len(path), column] = torch.tensor(path)
    gold = Target(columns=None, tags=tags, lengths=torch.tensor(LENGTHS))
    found = taught_losses(case.head, case.emissions, target_of([{path: 1.0} for path in paths]))
    wanted = head_losses(case.head, case.emissions, gold, torch.zeros(NUM_TAGS, dtype=torch.float64))
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9)
    both = [torch.autograd.grad(loss.sum(), case.emissions, retain_graph=True)[0] for loss in (found, wanted)]
    torch.testing.assert_close(both[0], both[1], rtol=0, atol=1e-9)


def test_a_student_that_says_what_its_teacher_says_learns_nothing() -> None:
    case = make_case(4)
    own: list[Paths] = []
    for column, length in enumerate(LENGTHS):
        scores = {path: path_score(case, column, path) for path in legal_paths(length)}
        total = math.fsum(map(math.exp, scores.values()))
        own.append({path: math.exp(score) / total for path, score in scores.items()})
    taught_losses(case.head, case.emissions, target_of(own)).sum().backward()
    head = case.head
    for array in (case.emissions, head.transitions, head.start_transitions, head.end_transitions):
        assert array.grad is not None
        assert array.grad.abs().max() < 1e-9


def test_with_softmax_it_is_the_cross_entropy_of_tags() -> None:
    case = make_case(5, "softmax")
    losses = taught_losses(case.head, case.emissions, case.target).tolist()
    rows = case.emissions.tolist()
    for column, length in enumerate(LENGTHS):
        total = 0.0
        for path, share in case.taught[column].items():
            for t in range(length):
                log_total = math.log(math.fsum(map(math.exp, rows[t][column])))
                total += share * (log_total - rows[t][column][path[t]])
        assert losses[column] == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("left_out", ["transitions", "start", "end", "turned"])
def test_each_term_is_needed(left_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above sees a term that is missing, and transitions that are read from the wrong side."""
    case, real = make_case(0), crf.expected_score

    def wrong(emissions: Tensor, scores: PathScores, *others: object) -> Tensor:
        changed = scores.transitions.T if left_out == "turned" else torch.zeros_like(getattr(scores, left_out))
        name = "transitions" if left_out == "turned" else left_out
        if left_out == "turned":
            changed = changed.masked_fill(torch.isinf(changed), 0.0)
        return real(emissions, scores._replace(**{name: changed}), *others)  # type: ignore[arg-type]

    monkeypatch.setattr("gatewise.training.losses.expected_score", wrong)
    losses = taught_losses(case.head, case.emissions, case.target).tolist()
    differs = [abs(losses[column] - cross_entropy(case, column)) > 1e-3 for column in range(len(LENGTHS))]
    assert any(differs)


def test_gradients_are_the_same_bits_on_any_number_of_threads() -> None:
    generator, num_tags, time, batch = torch.Generator().manual_seed(1), 40, 90, 16
    emissions = torch.randn(time, batch, num_tags, generator=generator)
    shapes = ((num_tags, num_tags), (num_tags,), (num_tags,))
    raw = [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]
    paths = crf.PathCounts(
        tags=torch.randperm(time * num_tags, generator=generator)[:, None].expand(-1, batch),
        shares=torch.rand(time * num_tags, batch, generator=generator),
        moves=torch.randint(num_tags**2, (3000, batch), generator=generator),
        counts=torch.rand(3000, batch, generator=generator),
    )
    assert paths.moves.numel() > 1 << 15  # from there on torch uses its threads
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 4, 4, 4, 4):
            torch.set_num_threads(threads)
            score = crf.expected_score(emissions, PathScores(*raw), paths, torch.full((batch,), time))
            found.append(torch.autograd.grad(score.sum(), raw))
    finally:
        torch.set_num_threads(before)
    for gradients in found[1:]:
        assert all(map(torch.equal, found[0], gradients))
