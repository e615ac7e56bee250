"""Sums, differences, products and quotients of fractions, to be given in lowest terms."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, lcm
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Fractions"]

Ratio = tuple[int, int]
"""Numerator and denominator in lowest terms, the denominator positive: several times faster than a ``Fraction``."""


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
        text = _text(value)
        steps: list[str] = []
        while len(steps) < count - 1:
            operator, operand = pick(rng, "+-*/" if difficulty >= 4 else "+-"), _fraction(rng, size)
            result = _apply(value, operator, operand)
            if result in ((0, 1), (1, 1)):
                continue
            steps.append(_step(value, operator, operand, result))
            text = f"{f'({text})' if steps[1:] else text} {operator} {_operand(operand, operator)}"
            value = result
        answer = _text(value)
        return Task(
            prompt=ask(
                f"Work out {text}.",
                "the result as a whole number or a fraction in lowest terms",
                "-5/7",
                "8/11",
                answer=answer,
            ),
            answer=answer,
            metadata={"operations": len(steps), "hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


def _reduced(numerator: int, denominator: int) -> Ratio:
    common = gcd(numerator, denominator)
    if denominator < 0:
        common = -common
    return numerator // common, denominator // common


def _fraction(rng: np.random.Generator, size: int) -> Ratio:
    return _reduced(nonzero(rng, size), integer(rng, 2, size))


def _text(value: Ratio) -> str:
    return f"{value[0]}/{value[1]}" if value[1] != 1 else str(value[0])


def _operand(value: Ratio, operator: str) -> str:
    return f"({_text(value)})" if operator in "*/" or value[0] < 0 else _text(value)


def _apply(a: Ratio, operator: str, b: Ratio) -> Ratio:
    if operator == "*":
        return _reduced(a[0] * b[0], a[1] * b[1])
    if operator == "/":
        return _reduced(a[0] * b[1], a[1] * b[0])
    sign = 1 if operator == "+" else -1
    return _reduced(a[0] * b[1] + sign * b[0] * a[1], a[1] * b[1])


def _step(a: Ratio, operator: str, b: Ratio, result: Ratio) -> str:
    left = f"{_text(a)} {operator} {_operand(b, operator)}"
    if operator == "*":
        return f"{left} = {a[0] * b[0]}/{a[1] * b[1]} = {_text(result)}"
    if operator == "/":
        return f"{left} = {_text(a)} * ({_text(_reduced(b[1], b[0]))}) = {_text(result)}"
    below = lcm(a[1], b[1])
    x, y = a[0] * (below // a[1]), b[0] * (below // b[1])
    total = x + y if operator == "+" else x - y
    shown = f"({y})" if y < 0 else str(y)
    middle = f"{left} = {x}/{below} {operator} {shown}/{below} = {total}/{below}"
    return middle if middle.endswith(f" {_text(result)}") else f"{middle} = {_text(result)}"
