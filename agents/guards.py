"""What stops a run that has gone wrong."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from rlvr_gym.agents.config import GuardConfig
from rlvr_gym.errors import RLVRError

__all__ = ["Alarms", "CollapseGuard", "OutOfMemory", "TrainingError", "memory_advice"]


class TrainingError(RLVRError):
    """Training cannot go on: the numbers are no longer finite, or the policy has collapsed."""


class OutOfMemory(TrainingError):
    """A device is too small; other processes may know nothing of it."""


class CollapseGuard:
    """Notices that a policy which could do something no longer can.

    A run has collapsed if accuracy, as a mean over ``window`` steps, is below ``fraction`` of the best such mean
    so far, and that best was at least ``floor``.

    Args:
        window: steps in each mean.
        fraction: of the best mean.
        floor: below this a run has nothing to lose.
    """

    def __init__(self, window: int = 8, fraction: float = 0.3, floor: float = 0.1) -> None:
        self.window, self.fraction, self.floor = window, fraction, floor
        self.recent: deque[float] = deque(maxlen=window)
        self.best = 0.0

    def check(self, accuracy: float, lr: float) -> None:
        """Takes the accuracy of one step in; nan (nothing could be verified) says nothing.

        Raises:
            TrainingError: if the run has collapsed.
        """
        if math.isnan(accuracy):
            return
        self.recent.append(accuracy)
        if len(self.recent) < self.window:
            return
        mean = sum(self.recent) / self.window
        self.best = max(self.best, mean)
        if self.best >= self.floor and mean < self.fraction * self.best:
            raise TrainingError(
                f"The policy has collapsed: accuracy was {self.best:.2f} and is {mean:.2f} over the last "
                f"{self.window} steps. Lower optimiser.lr (now {lr:g}), or set algorithm.beta above 0"
            )

    def state_dict(self) -> dict[str, object]:
        """For a checkpoint."""
        return {"recent": list(self.recent), "best": self.best}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """The inverse of :meth:`state_dict`."""
        recent, best = state["recent"], state["best"]
        assert isinstance(recent, list)
        assert isinstance(best, float)
        self.recent = deque(recent, maxlen=self.window)
        self.best = best


class Alarms:
    """Watches the KL and the entropy: an alarm is raised when one has been out of bounds for some steps in a row.

    It is raised once, and again only after the number has been back within its bounds.

    Args:
        config: bounds and steps.
    """

    def __init__(self, config: GuardConfig) -> None:
        self.config = config
        self.streaks: dict[str, int] = {}

    def check(self, metrics: Mapping[str, float]) -> list[str]:
        """Takes the metrics of one step in; returns a sentence for each alarm that begins with it.

        Raises:
            TrainingError: in their place, if alarms are to stop the run.
        """
        config, raised = self.config, []
        for name, bound, above, advice in (
            ("kl", config.kl_above, True, "Lower optimiser.lr or algorithm.epochs, or raise algorithm.beta"),
            (
                "entropy",
                config.entropy_below,
                False,
                "Raise algorithm.eps_high (clip-higher) or sampling.temperature, or set algorithm.entropy_coef",
            ),
            ("entropy", config.entropy_above, True, "Lower algorithm.entropy_coef or optimiser.lr"),
        ):
            if bound is None or name not in metrics:
                continue
            out = metrics[name] > bound if above else metrics[name] < bound
            key = f"{name} {'above' if above else 'below'}"
            self.streaks[key] = self.streaks.get(key, 0) + 1 if out else 0
            if self.streaks[key] == config.steps:
                raised.append(
                    f"The {name} has been {'above' if above else 'below'} {bound:g} for {config.steps} steps "
                    f"(now {metrics[name]:.3g}). {advice}"
                )
        if raised and config.stop:
            raise TrainingError(". ".join(raised))
        return raised

    def state_dict(self) -> dict[str, int]:
        """For a checkpoint."""
        return dict(self.streaks)

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.streaks = dict(state)


@contextmanager
def memory_advice(doing: str, advice: str) -> Iterator[None]:
    """Turns running out of memory into an :class:`OutOfMemory` that says what to lower.

    Args:
        doing: what is being done inside.
        advice: which settings need less memory.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        told = "DefaultCPUAllocator" in str(error)  # on the CPU torch raises a plain RuntimeError
        if not told and not isinstance(error, torch.OutOfMemoryError | MemoryError):
            raise
        raise OutOfMemory(f"Memory ran out while {doing}. {advice}") from error
