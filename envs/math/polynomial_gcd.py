"""Greatest common divisors of polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.math._algebra import Poly, divide, monic, multiply, poly_gcd, poly_text, primitive
from rlvr_gym.envs.math._expressions import as_poly, read
from rlvr_gym.envs.math.polynomial_product import random_poly
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier

__all__ = ["PolynomialGcd", "PolynomialGcdVerifier"]


@register_verifier("polynomial_gcd")
class PolynomialGcdVerifier(ParsedVerifier[Poly]):
    """``task.answer`` is a polynomial as text; every multiple of it by a number other than 0 is right."""

    def read(self, answer: str, task: Task) -> Poly | None:
        """A polynomial in any form."""
        node = read(answer)
        return as_poly(node) if node is not None else None

    def holds(self, value: Poly, task: Task) -> bool:
        """The same polynomial up to a constant factor."""
        gold = self.read(str(task.answer), task)
        return bool(value) and gold is not None and monic(value) == monic(gold)


@register("rlvr/PolynomialGcd-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class PolynomialGcd(Problem):
    """Find the greatest common divisor of two polynomials.

    Difficulty d gives a divisor of degree 1 to 3 and cofactors of degree 1 to 3.
    """

    verifier: ClassVar[str] = "polynomial_gcd"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the divisor and cofactors that have nothing in common."""
        size = 3 + difficulty // 3
        degree = level(difficulty, 1, 3)
        while True:
            common = primitive(random_poly(rng, degree, size))
            p, q = (random_poly(rng, degree, size) for _ in range(2))
            if len(poly_gcd(p, q)) == 1:
                break
        a, b = multiply(common, p), multiply(common, q)
        steps = _euclid(a, b)
        return Task(
            prompt=ask(
                f"Find the greatest common divisor of {poly_text(a)} and {poly_text(b)} over the rational numbers. "
                "A constant factor does not matter.",
                "the polynomial",
                "x^9 - 13",
            ),
            answer=poly_text(common),
            metadata={"hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


def _euclid(a: Poly, b: Poly) -> list[str]:
    steps: list[str] = []
    while True:
        rest = primitive(divide(a, b)[1])
        if not rest:
            return [*steps, f"{poly_text(b)} divides {poly_text(a)}."]
        steps.append(f"The remainder of {poly_text(a)} by {poly_text(b)} is a multiple of {poly_text(rest)}")
        a, b = b, rest
