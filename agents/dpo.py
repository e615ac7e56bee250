"""Direct preference optimisation (2305.18290): preferences learnt by the policy itself, without a reward model.

The reference is the policy before the first step. It is needed only for the log-probabilities of the pairs, which
are computed once, before it is trained: no second copy of the weights is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rlvr_gym.agents.batch import Batch, pad_batch
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.preferences import Pair
from rlvr_gym.agents.scoring import score, score_batch

__all__ = ["DPOTerms", "ReferredPair", "dpo_gradient", "dpo_loss", "refer"]


@dataclass(frozen=True, slots=True)
class DPOTerms:
    """The loss of some pairs, each ``[N]``.

    Attributes:
        loss: of each pair.
        chosen_reward: the implicit reward ``beta log(pi / ref)`` of the better one.
        rejected_reward: that of the worse one.
    """

    loss: Tensor
    chosen_reward: Tensor
    rejected_reward: Tensor


def dpo_loss(
    chosen: Tensor,
    rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
) -> DPOTerms:
    """``-(1 - eps) log sigmoid(d) - eps log sigmoid(-d)``, with ``d = beta (log(pi_c / ref_c) - log(pi_r / ref_r))``.

    ``eps = 0`` is DPO (2305.18290, eq. 7); above, it is conservative DPO: a label is believed to be wrong with that
    chance (Mitchell 2023).

    Args:
        chosen: ``[N]`` log-probabilities of whole completions, under the policy being trained.
        rejected: those of the worse ones.
        ref_chosen: ``[N]`` under the reference.
        ref_rejected: those of the worse ones.
        beta: how much the policy is held to the reference.
        label_smoothing: eps, below 0.5.
    """
    chosen_reward = beta * (chosen - ref_chosen)
    rejected_reward = beta * (rejected - ref_rejected)
    margin = chosen_reward - rejected_reward
    loss = -(1 - label_smoothing) * F.logsigmoid(margin) - label_smoothing * F.logsigmoid(-margin)
    return DPOTerms(loss, chosen_reward.detach(), rejected_reward.detach())


@dataclass(frozen=True, slots=True)
class ReferredPair:
    """A pair, and what the reference thinks of it.

    Attributes:
        pair: the two attempts.
        ref_chosen: the reference's log-probability of the better one's words.
        ref_rejected: that of the worse one's.
    """

    pair: Pair
    ref_chosen: float
    ref_rejected: float


def refer(reference: Policy, pairs: Sequence[Pair], micro_batch: int) -> list[ReferredPair]:
    """The reference's log-probabilities of all pairs, computed once.

    Args:
        reference: the policy before it is trained.
        pairs: the pairs, in its tokens.
        micro_batch: sequences in one forward pass.
    """
    if not pairs:
        return []
    logprobs = score_batch(reference, _batch(reference, pairs), micro_batch, 1.0).logprobs.sum(1).tolist()
    return [ReferredPair(pair, logprobs[2 * i], logprobs[2 * i + 1]) for i, pair in enumerate(pairs)]


def dpo_gradient(
    policy: Policy,
    rows: Sequence[ReferredPair],
    micro_batch: int,
    *,
    beta: float,
    label_smoothing: float = 0.0,
    nll_coef: float = 0.0,
) -> dict[str, float]:
    """Adds the gradient of the pairs' mean loss; returns it with what DPO is watched by.

    Args:
        policy: gathers the gradient.
        rows: the pairs.
        micro_batch: sequences in one forward pass; the two of a pair, which share a prompt, stay together.
        beta: see :func:`dpo_loss`.
        label_smoothing: see :func:`dpo_loss`.
        nll_coef: weight of the better one's negative log-likelihood a token, which keeps its probability from
            falling together with the other's (iterative RPO, 2404.19733).
    """
    sums = dict.fromkeys(("loss", "rewards/chosen", "rewards/rejected", "rewards/accuracy"), 0.0)
    size = max(1, micro_batch // 2)
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        batch = _batch(policy, [row.pair for row in part])
        logprobs = score(policy, batch.tokens, batch.mask).logprobs.sum(
            1
        )  # [2N], chosen and rejected in turn
        ref_chosen, ref_rejected = (
            torch.tensor(column, device=logprobs.device)
            for column in zip(*((row.ref_chosen, row.ref_rejected) for row in part), strict=True)
        )
        terms = dpo_loss(
            logprobs[::2],
            logprobs[1::2],
            ref_chosen,
            ref_rejected,
            beta=beta,
            label_smoothing=label_smoothing,
        )
        losses = terms.loss
        if nll_coef:
            losses = losses - nll_coef * logprobs[::2] / batch.mask[::2].sum(1)
        loss = losses.sum() / len(rows)
        loss.backward()
        sums["loss"] += loss.item()
        won = (terms.chosen_reward > terms.rejected_reward).float()
        for name, values in (
            ("rewards/chosen", terms.chosen_reward),
            ("rewards/rejected", terms.rejected_reward),
            ("rewards/accuracy", won),
        ):
            sums[name] += float(values.sum()) / len(rows)
    return sums


def _batch(policy: Policy, pairs: Sequence[Pair]) -> Batch:
    """Rows ``2i`` and ``2i + 1`` are the better and the worse attempt of pair ``i``."""
    attempts = [attempt for pair in pairs for attempt in (pair.chosen, pair.rejected)]
    return pad_batch(
        [attempt.tokens for attempt in attempts],
        [attempt.mask for attempt in attempts],
        [[0.0] * len(attempt.tokens) for attempt in attempts],
        [0.0] * len(attempts),
        policy.tokenizer.pad_id,
        policy.device,
    )
