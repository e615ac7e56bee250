"""RaySampler: the trainer's sampler, where workers on a Ray cluster play and run ahead of the learner.

The rollouts of step ``s`` are asked for as soon as the weights of version ``s - 1 - staleness`` are there (version
``v`` is the policy after ``v`` steps), and so are being made while the learner does the ``staleness`` steps between.
Which version plays which tasks with which random streams does not depend on how fast anybody is. So a run with
rollouts ahead is as reproducible as one without, nobody is ever more than ``staleness`` versions behind, and a
checkpoint needs to hold no rollout: only the tasks that are out, and the weights that play them.

With ``staleness: 0`` and one worker the numbers are those of a run in one process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.distributed.fleet import Fleet, Work
from rlvr_gym.agents.distributed.weights import pack
from rlvr_gym.agents.groups import Group, Sampler
from rlvr_gym.agents.play import Trajectory
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.tasks import TaskFeed
from rlvr_gym.env import EnvSettings
from rlvr_gym.task import Task

__all__ = ["RaySampler"]


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Work that is out for a step to come."""

    step: int
    work: Work


class RaySampler(Sampler):
    """Samples on the workers of ``config.ray``; otherwise as :class:`~rlvr_gym.agents.groups.Sampler`.

    Args:
        engine: holds the learner's policy, whose weights are handed out; it does not sample here.
        settings: the environment and the reward design, which scores here.
        feed: the training tasks.
        config: the run's configuration, with a section ``ray``.
        say: is told of lost workers.
    """

    def __init__(
        self,
        engine: RolloutEngine,
        settings: EnvSettings,
        feed: TaskFeed,
        config: TrainConfig,
        *,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(engine, settings, feed, config)
        assert config.ray is not None
        self._staleness = config.ray.staleness
        self._fleet = Fleet(config.ray, config.to_dict(), config.sampling.group_size, say)
        self._ahead: deque[_Ahead] = deque()
        self._behind = 0

    def sample(self, step: int = 0) -> tuple[list[Group], list[Group]]:
        """As the base class; and sends the work of later steps out, as far as staleness allows."""
        self._fleet.publish(step - 1, pack(self.engine.policy), {ahead.work.version for ahead in self._ahead})
        issued = self._ahead[-1].step if self._ahead else step - 1
        for later in range(issued + 1, min(step + self._staleness, self.config.steps) + 1):
            work = self._begin(step - 1, *self._draw(self.config.sampling.prompts_per_step))
            self._ahead.append(_Ahead(later, work))
        return super().sample(step)

    def _attempts(self, prompts: int, step: int) -> list[list[Trajectory]]:
        """What was sent out for this step; further rounds (dynamic sampling) are played by the newest weights."""
        if self._ahead and self._ahead[0].step == step:
            work = self._ahead.popleft().work
            self._behind = step - 1 - work.version
        else:
            work = self._begin(step - 1, *self._draw(prompts))
        return self._fleet.collect(work)

    def _begin(self, version: int, tasks: list[Task], first_row: int) -> Work:
        work = Work(version, tasks, first_row)
        self._fleet.begin(work)
        return work

    def metrics(self) -> dict[str, float]:
        """``staleness``: how many versions behind the weights were that played the last step's first round."""
        return {"staleness": float(self._behind)}

    def state_dict(self) -> dict[str, Any]:
        """The work that is out, and the weights that play it."""
        out = [
            {
                "step": ahead.step,
                "version": ahead.work.version,
                "first_row": ahead.work.first_row,
                "tasks": [task.to_dict() for task in ahead.work.tasks],
            }
            for ahead in self._ahead
        ]
        versions = {ahead.work.version for ahead in self._ahead}
        weights = {
            version: {n: torch.from_numpy(data.copy()) for n, data in self._fleet.weights(version).items()}
            for version in sorted(versions)
        }
        return {"ahead": out, "weights": weights}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Sends the same work out again."""
        known = {row["version"] for row in saved.get("ahead", ())}
        for version, weights in saved.get("weights", {}).items():
            self._fleet.publish(version, {name: data.numpy() for name, data in weights.items()}, known)
        for row in saved.get("ahead", ()):
            tasks = [Task.from_dict(task) for task in row["tasks"]]
            self._ahead.append(_Ahead(row["step"], self._begin(row["version"], tasks, row["first_row"])))

    def close(self) -> None:
        """Ends the workers."""
        self._fleet.close()
