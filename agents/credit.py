"""From groups to a batch to learn from: which token gets which advantage."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from rlvr_gym.agents.advantages import ADVANTAGES, gdpo, turn_level, whiten
from rlvr_gym.agents.batch import Batch, pad_batch
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.gae import gae, last_sampled, reward_to_go, turns_of
from rlvr_gym.agents.groups import Group, reward_matrix
from rlvr_gym.agents.learner import Learner
from rlvr_gym.agents.losses import importance_weights, kl_divergence
from rlvr_gym.errors import ConfigError
from rlvr_gym.rewards import RewardDesign

__all__ = ["Credit", "term_tensor", "term_weights", "token_rewards", "turn_reward_tensor"]


class Credit:
    """Assigns advantages by the name in ``algorithm.advantage``.

    Args:
        config: the run's configuration.
        learner: scores tokens; holds what adapts from step to step.
        design: the reward design, whose weights GDPO needs.

    Raises:
        ConfigError: if the advantage is GDPO and the design is no weighted sum of terms.
    """

    def __init__(self, config: TrainConfig, learner: Learner, design: RewardDesign) -> None:
        self.config, self.learner = config, learner
        self.algorithm = config.algorithm
        self._weights = term_weights(design) if self.algorithm.advantage == "gdpo" else {}

    def assign(self, groups: Sequence[Group]) -> tuple[Batch, dict[str, float]]:
        """The batch of some groups, and metrics; invalid samples are masked out."""
        sampled = self._pad(groups)
        batch = self._recompute(sampled)
        outcomes, metrics = self._outcomes(groups), _mismatch(batch, sampled)
        kl = None
        if self.algorithm.beta > 0 and self.algorithm.kl_in == "reward":
            ref = self.learner.reference_logprobs(batch)
            kl = kl_divergence(batch.old, ref, self.algorithm.kl_estimator) * batch.mask
            metrics["rewards/kl/mean"] = -self.learner.state.beta * float(kl.sum(1).mean())
        batch = self._advantages(batch, groups, outcomes, kl)
        if self.algorithm.whiten:
            spread = batch.advantages.expand_as(batch.mask)
            batch = dataclasses.replace(batch, advantages=whiten(spread, batch.mask))
        return batch, metrics

    def _pad(self, groups: Sequence[Group]) -> Batch:
        """The sequences, without advantages yet."""
        trajectories = [t for group in groups for t in group.trajectories]
        batch = pad_batch(
            [t.tokens for t in trajectories],
            [t.mask if t.verdict.valid else [False] * len(t.tokens) for t in trajectories],
            [t.logprobs for t in trajectories],
            [0.0] * len(trajectories),
            self.learner.policy.tokenizer.pad_id,
            self.learner.policy.device,
        )
        prompts = torch.arange(len(groups)).repeat_interleave(torch.tensor([len(g.rewards) for g in groups]))
        return dataclasses.replace(batch, prompts=prompts.to(batch.tokens.device))

    def _recompute(self, batch: Batch) -> Batch:
        """Values and the trainer's own old log-probabilities, where the algorithm wants them."""
        algorithm = self.algorithm
        if not (algorithm.recompute_old or algorithm.has_value):
            return batch
        scores = self.learner.judge(batch)
        importance = None
        if algorithm.importance_cap is not None:
            importance = importance_weights(scores.logprobs, batch.old, algorithm.importance_cap) * batch.mask
        old = scores.logprobs if algorithm.recompute_old else batch.old
        return dataclasses.replace(batch, old=old, importance=importance, values=scores.values)

    def _outcomes(self, groups: Sequence[Group]) -> Tensor:
        """Rewards of whole completions ``[P, G]`` in float64, with the EOS trick and normalised; nan if invalid."""
        algorithm, outcomes = self.algorithm, reward_matrix(groups)
        valid = ~outcomes.isnan()
        if algorithm.missing_eos is not None:
            ended = torch.tensor([[t.finished for t in group.trajectories] for group in groups])
            outcomes = torch.where(valid & ~ended, algorithm.missing_eos, outcomes)
        if algorithm.reward_norm == "batch":
            kept = whiten(outcomes.nan_to_num(), valid.double(), shift_mean=False)
            outcomes = torch.where(valid, kept, torch.nan)
        if algorithm.reward_norm == "running":
            self.learner.state.rewards.update(outcomes[valid])
            outcomes = outcomes / self.learner.state.rewards.scale
        return outcomes

    def _advantages(
        self, batch: Batch, groups: Sequence[Group], outcomes: Tensor, kl: Tensor | None
    ) -> Batch:
        """The batch with the estimator's advantages."""
        algorithm, device = self.algorithm, batch.mask.device
        if algorithm.advantage in ("reinforce", "gae"):
            return self._over_tokens(batch, groups, outcomes, kl)
        if kl is not None:  # of the whole completion
            penalties = kl.sum(1).reshape(outcomes.shape).double().cpu()
            outcomes = outcomes - self.learner.state.beta * penalties
        if algorithm.advantage == "mt_grpo":
            turns = turn_reward_tensor(groups, algorithm.turn_rewards)
            credit = turn_level(turns, outcomes, algorithm.turn_decay).flatten(0, 1).float().to(device)
            advantages = credit.gather(1, turns_of(batch.mask).clamp(min=0)) * batch.mask
        elif algorithm.advantage == "gdpo":
            terms = term_tensor(groups, list(self._weights))
            weights = torch.tensor(list(self._weights.values()), dtype=torch.float64)
            advantages = gdpo(terms, weights).flatten()[:, None].float().to(device)
        else:
            advantages = ADVANTAGES[algorithm.advantage](outcomes).flatten()[:, None].float().to(device)
        return dataclasses.replace(batch, advantages=advantages)

    def _over_tokens(
        self, batch: Batch, groups: Sequence[Group], outcomes: Tensor, kl: Tensor | None
    ) -> Batch:
        """Rewards of tokens, and what comes of them: GAE, or reward-to-go less a baseline."""
        algorithm, state = self.algorithm, self.learner.state
        turns = turn_reward_tensor(groups, algorithm.turn_rewards) if algorithm.turn_rewards else None
        rewards = token_rewards(
            outcomes.flatten().nan_to_num().float().to(batch.mask.device),
            batch.mask,
            None if turns is None else turns.flatten(0, 1).nan_to_num().float().to(batch.mask.device),
            None if kl is None else state.beta * kl,
        )
        if algorithm.advantage == "gae":
            assert batch.values is not None
            advantages, returns = gae(
                rewards, batch.values, batch.mask, gamma=algorithm.gamma, lam=algorithm.lam
            )
            return dataclasses.replace(batch, advantages=advantages, returns=returns)
        returns = reward_to_go(rewards, batch.mask, gamma=algorithm.gamma)
        first = last_sampled(batch.mask.flip(1)).flip(1)
        episodes = float((returns * first).sum() / first.sum().clamp(min=1))  # the mean return of an episode
        baseline = {"none": 0.0, "mean": episodes, "moving_average": state.baseline.value}[algorithm.baseline]
        if first.any():
            state.baseline.update(episodes, algorithm.baseline_decay)
        return dataclasses.replace(batch, advantages=(returns - baseline) * batch.mask)


