"""The CRF loss of training against enumeration, against plain autograd, and against pytorch-crf."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from gatewise.training.crf import PathScores, log_partition, path_score  # noqa: E402

pytestmark = pytest.mark.torch

NUM_TAGS = 4
LENGTHS = torch.tensor([5, 1, 3, 2, 4])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A ragged batch; `scores` are raw, `allowed` says what is legal, padding holds garbage."""

    emissions: Tensor  # (time, batch, num_tags)
    tags: Tensor  # (time, batch)
    scores: PathScores
    allowed: PathScores

    @property
    def masked(self) -> PathScores:
        """The scores with minus infinity where something is illegal; gradients flow to the raw ones."""
        pairs = zip(self.scores, self.allowed, strict=True)
        return PathScores(*(raw.masked_fill(~legal, -math.inf) for raw, legal in pairs))

    @property
    def leaves(self) -> tuple[Tensor, ...]:
        return (self.emissions, *self.scores)


def make_case(seed: int, *, restricted: bool, garbage: float = 1e6) -> Case:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64) * 2

    shapes = ((NUM_TAGS, NUM_TAGS), (NUM_TAGS,), (NUM_TAGS,))
    allowed = [torch.ones(shape, dtype=torch.bool) for shape in shapes]
    if restricted:  # nothing leads to 1, which may only start a sentence; 2 and 3 do not start and end one
        allowed[0] = torch.tensor([[1, 0, 1, 1], [1, 0, 1, 1], [1, 0, 0, 1], [1, 0, 1, 0]]).bool()
        allowed[1], allowed[2] = torch.tensor([1, 1, 0, 1]).bool(), torch.tensor([1, 1, 1, 0]).bool()
    emissions = normal(5, len(LENGTHS), NUM_TAGS)
    padding = torch.arange(5)[:, None] >= LENGTHS
    emissions[padding] = garbage
    tags = torch.zeros(5, len(LENGTHS), dtype=torch.long)  # 0 0 0 … is legal
    if not restricted:
        tags = torch.randint(NUM_TAGS, tags.shape, generator=generator)
    tags[padding] = 1  # to which nothing leads, when restricted
    scores = PathScores(*(normal(*shape) for shape in shapes))
    case = Case(emissions=emissions, tags=tags, scores=scores, allowed=PathScores(*allowed))
    for leaf in case.leaves:
        leaf.requires_grad_()
    return case


def one_path(case: Case, column: int, path: tuple[int, ...]) -> Tensor:
    """The score of one path of one sentence, term by term; differentiable."""
    scores = case.scores
    score = scores.start[path[0]] + scores.end[path[-1]]
    for t, tag in enumerate(path):
        score = score + case.emissions[t, column, tag]
    for before, tag in itertools.pairwise(path):
        score = score + scores.transitions[before, tag]
    return score


def enumerated_log_partition(case: Case) -> Tensor:
    """Every legal path of every sentence; what is illegal is never touched, so autograd meets no infinity."""
    totals = []
    for column, length in enumerate(LENGTHS.tolist()):
        paths = itertools.product(range(NUM_TAGS), repeat=length)
        found = [one_path(case, column, path) for path in paths if is_legal(path, case.allowed)]
        totals.append(torch.logsumexp(torch.stack(found), 0))
    return torch.stack(totals)


def is_legal(path: tuple[int, ...], allowed: PathScores) -> bool:
    moves = [allowed.transitions[a, b] for a, b in itertools.pairwise(path)]
    return all(map(bool, (*moves, allowed.start[path[0]], allowed.end[path[-1]])))


def looped_log_partition(case: Case) -> Tensor:
    """The textbook loop in log space, a sentence at a time, differentiated by autograd."""
    scores = case.scores
    totals = []
    for column, length in enumerate(LENGTHS.tolist()):
        alpha = scores.start + case.emissions[0, column]
        for t in range(1, length):
            alpha = torch.logsumexp(alpha[:, None] + scores.transitions, 0) + case.emissions[t, column]
        totals.append(torch.logsumexp(alpha + scores.end, 0))
    return torch.stack(totals)


def gradients(value: Tensor, case: Case) -> list[Tensor]:
    weights = torch.tensor([0.3, -1.7, 2.0, 1.1, -0.4], dtype=torch.float64)  # every sentence with its own
    return list(torch.autograd.grad((value * weights).sum(), case.leaves, retain_graph=True))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("restricted", [False, True])
