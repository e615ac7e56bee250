"""What stops a run that has gone wrong."""

from __future__ import annotations

import math
from collections import deque

from rlvr_gym.errors import RLVRError

__all__ = ["CollapseGuard", "TrainingError"]


class TrainingError(RLVRError):
    """Training cannot go on: the numbers are no longer finite, or the policy has collapsed."""


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
