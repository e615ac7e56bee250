"""Linear equations in one unknown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, nonzero, pick
from rlvr_gym.envs.math._algebra import signed_sum
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["LinearEquation"]


@dataclass(frozen=True)
class _Side:
    """``a*x + b`` and how it is written."""

    a: Fraction
    b: Fraction
    text: str

    @property
    def plain(self) -> str:
        return signed_sum([(self.a, "x"), (self.b, "")])


@register("rlvr/LinearEquation-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class LinearEquation(Problem):
    """Solve a linear equation with brackets and, from difficulty 6, fractions.

    Difficulty d gives 1 to 4 brackets over both sides and coefficients up to 5 to 20.
    """

    verifier: ClassVar[str] = "number_tuple"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws two sides until they meet in one point that is not 0, 1 or -1 and not too long to write."""
        brackets, size = level(difficulty, 0, 4), level(difficulty, 5, 20)
        while True:
            left = _side(rng, (brackets + 1) // 2, size, difficulty >= 6)
            right = _side(rng, brackets // 2, size, difficulty >= 6)
            a, b = left.a - right.a, right.b - left.b
            if a and b not in (0, a, -a) and (b / a).denominator <= 3 * size and left.a and right.a:
                break
        value = b / a
        steps = [f"{left.text} = {right.text}"]
        if brackets:
            steps.append(f"{left.plain} = {right.plain}")
        steps += [f"{signed_sum([(a, 'x')])} = {b}", f"x = ({b}) / ({a})"]
        return Task(
            prompt=ask(
                f"Solve for x: {left.text} = {right.text}",
                "the value of x as a whole number or a fraction",
                "-5/7",
                "8/3",
                answer=str(value),
            ),
            answer=str(value),
            metadata={"hardness": len(left.text) + len(right.text)},
            solution="\n".join([*steps, f"x = {value}"]),
        )


def _side(rng: np.random.Generator, brackets: int, size: int, fractions: bool) -> _Side:
    a, b = Fraction(nonzero(rng, size)), Fraction(nonzero(rng, size))
    text = signed_sum([(a, "x"), (b, "")])
    for _ in range(brackets):
        factor, p, q = Fraction(nonzero(rng, size)), nonzero(rng, size), nonzero(rng, size)
        while abs(factor) == 1:
            factor = Fraction(nonzero(rng, size))
        if fractions and rng.random() < 0.5:
            factor = Fraction(pick(rng, (-5, -2, -1, 1, 2, 5)), pick(rng, (3, 4, 6)))
        bracket = f"({signed_sum([(p, 'x'), (q, '')])})"
        text += f" {'-' if factor < 0 else '+'} {signed_sum([(abs(factor), bracket)])}"
        a, b = a + factor * p, b + factor * q
    return _Side(a, b, text)
