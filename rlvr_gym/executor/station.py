"""What runs in the cluster for a :class:`~rlvr_gym.executor.ray.RayExecutor`, and how values travel there and back."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from rlvr_gym.executor.base import Outcome
from rlvr_gym.executor.pool import unpickled
from rlvr_gym.executor.process import ProcessExecutor
from rlvr_gym.executor.wire import dumps

__all__ = ["Station", "unpacked_outcome"]


class Station:
    """What an actor does. It never unpickles items, results or functions: only its worker, which it can kill, does.

    Args:
        memory_mb: most address space of its worker; None for no limit.
    """

    def __init__(self, memory_mb: int | None) -> None:
        self._executor = ProcessExecutor(1, memory_mb=memory_mb)

    def ready(self) -> None:
        """Returns once the actor runs."""

    def run(self, function: bytes, items: list[bytes], timeout: float | None) -> list[Outcome]:
        """Outcomes whose values are still pickled, for :func:`unpacked_outcome`.

        Args:
            function: pickled.
            items: pickled one by one.
            timeout: seconds for each.
        """
        return self._executor.map(_Parcel(function), items, timeout=timeout)

    def stop(self) -> None:
        """Kills the worker and everything in its process group."""
        self._executor.close()


def unpacked_outcome(outcome: Outcome) -> Outcome:
    """An outcome of :meth:`Station.run` with its value."""
    return outcome if outcome.failure is not None else unpickled(outcome.value, outcome.seconds)


class _Parcel:
    """A pickled function that is unpickled where it is to run, in a :class:`_Call`."""

    def __init__(self, function: bytes) -> None:
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        return _unwrap, (self.function,)

    def __call__(self, item: bytes) -> bytes:
        raise AssertionError("It has become a _Call when it arrives.")


class _Call:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, item: bytes) -> bytes:
        return dumps(self.function(pickle.loads(item)))


def _unwrap(function: bytes) -> _Call:
    return _Call(pickle.loads(function))
