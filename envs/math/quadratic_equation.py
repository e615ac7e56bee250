"""Quadratic equations with rational, irrational or complex solutions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, nonzero
from rlvr_gym.envs.math._algebra import poly, poly_text
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["QuadraticEquation"]


@register("rlvr/QuadraticEquation-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class QuadraticEquation(Problem):
    """Solve a quadratic equation over the complex numbers, exactly.

    Difficulty d gives rational solutions up to 2, then also irrational and, from 5 on, complex ones, with
    coefficients that grow.
    """

    verifier: ClassVar[str] = "math"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws centre, distance and scale: x = (p +- sqrt(r)) / q."""
        size = 3 + 3 * difficulty
        while True:
            q = 1 if difficulty < 3 else integer(rng, 1, 1 + difficulty // 3)
            p, root = nonzero(rng, size), integer(rng, 1, size)
            r = root * root if difficulty < 3 else integer(rng, -2 * size if difficulty >= 5 else 2, 6 * size)
            if r and abs(p) * abs(p) != abs(r):
                break
        # (q x - p)^2 = r, over the common divisor
        equation = poly([p * p - r, -2 * p * q, q * q])
        answer = ", ".join(_solution(p, sign, r, q) for sign in (1, -1))
        moved = poly([0, 1]) if difficulty < 4 else poly([nonzero(rng, size), nonzero(rng, size)])
        left = (
            poly(a + b for a, b in zip(equation, (*moved, Fraction(0)), strict=True))
            if difficulty >= 4
            else equation
        )
        steps = [
            f"{poly_text(equation)} = 0",
            f"The discriminant is {4 * p * p * q * q - 4 * q * q * (p * p - r)}.",
            f"x = ({2 * p * q} +- sqrt({4 * q * q * r})) / {2 * q * q}",
            f"The solutions are {answer}",
        ]
        return Task(
            prompt=ask(
                f"Solve {poly_text(left)} = {poly_text(moved) if difficulty >= 4 else '0'} over the complex numbers.",
                "the two exact solutions with a comma between them (i is the imaginary unit)",
                "7 + 2*sqrt(101), 7 - 2*sqrt(101)",
            ),
            answer=answer,
            metadata={
                "discriminant": r,
                "hardness": len(answer) + sum(len(str(c)) for c in (*left, *moved)) * 2,
            },
            solution="\n".join(steps[1:] if difficulty < 4 else steps),
        )


def _solution(p: int, sign: int, r: int, q: int) -> str:
    """``(p + sign * sqrt(r)) / q`` with the square factor taken out of the root."""
    square = max(k for k in range(1, abs(r) + 1) if r % (k * k) == 0) if abs(r) < 10**6 else 1
    rest = r // (square * square)
    if rest == 1:
        return str(Fraction(p + sign * square, q))
    root = "i" if rest == -1 else f"sqrt({abs(rest)})" + ("*i" if rest < 0 else "")
    share = Fraction(square, q)
    times = "" if share == 1 else f"{share}*" if share.denominator == 1 else f"({share})*"
    return f"{Fraction(p, q)} {'+' if sign > 0 else '-'} {times}{root}"
