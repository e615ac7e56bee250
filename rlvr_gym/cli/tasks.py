"""A stretch of a problem's tasks, as commands take it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.task import Task, TaskSource

__all__ = ["TaskRange"]


@dataclass(frozen=True, slots=True)
class TaskRange:
    """The tasks ``start`` to ``stop - 1`` of a source; iterates as ``(index, task)``, made when asked for."""

    source: TaskSource
    start: int
    stop: int

    @classmethod
    def of(
        cls, problem: Problem, seed: int, *, start: int = 0, count: int | None = None, endless: int = 1
    ) -> TaskRange:
        """``count`` tasks of the stream ``seed``, fewer where a finite source ends.

        Args:
            problem: whose tasks.
            seed: the stream.
            start: the first index.
            count: how many; None for all that a finite source has.
            endless: how many of an endless source, if ``count`` is None.

        Raises:
            ConfigError: if ``start`` is beyond the end.
        """
        source = problem.source(seed)
        length = source.length
        if length is None:
            return cls(source, start, start + (count or endless))
        if start >= length:
            raise ConfigError(
                f"There are {length} tasks, so an index goes from 0 to {length - 1}; got {start}."
            )
        return cls(source, start, min(length, start + (count or length)))

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[tuple[int, Task]]:
        return ((index, self.source[index]) for index in range(self.start, self.stop))
