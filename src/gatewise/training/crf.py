"""The CRF loss in torch: log partition with an analytic gradient, and the score of the gold path.

In: emissions, time first, padded; transitions with minus infinity where forbidden. Out: one number a sentence.
A path may be one, the gold tags, or a whole distribution over paths, by its expected counts.
The gradient of the log partition is the marginals (Sutton and McCallum 2012, section 4.1), so one forward and one
backward pass in probability space, scaled at each step (Rabiner 1989, section V.A), replace autograd through the loop.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor


class PathScores(NamedTuple):
    """What a path scores besides its emissions: transitions [from, to], start and end, (num_tags,) each."""

    transitions: Tensor
    start: Tensor
    end: Tensor


class PathCounts(NamedTuple):
    """A distribution over the paths of each sentence, as far as a linear chain can tell it from another: `shares`, the
    probabilities of tags at places, `tags` = place * num_tags + tag, (entries, batch); `counts`, how often transitions
    are taken in the mean, `moves` = from * num_tags + to. What is not named is 0, and entries of 0 are padding."""

    tags: Tensor
    shares: Tensor
    moves: Tensor
    counts: Tensor


def path_score(emissions: Tensor, scores: PathScores, tags: Tensor, lengths: Tensor) -> Tensor:
    """The score of the path `tags` (time, batch) of each sentence: (batch,). Tags at padding are not looked at."""
    time, batch, _ = emissions.shape
    inside = torch.arange(time, device=lengths.device)[:, None] < lengths  # (time, batch)
    emitted = emissions.gather(2, tags[..., None]).squeeze(-1)
    score = torch.where(inside, emitted, 0.0).sum(0)
    moved = scores.transitions[tags[:-1], tags[1:]]  # may be minus infinity at padding, hence where, not a product
    score = score + torch.where(inside[1:], moved, 0.0).sum(0)
    last = tags[lengths - 1, torch.arange(batch, device=lengths.device)]
    return score + scores.start[tags[0]] + scores.end[last]


def expected_score(emissions: Tensor, scores: PathScores, paths: PathCounts, lengths: Tensor) -> Tensor:
    """The mean score of the paths of a distribution, of each sentence: (batch,).

    What is forbidden has no entry, so that no infinity is met. Log partition less expected score is the cross-entropy
    of the distribution to the CRF's; its gradient is the CRF's expected counts less these.
    """
    num_tags = emissions.shape[2]
    place, tag = paths.tags // num_tags, paths.tags % num_tags  # (entries, batch)
    first = torch.where(place == 0, _taken(scores.start, tag), 0.0)
    edges = first + torch.where(place == lengths - 1, _taken(scores.end, tag), 0.0)
    moved = _taken(scores.transitions.flatten(), paths.moves)
    return (
        expected_emission(emissions, paths)
        + (paths.shares * torch.where(paths.shares > 0, edges, 0.0)).sum(0)
        + (paths.counts * torch.where(paths.counts > 0, moved, 0.0)).sum(0)
    )


def _taken(table: Tensor, places: Tensor) -> Tensor:
    """The entries of a flat table at these places. An index would do, but with so many places torch sums its gradient
    on all threads at once, in whatever order they come."""
    return table.gather(0, places.flatten()).view_as(places)


def expected_emission(emissions: Tensor, paths: PathCounts) -> Tensor:
    """The part of `expected_score` that comes from the emissions, (batch,)."""
    flat = emissions.transpose(1, 2).flatten(0, 1)  # (time * num_tags, batch)
    emitted = flat.gather(0, paths.tags)
    return (paths.shares * torch.where(paths.shares > 0, emitted, 0.0)).sum(0)


def log_partition(emissions: Tensor, scores: PathScores, lengths: Tensor) -> Tensor:
    """The log of the summed exponentials of every path's score, one a sentence: (batch,).

    `emissions` (time, batch, num_tags), `lengths` (batch,), each at least 1. Differentiable in all but `lengths`;
    computed in float64.
    """
    result: Tensor = _LogPartition.apply(emissions, *scores, lengths)  # type: ignore[no-untyped-call]
    return result


class _LogPartition(torch.autograd.Function):
    """Scaled forward-backward, both ways in one loop.

    Read from its end, a sentence obeys the same recursion with the transitions transposed, so the prefixes (alpha) and
    the suffixes (beta, their own potential included) are two rows of one batch. Each step is divided by its sum; the
    marginals are normalized at the end, which needs no logarithms. Padding holds numbers that nobody reads.
    """

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        wide = emissions.double()
        time, batch, _ = wide.shape
        peak = wide.amax(-1, keepdim=True)
        potential = (wide - peak).exp()  # (time, batch, num_tags), at most 1
        shift = transitions.max().double()
        step = (transitions.double() - shift).exp()  # (from, to), at most 1, 0 where forbidden
        inside = torch.arange(time, device=lengths.device)[:, None] < lengths  # (time, batch)
        turned = _turned(time, lengths)
        both = torch.stack([potential, potential.gather(0, turned.expand_as(potential))], dim=1)  # (time, 2, batch, …)
        steps = torch.stack([step, step.T])
        edges = torch.stack([start.double().exp(), end.double().exp()])[:, None]
        arriving, states, scale = _sums(both, steps, edges)
        last = states[lengths - 1, 0, torch.arange(batch, device=lengths.device)]  # (batch, num_tags)
        final = (last * edges[1]).sum(-1)
        beta = states[:, 1].gather(0, turned.expand_as(potential))
        ctx.save_for_backward(arriving[:, 0], states[:, 0], beta, step, inside, lengths)
        ctx.dtype = emissions.dtype
        logs = torch.where(inside, scale[:, 0].log() + peak.squeeze(-1), 0.0).sum(0)
        return logs + final.log() + (lengths - 1) * shift

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        arriving, alpha, beta, step, inside, lengths = ctx.saved_tensors
        batch, num_tags = alpha.shape[1:]
        weight = grad_outputs[0].double()[:, None]  # (batch, 1)
        joined = arriving * beta
        share = weight / joined.sum(-1, keepdim=True)  # the sum is the same path weight, scaled, at every step
        marginals = torch.where(inside[..., None], joined * share, 0.0)
        leaving = torch.where(inside[1:, :, None], beta[1:] * share[1:], 0.0)
        before = torch.where(inside[1:, :, None], alpha[:-1], 0.0)
        pairs = before.reshape(-1, num_tags).T @ leaving.reshape(-1, num_tags)  # (from, to)
        last = marginals[lengths - 1, torch.arange(batch, device=lengths.device)]
        gradients = (marginals, pairs * step, marginals[0].sum(0), last.sum(0))
        return *(gradient.to(ctx.dtype) for gradient in gradients), None


def _sums(potential: Tensor, steps: Tensor, edges: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The recursion, (time, directions, batch, num_tags): what arrives before the potential, the state after it divided
    by its sum, and that sum (time, directions, batch). Many small steps, so each writes where its result belongs."""
    arriving, states = torch.empty_like(potential), torch.empty_like(potential)
    totals = potential.new_empty(*potential.shape[:-1], 1)
    arriving[0] = edges
    rows = zip(potential.unbind(), arriving.unbind(), states.unbind(), totals.unbind(), strict=True)
    before: Tensor | None = None
    for here, arrived, state, total in rows:
        if before is not None:
            torch.bmm(before, steps, out=arrived)
        torch.mul(arrived, here, out=state)
        torch.sum(state, -1, True, out=total)
        before = state.div_(total)
    return arriving, states, totals.squeeze(-1)


def _turned(time: int, lengths: Tensor) -> Tensor:
    """For each place the one it trades with when its sentence is reversed: (time, batch, 1). Padding stays."""
    position = torch.arange(time, device=lengths.device)[:, None]
    return torch.where(position < lengths, lengths - 1 - position, position)[..., None]
