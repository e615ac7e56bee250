"""What is needed of the logits of sampled tokens, without ever holding the logits of a whole vocabulary.

Logits are made for a part of the vocabulary at a time and dropped; the backward pass makes them again (as in Cut
Cross-Entropy, 2411.09009). Of N tokens and a vocabulary of V the memory is some N numbers and a tile, and on a CPU a
tile stays in its cache, where ``[N, V]`` would be fetched from the system's memory for each operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rlvr_gym.agents.linear import product, weight_gradient

__all__ = ["head_scores"]

_TILE = {"cpu": (2**11, 2**20)}
_LARGE_TILE = 2**15, 2**26
"""Most tokens at a time, and most logits of theirs: 4 MiB on a CPU, 256 MiB elsewhere."""


def head_scores(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    temperature: float = 1.0,
    *,
    entropy: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities of the targets, and entropies, under ``softmax((hidden W' + b) / temperature)``.

    Args:
        hidden: ``[N, D]``.
        weight: of the head ``[V, D]``.
        bias: of the head ``[V]``, if it has one.
        targets: token ids ``[N]``.
        temperature: divides the logits.
        entropy: whether that is wanted as well.

    Returns:
        ``log p(target)`` ``[N]`` and ``H(p)`` ``[N]`` in nats (None if not asked for), both in float32 (float64 if the
        weight is).
    """
    most, _ = _tile(hidden.device)
    parts = [
        _HeadScores.apply(h, weight, bias, t, temperature, entropy)
        for h, t in zip(hidden.split(most), targets.split(most), strict=True)
    ]
    logprobs, entropies = zip(*parts, strict=True)
    return torch.cat(logprobs), torch.cat(entropies) if entropy else None


class _HeadScores(torch.autograd.Function):
    """With ``q = log p``: ``H = -sum p q``, ``dq_t/dz = [t] - p``, ``dH/dz = -p (q + H)``."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        temperature: float,
        entropy: bool,
    ) -> tuple[Tensor, Tensor | None]:
        top = total = chosen = moment = hidden.new_zeros(0)
        for start, logits in _tiles(hidden, weight, bias, temperature):
            before, top = top, logits.amax(1) if start == 0 else torch.maximum(top, logits.amax(1))
            inside, column = _inside(targets, start, logits.shape[1])
            here = logits.gather(1, column)[:, 0]
            above = logits.sub_(top[:, None])
            powers = above.exp() if entropy else above.exp_()
            its_total = powers.sum(1)
            its_moment = powers.mul_(above).sum(1) if entropy else moment
            if start == 0:
                chosen, total, moment = here, its_total, its_moment
                continue
            chosen = torch.where(inside, here, chosen)
            shift = before - top
            if entropy:
                moment = shift.exp() * (moment + shift * total) + its_moment
            total = shift.exp() * total + its_total
        normaliser = top + total.log()
        entropies = total.log() - moment / total if entropy else None
        ctx.save_for_backward(hidden, weight, bias, targets, normaliser, entropies)
        ctx.temperature = temperature
        return chosen - normaliser, entropies

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_logprobs: Tensor, of_entropy: Tensor | None) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, targets, normaliser, entropies = ctx.saved_tensors
        h = hidden.to(weight.dtype)
        of_hidden, of_weight, of_bias = (
            torch.zeros_like(x) if x is not None and needed else None
            for x, needed in zip((h, weight, bias), ctx.needs_input_grad, strict=False)
        )
        for start, logits in _tiles(hidden, weight, bias, ctx.temperature):
            inside, column = _inside(targets, start, logits.shape[1])
            log_p = logits.sub_(normaliser[:, None])
            pull = of_logprobs[:, None]
            if entropies is not None and of_entropy is not None:
                pull = torch.addcmul(pull, of_entropy[:, None], log_p + entropies[:, None])
            gradient = log_p.exp_().mul_(-pull)
            gradient.scatter_add_(1, column, (of_logprobs * inside)[:, None])
            gradient = gradient.div_(ctx.temperature).to(weight.dtype)
            part = slice(start, start + logits.shape[1])
            if of_hidden is not None:
                of_hidden += product(gradient, weight[part].T)
            if of_weight is not None:
                of_weight[part] = weight_gradient(gradient, h)
            if of_bias is not None:
                of_bias[part] = gradient.sum(0)
        of_hidden = None if of_hidden is None else of_hidden.to(hidden.dtype)
        return of_hidden, of_weight, of_bias, None, None, None


def _tile(device: torch.device) -> tuple[int, int]:
    return _TILE.get(device.type, _LARGE_TILE)


def _tiles(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, temperature: float
) -> Iterator[tuple[int, Tensor]]:
    """First token and tempered logits ``[N, some]`` of each part of the vocabulary."""
    h = hidden.to(weight.dtype)
    _, numbers = _tile(h.device)
    width = max(1, numbers // max(len(h), 1))
    for start in range(0, len(weight), width):
        part = slice(start, start + width)
        logits = product(h, weight[part], None if bias is None else bias[part])
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        yield start, logits.div_(temperature) if temperature != 1 else logits


def _inside(targets: Tensor, start: int, width: int) -> tuple[Tensor, Tensor]:
    """Whether each target is in a tile ``[N]``, and its column there ``[N, 1]``; some column where it is not."""
    column = targets - start
    return (column >= 0) & (column < width), column.clamp(0, width - 1)[:, None]
