"""Policy losses: pure functions of log-probabilities. Axes: B sequences x T token positions.

A loss is made of three parts that combine freely: what each token costs (:func:`clipped_policy_loss`, plus
``beta`` times :func:`kl_divergence`), and how tokens are weighed against each other (:func:`token_weights`).
Weights are worked out for the whole batch of an optimiser step before it is cut into micro-batches; their sums
then add up to the loss of the whole, so that gradient accumulation changes nothing.

``mask`` is 1 on tokens that the policy sampled, and 0 on prompt, environment, tool and padding tokens, and on
every token of a sample whose verification failed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["KL_ESTIMATORS", "LOSSES", "clipped_policy_loss", "kl_divergence", "masked_mean", "token_weights"]


def clipped_policy_loss(
    logprobs: Tensor, old: Tensor, advantages: Tensor, *, eps_low: float, eps_high: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """PPO's clipped surrogate for each token: ``-min(rho A, clip(rho, 1 - eps_low, 1 + eps_high) A)``.

    ``rho = exp(logprobs - old)``. With ``eps_high > eps_low`` it is DAPO's clip-higher (1707.06347; 2503.14476).

    Args:
        logprobs: ``[B, T]`` under the policy being trained.
        old: ``[B, T]`` under the policy that sampled; no gradient flows into it.
        advantages: ``[B, 1]`` or ``[B, T]``.
        eps_low: how far the ratio may fall for what is bad.
        eps_high: how far it may rise for what is good.

    Returns:
        The loss ``[B, T]``, and indicators ``[B, T]`` of tokens that the clip cuts off: ``clip_ratio/low`` and
        ``clip_ratio/high``.
    """
    ratio = (logprobs - old.detach()).exp()
    clipped = ratio.clamp(1.0 - eps_low, 1.0 + eps_high)
    loss = -torch.minimum(ratio * advantages, clipped * advantages)
    with torch.no_grad():
        indicators = {
            "clip_ratio/low": ((ratio < 1.0 - eps_low) & (advantages < 0)).to(loss.dtype),
            "clip_ratio/high": ((ratio > 1.0 + eps_high) & (advantages > 0)).to(loss.dtype),
        }
    return loss, indicators


def _k1(d: Tensor) -> Tensor:
    return -d


def _k2(d: Tensor) -> Tensor:
    return d.square() / 2


def _k3(d: Tensor) -> Tensor:
    return d.exp() - d - 1


KL_ESTIMATORS: dict[str, Callable[[Tensor], Tensor]] = {"k1": _k1, "k2": _k2, "k3": _k3}
"""Schulman's estimators of KL(policy, reference) on a sampled token, as functions of ``ref - logprobs``."""


def kl_divergence(logprobs: Tensor, ref: Tensor, estimator: str = "k3") -> Tensor:
    """The KL to a reference, estimated on each sampled token ``[B, T]``.

    With ``d = ref - logprobs``: k1 is ``-d`` (unbiased), k2 ``d^2 / 2`` (low variance), k3 ``exp(d) - d - 1``
    (unbiased and never negative).
    """
    return KL_ESTIMATORS[estimator](ref.detach() - logprobs)


def _per_sequence(mask: Tensor, max_length: int) -> Tensor:
    """GRPO: the mean over sequences of the mean over their tokens; sequences without a token do not count."""
    lengths = mask.sum(dim=1, keepdim=True)
    return mask / lengths.clamp(min=1) / (lengths > 0).sum().clamp(min=1)


def _per_token(mask: Tensor, max_length: int) -> Tensor:
    """BNPO and DAPO: the mean over all tokens of the batch."""
    return mask / mask.sum().clamp(min=1)


def _per_budget(mask: Tensor, max_length: int) -> Tensor:
    """Dr. GRPO: the sum over tokens, divided by a constant: sequences times the completion limit."""
    sequences = (mask.sum(dim=1) > 0).sum().clamp(min=1)
    return mask / (sequences * max_length)


LOSSES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "grpo": _per_sequence,  # 2402.03300
    "bnpo": _per_token,  # normalised by the tokens of this process
    "dr_grpo": _per_budget,  # 2503.20783
    "dapo": _per_token,  # 2503.14476; normalised by the tokens of all processes, here there is one
}
"""Aggregations by the names that ``AlgorithmConfig.loss`` takes."""


def token_weights(mask: Tensor, loss: str, max_length: int) -> Tensor:
    """The weight of each token ``[B, T]`` in the loss ``sum(weights * per-token loss)``.

    Args:
        mask: ``[B, T]`` of the whole batch of one optimiser step.
        loss: a key of :data:`LOSSES`.
        max_length: the completion limit, for Dr. GRPO.
    """
    return LOSSES[loss](mask, max_length)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of ``values [B, T]`` where ``mask`` is 1; 0 if that is nowhere."""
    return (values * mask).sum() / mask.sum().clamp(min=1)
