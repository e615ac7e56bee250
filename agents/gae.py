"""Advantages over tokens: generalised advantage estimation and reward-to-go. Axes: B sequences x T positions.

Time is what the policy does: only positions where ``mask`` is 1 are steps. Prompt, environment and tool tokens
between two turns are stepped over, so that the last token of one turn is followed by the first of the next.

Both are the recurrence ``y_t = x_t + c_t y_{t+1}``, solved in log2(T) vectorised passes in place of T.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["gae", "last_sampled", "reward_to_go", "suffix_scan", "turns_of"]


def suffix_scan(x: Tensor, c: Tensor) -> Tensor:
    """Solves ``y_t = x_t + c_t y_{t+1}`` with ``y_T = 0``, by pointer doubling (Hillis and Steele 1986).

    After k passes ``y_t`` has the terms up to ``t + 2^k - 1``. It is stable for ``|c| <= 1``.

    Args:
        x: ``[B, T]``.
        c: ``[B, T]``.
    """
    step = 1
    while step < x.shape[1]:
        x = x + c * F.pad(x[:, step:], (0, step))
        c = c * F.pad(c[:, step:], (0, step))
        step *= 2
    return x


def gae(
    rewards: Tensor, values: Tensor, mask: Tensor, *, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    """``d_t = r_t + gamma V_{t+1} - V_t``, ``A_t = d_t + gamma lam A_{t+1}`` (Schulman et al. 1506.02438).

    An episode is over after its last sampled token: the value there is 0.

    Args:
        rewards: ``[B, T]``; what stands where ``mask`` is 0 does not count.
        values: ``[B, T]``, of the state that each token was sampled in.
        mask: ``[B, T]`` of 0 and 1; 1 where the policy sampled.
        gamma: discount of one token.
        lam: 1 is Monte Carlo, 0 is one-step.

    Returns:
        Advantages and returns ``A + V``, ``[B, T]`` each, 0 where ``mask`` is 0.
    """
    mask = mask.to(values.dtype)
    upcoming = suffix_scan(values * mask, 1 - mask)  # the value at the next sampled token, from here on
    following = F.pad(upcoming[:, 1:], (0, 1))
    deltas = (rewards + gamma * following - values) * mask
    advantages = suffix_scan(deltas, _decay(mask, gamma * lam)) * mask
    return advantages, (advantages + values) * mask


def reward_to_go(rewards: Tensor, mask: Tensor, *, gamma: float = 1.0) -> Tensor:
    """``R_t = r_t + gamma R_{t+1}`` over sampled tokens, ``[B, T]``; 0 where ``mask`` is 0."""
    mask = mask.to(rewards.dtype)
    return suffix_scan(rewards * mask, _decay(mask, gamma)) * mask


def _decay(mask: Tensor, factor: float) -> Tensor:
    """``factor`` on sampled tokens; others are no steps in time, and hand on all."""
    return torch.full_like(mask, factor).where(mask > 0, 1.0)


def turns_of(mask: Tensor) -> Tensor:
    """The turn ``[B, T]`` that each sampled token belongs to, from 0; -1 where ``mask`` is 0.

    A turn is an unbroken run of sampled tokens: what others say always stands between two of them.
    """
    sampled = mask.bool()
    starts = sampled & ~F.pad(sampled[:, :-1], (1, 0))
    return torch.where(sampled, starts.long().cumsum(1) - 1, -1)


def last_sampled(mask: Tensor) -> Tensor:
    """1 on the last sampled token of each row ``[B, T]``, else 0; a row without one has none."""
    after = F.pad(mask.flip(1).cumsum(1).flip(1)[:, 1:], (0, 1))
    return mask * (after == 0)
