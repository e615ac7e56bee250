"""Reward terms that shape the length of completions, in tokens of the policy."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gym.errors import ConfigError
from rlvr_gym.rewards.term import RewardTerm, register_term
from rlvr_gym.rollout import Rollout

__all__ = ["LCPOExact", "LCPOMax", "SoftOverlong"]


def _target(rollout: Rollout, default: int) -> float:
    """The length that the task's prompt asks for, else the term's own."""
    return float(rollout.task.metadata.get("target_length", default))


@register_term("lcpo_exact")
@dataclass(frozen=True)
class LCPOExact(RewardTerm):
    """``c - alpha |T - n|``: right, and of the length that was asked for (L1, 2503.04697).

    Attributes:
        alpha: what a token too many or too few costs.
        target: T, where the task's metadata has no ``target_length``.
    """

    alpha: float = 3e-4
    target: int = 1024

    def __call__(self, rollout: Rollout) -> float:
        """At most 1, at the target."""
        distance = abs(_target(rollout, self.target) - rollout.num_tokens)
        return float(rollout.verdict.correct) - self.alpha * distance


@register_term("lcpo_max")
@dataclass(frozen=True)
class LCPOMax(RewardTerm):
    """``c clip(alpha (T - n) + delta, 0, 1)``: right, and not much longer than was asked for (L1, 2503.04697).

    Attributes:
        alpha: what a token costs.
        delta: what is left at the target.
        target: T, where the task's metadata has no ``target_length``.
    """

    alpha: float = 3e-4
    delta: float = 0.5
    target: int = 1024

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]; 0 if wrong."""
        share = self.alpha * (_target(rollout, self.target) - rollout.num_tokens) + self.delta
        return float(rollout.verdict.correct) * min(1.0, max(0.0, share))


@register_term("soft_overlong")
@dataclass(frozen=True)
class SoftOverlong(RewardTerm):
    """0 up to ``limit - buffer`` tokens, then linearly down to -1 at ``limit``, and -1 beyond (DAPO, 2503.14476).

    Attributes:
        limit: most tokens of a completion.
        buffer: how long before that the penalty begins.
    """

    limit: int = 20480
    buffer: int = 4096

    def __post_init__(self) -> None:
        if not 0 < self.buffer <= self.limit:
            raise ConfigError(
                f"soft_overlong needs 0 < buffer <= limit; got buffer {self.buffer} and limit {self.limit}."
            )

    def __call__(self, rollout: Rollout) -> float:
        """In [-1, 0]."""
        return max(-1.0, min(0.0, (self.limit - self.buffer - rollout.num_tokens) / self.buffer))
