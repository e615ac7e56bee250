"""Where a run's tasks come from: held-out ones first, and a training stream that never meets them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.curriculum import Curriculum, CurriculumSettings, LevelledSource
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict

__all__ = ["TaskFeed", "held_out_tasks", "make_settings", "preview_levels", "task_key"]

_MAX_SKIPS = 10_000
_PREVIEWED = 8


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
    try:
        owner = problem.owner(task)
    except DataError:  # held out by settings under which a mixture has other parts
        owner = problem
    hidden = task.answer if isinstance(owner, Dialogue) else None
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


def preview_levels(problem: Problem, seed: int) -> list[Task]:
    """The first tasks of every level that a curriculum may go to."""
    source, bounds = LevelledSource(problem, seed), Curriculum.of(problem).bounds
    levels = range(min(low for low, _ in bounds.values()), max(high for _, high in bounds.values()) + 1)
    curricula = [Curriculum(bounds, dict.fromkeys(bounds, float(level))) for level in levels]
    return [source.draw(i, curriculum) for curriculum in curricula for i in range(_PREVIEWED)]


class TaskFeed:
    """The training tasks in order, without those that are held out, or solved.

    Its state is :attr:`cursor` and, if there is one, that of :attr:`curriculum`, which then chooses the difficulty of
    each task and hears of each outcome by :meth:`observe`.

    Args:
        problem: what the tasks are of.
        seed: of the training stream; a finite one begins anew at its end.
        held_out: tasks that are skipped.
        cursor: where to begin.
        curriculum: how difficulties move; None for those of the problem's settings.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        held_out: Iterable[Task] = (),
        cursor: int = 0,
        curriculum: CurriculumSettings | None = None,
    ) -> None:
        self._problem = problem
        self._levelled = LevelledSource(problem, seed)
        self._source = self._levelled.source
        self._held_out = frozenset(task_key(problem, task) for task in held_out)
        self.cursor = cursor
        self.curriculum = None if curriculum is None else Curriculum.of(problem, curriculum)

    def next(self) -> Task:
        """The next training task. Solved ones come again when nothing else is left.

        Raises:
            ConfigError: if there is none, because every task is held out.
        """
        length = self._source.length
        for _ in range(_MAX_SKIPS if length is None else length):
            task = self._draw(self.cursor)
            self.cursor += 1
            key = task_key(self._problem, task)
            if key not in self._held_out and not self._is_retired(key):
                return task
        if self.curriculum is not None and self.curriculum.retired:
            self.curriculum.recall()
            return self.next()
        raise ConfigError(
            "Every task of the training stream is among the held-out ones; lower eval.tasks, or choose an "
            "environment setting with more tasks (a higher difficulty, more terms)."
        )

    def _draw(self, index: int) -> Task:
        if self.curriculum is not None:
            return self._levelled.draw(index, self.curriculum)
        length = self._source.length
        return self._source[index if length is None else index % length]

    def _is_retired(self, key: str) -> bool:
        return self.curriculum is not None and self.curriculum.is_retired(_digest(key))

    def take(self, count: int) -> list[Task]:
        """The next ``count`` training tasks."""
        return [self.next() for _ in range(count)]

    def observe(self, task: Task, verdicts: Sequence[Verdict]) -> None:
        """Tells the curriculum, if there is one, how the attempts at a task went; invalid verdicts say nothing."""
        if self.curriculum is None:
            return
        part = self._levelled.part_of(task)
        prompt = _digest(task_key(self._problem, task)) if self._levelled.is_finite(part) else None
        valid = [verdict.correct for verdict in verdicts if verdict.valid]
        self.curriculum.observe(part, sum(valid), len(valid), prompt)

    def metrics(self) -> dict[str, float]:
        """What the curriculum says of itself; nothing without one."""
        return {} if self.curriculum is None else self.curriculum.metrics()


def _digest(key: str) -> str:
    """A prompt's key in a checkpoint: short, whatever the length of the prompt."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