def _mismatch(batch: Batch, sampled: Batch) -> dict[str, float]:
    """How far the sampler's log-probabilities are from the trainer's, where those were computed: mean and largest."""
    if batch.old is sampled.old:
        return {}
    distances = (batch.old - sampled.old).abs()[batch.mask > 0]
    if not len(distances):
        return {}
    return {"sampler/difference": float(distances.mean()), "sampler/difference_max": float(distances.max())}


def token_rewards(
    outcomes: Tensor, mask: Tensor, turns: Tensor | None = None, penalties: Tensor | None = None
) -> Tensor:
    """Rewards of tokens ``[B, T]``: the outcome on the last one, each turn's on its last, less penalties.

    Args:
        outcomes: ``[B]``.
        mask: ``[B, T]``, 1 where the policy sampled; rewards stand only there.
        turns: ``[B, N]``, a reward for each turn; None for none.
        penalties: ``[B, T]``, such as the weighted KL; None for none.
    """
    rewards = last_sampled(mask) * outcomes[:, None]
    if turns is not None:
        turn = turns_of(mask)
        following = torch.cat([turn[:, 1:], torch.full_like(turn[:, :1], -1)], dim=1)
        ends = mask * (following != turn)
        rewards = rewards + ends * turns.gather(1, turn.clamp(min=0))
    return rewards if penalties is None else rewards - penalties * mask


def turn_reward_tensor(groups: Sequence[Group], weights: Mapping[str, float]) -> Tensor:
    """What the environment counted in each turn, weighed and summed: ``[P, G, N]`` in float64.

    nan after the last turn of an episode. A count that a turn does not have is 0.

    Args:
        groups: P of G episodes each.
        weights: names of :class:`rlvr_gym.problem.Reply` metrics, and what each is worth.
    """
    rows = [
        [
            [
                sum(w * counted.get(name, 0.0) for name, w in weights.items())
                for counted in t.episode.turn_metrics
            ]
            for t in group.trajectories
        ]
        for group in groups
    ]
    most = max(len(turns) for group in rows for turns in group)
    padded = [[turns + [math.nan] * (most - len(turns)) for turns in group] for group in rows]
    return torch.tensor(padded, dtype=torch.float64)


def term_tensor(groups: Sequence[Group], names: Sequence[str]) -> Tensor:
    """The values of some reward terms ``[P, G, K]`` in float64; nan where verification failed."""
    return torch.tensor(
        [
            [[reward.terms.get(name, math.nan) for name in names] for reward in group.rewards]
            for group in groups
        ],
        dtype=torch.float64,
    )


def term_weights(design: RewardDesign) -> dict[str, float]:
    """The weights of a design that is a weighted sum of terms, by the terms' labels; metrics are left out.

    Raises:
        ConfigError: if it is something else.
    """
    root = design.root
    if root.term is not None:
        return {root.term.label: 1.0}
    weights: dict[str, float] = {}
    for child, weight in zip(root.children, root.weights, strict=False):
        if child.term is not None and weight != 0:
            weights[child.term.label] = weights.get(child.term.label, 0.0) + weight
    if root.op != "sum" or any(child.term is None for child in root.children) or not weights:
        raise ConfigError(
            f"The advantage gdpo normalises each term of the reward by itself, so the design has to be a weighted "
            f"sum of terms, such as {{correct: 1, format_r1: 0.5}}; {design.name!r} is not."
        )
    return weights
