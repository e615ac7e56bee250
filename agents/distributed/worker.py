"""A rollout worker: a copy of the policy, a rollout engine and the environment, in a Ray actor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.distributed.weights import Packed, unpack
from rlvr_gym.agents.groups import play_tasks
from rlvr_gym.agents.play import Trajectory
from rlvr_gym.agents.rollout import make_engine
from rlvr_gym.agents.run import make_policy
from rlvr_gym.agents.tasks import make_settings
from rlvr_gym.task import Task

__all__ = ["RolloutWorker"]


class RolloutWorker:
    """Plays tasks with the weights that it is given. It keeps nothing from one call to the next but those.

    Args:
        config: of the run, as plain data.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = TrainConfig.parse(config)
        if self._config.threads is not None:
            torch.set_num_threads(self._config.threads)
        self._settings = make_settings(self._config)
        self._policy = make_policy(self._config, self._settings)
        sampling = self._config.sampling
        self._engine = make_engine(
            sampling.engine,
            self._policy,
            sampling.max_rows,
            dtype=self._policy.autocast,
            compile=sampling.compile,
        )
        self._version: int | None = None

    def ready(self) -> None:
        """Returns once the policy is there."""

    def play(
        self, version: int, weights: Packed, tasks: Sequence[Task], first_row: int
    ) -> list[list[Trajectory]]:
        """The attempts at each task, verified.

        Args:
            version: of the weights; the same ones are not written twice.
            weights: what the learner packed.
            tasks: what is attempted.
            first_row: of the random streams (see :func:`rlvr_gym.agents.groups.play_tasks`).
        """
        if version != self._version:
            unpack(self._policy, weights)
            self._version = version
        attempts = play_tasks(self._engine, self._settings, self._config, tasks, first_row)
        for group in attempts:
            for trajectory in group:
                trajectory.episode.state = None  # of the environment: nobody asks for it after the end
        return attempts

    def stop(self) -> None:
        """Ends the processes of the executor."""
        self._settings.close()
