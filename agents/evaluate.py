"""Evaluation on tasks: pass@1 with a 95 % interval, unbiased pass@k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlvr_gym.agents.play import play
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.env import EnvSettings
from rlvr_gym.stats import mean_pass_at_k, pass_at_1
from rlvr_gym.task import Task

__all__ = ["Evaluation", "evaluate", "summarise"]


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
    """

    tasks: int
    samples: int
    pass_at: dict[int, float]
    low: float
    high: float
    mean_length: float
    invalid: int = 0

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
) -> Evaluation:
    """Plays every task ``samples`` times and counts what is right.

    Args:
        engine: samples completions.
        settings: the environment.
        tasks: what to solve.
        params: how to sample.
        seed: of the random streams; the same seed gives the same completions.
        samples: completions of each task.
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
    return summarise(counts, samples, mean_length, invalid)
