"""Reward terms for conversations with tools: they read what the environment counted (``rollout.metrics``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rlvr_gym.errors import ConfigError
from rlvr_gym.rewards.term import RewardTerm, register_term
from rlvr_gym.rollout import Rollout

__all__ = ["Metric", "RetrievalFormat", "ToolCalls", "ToolCost"]


@register_term("metric")
@dataclass(frozen=True)
class Metric(RewardTerm):
    """What a multi-turn environment counted under ``key``, such as ``illegal_moves``; 0 where it did not.

    Attributes:
        key: the name of the count.
    """

    key: str = "turns"

    def __call__(self, rollout: Rollout) -> float:
        """The count."""
        return float(rollout.metrics.get(self.key, rollout.turns if self.key == "turns" else 0.0))


@register_term("tool_calls")
@dataclass(frozen=True)
class ToolCalls(RewardTerm):
    """How many tools were called; as a metric, or with a small negative weight."""

    def __call__(self, rollout: Rollout) -> float:
        """The count, failed ones included."""
        return float(rollout.metrics.get("tool_calls", 0.0))


@register_term("tool_cost")
@dataclass(frozen=True)
class ToolCost(RewardTerm):
    """``-min(most, call * calls beyond the free ones + error * failed calls)``: what using tools costs.

    Attributes:
        call: of a call.
        error: of a call that failed, on top.
        free: calls that cost nothing.
        most: the highest cost.
    """

    call: float = 0.05
    error: float = 0.1
    free: int = 0
    most: float = 1.0

    def __post_init__(self) -> None:
        if min(self.call, self.error, self.free, self.most) < 0:
            raise ConfigError(f"The costs of tool_cost are not negative; got {self}.")

    def __call__(self, rollout: Rollout) -> float:
        """In [-most, 0]."""
        paid = max(0.0, rollout.metrics.get("tool_calls", 0.0) - self.free)
        cost = self.call * paid + self.error * rollout.metrics.get("tool_errors", 0.0)
        return -min(self.most, cost)


_RESULT = re.compile(r"</?(?:tool_result|result|information|documents)\b", re.IGNORECASE)
_ANSWER = re.compile(r"<(/?)answer\s{0,4}>", re.IGNORECASE)


@register_term("retrieval_format")
@dataclass(frozen=True)
class RetrievalFormat(RewardTerm):
    """Two stages of R1-Searcher (2503.05592): first to retrieve and in due form, then the form alone.

    Stage ``retrieve``: ``called`` for a call that brought a result, and ``formed`` for the due form. Stage
    ``answer``: 0 in due form, else ``-penalty``; the answer's own reward (F1 in the paper) is another term. Due form
    is one closed pair of answer tags, and no result that the policy made up itself.

    Attributes:
        stage: which one; a design goes from one to the other by ``schedule``.
        called: for a call that worked.
        formed: for the form.
        penalty: for its lack in the second stage.
    """

    stage: Literal["retrieve", "answer"] = "retrieve"
    called: float = 0.5
    formed: float = 0.5
    penalty: float = 2.0

    def __call__(self, rollout: Rollout) -> float:
        """In [0, called + formed], or 0 or -penalty."""
        formed = _well_formed(rollout.completion)
        if self.stage == "answer":
            return 0.0 if formed else -self.penalty
        worked = rollout.metrics.get("tool_calls", 0.0) > rollout.metrics.get("tool_errors", 0.0)
        return self.called * worked + self.formed * formed


def _well_formed(completion: str) -> bool:
    tags = [bool(tag[1]) for tag in _ANSWER.finditer(completion)]
    return tags == [False, True] and _RESULT.search(completion) is None
