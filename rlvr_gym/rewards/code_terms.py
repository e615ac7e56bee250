"""Reward terms for programs: they read what the verifier ``code`` has put into ``verdict.details``.

All of them give 0 for a verdict that is not about a program, so that a design over mixed tasks can use them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rlvr_gym.rewards.term import RewardTerm, register_term
from rlvr_gym.rollout import Rollout

__all__ = ["CodeLength", "CodeLint", "CodeRuns", "CodeSpeed", "CodeSyntax", "CodeTests", "CodeTestsAll"]


def _detail(rollout: Rollout, key: str, default: Any) -> Any:
    return rollout.verdict.details.get(key, default)


@register_term("code_syntax")
@dataclass(frozen=True)
class CodeSyntax(RewardTerm):
    """1 if the program is Python, else 0."""

    def __call__(self, rollout: Rollout) -> float:
        """The indicator."""
        return float(bool(_detail(rollout, "syntax", False)))


@register_term("code_runs")
@dataclass(frozen=True)
class CodeRuns(RewardTerm):
    """1 if no case ended in an error, a limit or a crash, else 0."""

    def __call__(self, rollout: Rollout) -> float:
        """The indicator."""
        return float(bool(_detail(rollout, "runs", False)))


@register_term("code_tests")
@dataclass(frozen=True)
class CodeTests(RewardTerm):
    """The fraction of cases that pass."""

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]."""
        total = _detail(rollout, "total", 0)
        return _detail(rollout, "passed", 0) / total if total else 0.0


@register_term("code_tests_all")
@dataclass(frozen=True)
class CodeTestsAll(RewardTerm):
    """1 if every case passes, else 0."""

    def __call__(self, rollout: Rollout) -> float:
        """The indicator."""
        total = _detail(rollout, "total", 0)
        return float(bool(total) and _detail(rollout, "passed", 0) == total)


@register_term("code_lint")
@dataclass(frozen=True)
class CodeLint(RewardTerm):
    """1 for a program without complaints, less by ``each`` for every one, at least 0 (the task sets ``lint``).

    Attributes:
        each: the loss for each complaint.
        ignore: codes that do not count, such as ``"F841"``, with spaces between them.
    """

    each: float = 0.25
    ignore: str = ""

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]; 0 if the program was not linted or is not Python."""
        codes = _detail(rollout, "lint", None)
        if codes is None:
            return 0.0
        return max(0.0, 1.0 - self.each * sum(code not in self.ignore.split() for code in codes))


@register_term("code_speed")
@dataclass(frozen=True)
class CodeSpeed(RewardTerm):
    """How fast a right program is beside the reference, measured in the same sandbox (the task has a ``reference``).

    1 at ``1 / best`` of the reference's time, 0 at ``worst`` times it, linear in the logarithm between.

    Attributes:
        best: this many times faster earns all.
        worst: this many times slower earns nothing.
    """

    best: float = 2.0
    worst: float = 2.0

    def __call__(self, rollout: Rollout) -> float:
        """In [0, 1]; 0 if not every case passes, or nothing was measured."""
        ratio = _detail(rollout, "relative_time", None)
        if ratio is None or not rollout.verdict.correct:
            return 0.0
        low, high = -math.log(self.best), math.log(self.worst)
        position = (math.log(max(ratio, 1e-9)) - low) / (high - low) if high > low else float(ratio > 1.0)
        return min(1.0, max(0.0, 1.0 - position))


@register_term("code_length")
@dataclass(frozen=True)
class CodeLength(RewardTerm):
    """The program's length in lines that are not blank; as a metric (weight 0), or with a small negative weight."""

    def __call__(self, rollout: Rollout) -> float:
        """Lines."""
        return float(_detail(rollout, "code_lines", 0))
