"""Executors run a function over many items; what hangs is killed, what dies is reported, order is kept."""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

from rlvr_gym.errors import UnknownNameError, describe

__all__ = ["Executor", "InlineExecutor", "Outcome", "make_executor"]

Failure = Literal["timeout", "crashed", "raised"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item.

    Attributes:
        value: what the function returned; None if it failed.
        failure: ``"timeout"`` (killed), ``"crashed"`` (its worker died) or ``"raised"``; None if it worked.
        message: about the failure.
        seconds: how long it ran.
    """

    value: Any = None
    failure: Failure | None = None
    message: str = ""
    seconds: float = 0.0


class Executor(ABC):
    """Maps a function over items. May be used from several threads; a context manager that closes itself."""

    @abstractmethod
    def map(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, timeout: float | None = None
    ) -> list[Outcome]:
        """One outcome an item, in order. Failures are outcomes; this raises only for misuse.

        Args:
            function: called with one item.
            items: the items.
            timeout: seconds for each item; an item over it is killed where the executor can.
        """

    def close(self) -> None:  # noqa: B027 - an executor that holds nothing has nothing to free
        """Frees what is held; afterwards no process of this executor is left."""

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class InlineExecutor(Executor):
    """Runs everything here and now. It cannot kill: for functions that are bounded by construction."""

    def map(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, timeout: float | None = None
    ) -> list[Outcome]:
        """One outcome an item; ``timeout`` is not enforced."""
        return [self._run(function, item) for item in items]

    @staticmethod
    def _run(function: Callable[[Any], Any], item: Any) -> Outcome:
        start = time.perf_counter()
        try:
            value = function(item)
        except Exception as error:
            return Outcome(None, "raised", describe(error), time.perf_counter() - start)
        return Outcome(value, seconds=time.perf_counter() - start)


def make_executor(name: str, **settings: Any) -> Executor:
    """The executor of this name: ``inline``, ``process`` or ``ray``.

    Where Ray is not installed, ``ray`` is ``inline`` with a warning.

    Raises:
        UnknownNameError: if there is none.
    """
    if name == "inline":
        return InlineExecutor()
    if name == "process":
        from rlvr_gym.executor.process import ProcessExecutor

        return ProcessExecutor(**settings)
    if name == "ray":
        return _make_ray_executor(settings)
    raise UnknownNameError("executor", name, ["inline", "process", "ray"])


def _make_ray_executor(settings: dict[str, Any]) -> Executor:
    from rlvr_gym.cluster import ray_is_installed

    if not ray_is_installed():
        warnings.warn(
            "Ray is not installed, so work runs in this process, where what hangs is not killed; "
            "pip install 'rlvr-gym[ray]', or choose the executor 'process'.",
            RuntimeWarning,
            stacklevel=3,
        )
        return InlineExecutor()
    from rlvr_gym.executor.ray import RayExecutor

    return RayExecutor(**settings)
