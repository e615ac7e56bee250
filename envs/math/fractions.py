"""Sums, differences, products and quotients of fractions, to be given in lowest terms."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Fractions"]


@register("rlvr/Fractions-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Fractions(Problem):
    """Work out an expression of fractions and give it in lowest terms.

    Difficulty d gives 2 to 5 fractions with denominators up to 6 to 36; products and quotients come in at 4.
    """

    verifier: ClassVar[str] = "reduced_fraction"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws operands from left to right; one that would make the value 0 or 1 is left out."""
        count, size = level(difficulty, 2, 5), level(difficulty, 6, 36)
        value = _fraction(rng, size)
        text = str(value)
        steps: list[str] = []
        while len(steps) < count - 1:
            operator, operand = pick(rng, "+-*/" if difficulty >= 4 else "+-"), _fraction(rng, size)
            result = _apply(value, operator, operand)
            if result in (0, 1):
                continue
            steps.append(_step(value, operator, operand, result))
            text = f"{f'({text})' if steps[1:] else text} {operator} {_operand(operand, operator)}"
            value = result
        return Task(
            prompt=ask(
                f"Work out {text}.",
                "the result as a whole number or a fraction in lowest terms",
                "-5/7",
                "8/11",
                answer=str(value),
            ),
            answer=str(value),
            metadata={"operations": len(steps), "hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


def _fraction(rng: np.random.Generator, size: int) -> Fraction:
    return Fraction(nonzero(rng, size), integer(rng, 2, size))


def _operand(value: Fraction, operator: str) -> str:
    return f"({value})" if operator in "*/" or value < 0 else str(value)


def _apply(a: Fraction, operator: str, b: Fraction) -> Fraction:
    if operator == "*":
        return a * b
    if operator == "/":
        return a / b
    return a + b if operator == "+" else a - b


def _step(a: Fraction, operator: str, b: Fraction, result: Fraction) -> str:
    left = f"{a} {operator} {_operand(b, operator)}"
    if operator == "*":
        raw = f"{a.numerator * b.numerator}/{a.denominator * b.denominator}"
        return f"{left} = {raw} = {result}"
    if operator == "/":
        return f"{left} = {a} * ({1 / b}) = {result}"
    below = lcm(a.denominator, b.denominator)
    x, y = a.numerator * (below // a.denominator), b.numerator * (below // b.denominator)
    total = x + y if operator == "+" else x - y
    middle = f"{left} = {x}/{below} {operator} {_operand_text(y)}/{below} = {total}/{below}"
    return middle if middle.endswith(f" {result}") else f"{middle} = {result}"


def _operand_text(y: int) -> str:
    return f"({y})" if y < 0 else str(y)
