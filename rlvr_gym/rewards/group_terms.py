"""Reward terms that say how a prompt as a whole went: for phases that train on some prompts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlvr_gym.errors import ConfigError
from rlvr_gym.rewards.term import GroupTerm, register_term
from rlvr_gym.rollout import Rollout

__all__ = ["SolveRate", "SometimesSolved"]


def _rate(group: Sequence[Rollout]) -> float:
    return sum(rollout.verdict.correct for rollout in group) / len(group) if group else 0.0


@register_term("solve_rate")
@dataclass(frozen=True)
class SolveRate(GroupTerm):
    """The share of the group that is right, the same for all of it; as a metric, or in a gate."""

    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """In [0, 1]."""
        return [_rate(group)] * len(group)


@register_term("sometimes_solved")
@dataclass(frozen=True)
class SometimesSolved(GroupTerm):
    """1 for every rollout of a prompt that is solved at a rate in ``(above, up_to]``, else 0.

    The condition of the second phase of concise RL (2504.05185): only prompts that are solved at least now and then
    teach to be short; those that never are make a policy longer. As the ``if`` of a gate.

    Attributes:
        above: the rate is more than this.
        up_to: and at most this; below 1 to leave out what is always solved.
    """

    above: float = 0.0
    up_to: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.above < self.up_to <= 1:
            raise ConfigError(
                f"sometimes_solved needs 0 <= above < up_to <= 1; got above {self.above} and up_to {self.up_to}."
            )

    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """The indicator."""
        return [float(self.above < _rate(group) <= self.up_to)] * len(group)
