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

__all__ = [
    "KL_ESTIMATORS",
    "LOSSES",
    "cispo_loss",
    "clipped_policy_loss",
    "importance_weights",
    "kl_divergence",
    "kl_penalty_loss",
    "masked_mean",
    "sequence_ratio",
    "token_weights",
    "vanilla_policy_loss",
]

Indicators = dict[str, Tensor]
"""Names of clips to ``[B, T]`` of 0 and 1: the tokens that they cut off."""


def vanilla_policy_loss(logprobs: Tensor, advantages: Tensor) -> tuple[Tensor, Indicators]:
    """The policy gradient itself: ``-A log p`` (Williams 1992).

    Args:
        logprobs: ``[B, T]`` under the policy being trained.
        advantages: ``[B, 1]`` or ``[B, T]``.
    """
    return -advantages * logprobs, {}


def clipped_policy_loss(
    logprobs: Tensor,
    old: Tensor,
    advantages: Tensor,
    *,
    eps_low: float,
    eps_high: float,
    dual_clip: float | None = None,
    mask: Tensor | None = None,
) -> tuple[Tensor, Indicators]:
    """PPO's clipped surrogate for each token: ``-min(rho A, clip(rho, 1 - eps_low, 1 + eps_high) A)``.

    ``rho = exp(logprobs - old)``. With ``eps_high > eps_low`` it is DAPO's clip-higher (1707.06347; 2503.14476).
    With ``mask`` it is GSPO: ``rho`` is the ratio of the whole sequence (:func:`sequence_ratio`).

    Args:
        logprobs: ``[B, T]`` under the policy being trained.
        old: ``[B, T]`` under the policy that sampled; no gradient flows into it.
        advantages: ``[B, 1]`` or ``[B, T]``.
        eps_low: how far the ratio may fall for what is bad.
        eps_high: how far it may rise for what is good.
        dual_clip: for ``A < 0`` the ratio counts at most this much, above ``1 + eps_high`` (dual clip, 1912.09729).
        mask: ``[B, T]``, to weigh sequences and not tokens.

    Returns:
        The loss ``[B, T]``, and indicators of tokens that the clip cuts off: ``clip_ratio/low`` and
        ``clip_ratio/high``, with dual clip ``clip_ratio/dual``.
    """
    ratio = (logprobs - old.detach()).exp() if mask is None else sequence_ratio(logprobs, old, mask)
    clipped = ratio.clamp(1.0 - eps_low, 1.0 + eps_high)
    bounded = ratio if dual_clip is None else ratio.clamp(max=dual_clip)
    loss = -torch.minimum(bounded * advantages, clipped * advantages)
    with torch.no_grad():
        indicators = {
            "clip_ratio/low": ((ratio < 1.0 - eps_low) & (advantages < 0)).to(loss.dtype),
            "clip_ratio/high": ((ratio > 1.0 + eps_high) & (advantages > 0)).to(loss.dtype),
        }
        if dual_clip is not None:
            indicators["clip_ratio/dual"] = ((ratio > dual_clip) & (advantages < 0)).to(loss.dtype)
    return loss, indicators


