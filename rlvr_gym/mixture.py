"""Mixtures: one stream of tasks out of several, by weights that may change as the stream goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from rlvr_gym.errors import ConfigError
from rlvr_gym.task import Task, TaskSource, task_rng

__all__ = ["MixtureSource", "Schedule", "part_seed", "weights_at"]

_PART_STREAM = 2**32 - 1
"""The index of a mixture's stream that the seeds of its parts are drawn at; no task is there."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A weight that follows the step: linear between points, constant before the first and after the last.

    Attributes:
        points: ``(step, weight)``, steps rising; a single point is a constant.
    """

    points: tuple[tuple[float, float], ...]

    @classmethod
    def parse(cls, spec: Any) -> Schedule:
        """A schedule out of a number, or of pairs ``[[step, weight], ...]``.

        Raises:
            ConfigError: if it is neither, a weight is negative, or steps do not rise.
        """
        given = spec if isinstance(spec, list | tuple) else [(0, spec)]
        form = "A weight is a number from 0, or pairs [[step, weight], ...] with rising steps"
        try:
            points = tuple((_number(step), _number(weight)) for step, weight in given)
        except (TypeError, ValueError):
            raise ConfigError(f"{form}; got {spec!r}.") from None
        rising = all(a[0] < b[0] for a, b in pairwise(points))
        if not points or not rising or any(step < 0 or weight < 0 for step, weight in points):
            raise ConfigError(f"{form}; got {spec!r}.")
        return cls(points)

    def __call__(self, step: float) -> float:
        """The weight at ``step``."""
        steps, weights = zip(*self.points, strict=True)
        return float(np.interp(step, steps, weights))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def weights_at(schedules: Sequence[Schedule], step: float) -> list[float]:
    """The share of each part at ``step``; they add up to 1.

    Raises:
        ConfigError: if all weights are 0 there.
    """
    weights = [schedule(step) for schedule in schedules]
    total = sum(weights)
    if total <= 0:
        raise ConfigError(f"At step {step:g} all weights of the mixture are 0; one has to be more.")
    return [weight / total for weight in weights]


def part_seed(seed: int, part: int) -> int:
    """The seed of a part's own stream: parts of one mixture share nothing, nor do neighbouring mixtures."""
    return int(task_rng(seed, _PART_STREAM).integers(2**32, size=part + 1)[part])


class MixtureSource(TaskSource):
    """Several sources as one endless stream.

    Task ``index`` is task ``index`` of the part that is drawn for it, so that it is a pure function of ``(seed,
    index)`` and reached without the ones before it. Of a finite part (of ``n`` tasks) it is task ``index % n``: no
    task of it comes twice within ``n`` tasks of the mixture, and in the long run all come equally often.

    Args:
        names: of the parts, all different; they are put before the ids, and into ``metadata["part"]``.
        sources: one a part, each under a seed of its own (:func:`part_seed`).
        schedules: one a part.
        seed: of the draws.
        tasks_per_step: tasks that make one step of the schedules.

    Raises:
        ConfigError: if there is no part, the lengths differ, or all weights are 0 at some step.
    """

    def __init__(
        self,
        names: Sequence[str],
        sources: Sequence[TaskSource],
        schedules: Sequence[Schedule],
        seed: int,
        tasks_per_step: int = 1,
    ) -> None:
        if not names or not len(names) == len(sources) == len(schedules):
            raise ConfigError(
                f"A mixture needs as many names ({len(names)}) as sources ({len(sources)}) and schedules "
                f"({len(schedules)}), and at least one."
            )
        if len(set(names)) < len(names):
            raise ConfigError(f"The parts of a mixture need different names; got {', '.join(names)}.")
        if tasks_per_step < 1:
            raise ConfigError(f"tasks_per_step is at least 1; got {tasks_per_step}.")
        task_rng(seed, 0)  # a bad seed is told here
        self.names, self.sources, self.schedules = tuple(names), tuple(sources), tuple(schedules)
        self._seed, self._tasks_per_step = seed, tasks_per_step
        # weights are linear and never negative between points: if they add up to 0 anywhere, then at a point
        for step in {0.0, *(step for schedule in schedules for step, _ in schedule.points)}:
            weights_at(schedules, step)

    def part_of(self, index: int) -> int:
        """The number of the part that task ``index`` is of."""
        shares = weights_at(self.schedules, index // self._tasks_per_step)
        drawn = float(task_rng(self._seed, index).random())
        edges = np.cumsum(shares)
        # rounding may leave the last edge a hair below 1; a part without weight is never the answer
        part = int(np.searchsorted(edges, drawn, side="right"))
        return part if part < len(shares) else int(np.flatnonzero(shares)[-1])

    def __getitem__(self, index: int) -> Task:
        part = self.part_of(index)
        source = self.sources[part]
        return self.mark(source[index if source.length is None else index % source.length], part)

    def mark(self, task: Task, part: int) -> Task:
        """A task of a part as one of the mixture."""
        name = self.names[part]
        return replace(task, id=f"{name}/{task.id}", metadata={**task.metadata, "part": name})
