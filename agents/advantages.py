"""Advantages from the rewards of groups: pure functions ``[P, G] -> [P, G]``, P prompts x G completions of each.

A reward of nan marks a sample whose verification failed. It has no part in any statistic, and its advantage is 0
(the trainer also takes it out of the loss). Estimators over tokens (GAE, reward-to-go) are in
:mod:`rlvr_gym.agents.gae`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "ADVANTAGES",
    "MovingAverage",
    "batch_scaled",
    "dr_grpo",
    "gdpo",
    "group_std",
    "grpo",
    "rloo",
    "solved_alike",
    "turn_level",
    "whiten",
]

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


ADVANTAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "grpo": grpo,
    "dr_grpo": dr_grpo,
    "rloo": rloo,
    "batch": batch_scaled,
}
"""Estimators that need nothing but the rewards, by the names that ``AlgorithmConfig.advantage`` takes."""


def gdpo(terms: Tensor, weights: Tensor) -> Tensor:
    """GDPO (2601.05242): each reward term is normalised in its group before they are summed, then the batch is.

    ``s = sum_k w_k (r_k - mean_k) / (std_k + 1e-4)`` in the group, ``A = (s - mean s) / (std s + 1e-4)`` over the
    batch. Two completions with different terms but the same sum are told apart, which GRPO on the sum cannot.

    Args:
        terms: ``[P, G, K]``; nan for a sample whose verification failed.
        weights: ``[K]``.
    """
    normalised = torch.stack([grpo(term) for term in terms.unbind(-1)], dim=-1)
    summed = torch.where(terms.isnan().any(-1), torch.nan, (normalised * weights).sum(-1))
    return grpo(summed.reshape(1, -1)).reshape(summed.shape)


def turn_level(turn_rewards: Tensor, outcomes: Tensor, decay: float = 1.0) -> Tensor:
    """Credit for each turn of an episode (MT-GRPO 2505.11821, there for two turns).

    With ``T_k`` the reward of turn k and ``O`` the outcome, each normalised as in GRPO within the group:
    ``A_k = T_k + decay T_{k+1} + ... + decay^(K-1-k) (T_{K-1} + O)``, K the turns that the episode had. For two
    turns and a reward on the first this is the paper's ``A_1 = T + decay O, A_2 = O``.

    Args:
        turn_rewards: ``[P, G, N]``, N the most turns; nan after an episode's last turn.
        outcomes: ``[P, G]``; nan where verification failed.
        decay: what a turn hands on to the one before it.

    Returns:
        ``[P, G, N]``; 0 after the last turn.
    """
    taken = ~turn_rewards.isnan() & ~outcomes.isnan()[..., None]
    valid = torch.where(taken, turn_rewards, torch.nan)
    result = torch.stack([grpo(turn) for turn in valid.unbind(-1)], dim=-1)
    last = taken & (taken.sum(-1, keepdim=True) - 1 == torch.arange(taken.shape[-1], device=taken.device))
    result = result + last * grpo(outcomes)[..., None]
    for turn in reversed(range(taken.shape[-1] - 1)):
        result[..., turn] += decay * result[..., turn + 1]
    return result * taken


def whiten(values: Tensor, mask: Tensor, *, shift_mean: bool = True) -> Tensor:
    """``(x - mean) / (std + 1e-8)`` over the entries where ``mask`` is 1, std biased; 0 elsewhere.

    Args:
        values: any shape.
        mask: the same shape, of 0 and 1.
        shift_mean: False puts the mean back afterwards, as is done for rewards (N+ details, 2403.17031).
    """
    count = mask.sum().clamp(min=1)
    mean = (values * mask).sum() / count
    std = (((values - mean) * mask).square().sum() / count).sqrt()
    whitened = (values - mean) / (std + 1e-8)
    return (whitened if shift_mean else whitened + mean) * mask


@dataclass
class MovingAverage:
    """An exponential moving average without the bias of its start at 0, for REINFORCE's baseline (Williams 1992).

    Attributes:
        total: the decayed sum.
        weight: the decayed count; 0 before the first value.
    """

    total: float = 0.0
    weight: float = 0.0

    @property
    def value(self) -> float:
        """The average of what was taken in so far; 0 before the first value."""
        return self.total / self.weight if self.weight else 0.0

    def update(self, value: float, decay: float) -> None:
        """Takes a value in; ``decay`` is how much of the past remains."""
        self.total = decay * self.total + (1 - decay) * value
        self.weight = decay * self.weight + (1 - decay)


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