def sequence_ratio(logprobs: Tensor, old: Tensor, mask: Tensor) -> Tensor:
    """GSPO's ratio ``s_i = exp(mean_t(logprobs - old))`` on every token ``[B, T]`` (2507.18071).

    The gradient is that of GSPO-token (eq. 13 there): ``s_i`` times the token's own. For an advantage that is the
    same on all tokens it sums up to GSPO's, and for one that is not, each token gets its own credit.
    """
    difference = logprobs - old.detach()
    mean = (difference.detach() * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
    return (mean + logprobs - logprobs.detach()).exp()


def cispo_loss(
    logprobs: Tensor, old: Tensor, advantages: Tensor, *, ratio_max: float
) -> tuple[Tensor, Indicators]:
    """CISPO: ``-sg(min(rho, ratio_max)) A log p``: clips the weight, never the gradient (MiniMax-M1 2506.13585).

    Args:
        logprobs: ``[B, T]`` under the policy being trained.
        old: ``[B, T]`` under the policy that sampled.
        advantages: ``[B, 1]`` or ``[B, T]``.
        ratio_max: the largest weight.
    """
    with torch.no_grad():
        ratio = (logprobs - old).exp()
        cut = ((ratio > ratio_max) & (advantages > 0)).to(logprobs.dtype)
        weight = ratio.clamp(max=ratio_max)
    return -weight * advantages * logprobs, {"clip_ratio/high": cut}


def kl_penalty_loss(
    logprobs: Tensor, old: Tensor, advantages: Tensor, *, penalty: float
) -> tuple[Tensor, Indicators]:
    """TRPO with a penalty in place of the constraint: ``-rho A + penalty KL(old, new)`` (1502.05477; 1707.06347 sec. 4).

    The KL is estimated on the sampled token, which came from ``old``: ``rho - log rho - 1`` (never negative, and
    its gradient ``(rho - 1) grad log p`` is that of the true KL in expectation).
    """
    difference = logprobs - old.detach()
    ratio = difference.exp()
    return -ratio * advantages + penalty * (ratio - difference - 1), {}


def importance_weights(trainer: Tensor, rollout: Tensor, cap: float) -> Tensor:
    """Truncated importance sampling: ``min(exp(trainer - rollout), cap)`` for each token ``[B, T]``.

    Mends that the rollout engine and the trainer give the same weights slightly different probabilities.

    Args:
        trainer: ``[B, T]`` log-probabilities under the sampling policy, as the trainer computes them.
        rollout: ``[B, T]`` the same, as the rollout engine did.
        cap: the largest weight; 2 is usual.
    """
    return (trainer - rollout).exp().clamp(max=cap).detach()


def _k1(d: Tensor) -> Tensor:
    return -d


def _k2(d: Tensor) -> Tensor:
    return d.square() / 2


def _k3(d: Tensor) -> Tensor:
    return d.exp() - d - 1


KL_ESTIMATORS: dict[str, Callable[[Tensor], Tensor]] = {"k1": _k1, "k2": _k2, "k3": _k3}
"""Schulman's estimators of KL(policy, reference) on a sampled token, as functions of ``ref - logprobs``."""


def kl_divergence(
    logprobs: Tensor, ref: Tensor, estimator: str = "k3", *, old: Tensor | None = None
) -> Tensor:
    """The KL to a reference, estimated on each sampled token ``[B, T]``.

    With ``d = ref - logprobs``: k1 is ``-d`` (unbiased), k2 ``d^2 / 2`` (low variance), k3 ``exp(d) - d - 1``
    (unbiased and never negative). That is for tokens sampled from the policy itself.

    Args:
        logprobs: ``[B, T]`` under the policy being trained.
        ref: ``[B, T]`` under the reference; no gradient flows into it.
        estimator: k1, k2 or k3.
        old: ``[B, T]`` under the policy that sampled: weighs each token by ``exp(logprobs - old)``, so that both
            the estimate and its gradient are unbiased off policy, too (DeepSeek-V3.2 2512.02556).
    """
    kl = KL_ESTIMATORS[estimator](ref.detach() - logprobs)
    return kl if old is None else kl * (logprobs - old.detach()).exp()


def _per_sequence(mask: Tensor, max_length: int, prompts: Tensor | None) -> Tensor:
    """GRPO: the mean over sequences of the mean over their tokens; sequences without a token do not count."""
    lengths = mask.sum(dim=1, keepdim=True)
    return mask / lengths.clamp(min=1) / (lengths > 0).sum().clamp(min=1)


def _per_token(mask: Tensor, max_length: int, prompts: Tensor | None) -> Tensor:
    """BNPO and DAPO: the mean over all tokens of the batch."""
    return mask / mask.sum().clamp(min=1)


def _per_budget(mask: Tensor, max_length: int, prompts: Tensor | None) -> Tensor:
    """Dr. GRPO: the sum over tokens, divided by a constant: sequences times the completion limit."""
    sequences = (mask.sum(dim=1) > 0).sum().clamp(min=1)
    return mask / (sequences * max_length)


def _per_prompt(mask: Tensor, max_length: int, prompts: Tensor | None) -> Tensor:
    """ScaleRL: the mean over prompts of the mean over all tokens of their completions."""
    if prompts is None:
        raise ValueError("The aggregation 'prompt' needs to know which prompt each sequence belongs to.")
    lengths = mask.sum(dim=1)
    of_prompt = lengths.new_zeros(int(prompts.max()) + 1).index_add(0, prompts, lengths)
    return mask / of_prompt[prompts][:, None].clamp(min=1) / (of_prompt > 0).sum().clamp(min=1)


LOSSES: dict[str, Callable[[Tensor, int, Tensor | None], Tensor]] = {
    "grpo": _per_sequence,  # 2402.03300
    "bnpo": _per_token,  # normalised by the tokens of this process
    "dr_grpo": _per_budget,  # 2503.20783
    "dapo": _per_token,  # 2503.14476; normalised by the tokens of all processes, here there is one
    "prompt": _per_prompt,  # 2510.13786
}
"""Aggregations by the names that ``AlgorithmConfig.loss`` takes."""


def token_weights(mask: Tensor, loss: str, max_length: int, prompts: Tensor | None = None) -> Tensor:
    """The weight of each token ``[B, T]`` in the loss ``sum(weights * per-token loss)``.

    Args:
        mask: ``[B, T]`` of the whole batch of one optimiser step.
        loss: a key of :data:`LOSSES`.
        max_length: the completion limit, for Dr. GRPO.
        prompts: ``[B]``, which prompt each sequence belongs to, for ``prompt``.
    """
    return LOSSES[loss](mask, max_length, prompts)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of ``values [B, T]`` where ``mask`` is 1; 0 if that is nowhere."""
    return (values * mask).sum() / mask.sum().clamp(min=1)
