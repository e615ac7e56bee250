"""Scores of optimisation problems: between a plain solution and the best one, with most of the reward at the end."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Generic, TypeVar

from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier

__all__ = ["PLAIN_SCORE", "ClassicProblem", "GradedVerifier", "Scale"]

PLAIN_SCORE = 0.1
"""What a plain solution earns; a valid answer that is worse earns less."""
POWER = 3

T = TypeVar("T")
Number = int | float | Fraction


@dataclass(frozen=True, slots=True)
class Scale:
    """Two values of the objective that fix the score of all others.

    With ``g`` the share of the way from ``plain`` to ``best``, the score is ``0.1 + 0.9 g^3``, at most 1. Values worse
    than ``plain`` earn 0.1 times the ratio of the two. The objective is positive; whether less or more of it is
    better, the order of the two values says.

    Attributes:
        best: the optimum, or the best value that is known.
        plain: what a simple rule attains; worse than ``best``.
        slack: the relative distance from ``best`` within which an answer counts as the best, for real numbers.
    """

    best: Number
    plain: Number
    slack: float = 0.0

    def score(self, value: Number) -> float:
        """The score of ``value``, in [0, 1]; an exact number is never rounded across a threshold."""
        best, plain, value = Fraction(self.best), Fraction(self.plain), Fraction(value)
        gain = (value - plain) / (best - plain)
        if gain >= 1 or abs(value - best) <= Fraction(self.slack) * abs(best):
            return 1.0
        if gain >= 0:
            # below 1 even if it rounds to 1: a score of 1 says that the best is attained
            return min(float(PLAIN_SCORE + (1 - PLAIN_SCORE) * float(gain) ** POWER), 1 - 1e-9)
        ratio = value / plain if best > plain else plain / value
        return PLAIN_SCORE * max(0.0, float(ratio))

    def text(self, best: str, plain: str) -> str:
        """The rule for the prompt; ``best`` and ``plain`` say what the two values are."""
        close = f" (to within {self.slack:g} of it, relatively)" if self.slack else ""
        worse = "smaller" if self.best > self.plain else "larger"
        return (
            f"Your score is 1 for {shown(self.best)}, {best}{close}, and 0.1 for {shown(self.plain)}, {plain}. In "
            f"between it is 0.1 + 0.9 g^3, where g is the share of the way from {shown(self.plain)} to "
            f"{shown(self.best)}. A {worse} value than {shown(self.plain)} earns less than 0.1, an invalid answer "
            "nothing."
        )


def shown(value: Number) -> str:
    """A value for people: whole numbers as they are, others to nine digits."""
    return str(value) if isinstance(value, int) else f"{float(value):.9g}"


class GradedVerifier(AnswerVerifier, Generic[T]):
    """Reads an answer, names a rule that it breaks, or else measures it and scores the value.

    ``task.answer`` is a dict that holds the problem, the numbers ``"best"`` and ``"plain"``, and under
    ``"reference"`` one best answer, which is not looked at: any answer that attains ``"best"`` is correct.
    """

    slack: ClassVar[float] = 0.0

    @abstractmethod
    def read(self, answer: str, task: Task) -> T | None:
        """What the answer says; None if it cannot be read."""

    @abstractmethod
    def fault(self, value: T, task: Task) -> str | None:
        """The rule that a readable answer breaks; None if it breaks none."""

    @abstractmethod
    def measure(self, value: T, task: Task) -> Number:
        """The objective of a valid answer; positive and finite."""

    def check(self, answer: str, task: Task) -> Verdict:
        """Unreadable, invalid and merely poor answers have different reasons; details tell value and best."""
        shown_answer = answer[:200]
        value = self.read(answer, task)
        if value is None:
            return Verdict.wrong(Reason.UNPARSEABLE, shown_answer)
        fault = self.fault(value, task)
        if fault is not None:
            return Verdict.wrong(Reason.RULE_BROKEN, shown_answer, rule=fault)
        objective = self.measure(value, task)
        scale = Scale(task.answer["best"], task.answer["plain"], self.slack)
        facts: dict[str, Any] = {"value": _json(objective), "best": task.answer["best"]}
        return Verdict.graded(scale.score(objective), shown_answer, **facts)


def _json(value: Number) -> int | float:
    return value if isinstance(value, int) else float(value)


@dataclass(frozen=True, kw_only=True)
class ClassicProblem(Problem):
    """A problem of the literature with one instance a size, and variations of it by default.

    Attributes:
        classic: the instance of the literature instead of variations; each difficulty then has a single task.
    """

    classic: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.classic, bool):
            raise ConfigError(f"classic is true or false; got {self.classic!r}.")
