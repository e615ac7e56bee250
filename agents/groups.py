"""Sampling groups: G attempts at each of P tasks, with their verdicts and rewards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rlvr_gym.agents.advantages import solved_alike
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.evaluate import lengths_by_outcome
from rlvr_gym.agents.play import Trajectory, play
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.tasks import TaskFeed
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import ConfigError
from rlvr_gym.rewards import Reward
from rlvr_gym.task import Task

__all__ = ["Group", "Sampler", "play_tasks", "reward_matrix", "rollout_rows", "sample_metrics"]


@dataclass(frozen=True, slots=True)
class Group:
    """The attempts at one task."""

    trajectories: list[Trajectory]
    rewards: list[Reward]


def reward_matrix(groups: Sequence[Group]) -> Tensor:
    """Rewards ``[P, G]`` in float64; nan where verification failed."""
    return torch.tensor([[reward.total for reward in group.rewards] for group in groups], dtype=torch.float64)


class Sampler:
    """Draws tasks, plays them, and tells the feed how it went. Its state is the feed's and :attr:`rows`.

    Args:
        engine: samples completions.
        settings: the environment and the reward design.
        feed: the training tasks.
        config: the run's configuration.
        rows: random streams used so far.
    """

    def __init__(
        self, engine: RolloutEngine, settings: EnvSettings, feed: TaskFeed, config: TrainConfig, rows: int = 0
    ) -> None:
        self.engine, self.settings, self.feed, self.config = engine, settings, feed, config
        self.rows = rows
        if config.sampling.chunking is not None and settings.problem.several_turns:
            raise ConfigError(
                f"sampling.chunk cuts one long completion; {config.env.id} has several turns: leave it at 0."
            )

    def sample(self, step: int = 0) -> tuple[list[Group], list[Group]]:
        """One step's worth of groups: those to train on, and all that were sampled.

        ``step`` is the one that they are for, which a reward design may follow. With dynamic sampling (DAPO 2503.14476) groups whose rewards are all equal are not trained on, and others
        are sampled until there are enough, or the rounds are used up.
        """
        wanted = self.config.sampling.prompts_per_step
        if not self.config.algorithm.dynamic_sampling:
            groups = self._round(wanted, step)
            return groups, groups
        useful: list[Group] = []
        everything: list[Group] = []
        for _ in range(self.config.algorithm.max_resamples):
            groups = self._round(wanted, step)
            everything += groups
            alike = solved_alike(reward_matrix(groups)).tolist()
            useful += [group for group, same in zip(groups, alike, strict=True) if not same]
            if len(useful) >= wanted:
                break
        return useful[:wanted], everything

    def _round(self, prompts: int, step: int) -> list[Group]:
        attempts = self._attempts(prompts, step)
        for group in attempts:
            self.feed.observe(group[0].episode.task, [t.verdict for t in group])
        return [Group(group, self.settings.design([t.rollout() for t in group], step)) for group in attempts]

    def _attempts(self, prompts: int, step: int) -> list[list[Trajectory]]:
        """The attempts at the next tasks, task by task."""
        return play_tasks(self.engine, self.settings, self.config, *self._draw(prompts))

    def _draw(self, prompts: int) -> tuple[list[Task], int]:
        """The next tasks, and the first of the random streams that the attempts at them use."""
        tasks, first_row = self.feed.take(prompts), self.rows
        self.rows = (self.rows + prompts * self.config.sampling.group_size) % 2**32
        return tasks, first_row

    def metrics(self) -> dict[str, float]:
        """What it says of itself, beside the samples."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs beside :attr:`rows` and the feed."""
        return {}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""

    def close(self) -> None:
        """Frees what it holds."""


