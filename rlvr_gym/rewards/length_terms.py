"""Reward terms that shape the length of completions, in tokens of the policy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rlvr_gym.errors import ConfigError
from rlvr_gym.extraction import strip_thinking, thinking_of
from rlvr_gym.rewards.term import GroupTerm, RewardTerm, register_term
from rlvr_gym.rollout import Rollout

__all__ = [
    "AnswerLength",
    "CosineLength",
    "KimiLength",
    "LCPOExact",
    "LCPOMax",
    "LCPOMaxCode",
    "SoftOverlong",
    "ThinkingLength",
]


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


@register_term("lcpo_max_code")
@dataclass(frozen=True)
class LCPOMaxCode(RewardTerm):
    """``c (clip((T - n) / scale, -1, 1) + 1) / 2``: LCPO-Max as L1's code has it (``get_delta_score_max``).

    The paper's form with ``alpha = 1 / (2 scale)`` and ``delta = 1/2``: with the code's scale three times as steep.

    Attributes:
        scale: tokens from the target to either end.
        target: T, where the task's metadata has no ``target_length``.
    """

    scale: float = 500.0
    target: int = 1024

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ConfigError(f"lcpo_max_code needs a scale above 0; got {self.scale}.")

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]; 1/2 at the target; 0 if wrong."""
        share = (_target(rollout, self.target) - rollout.num_tokens) / self.scale
        return float(rollout.verdict.correct) * (min(1.0, max(-1.0, share)) + 1) / 2


@register_term("kimi_length")
@dataclass(frozen=True)
class KimiLength(GroupTerm):
    """``lam = 0.5 - (n - min) / (max - min)`` in the group; a wrong completion gets ``min(0, lam)`` (Kimi k1.5).

    2501.12599, sec. 2.3.3: the shortest gets 0.5, the longest -0.5; 0 for all if all are of one length. It stands
    beside correctness, with a weight.
    """

    def evaluate(self, group: Sequence[Rollout]) -> list[float]:
        """In [-0.5, 0.5]."""
        lengths = [rollout.num_tokens for rollout in group]
        low, high = min(lengths, default=0), max(lengths, default=0)
        if low == high:
            return [0.0] * len(lengths)
        lams = [0.5 - (n - low) / (high - low) for n in lengths]
        return [lam if r.verdict.correct else min(0.0, lam) for lam, r in zip(lams, group, strict=True)]


@register_term("cosine_length")
@dataclass(frozen=True)
class CosineLength(RewardTerm):
    """Cosine from one value at length 0 to another at the limit, apart for right and wrong (2502.03373, appendix C.1).

    ``CosFn(n, limit, a, b) = b + (a - b)(1 + cos(pi n / limit)) / 2``. Right ones are worth most when short, wrong
    ones least, so that a policy that fails goes on thinking. It stands in the place of correctness.

    Attributes:
        limit: most tokens of a completion.
        right_short, right_long: of a right one at length 0 and at the limit.
        wrong_short, wrong_long: of a wrong one.
        exceeded: at the limit or beyond, right or wrong.
    """

    limit: int = 14336
    right_short: float = 2.0
    right_long: float = 1.0
    wrong_short: float = -10.0
    wrong_long: float = 0.0
    exceeded: float = -10.0

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ConfigError(f"cosine_length needs a limit of at least 1; got {self.limit}.")

    def __call__(self, rollout: Rollout) -> float:
        """Between the values at both ends, or ``exceeded``."""
        if rollout.num_tokens >= self.limit:
            return self.exceeded
        right = rollout.verdict.correct
        short, long = (self.right_short, self.right_long) if right else (self.wrong_short, self.wrong_long)
        return long + (short - long) * (1 + math.cos(math.pi * rollout.num_tokens / self.limit)) / 2


@register_term("thinking_length")
@dataclass(frozen=True)
class ThinkingLength(RewardTerm):
    """Tokens of thinking: the completion's, by the share of its characters that is thinking; as a metric."""

    def __call__(self, rollout: Rollout) -> float:
        """Tokens, not rounded."""
        return rollout.num_tokens * _thinking_share(rollout.completion)


@register_term("answer_length")
@dataclass(frozen=True)
class AnswerLength(RewardTerm):
    """Tokens outside the thinking: the completion's, by the share of its characters; as a metric."""

    def __call__(self, rollout: Rollout) -> float:
        """Tokens, not rounded."""
        return rollout.num_tokens * (1.0 - _thinking_share(rollout.completion))


def _thinking_share(completion: str) -> float:
    """The share of characters that is thinking; tags count for neither side."""
    thinking, visible = len(thinking_of(completion).strip()), len(strip_thinking(completion).strip())
    return thinking / (thinking + visible) if thinking else 0.0