def test_log_partition_and_its_gradient_equal_enumeration(seed: int, restricted: bool) -> None:
    case = make_case(seed, restricted=restricted)
    value = log_partition(case.emissions, case.masked, LENGTHS)
    wanted = enumerated_log_partition(case)
    torch.testing.assert_close(value, wanted, rtol=0, atol=1e-12)
    for got, reference in zip(gradients(value, case), gradients(wanted, case), strict=True):
        torch.testing.assert_close(got, reference, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_gradient_equals_autograd_through_the_loop(seed: int) -> None:
    case = make_case(seed, restricted=False)
    analytic = gradients(log_partition(case.emissions, case.scores, LENGTHS), case)
    looped = gradients(looped_log_partition(case), case)
    for got, reference in zip(analytic, looped, strict=True):
        torch.testing.assert_close(got, reference, rtol=0, atol=1e-12)
    padding = torch.arange(5)[:, None] >= LENGTHS
    assert not analytic[0][padding].any()


@pytest.mark.parametrize("restricted", [False, True])
def test_gradcheck(restricted: bool) -> None:
    case = make_case(11, restricted=restricted)

    def loss(emissions: Tensor, *raw: Tensor) -> Tensor:
        one = Case(emissions=emissions, tags=case.tags, scores=PathScores(*raw), allowed=case.allowed)
        return log_partition(emissions, one.masked, LENGTHS) - path_score(emissions, one.masked, one.tags, LENGTHS)

    leaves = [leaf.detach().clone() for leaf in case.leaves]
    leaves[0][torch.arange(5)[:, None] >= LENGTHS] = 3.0  # finite differences would lose the rest beside a million
    assert torch.autograd.gradcheck(loss, tuple(leaf.requires_grad_() for leaf in leaves))


@pytest.mark.parametrize("seed", range(4))
def test_path_score_equals_the_sum_of_its_terms(seed: int) -> None:
    case = make_case(seed, restricted=seed % 2 == 1)
    got = path_score(case.emissions, case.masked, case.tags, LENGTHS)
    paths = [tuple(case.tags[:length, column].tolist()) for column, length in enumerate(LENGTHS.tolist())]
    wanted = torch.stack([one_path(case, column, path) for column, path in enumerate(paths)])
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-12)
    for found, reference in zip(gradients(got, case), gradients(wanted, case), strict=True):
        torch.testing.assert_close(found, reference, rtol=0, atol=1e-12)


@pytest.mark.parametrize("garbage", [math.nan, math.inf, -math.inf, 1e300])
def test_what_stands_at_padding_and_what_is_illegal_never_makes_nan(garbage: float) -> None:
    case, clean = make_case(3, restricted=True, garbage=garbage), make_case(3, restricted=True, garbage=0.0)
    losses = []
    for one in (case, clean):
        log_z = log_partition(one.emissions, one.masked, LENGTHS)
        losses.append(log_z - path_score(one.emissions, one.masked, one.tags, LENGTHS))
    assert torch.equal(losses[0], losses[1])
    assert (losses[0] > 0).all()
    for got, reference in zip(gradients(losses[0], case), gradients(losses[1], clean), strict=True):
        assert torch.equal(got, reference)
        assert torch.isfinite(got).all()
    for got, legal in zip(gradients(losses[0], case)[1:], case.allowed, strict=True):
        assert not got[~legal].any()


def test_equals_pytorch_crf_where_everything_is_legal() -> None:
    torchcrf = pytest.importorskip("torchcrf")
    case = make_case(21, restricted=False)
    peer = torchcrf.CRF(NUM_TAGS).double()
    with torch.no_grad():
        for name, array in zip(("transitions", "start_transitions", "end_transitions"), case.scores, strict=True):
            getattr(peer, name).copy_(array)
    mask = torch.arange(5)[:, None] < LENGTHS
    theirs = peer(case.emissions, case.tags, mask=mask, reduction="none")
    ours = path_score(case.emissions, case.scores, case.tags, LENGTHS) - log_partition(
        case.emissions, case.scores, LENGTHS
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)  # theirs carries the garbage of padding in its sums
    wanted = torch.autograd.grad(
        theirs.sum(), (case.emissions, peer.transitions, peer.start_transitions, peer.end_transitions)
    )
    for got, reference in zip(torch.autograd.grad(ours.sum(), case.leaves), wanted, strict=True):
        torch.testing.assert_close(got, reference, rtol=0, atol=1e-9)


def test_transposed_transitions_are_noticed() -> None:
    case = make_case(5, restricted=False)
    turned = case.scores._replace(transitions=case.scores.transitions.T)
    right, wrong = (log_partition(case.emissions, scores, LENGTHS) for scores in (case.scores, turned))
    differs = (right - wrong).abs() > 1e-3
    assert differs.tolist() == [True, False, True, True, True]  # a sentence of one token has no transition


def test_float32_scores_are_summed_in_float64_and_come_back_with_float32_gradients() -> None:
    case = make_case(8, restricted=True, garbage=0.0)
    leaves = [leaf.detach().float().requires_grad_() for leaf in case.leaves]
    narrow = Case(emissions=leaves[0], tags=case.tags, scores=PathScores(*leaves[1:]), allowed=case.allowed)
    value = log_partition(narrow.emissions, narrow.masked, LENGTHS)
    torch.testing.assert_close(value.double(), log_partition(case.emissions, case.masked, LENGTHS), rtol=0, atol=1e-5)
    found = torch.autograd.grad(value.sum(), narrow.leaves)
    assert {gradient.dtype for gradient in found} == {torch.float32}


def test_a_constant_added_to_every_emission_of_a_step_is_added_to_the_sum() -> None:
    case = make_case(9, restricted=True, garbage=0.0)
    shift = torch.tensor([1e3, -1e4, 5e2, 1e3, -3e3], dtype=torch.float64)[:, None, None]  # (time, 1, 1)
    before = log_partition(case.emissions, case.masked, LENGTHS)
    after = log_partition(case.emissions + shift, case.masked, LENGTHS)
    added = torch.stack([shift[:length].sum() for length in LENGTHS.tolist()])
    torch.testing.assert_close(after, before + added, rtol=0, atol=1e-8)
