"""The update: log-probabilities of what was sampled, and optimiser steps on the policy loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rlvr_gym.agents.config import AlgorithmConfig, OptimiserConfig, TrainConfig
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.agents.losses import clipped_policy_loss, kl_divergence, masked_mean, token_weights
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.seeds import derive_seed

__all__ = ["Batch", "Learner", "make_optimiser", "pad_batch", "sampled_logprobs"]

_LOGITS_AT_ONCE = 2**26


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences to learn from: B of at most T tokens, padded on the right.

    Attributes:
        tokens: ``[B, T]`` ids.
        mask: ``[B, T]`` in float32, 1 where the policy sampled the token and its sample is valid.
        old: ``[B, T]`` log-probabilities under the policy that sampled.
        advantages: ``[B, 1]``.
        lengths: tokens of each sequence.
    """

    tokens: Tensor
    mask: Tensor
    old: Tensor
    advantages: Tensor
    lengths: list[int]

    def rows(self, index: Sequence[int]) -> Batch:
        """Some rows, cut to the longest of them."""
        lengths = [self.lengths[i] for i in index]
        at, width = torch.tensor(index, device=self.tokens.device), max(lengths)
        return Batch(
            self.tokens[at, :width], self.mask[at, :width], self.old[at, :width], self.advantages[at], lengths
        )


def pad_batch(
    tokens: Sequence[Sequence[int]],
    masks: Sequence[Sequence[bool]],
    old: Sequence[Sequence[float]],
    advantages: Sequence[float],
    pad_id: int,
    device: torch.device,
) -> Batch:
    """A batch out of lists, one row a sequence."""
    lengths = [len(row) for row in tokens]
    shape = len(lengths), max(lengths)
    ids, mask, logprobs = (
        np.full(shape, pad_id, np.int64),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
    )
    for i, length in enumerate(lengths):
        ids[i, :length], mask[i, :length], logprobs[i, :length] = tokens[i], masks[i], old[i]
    columns = torch.tensor(advantages, dtype=torch.float32, device=device)[:, None]
    moved = [torch.from_numpy(array).to(device) for array in (ids, mask, logprobs)]
    return Batch(moved[0], moved[1], moved[2], columns, lengths)


