"""Where a run's tasks come from: held-out ones first, and a training stream that never meets them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.task import Task

__all__ = ["TaskFeed", "held_out_tasks", "make_settings", "task_key"]

_MAX_SKIPS = 10_000


def make_settings(config: TrainConfig, *, held_out: bool = False) -> EnvSettings:
    """The environment of a run, or the held-out variant of it (``eval.settings`` laid over)."""
    env = config.env
    return EnvSettings(
        env.id,
        reward=config.reward,
        observation="text",
        system_prompt=env.system_prompt,
        max_turns=env.max_turns,
        executor=env.executor,
        verify_timeout=env.verify_timeout,
        problem_settings={**env.settings, **(config.eval.settings if held_out else {})},
    )


def task_key(problem: Problem, task: Task) -> str:
    """What makes two tasks the same: the prompt, and in a dialogue, which may hide what it is about, the answer."""
    hidden = task.answer if isinstance(problem.owner(task), Dialogue) else None
    return json.dumps([task.prompt, hidden], sort_keys=True)


def held_out_tasks(settings: EnvSettings, seed: int, count: int) -> list[Task]:
    """The first ``count`` tasks of the stream ``seed`` that differ from each other.

    A finite source may hold fewer, and an environment of few tasks may have fewer: then those.
    """
    source = settings.problem.source(seed)
    chosen: dict[str, Task] = {}
    limit = count + _MAX_SKIPS if source.length is None else source.length
    for index in range(limit):
        if len(chosen) == count:
            break
        task = source[index]
        chosen.setdefault(task_key(settings.problem, task), task)
    return list(chosen.values())


class TaskFeed:
    """The training tasks in order, without those that are held out. Its state is :attr:`cursor`.

    Args:
        problem: what the tasks are of.
        seed: of the training stream; a finite one begins anew at its end.
        held_out: tasks that are skipped.
        cursor: where to begin.
    """

    def __init__(self, problem: Problem, seed: int, held_out: Iterable[Task] = (), cursor: int = 0) -> None:
        self._problem = problem
        self._source = problem.source(seed)
        self._held_out = frozenset(task_key(problem, task) for task in held_out)
        self.cursor = cursor

    def next(self) -> Task:
        """The next training task.

        Raises:
            ConfigError: if there is none, because every task is held out.
        """
        length = self._source.length
        for _ in range(_MAX_SKIPS if length is None else length):
            task = self._source[self.cursor if length is None else self.cursor % length]
            self.cursor += 1
            if task_key(self._problem, task) not in self._held_out:
                return task
        raise ConfigError(
            "Every task of the training stream is among the held-out ones; lower eval.tasks, or choose an "
            "environment setting with more tasks (a higher difficulty, more terms)."
        )

    def take(self, count: int) -> list[Task]:
        """The next ``count`` training tasks."""
        return [self.next() for _ in range(count)]
