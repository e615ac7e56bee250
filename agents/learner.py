"""The update: optimiser steps on the policy loss, and on the value loss where there is a value model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlvr_gym.agents.batch import Batch, pad_batch
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.agents.losses import (
    cispo_loss,
    clipped_policy_loss,
    kl_divergence,
    kl_penalty_loss,
    masked_mean,
    token_weights,
    vanilla_policy_loss,
)
from rlvr_gym.agents.optimiser import load_optimiser_state, make_optimiser, optimiser_state, set_lr
from rlvr_gym.agents.policy import Policy, resolve_device
from rlvr_gym.agents.ppo import AlgorithmState, ValueModel, adapted_beta, adapted_penalty, value_loss
from rlvr_gym.agents.scoring import Scores, sampled_logprobs, score, score_batch
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.sharding import clip_gradients, gather_state, load_weights, shard
from rlvr_gym.agents.world import World

__all__ = ["Batch", "Learner", "pad_batch", "sampled_logprobs"]


class Learner:
    """Turns a batch into optimiser steps.

    With ``optimiser.sharding: full`` it spreads the policy over the processes of the world.

    Args:
        policy: what is trained.
        config: the run's configuration.
        reference: the frozen policy that the KL is measured to; needed if ``beta > 0``, else only a metric.
        world: processes that each compute the gradient of a share of the rows; alone by default.

    Attributes:
        value: the value model, if the algorithm has one.
        state: what the algorithm adapts from step to step.
    """

    def __init__(
        self,
        policy: Policy,
        config: TrainConfig,
        reference: Policy | None = None,
        world: World | None = None,
    ) -> None:
        self.policy, self.reference, self.config = policy, reference, config
        self.world = world or World()
        algorithm = config.algorithm
        self.value = (
            ValueModel(policy, algorithm.value, derive_seed(config.seed, "value head"))
            if algorithm.has_value
            else None
        )
        self.spread(policy)
        if self.value is not None:
            self.spread(self.value)
        self.optimiser = make_optimiser(
            policy,
            config.optimiser,
            self.value,
            algorithm.value.lr_scale,
            sharded=self.world.sharding == "optimiser",
        )
        self.optimiser_steps = 0
        self.state = AlgorithmState.begin(algorithm)
        self._weights = [*policy.parameters(), *(self.value.parameters() if self.value is not None else ())]

    def spread(self, model: Policy | ValueModel) -> None:
        """Leaves each process with a part of every weight, if that is how this run shares them."""
        if self.world.sharding == "full":
            shard(model, model.layers, resolve_device(self.config.device), self.policy.autocast)

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
        return {**totals.summed(self.world).metrics(), **self._divergences(batch)}

    def judge(self, batch: Batch) -> Scores:
        """What the policy and the value model, as they are before the update, say about a whole batch."""
        config = self.config
        return score_batch(
            self.policy,
            batch,
            config.optimiser.micro_batch,
            config.sampling.temperature,
            self.value,
            self.world,
            config.sampling.chunking,
        )

    def reference_logprobs(self, batch: Batch) -> Tensor:
        """``[B, T]`` of a whole batch under the reference."""
        assert self.reference is not None, "the trainer holds a reference wherever beta > 0"
        config = self.config
        return score_batch(
            self.reference,
            batch,
            config.optimiser.micro_batch,
            config.sampling.temperature,
            world=self.world,
            chunking=config.sampling.chunking,
        ).logprobs

    @torch.no_grad()
    def _logprobs(self, policy: Policy, micro: Batch) -> Tensor:
        """``[B, T]`` of one micro-batch, without gradients."""
        sampling = self.config.sampling
        return sampled_logprobs(policy, micro.tokens, micro.mask, sampling.temperature, sampling.chunking)

    def _divergences(self, batch: Batch) -> dict[str, float]:
        """KLs on the first micro-batch of rows that is worth one, and the weights that adapt to them.

        ``kl`` is k3 of the sampling policy to the reference, ``kl_step`` k3 of the sampling policy to the new one.
        """
        algorithm, state = self.config.algorithm, self.state
        rows = torch.nonzero(batch.mask.sum(1) > 0)[: self.config.optimiser.micro_batch, 0].tolist()
        if not rows:
            return {}
        part, metrics = batch.rows(rows), {}
        if self.reference is not None:
            kl = float(masked_mean(kl_divergence(part.old, self._logprobs(self.reference, part)), part.mask))
            metrics["kl"] = kl
            if algorithm.kl_target is not None:
                samples = len(batch.lengths)
                state.beta = adapted_beta(state.beta, kl, algorithm.kl_target, samples, algorithm.kl_horizon)
                metrics["beta"] = state.beta
        if algorithm.objective == "penalty":
            new = self._logprobs(self.policy, part)
            kl = float(masked_mean(kl_divergence(part.old, new), part.mask))
            if algorithm.penalty_target is not None:
                state.penalty = adapted_penalty(state.penalty, kl, algorithm.penalty_target)
            metrics |= {"kl_step": kl, "penalty": state.penalty}
        return metrics

    def _optimise(self, batch: Batch, totals: _Totals) -> None:
        """One optimiser step, its gradient gathered over micro-batches."""
        algorithm, optimiser = self.config.algorithm, self.config.optimiser
        weights = token_weights(batch.mask, algorithm.loss, self.config.sampling.max_tokens, batch.prompts)
        evenly = token_weights(batch.mask, "bnpo", 0)
        self.optimiser.zero_grad(set_to_none=True)
        loss = 0.0
        for index, counts in self._micro_batches(batch):
            micro = batch.rows(index)
            width = micro.tokens.shape[1]
            sums = totals if counts else _Totals()
            part = self._loss(micro, weights[index, :width], evenly[index, :width], sums)
            part = part if counts else 0 * part
            part.backward()
            loss += part.item()
        self.world.sum_gradients(self._weights)
        loss = self.world.sum_number(loss)
        totals.loss += loss
        totals.steps += 1
        if all(p.grad is None for p in self._weights):
            return  # every advantage is 0: there is nothing to learn, and momentum alone should not move weights
        norm = clip_gradients(self._weights, optimiser.max_grad_norm)
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

    def _micro_batches(self, batch: Batch) -> Iterator[tuple[Sequence[int], bool]]:
        """Rows of alike length together, and whether they count (:meth:`World.deal`).

        Rows that add nothing to the gradient are left out of the forward pass.
        """
        useful = batch.mask.sum(1) > 0
        if not self.config.algorithm.zero_advantages_teach:
            useful &= (batch.advantages != 0).any(1)
        rows = sorted(torch.nonzero(useful)[:, 0].tolist(), key=lambda i: batch.lengths[i])
        return self.world.deal(rows, self.config.optimiser.micro_batch)

    def _loss(self, batch: Batch, weights: Tensor, evenly: Tensor, totals: _Totals) -> Tensor:
        """The share of these rows in the loss: the policy's, the KL's, the entropy's and the value model's."""
        algorithm, temperature = self.config.algorithm, self.config.sampling.temperature
        scores = score(
            self.policy,
            batch.tokens,
            batch.mask,
            temperature,
            entropy=algorithm.entropy_coef > 0,
            value=self.value,
            chunking=self.config.sampling.chunking,
        )
        per_token, clips = self._policy_loss(scores.logprobs, batch)
        if batch.importance is not None:
            per_token = per_token * batch.importance
        if algorithm.beta > 0 and algorithm.kl_in == "loss":
            assert self.reference is not None
            ref = self._logprobs(self.reference, batch)
            old = batch.old if algorithm.kl_unbiased else None
            kl = kl_divergence(scores.logprobs, ref, algorithm.kl_estimator, old=old)
            per_token = per_token + self.state.beta * kl
        loss = (weights * per_token).sum()
        if scores.entropy is not None:
            loss = loss - algorithm.entropy_coef * (evenly * scores.entropy).sum()
            totals.add("policy_entropy", scores.entropy, batch.mask)
        if scores.values is not None:
            assert batch.values is not None
            assert batch.returns is not None
            errors, cut = value_loss(scores.values, batch.values, batch.returns, algorithm.value.clip)
            loss = loss + algorithm.value.coef * (evenly * errors).sum()
            totals.add("value_loss", errors, batch.mask)
            totals.add("clip_ratio/value", cut, batch.mask)
        with torch.no_grad():
            totals.add("approx_kl", kl_divergence(batch.old, scores.logprobs), batch.mask)
            for name, indicator in clips.items():
                totals.add(name, indicator, batch.mask)
            totals.tokens += float(batch.mask.sum())
        return loss

    def _policy_loss(self, logprobs: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """What each token costs ``[B, T]``, by the objective's name."""
        algorithm = self.config.algorithm
        if algorithm.objective == "vanilla":
            return vanilla_policy_loss(logprobs, batch.advantages)
        if algorithm.objective == "cispo":
            return cispo_loss(logprobs, batch.old, batch.advantages, ratio_max=algorithm.ratio_max)
        if algorithm.objective == "penalty":
            return kl_penalty_loss(logprobs, batch.old, batch.advantages, penalty=self.state.penalty)
        return clipped_policy_loss(
            logprobs,
            batch.old,
            batch.advantages,
            eps_low=algorithm.eps_low,
            eps_high=algorithm.eps_high,
            dual_clip=algorithm.dual_clip,
            mask=batch.mask if algorithm.ratio == "sequence" else None,
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything but the policy's weights, for a checkpoint; only that of the main process is whole.

        All processes call it together: what is sharded is collected by the main one.
        """
        main = self.world.main
        return {
            "optimiser": optimiser_state(self.optimiser, main),
            "optimiser_steps": self.optimiser_steps,
            "value": None if self.value is None else gather_state(self.value.state_dict(), main),
            "algorithm": asdict(self.state),
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        if self.value is not None:
            load_weights(self.value, saved["value"])
        load_optimiser_state(self.optimiser, saved["optimiser"])
        self.optimiser_steps = saved["optimiser_steps"]
        self.state = AlgorithmState.from_dict(saved["algorithm"])


class _Totals:
    """Sums over the micro-batches of an update."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.tokens = self.loss = self.grad_norm = self.lr = 0.0
        self.steps = 0

    def add(self, name: str, values: Tensor, mask: Tensor) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + float((values.detach() * mask).sum())

    def summed(self, world: World) -> _Totals:
        """The totals over all processes; losses, norms, rates and steps are the same in each."""
        if world.size > 1:
            parts = world.gather([(self.sums, self.tokens)])
            names = sorted({name for sums, _ in parts for name in sums})
            self.sums = {name: sum(sums.get(name, 0.0) for sums, _ in parts) for name in names}
            self.tokens = sum(tokens for _, tokens in parts)
        return self

    def metrics(self) -> dict[str, float]:
        """Means over tokens and over optimiser steps."""
        steps, tokens = max(self.steps, 1), max(self.tokens, 1.0)
        means = {name: total / tokens for name, total in self.sums.items()}
        return {
            "loss": self.loss / steps,
            "grad_norm": self.grad_norm / steps,
            "lr": self.lr,
            "approx_kl": means.pop("approx_kl", 0.0),
            "clip_ratio/low_mean": means.pop("clip_ratio/low", 0.0),
            "clip_ratio/high_mean": means.pop("clip_ratio/high", 0.0),
            **{f"{name}_mean" if name.startswith("clip_ratio/") else name: v for name, v in means.items()},
        }
