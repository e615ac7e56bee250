"""Asking a worker process many things: what hangs is killed, what dies is told, and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from rlvr_gym.audit.probe import OracleGame, Prober, Script, Seen
from rlvr_gym.executor.base import Executor, Outcome
from rlvr_gym.task import Task

__all__ = ["Asked", "Questions", "TimeIsUp"]

_T = TypeVar("_T")
MAX_CHUNK = 32
MAX_CHUNK_CHARS = 4_000_000
PLAY_CALLS = 12
"""An episode may take as long as so many calls; each of its turns is still measured alone."""


class TimeIsUp(Exception):
    """The environment's time is used up, or too many of its calls were lost."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[_T]):
    """A question and what came of it.

    Attributes:
        label: what was asked.
        seen: what came of it; None if the call was lost.
        lost: ``"timeout"``, ``"crashed"`` or ``"raised"`` if it was.
        message: about the loss.
    """

    label: _T
    seen: Seen | None
    lost: str = ""
    message: str = ""


class Questions:
    """The way to one worker.

    Args:
        prober: what runs there.
        executor: runs it, in another process.
        timeout: seconds for one call.
        budget: seconds for all of them.
        lost: so many hanging or dying calls are enough to know; each hanging one costs its whole time.
    """

    def __init__(
        self, prober: Prober, executor: Executor, *, timeout: float, budget: float, lost: int
    ) -> None:
        self._prober, self._executor, self._timeout = prober, executor, timeout
        self._until = time.monotonic() + budget
        self._most_lost = lost
        self.calls = 0
        self.lost = 0

    def one(self, request: Any, timeout: float) -> Outcome:
        """The raw answer to one request."""
        return self._executor.map(self._prober, [request], timeout=timeout)[0]

    def extend(self, seconds: float) -> None:
        """Gives some time on top."""
        self._until = max(self._until, time.monotonic()) + seconds

    def ask(self, task: Task, what: str | Script | OracleGame) -> Seen | None:
        """What came of one text or script; None if the call was lost."""
        return next(self.all([(None, task, what)])).seen

    def all(self, items: Iterable[tuple[_T, Task, str | Script | OracleGame]]) -> Iterator[Asked[_T]]:
        """What came of each, in order; few at a time until it is known that they come back.

        Raises:
            TimeIsUp: when the time is over, or too many calls were lost.
        """
        waiting = iter(items)
        size = 1
        while chunk := list(_light(islice(waiting, size))):
            if time.monotonic() > self._until:
                raise TimeIsUp("its time was used up")
            played = any(not isinstance(what, str) for _, _, what in chunk)
            outcomes = self._executor.map(
                self._prober,
                [(task, what) for _, task, what in chunk],
                timeout=self._timeout * (PLAY_CALLS if played else 1),
            )
            self.calls += len(chunk)
            failures = [o for o in outcomes if o.failure is not None]
            self.lost += sum(o.failure != "raised" for o in failures)
            for (label, _, _), outcome in zip(chunk, outcomes, strict=True):
                yield Asked(label, outcome.value, outcome.failure or "", outcome.message)
            if self.lost >= self._most_lost:
                raise TimeIsUp(f"{self.lost} calls hung or died")
            size = 1 if failures else min(2 * size, MAX_CHUNK)


def _light(items: Iterable[tuple[_T, Task, Any]]) -> Iterator[tuple[_T, Task, Any]]:
    """The first items, as many as do not weigh too much together."""
    chars = 0
    for item in items:
        yield item
        chars += len(item[2]) if isinstance(item[2], str) else 0
        if chars > MAX_CHUNK_CHARS:
            return
