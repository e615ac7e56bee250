"""The built-in reward terms."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gym.formats import strict_think_answer, think_then_answer
from rlvr_gym.rewards.term import RewardTerm, register_term
from rlvr_gym.rollout import Rollout
from rlvr_gym.verdict import Reason

__all__ = ["Constant", "Correct", "Finished", "FormatR1", "FormatStrict", "Length", "LogicRLAnswer", "Score"]

_UNREAD = frozenset(
    {Reason.NO_ANSWER, Reason.AMBIGUOUS, Reason.UNPARSEABLE, Reason.TOO_COMPLEX, Reason.BAD_FORMAT}
)


@register_term("constant")
@dataclass(frozen=True)
class Constant(RewardTerm):
    """The same value for every rollout."""

    value: float = 0.0

    def __call__(self, rollout: Rollout) -> float:
        """The value."""
        return self.value


@register_term("correct")
@dataclass(frozen=True)
class Correct(RewardTerm):
    """1 if the verdict is correct, else 0."""

    def __call__(self, rollout: Rollout) -> float:
        """The indicator."""
        return float(rollout.verdict.correct)


@register_term("score")
@dataclass(frozen=True)
class Score(RewardTerm):
    """The verdict's graded score in [0, 1]."""

    def __call__(self, rollout: Rollout) -> float:
        """The score."""
        return rollout.verdict.score


@register_term("format_r1")
@dataclass(frozen=True)
class FormatR1(RewardTerm):
    """1 if a closed thinking block is followed by something, else 0 (DeepSeek-R1, 2501.12948)."""

    prefilled: bool = False

    def __call__(self, rollout: Rollout) -> float:
        """The indicator."""
        return float(think_then_answer(rollout.completion, prefilled=self.prefilled))


@register_term("format_strict")
@dataclass(frozen=True)
class FormatStrict(RewardTerm):
    """+1 if all four tags occur once and in order, else -1 (Logic-RL, 2502.14768)."""

    prefilled: bool = False

    def __call__(self, rollout: Rollout) -> float:
        """Plus or minus one."""
        return 1.0 if strict_think_answer(rollout.completion, prefilled=self.prefilled) else -1.0


@register_term("logic_rl_answer")
@dataclass(frozen=True)
class LogicRLAnswer(RewardTerm):
    """+2 right, -1.5 wrong, -2 if the answer cannot be read or the strict format fails (Logic-RL)."""

    prefilled: bool = False

    def __call__(self, rollout: Rollout) -> float:
        """One of the three values."""
        formed = strict_think_answer(rollout.completion, prefilled=self.prefilled)
        if not formed or rollout.verdict.reason in _UNREAD:
            return -2.0
        return 2.0 if rollout.verdict.correct else -1.5


@register_term("length")
@dataclass(frozen=True)
class Length(RewardTerm):
    """The completion's length in tokens; as a metric (weight 0), or with a small negative weight."""

    def __call__(self, rollout: Rollout) -> float:
        """Tokens."""
        return float(rollout.num_tokens)


@register_term("finished")
@dataclass(frozen=True)
class Finished(RewardTerm):
    """1 if the completion ended by itself, 0 if it was cut off."""

    def __call__(self, rollout: Rollout) -> float:
        """The indicator."""
        return float(rollout.finished)