def play_tasks(
    engine: RolloutEngine, settings: EnvSettings, config: TrainConfig, tasks: Sequence[Task], first_row: int
) -> list[list[Trajectory]]:
    """``sampling.group_size`` attempts at each task.

    Args:
        engine: samples completions.
        settings: the environment.
        config: the run's configuration.
        tasks: what is attempted.
        first_row: the attempts draw from the random streams ``first_row``, ``first_row + 1`` and so on.
    """
    size = config.sampling.group_size
    trajectories = play(
        engine,
        [settings.begin(task) for task in tasks for _ in range(size)],
        config.sampling.params(),
        settings.verifier,
        seed=derive_seed(config.seed, "sampling"),
        first_row=first_row,
        executor=settings.executor,
        timeout=settings.verify_timeout,
    )
    return [trajectories[i : i + size] for i in range(0, len(trajectories), size)]


def sample_metrics(groups: Sequence[Group]) -> dict[str, float]:
    """What the sampled completions are like, before any filter. Invalid samples count only in ``frac_invalid``.

    ``frac_no_reward`` is the share whose reward is nan: invalid ones, and those that a judge could not judge.

    ``entropy`` is the mean of ``-logprob`` over the sampled tokens: an unbiased estimate of the policy's entropy
    a token (in nats, at the sampling temperature) that costs nothing.
    """
    rewards = reward_matrix(groups)
    trajectories = [t for group in groups for t in group.trajectories]
    valid = [t for t in trajectories if t.verdict.valid]
    lengths = [t.num_tokens for t in trajectories]
    count = len(valid) or math.nan  # without a single valid sample there is no mean
    rewarded = int((~rewards.isnan()).sum())
    deviations = [float(row[~row.isnan()].std()) for row in rewards if int((~row.isnan()).sum()) > 1]
    return {
        "reward": float(rewards.nansum()) / (rewarded or math.nan),
        "reward_std": sum(deviations) / max(len(deviations), 1),
        "accuracy": sum(t.verdict.correct for t in valid) / count,
        "frac_reward_zero_std": float(solved_alike(rewards).double().mean()),
        "frac_invalid": 1 - len(valid) / len(trajectories),
        "frac_no_reward": 1 - rewarded / len(trajectories),
        **_term_metrics(groups),
        **_env_metrics(trajectories),
        "entropy": -sum(map(sum, (t.logprobs for t in trajectories))) / max(sum(lengths), 1),
        "completions/mean_length": sum(lengths) / len(lengths),
        "completions/max_length": float(max(lengths)),
        **{f"completions/{name}": value for name, value in lengths_by_outcome(trajectories).items()},
        "completions/clipped_ratio": sum(not t.finished for t in trajectories) / len(trajectories),
        "turns": sum(t.episode.turns for t in trajectories) / len(trajectories),
        "samples": float(len(trajectories)),
        "tokens": float(sum(lengths)),
    }


def rollout_rows(group: Group) -> list[dict[str, Any]]:
    """The attempts of a group as rows of ``rollouts.jsonl``: for people to read, and for re-scoring."""
    return [
        {
            **trajectory.rollout().to_row(),
            "attempt": attempt,
            # a single turn is in prompt and completion already
            **({"messages": trajectory.episode.messages} if trajectory.episode.turns > 1 else {}),
            "reward": reward.total,
            "reward_terms": reward.terms,
        }
        for attempt, (trajectory, reward) in enumerate(zip(group.trajectories, group.rewards, strict=True))
    ]


def _env_metrics(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """``env/<name>``: what the environment counted (tool calls, illegal moves) in an episode, on average."""
    sums: dict[str, float] = {}
    for trajectory in trajectories:
        for name, value in trajectory.episode.metrics.items():
            sums[name] = sums.get(name, 0.0) + value
    return {f"env/{name}": value / len(trajectories) for name, value in sorted(sums.items())}


def _term_metrics(groups: Sequence[Group]) -> dict[str, float]:
    """``rewards/<term>/mean`` of every term of the reward design."""
    columns: dict[str, list[float]] = {}
    for group in groups:
        for reward in group.rewards:
            for name, value in reward.terms.items():
                columns.setdefault(f"rewards/{name}/mean", []).append(value)
    known = {name: [v for v in values if not math.isnan(v)] for name, values in columns.items()}
    return {name: sum(values) / (len(values) or math.nan) for name, values in known.items()}
