"""What executors with worker processes share: the call, its batch, and the threads that work through the batches."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import threading
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from rlvr_gym.errors import ConfigError, describe
from rlvr_gym.executor.base import Executor, Outcome
from rlvr_gym.executor.wire import dumps

__all__ = ["Batch", "Pool", "PoolExecutor", "check_count", "unpickled"]


@dataclass(eq=False, slots=True)
class Batch:
    """One call of :meth:`PoolExecutor.map`; changed only under the pool's lock.

    Attributes:
        function: pickled.
        items: what it is to be called with.
        timeout: seconds for each item; None for no limit.
        outcomes: of the items that are done, by their places.
        done: set once all are, or once the pool is closed.
    """

    function: bytes
    items: list[Any]
    timeout: float | None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)

    def finish(self, outcomes: dict[int, Outcome]) -> None:
        """Takes outcomes in; the first of an item counts."""
        for number, outcome in outcomes.items():
            self.outcomes.setdefault(number, outcome)
        if len(self.outcomes) == len(self.items):
            self.done.set()


B = TypeVar("B", bound=Batch)
T = TypeVar("T", bound=threading.Thread)


class Pool(ABC, Generic[B, T]):
    """Threads that each own a worker, and the batches that they take items from in turn."""

    def __init__(self, most_threads: int) -> None:
        self.closed = False
        self._most_threads = most_threads
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._threads: list[T] = []
        self._batches: deque[B] = deque()

    @abstractmethod
    def batch(self, function: bytes, items: list[Any], timeout: float | None) -> B:
        """A batch of this pool's kind."""

    @abstractmethod
    def thread(self) -> T:
        """A thread that works until the pool is closed."""

    @abstractmethod
    def kill_workers(self, batch: B | None) -> None:
        """Kills the workers that are busy with a batch, or, for None, all of them."""

    def admit(self, batch: B) -> None:
        """What a pool has to do with a batch before its first item is taken; under the lock."""

    def is_orphaned(self) -> bool:
        """Whether the workers are out of reach and will end without us, so that there is nobody to kill or wait for."""
        return False

    def run(self, batch: B) -> list[Outcome]:
        """Waits for all outcomes of a batch."""
        if os.getpid() != self._pid:
            raise ConfigError("This executor belongs to the process before the fork; make a new one here.")
        with self._changed:
            if self.closed:
                raise ConfigError("This executor is closed; make a new one.")
            if not batch.items:
                return []
            self.admit(batch)
            self._batches.append(batch)
            waiting = sum(len(b.items) - len(b.outcomes) for b in self._batches)
            while len(self._threads) < min(self._most_threads, waiting):
                self._threads.append(self.thread())
                self._threads[-1].start()
            self._changed.notify_all()
        try:
            batch.done.wait()
        finally:
            self._withdraw(batch)
        if len(batch.outcomes) < len(batch.items):
            raise ConfigError("This executor was closed before the work was done.")
        return [batch.outcomes[i] for i in range(len(batch.items))]

    def _withdraw(self, batch: B) -> None:
        """Forgets a batch; what still works for it (after an interrupt) is killed."""
        with self._changed, contextlib.suppress(ValueError):
            self._batches.remove(batch)
        self.kill_workers(batch)

    def close(self) -> None:
        """Kills and waits; in a forked child it does nothing, for the workers are not its own."""
        if os.getpid() != self._pid:
            return
        with self._changed:
            self.closed = True
            for batch in self._batches:
                batch.done.set()
            self._changed.notify_all()
        if self.is_orphaned():
            return
        self.kill_workers(None)
        if threading.current_thread() not in self._threads:  # the garbage collector may run anywhere
            for thread in self._threads:
                thread.join()


class PoolExecutor(Executor):
    """An executor whose work a :class:`Pool` does.

    Args:
        pool: its own; closed with the executor, when that is collected, and when the interpreter exits.
    """

    def __init__(self, pool: Pool[Any, Any]) -> None:
        self._pool = pool
        self._close = weakref.finalize(self, pool.close)

    def map(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, timeout: float | None = None
    ) -> list[Outcome]:
        """One outcome an item, in order. An interrupt (Ctrl-C) kills the items that run, and passes on.

        Raises:
            ConfigError: if the executor is closed or belongs to another process, or the function cannot be sent.
        """
        if timeout is not None and not (timeout > 0 and math.isfinite(timeout)):
            raise ConfigError(f"timeout is None or a positive number of seconds; got {timeout!r}.")
        try:
            pickled = dumps(function)
        except Exception as error:
            raise ConfigError(
                f"{function!r} cannot be sent to a worker process ({describe(error)}); "
                "it must not hold open files, locks, generators or the like."
            ) from error
        return self._pool.run(self._pool.batch(pickled, list(items), timeout))

    def close(self) -> None:
        """Kills the workers and waits until they are gone; may be called again."""
        self._close()


def check_count(name: str, value: int) -> None:
    """Raises ConfigError if a setting is not a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name} is a whole number of at least 1; got {value!r}.")


def unpickled(value: bytes | bytearray, seconds: float) -> Outcome:
    """The outcome of an item that worked, from its pickled result."""
    try:
        return Outcome(pickle.loads(value), seconds=seconds)
    except Exception as error:
        return Outcome(None, "raised", f"The result cannot be unpickled: {describe(error)}", seconds)
