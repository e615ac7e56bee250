"""Chains of additions, subtractions and multiplications of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Arithmetic"]


@register("rlvr/Arithmetic-v0", family="numbers")
@dataclass(frozen=True, kw_only=True)
class Arithmetic(Problem):
    """Evaluate a chain of sums, differences and products.

    Difficulty d gives 1 + d // 2 operations (at most 6) on numbers of 1 to 3 digits; products come in at 4. The
    hardness is the number of digits of all operands, and two more for each product.

    Attributes:
        prompt: ``"full"`` states task and format in words, ``"terse"`` is the bare expression with ``=``
            (for small policies that are trained from scratch).
        terms: number of operands, 2 to 50; 0 leaves it to the difficulty.
        operations: the operators to draw from, out of + - *; empty leaves it to the difficulty.
        digits: largest number of digits of an operand, 1 to 18; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "rational"
    prompt: Literal["full", "terse"] = "full"
    terms: int = 0
    operations: str = ""
    digits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prompt not in ("full", "terse"):
            raise ConfigError(f"prompt is 'full' or 'terse'; got {self.prompt!r}.")
        if self.terms != 0 and not 2 <= self.terms <= 50:
            raise ConfigError(f"terms is 0 or goes from 2 to 50; got {self.terms!r}.")
        if not set(self.operations) <= set("+-*"):
            raise ConfigError(f"operations are out of + - *; got {self.operations!r}.")
        if not 0 <= self.digits <= 18:
            raise ConfigError(f"digits is 0 or goes from 1 to 18; got {self.digits!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a chain; the solution reduces products first, then runs from left to right."""
        count = self.terms or 2 + min(difficulty // 2, 5)
        digits = self.digits or 1 + (difficulty >= 5) + (difficulty >= 8)
        operations = list(self.operations or ("+-*" if difficulty >= 4 else "+-"))
        numbers = rng.integers(0 if digits == 1 else 1, 10**digits, size=count).tolist()
        # the draws of rng.choice, which costs as much as all the rest
        signs = [operations[i] for i in rng.integers(len(operations), size=count - 1).tolist()]
        expression = str(numbers[0]) + "".join([f"{s}{n}" for s, n in zip(signs, numbers[1:], strict=True)])
        steps, value = _work_out(numbers, signs)
        if self.prompt == "terse":
            prompt = f"{expression}="
        else:
            example = "-42" if value != -42 else "17"  # an example never is the answer
            prompt = (
                f"Work out {expression} (multiplication before addition and subtraction). Think step by step, "
                f"then give the result as a whole number in <answer> tags, for example <answer>{example}</answer>."
            )
        return Task(
            prompt=prompt,
            answer=str(value),
            metadata={
                "operations": count - 1,
                "hardness": len(expression) - (count - 1) + 2 * signs.count("*"),
            },
            solution=" ".join(steps),
        )


def _work_out(numbers: list[int], signs: list[str]) -> tuple[list[str], int]:
    """The steps ``a+b=c`` in order, and the value."""
    steps: list[str] = []
    terms, pending = [numbers[0]], []
    for sign, number in zip(signs, numbers[1:], strict=True):
        if sign == "*":
            steps.append(f"{terms[-1]}*{number}={terms[-1] * number}")
            terms[-1] *= number
        else:
            terms.append(number)
            pending.append(sign)
    value = terms[0]
    for sign, number in zip(pending, terms[1:], strict=True):
        result = value + number if sign == "+" else value - number
        steps.append(f"{value}{sign}{number}={result}")
        value = result
    return steps or [f"{value}={value}"], value
