"""Evaluation on tasks: pass@1 with a 95 % interval, unbiased pass@k, and what reward designs say of the same rollouts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rlvr_gym.agents.play import Trajectory, play
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.env import EnvSettings
from rlvr_gym.rewards import RewardDesign
from rlvr_gym.stats import mean_pass_at_k, pass_at_1
from rlvr_gym.task import Task

__all__ = ["Evaluation", "evaluate", "lengths_by_outcome", "summarise"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a policy does on some tasks.

    Attributes:
        tasks: tasks with at least one valid verdict.
        samples: completions of each.
        pass_at: k to unbiased pass@k, for 1 and the powers of two up to ``samples``.
        low: lower end of the 95 % interval of pass@1.
        high: upper end.
        mean_length: tokens of a completion.
        invalid: completions whose verification failed; they are in no statistic.
        extra: more means, by the keys that they are logged under: ``mean_length_right``, ``mean_length_wrong``,
            ``entropy``, and ``rewards/<name>`` of each reward design that was asked for.
    """

    tasks: int
    samples: int
    pass_at: dict[int, float]
    low: float
    high: float
    mean_length: float
    invalid: int = 0
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def pass_at_1(self) -> float:
        """The mean over tasks of the share of right completions."""
        return self.pass_at[1]

    def to_dict(self) -> dict[str, Any]:
        """A flat JSON row, with keys such as ``pass@1``."""
        return {
            "tasks": self.tasks,
            "samples": self.samples,
            **{f"pass@{k}": value for k, value in self.pass_at.items()},
            "low": self.low,
            "high": self.high,
            "mean_length": self.mean_length,
            "invalid": self.invalid,
            **self.extra,
        }

    def __str__(self) -> str:
        return f"{self.pass_at_1:.3f} [{self.low:.3f}, {self.high:.3f}] on {self.tasks} tasks"


def summarise(
    counts: Sequence[tuple[int, int]], samples: int, mean_length: float, invalid: int = 0
) -> Evaluation:
    """An evaluation out of ``(right, valid)`` completions of each task.

    The interval knows that completions of one task are not independent (:func:`rlvr_gym.stats.pass_at_1`); it is
    (0, 1) if there is nothing to judge.
    """
    judged = [(valid, right) for right, valid in counts if valid > 0]
    ks = [2**i for i in range(samples.bit_length())]
    if not judged:
        return Evaluation(0, samples, dict.fromkeys(ks, 0.0), 0.0, 1.0, mean_length, invalid)
    first = pass_at_1(judged)
    pass_at = {k: mean_pass_at_k(judged, k) for k in ks}
    return Evaluation(len(judged), samples, pass_at, first.low, first.high, mean_length, invalid)


def evaluate(
    engine: RolloutEngine,
    settings: EnvSettings,
    tasks: Sequence[Task],
    params: SamplingParams,
    *,
    seed: int,
    samples: int = 1,
    designs: Mapping[str, RewardDesign] | None = None,
) -> Evaluation:
    """Plays every task ``samples`` times and counts what is right.

    Args:
        engine: samples completions.
        settings: the environment.
        tasks: what to solve.
        params: how to sample.
        seed: of the random streams; the same seed gives the same completions.
        samples: completions of each task.
        designs: rewards that are computed of the same completions and only reported; the ``samples`` completions of
            a task are their group.
    """
    episodes = [settings.begin(task) for task in tasks for _ in range(samples)]
    trajectories = play(
        engine,
        episodes,
        params,
        settings.verifier,
        seed=seed,
        executor=settings.executor,
        timeout=settings.verify_timeout,
    )
    counts = []
    for first in range(0, len(trajectories), samples):
        verdicts = [t.verdict for t in trajectories[first : first + samples] if t.verdict.valid]
        counts.append((sum(v.correct for v in verdicts), len(verdicts)))
    mean_length = sum(t.num_tokens for t in trajectories) / max(len(trajectories), 1)
    invalid = len(trajectories) - sum(n for _, n in counts)
    found = summarise(counts, samples, mean_length, invalid)
    groups = [trajectories[i : i + samples] for i in range(0, len(trajectories), samples)]
    tokens = sum(t.num_tokens for t in trajectories)
    return replace(
        found,
        extra={
            **lengths_by_outcome(trajectories),
            "entropy": -sum(map(sum, (t.logprobs for t in trajectories))) / max(tokens, 1),
            **_mean_rewards(groups, designs or {}),
        },
    )


def lengths_by_outcome(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """``mean_length_right`` and ``mean_length_wrong``, in tokens; a mean of nothing is left out."""
    lengths: dict[str, list[int]] = {"mean_length_right": [], "mean_length_wrong": []}
    for trajectory in trajectories:
        if trajectory.verdict.valid:
            name = "mean_length_right" if trajectory.verdict.correct else "mean_length_wrong"
            lengths[name].append(trajectory.num_tokens)
    return {name: sum(values) / len(values) for name, values in lengths.items() if values}


def _mean_rewards(
    groups: Sequence[Sequence[Trajectory]], designs: Mapping[str, RewardDesign]
) -> dict[str, float]:
    """``rewards/<name>``: the mean of each design over all completions that could be verified."""
    found = {}
    for name, design in designs.items():
        totals = [reward.total for group in groups for reward in design([t.rollout() for t in group])]
        judged = [total for total in totals if not math.isnan(total)]
        if judged:
            found[f"rewards/{name}"] = sum(judged) / len(judged)
    return found
