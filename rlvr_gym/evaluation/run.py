"""Runs a model on tasks: episodes side by side, turn by turn, verified a wave at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rlvr_gym.env import EnvSettings
from rlvr_gym.episode import Episode
from rlvr_gym.evaluation.model import Completion, Model, Query
from rlvr_gym.executor import Executor
from rlvr_gym.problem import Problem
from rlvr_gym.rollout import Rollout
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict

__all__ = ["Sample", "evaluate"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished attempt.

    Attributes:
        index: the task's index in its stream.
        sample: the attempt's number among those at this task.
        rollout: the attempt and its verdict; ``num_tokens`` is in the model's unit.
    """

    index: int
    sample: int
    rollout: Rollout

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready row."""
        return {
            "index": self.index,
            "sample": self.sample,
            "task_id": self.rollout.task.id,
            "prompt": self.rollout.task.prompt,
            "completion": self.rollout.completion,
            "length": self.rollout.num_tokens,
            "finished": self.rollout.finished,
            "turns": self.rollout.turns,
            "verdict": self.rollout.verdict.to_dict(),
        }


@dataclass(slots=True)
class _Attempt:
    index: int
    sample: int
    episode: Episode
    length: int = 0
    finished: bool = True

    def take(self, completion: Completion) -> None:
        if completion.error is not None:
            self.episode.conclude(Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=completion.error))
            return
        self.length += completion.length
        self.finished = self.finished and completion.finished
        self.episode.act(completion.text)

    def result(self) -> Sample:
        return Sample(self.index, self.sample, self.episode.rollout(self.length, self.finished))


def evaluate(
    problem: Problem,
    model: Model,
    tasks: Iterable[tuple[int, Task]],
    *,
    samples: int = 1,
    seed: int = 0,
    system_prompt: str = "plain",
    max_turns: int | None = None,
    executor: str | Executor = "inline",
    verify_timeout: float = 10.0,
) -> Iterator[list[Sample]]:
    """Lets ``model`` attempt every task ``samples`` times.

    Args:
        problem: the environment.
        model: who acts.
        tasks: ``(index, task)``.
        samples: attempts at each task.
        seed: of the sampling; each attempt's randomness depends on it, the task's index and its number alone.
        system_prompt: a template's name, or a system prompt.
        max_turns: most actions in an episode; None for the problem's own.
        executor: where verification runs.
        verify_timeout: seconds for one verification, where the executor can enforce it.

    Yields:
        the finished samples of each wave, by task and number.
    """
    settings = EnvSettings(
        problem,
        reward="binary",
        observation="chat",
        system_prompt=system_prompt,
        max_turns=max_turns,
        executor=executor,
        verify_timeout=verify_timeout,
        problem_settings={},
    )
    stream = iter(tasks)
    try:
        while wave := list(islice(stream, max(1, model.wave // samples))):
            attempts = [_Attempt(i, n, settings.begin(task)) for i, task in wave for n in range(samples)]
            _play(attempts, model, seed, settings)
            yield [attempt.result() for attempt in attempts]
    finally:
        settings.close()


def _play(attempts: list[_Attempt], model: Model, seed: int, settings: EnvSettings) -> None:
    """Plays all attempts to their ends, one turn of all of them at a time."""
    while going := [attempt for attempt in attempts if not attempt.episode.done]:
        queries = [
            Query(a.episode.messages, (seed, a.index, a.sample, a.episode.turns), a.episode) for a in going
        ]
        for attempt, completion in zip(going, model.complete(queries), strict=True):
            attempt.take(completion)
        settings.judge([attempt.episode for attempt in going])
