"""Division of polynomials with remainder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.math._algebra import Poly, add, divide, multiply, poly, poly_text, scale
from rlvr_gym.envs.math.polynomial_product import random_poly
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["PolynomialDivision"]


@register("rlvr/PolynomialDivision-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class PolynomialDivision(Problem):
    """Divide one polynomial by another; find quotient and remainder.

    Difficulty d gives quotients of degree 1 to 4 and divisors of degree 1 to 3.
    """

    verifier: ClassVar[str] = "expanded_polynomials"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses divisor, quotient and remainder, so that all coefficients are whole."""
        size = 3 + difficulty // 2
        degree = level(difficulty, 1, 3)
        divisor = random_poly(rng, degree, size)
        quotient = random_poly(rng, level(difficulty, 1, 4), size)
        remainder = poly(integer(rng, -size, size) for _ in range(degree))
        dividend = add(multiply(divisor, quotient), remainder)
        steps = _long_division(dividend, divisor)
        return Task(
            prompt=ask(
                f"Divide {poly_text(dividend)} by {poly_text(divisor)}, with remainder.",
                "the quotient and the remainder (0 if there is none) with a semicolon between them",
                "3x^7 - 5; 2x + 11",
            ),
            answer=f"{poly_text(quotient)}; {poly_text(remainder)}",
            metadata={"hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


def _long_division(dividend: Poly, divisor: Poly) -> list[str]:
    rest, steps = dividend, []
    while len(rest) >= len(divisor):
        shift = len(rest) - len(divisor)
        monomial = poly([*[0] * shift, rest[-1] / divisor[-1]])
        taken = multiply(divisor, monomial)
        rest = add(rest, scale(taken, -1))
        steps.append(f"{poly_text(monomial)}: take away {poly_text(taken)}; {poly_text(rest)} is left")
    quotient, remainder = divide(dividend, divisor)
    return [
        *steps,
        f"Quotient {poly_text(quotient)}, remainder {poly_text(remainder)}:",
        f"{poly_text(quotient)}; {poly_text(remainder)}",
    ]
