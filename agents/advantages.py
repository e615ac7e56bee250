"""Advantages from the rewards of groups: pure functions ``[P, G] -> [P, G]``, P prompts x G completions of each.

A reward of nan marks a sample whose verification failed. It has no part in any statistic, and its advantage is 0
(the trainer also takes it out of the loss).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["ADVANTAGES", "batch_scaled", "dr_grpo", "group_std", "grpo", "rloo", "solved_alike"]

EPSILON = 1e-4


def grpo(rewards: Tensor) -> Tensor:
    """``(r - mean) / (std + 1e-4)`` within the group, std unbiased (DeepSeekMath 2402.03300).

    Args:
        rewards: ``[P, G]``.
    """
    return dr_grpo(rewards) / (group_std(rewards) + EPSILON)


def dr_grpo(rewards: Tensor) -> Tensor:
    """``r - mean`` within the group: no division, so that hard and easy prompts weigh alike (2503.20783)."""
    return torch.nan_to_num(rewards - rewards.nanmean(dim=1, keepdim=True), nan=0.0)


def rloo(rewards: Tensor) -> Tensor:
    """``r_i - mean(r_j, j != i)``, which is ``G / (G - 1) (r_i - mean)`` (2402.14740); 0 for a sample that is alone."""
    count = _count(rewards)
    return dr_grpo(rewards) * torch.where(
        count > 1, count / (count - 1).clamp(min=1), torch.zeros_like(count)
    )


def batch_scaled(rewards: Tensor) -> Tensor:
    """``(r - group mean) / (batch std + 1e-4)``, std unbiased over all rewards (ScaleRL 2510.13786)."""
    return dr_grpo(rewards) / (group_std(rewards.reshape(1, -1)) + EPSILON)


def group_std(rewards: Tensor) -> Tensor:
    """Unbiased standard deviation in each group ``[P, 1]``; 0 for groups of fewer than two valid samples."""
    squares = dr_grpo(rewards).square().sum(dim=1, keepdim=True)
    return (squares / (_count(rewards) - 1).clamp(min=1)).sqrt()


def solved_alike(rewards: Tensor) -> Tensor:
    """Which groups ``[P]`` teach nothing: fewer than two valid rewards, or all of them equal."""
    low = torch.nan_to_num(rewards, nan=torch.inf).amin(dim=1)
    high = torch.nan_to_num(rewards, nan=-torch.inf).amax(dim=1)
    return high <= low


def _count(rewards: Tensor) -> Tensor:
    return (~rewards.isnan()).sum(dim=1, keepdim=True).to(rewards.dtype)


ADVANTAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "grpo": grpo,
    "dr_grpo": dr_grpo,
    "rloo": rloo,
    "batch": batch_scaled,
}
"""Advantage estimators by the names that ``AlgorithmConfig.advantage`` takes."""
