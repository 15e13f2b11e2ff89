"""The CRF loss in torch: log partition with an analytic gradient, and the score of the gold path.

In: emissions, time first, padded; transitions with minus infinity where forbidden. Out: one number a sentence.
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


def log_partition(emissions: Tensor, scores: PathScores, lengths: Tensor) -> Tensor:
    """The log of the summed exponentials of every path's score, one a sentence: (batch,).

    `emissions` (time, batch, num_tags), `lengths` (batch,), each at least 1. Differentiable in all but `lengths`;
    computed in float64.
    """
    result: Tensor = _LogPartition.apply(emissions, *scores, lengths)  # type: ignore[no-untyped-call]
    return result


class _LogPartition(torch.autograd.Function):
    """Scaled forward-backward. alpha and beta are probabilities up to the scales; marginals are their product."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        wide = emissions.double()
        peak = wide.amax(-1, keepdim=True)
        potential = (wide - peak).exp()  # (time, batch, num_tags), at most 1
        shift = transitions.max().double()
        step = (transitions.double() - shift).exp()  # (from, to), at most 1, 0 where forbidden
        inside = torch.arange(len(wide), device=lengths.device)[:, None] < lengths  # (time, batch)
        ending = end.double().exp()
        alpha, scale = _alphas(potential, step, start.double().exp(), inside)
        final = (alpha[-1] * ending).sum(-1)  # past its end a sentence keeps its last alpha
        beta = _betas(potential, step, scale, ending / final[:, None], inside)
        ctx.save_for_backward(potential, step, alpha, beta, scale, lengths)
        ctx.dtype = emissions.dtype
        logs = scale.log().sum(0) + final.log() + torch.where(inside, peak.squeeze(-1), 0.0).sum(0)
        return logs + (lengths - 1) * shift

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        potential, step, alpha, beta, scale, lengths = ctx.saved_tensors
        time, batch, num_tags = alpha.shape
        weight = grad_outputs[0].double()[:, None]  # (batch, 1)
        inside = (torch.arange(time, device=lengths.device)[:, None] < lengths)[..., None]
        marginals = torch.where(inside, alpha * beta, 0.0) * weight
        arriving = potential[1:] * beta[1:] / scale[1:, :, None] * weight
        arriving = torch.where(inside[1:], arriving, 0.0)
        pairs = alpha[:-1].reshape(-1, num_tags).T @ arriving.reshape(-1, num_tags)  # (from, to)
        last = marginals[lengths - 1, torch.arange(batch, device=lengths.device)]
        gradients = (marginals, pairs * step, marginals[0].sum(0), last.sum(0))
        return *(gradient.to(ctx.dtype) for gradient in gradients), None


def _alphas(potential: Tensor, step: Tensor, start: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Normalized alpha at each step (time, batch, num_tags) and what each was divided by (time, batch)."""
    alphas: list[Tensor] = []
    scales: list[Tensor] = []
    reached = start * potential[0]
    for t in range(len(potential)):
        if t:
            reached = torch.where(inside[t, :, None], (alphas[-1] @ step) * potential[t], alphas[-1])
        total = reached.sum(-1)  # 1 at padding, where alpha is kept
        alphas.append(reached / total[:, None])
        scales.append(total)
    return torch.stack(alphas), torch.stack(scales)


def _betas(potential: Tensor, step: Tensor, scale: Tensor, last: Tensor, inside: Tensor) -> Tensor:
    """beta at each step, scaled so that alpha * beta is the marginal: (time, batch, num_tags)."""
    betas = [last]
    for t in range(len(potential) - 1, 0, -1):
        left = ((potential[t] * betas[-1]) @ step.T) / scale[t, :, None]
        betas.append(torch.where(inside[t, :, None], left, betas[-1]))
    return torch.stack(betas[::-1])