def sampled_logprobs(policy: Policy, tokens: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Log-probabilities ``[B, T]`` of the tokens where ``mask`` is 1, and 0 elsewhere.

    Logits are made for those positions only, in pieces that are recomputed in the backward pass if the
    vocabulary is large.

    Args:
        policy: the policy.
        tokens: ``[B, T]``, padded on the right.
        mask: ``[B, T]``; its first column is 0, as nothing predicts the first token.
        temperature: divides the logits, as it did in sampling.
    """
    chosen = mask[:, 1:].bool()
    hidden = policy.hidden(tokens[:, :-1])[chosen]  # [N, D]
    targets = tokens[:, 1:][chosen]  # [N]

    def score(h: Tensor, target: Tensor) -> Tensor:
        logits = policy.logits(h)
        return -F.cross_entropy(
            logits / temperature if temperature != 1 else logits, target, reduction="none"
        )

    piece = max(1, _LOGITS_AT_ONCE // policy.tokenizer.vocab_size)
    if len(targets) <= piece:
        flat = score(hidden, targets)
    else:
        pieces = zip(hidden.split(piece), targets.split(piece), strict=True)
        flat = torch.cat([checkpoint(score, h, t, use_reentrant=False) for h, t in pieces])
    scored = torch.zeros(chosen.shape, dtype=flat.dtype, device=flat.device).masked_scatter(chosen, flat)
    return F.pad(scored, (1, 0))


def make_optimiser(policy: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices only."""
    weights = [p for p in policy.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, eps=config.eps, fused=True)


def set_lr(optimiser: torch.optim.Optimizer, peak: float, step: int, *, warmup: int, decay: int = 0) -> float:
    """Sets and returns the rate of optimiser step ``step``, counted from 0.

    It rises linearly to ``peak`` over ``warmup`` steps. With ``decay`` it then falls linearly to a tenth of
    ``peak``, which it reaches at step ``decay`` and keeps.
    """
    rise = min(1.0, (step + 1) / (warmup + 1))
    fall = max(0.1, 1.0 - 0.9 * (step - warmup) / max(decay - warmup, 1)) if decay else 1.0
    lr = peak * min(rise, fall)
    for group in optimiser.param_groups:
        group["lr"] = lr
    return lr


class Learner:
    """Turns a batch into optimiser steps.

    Args:
        policy: what is trained.
        config: the run's configuration.
        reference: the frozen policy that the KL is measured to; needed if ``beta > 0``, else only a metric.
    """

    def __init__(self, policy: Policy, config: TrainConfig, reference: Policy | None = None) -> None:
        self.policy, self.reference, self.config = policy, reference, config
        self.optimiser = make_optimiser(policy, config.optimiser)
        self.optimiser_steps = 0

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """Epochs of minibatches over ``batch``; returns metrics.

        Raises:
            TrainingError: if a loss or gradient is not finite; the weights are those before it.
        """
        algorithm = self.config.algorithm
        totals = _Totals()
        for epoch in range(algorithm.epochs):
            order = np.random.default_rng(derive_seed(self.config.seed, "minibatch", step, epoch))
            for index in np.array_split(order.permutation(len(batch.lengths)), algorithm.minibatches):
                if len(index):
                    self._optimise(batch.rows(index.tolist()), totals)
        return {**totals.metrics(), **self._kl_to_reference(batch)}

    @torch.no_grad()
    def _kl_to_reference(self, batch: Batch) -> dict[str, float]:
        """``kl``: k3 of the sampling policy to the reference, on the first micro-batch of rows that is worth one."""
        if self.reference is None:
            return {}
        rows = torch.nonzero(batch.mask.sum(1) > 0)[: self.config.optimiser.micro_batch, 0].tolist()
        if not rows:
            return {}
        part = batch.rows(rows)
        ref = sampled_logprobs(self.reference, part.tokens, part.mask, self.config.sampling.temperature)
        return {"kl": float(masked_mean(kl_divergence(part.old, ref), part.mask))}

    def _optimise(self, batch: Batch, totals: _Totals) -> None:
        """One optimiser step, its gradient gathered over micro-batches."""
        algorithm, optimiser = self.config.algorithm, self.config.optimiser
        weights = token_weights(batch.mask, algorithm.loss, self.config.sampling.max_tokens)
        self.optimiser.zero_grad(set_to_none=True)
        loss = 0.0
        for index in self._micro_batches(batch, algorithm):
            micro = batch.rows(index)
            part = self._loss(micro, weights[index, : micro.tokens.shape[1]], totals)
            part.backward()
            loss += part.item()
        totals.loss += loss
        totals.steps += 1
        if all(p.grad is None for p in self.policy.parameters()):
            return  # every advantage is 0: there is nothing to learn, and momentum alone should not move weights
        norm = float(nn.utils.clip_grad_norm_(self.policy.parameters(), optimiser.max_grad_norm))
        if not (np.isfinite(loss) and np.isfinite(norm)):
            raise TrainingError(f"The loss ({loss}) or the gradient's norm ({norm}) is not finite")
        totals.grad_norm += norm
        totals.lr = set_lr(
            self.optimiser,
            optimiser.lr,
            self.optimiser_steps,
            warmup=optimiser.warmup_steps,
            decay=optimiser.decay_steps,
        )
        self.optimiser.step()
        self.optimiser_steps += 1

    def _micro_batches(self, batch: Batch, algorithm: AlgorithmConfig) -> Iterator[list[int]]:
        """Rows of alike length together. Rows that add nothing to the gradient are left out of the forward pass."""
        useful = (batch.mask.sum(1) > 0) & ((batch.advantages[:, 0] != 0) | (algorithm.beta > 0))
        rows = sorted(torch.nonzero(useful)[:, 0].tolist(), key=lambda i: batch.lengths[i])
        size = self.config.optimiser.micro_batch
        return (rows[i : i + size] for i in range(0, len(rows), size))

    def _loss(self, batch: Batch, weights: Tensor, totals: _Totals) -> Tensor:
        """The share of these rows in the loss."""
        algorithm, temperature = self.config.algorithm, self.config.sampling.temperature
        logprobs = sampled_logprobs(self.policy, batch.tokens, batch.mask, temperature)
        per_token, clips = clipped_policy_loss(
            logprobs, batch.old, batch.advantages, eps_low=algorithm.eps_low, eps_high=algorithm.eps_high
        )
        if algorithm.beta > 0:
            assert self.reference is not None
            with torch.no_grad():
                ref = sampled_logprobs(self.reference, batch.tokens, batch.mask, temperature)
            per_token = per_token + algorithm.beta * kl_divergence(logprobs, ref, algorithm.kl_estimator)
        with torch.no_grad():
            totals.add("approx_kl", kl_divergence(batch.old, logprobs), batch.mask)
            for name, indicator in clips.items():
                totals.add(name, indicator, batch.mask)
            totals.tokens += float(batch.mask.sum())
        return (weights * per_token).sum()


class _Totals:
    """Sums over the micro-batches of an update."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.tokens = self.loss = self.grad_norm = self.lr = 0.0
        self.steps = 0

    def add(self, name: str, values: Tensor, mask: Tensor) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + float((values * mask).sum())

    def metrics(self) -> dict[str, float]:
        """Means over tokens and over optimiser steps."""

        def mean(name: str) -> float:
            return self.sums.get(name, 0.0) / max(self.tokens, 1.0)

        steps = max(self.steps, 1)
        return {
            "loss": self.loss / steps,
            "grad_norm": self.grad_norm / steps,
            "lr": self.lr,
            "approx_kl": mean("approx_kl"),
            "clip_ratio/low_mean": mean("clip_ratio/low"),
            "clip_ratio/high_mean": mean("clip_ratio/high"),
        }
