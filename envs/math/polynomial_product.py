"""Products of polynomials, multiplied out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero
from rlvr_gym.envs.math._algebra import Poly, multiply, poly, poly_text, product, scale
from rlvr_gym.envs.math._expressions import read_all
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier

__all__ = ["ExpandedVerifier", "PolynomialProduct", "random_poly"]


def random_poly(rng: np.random.Generator, degree: int, size: int) -> Poly:
    """A polynomial with whole coefficients up to ``size`` whose first and last ones are not 0."""
    return poly(
        [nonzero(rng, size), *(integer(rng, -size, size) for _ in range(degree - 1)), nonzero(rng, size)]
    )


@register_verifier("expanded_polynomials")
class ExpandedVerifier(ParsedVerifier[list[Poly]]):
    """``task.answer`` is one polynomial, or several with semicolons between them.

    The answer has to be written as a sum of monomials of different degrees, in any order.
    """

    def read(self, answer: str, task: Task) -> list[Poly] | None:
        """Expanded polynomials."""
        return read_all(answer, str(task.answer).count(";") + 1)

    def holds(self, value: list[Poly], task: Task) -> bool:
        """The same polynomials in the same order."""
        return value == self.read(str(task.answer), task)


@register("rlvr/PolynomialProduct-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class PolynomialProduct(Problem):
    """Multiply polynomials out.

    Difficulty d gives 2 to 3 factors of degree 1 to 3 with coefficients up to 3 to 12.
    """

    verifier: ClassVar[str] = "expanded_polynomials"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the factors; the solution multiplies term by term."""
        size = 2 + difficulty
        factors = [random_poly(rng, level(difficulty, 1, 3), size) for _ in range(2 + (difficulty >= 6))]
        value, steps = factors[0], []
        for factor in factors[1:]:
            steps.append(f"({poly_text(value)})({poly_text(factor)}):")
            for i in range(len(factor) - 1, -1, -1):
                if factor[i]:
                    monomial = scale((*[factor[0] * 0] * i, factor[i]), 1)
                    steps.append(
                        f"{poly_text(monomial)} times the first: {poly_text(multiply(value, monomial))}"
                    )
            value = multiply(value, factor)
            steps.append(f"Together: {poly_text(value)}")
        answer = poly_text(product(factors))
        return Task(
            prompt=ask(
                "Multiply out: " + "".join(f"({poly_text(f)})" for f in factors),
                "the polynomial as a sum of powers of x",
                "5x^9 - 2x + 7",
            ),
            answer=answer,
            metadata={"hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )
