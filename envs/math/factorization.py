"""Factorisation of polynomials over the rational numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import Poly, divide, irreducible, poly, poly_text, primitive, product, scale
from rlvr_gym.envs.math._expressions import as_poly, factors, read
from rlvr_gym.envs.math.polynomial_product import random_poly
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier

__all__ = ["Factorization", "FactorizationVerifier", "factored_text"]

Factored = tuple[Poly, Counter[Poly]]


@register_verifier("polynomial_factors")
class FactorizationVerifier(ParsedVerifier[Factored]):
    """``task.answer`` is the product of irreducible factors as text.

    The answer has to be the same polynomial, and its factors the irreducible ones with their multiplicities; by
    unique factorisation these are fixed up to order and constant factors.
    """

    def read(self, answer: str, task: Task) -> Factored | None:
        """The product, and its factors as primitive polynomials."""
        node = read(answer)
        value = as_poly(node) if node is not None else None
        if node is None or value is None:
            return None
        found: Counter[Poly] = Counter()
        for factor, multiplicity in factors(node):
            part = as_poly(factor)
            if part is None:
                return None
            if len(part) > 1:
                found[primitive(part)] += multiplicity
        return value, found

    def holds(self, value: Factored, task: Task) -> bool:
        """The same polynomial and the same factors."""
        return value == self.read(str(task.answer), task)


@register("rlvr/Factorization-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Factorization(Problem):
    """Factor a polynomial into irreducible polynomials over the rational numbers.

    Difficulty d gives 2 to 4 factors of degree 1 to 3 (2 from difficulty 3 on, 3 from 7 on) and coefficients up to
    4 to 7.
    """

    verifier: ClassVar[str] = "polynomial_factors"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws factors and keeps the irreducible ones; one in five times a factor comes again."""
        count, size = level(difficulty, 2, 4), level(difficulty, 4, 7)
        parts: list[Poly] = []
        while len(parts) < count:
            if parts and rng.random() < 0.2:
                parts.append(pick(rng, parts))
                continue
            degree = pick(rng, (1, 1, 1, 2, 2, 3)[: 3 + 2 * (difficulty >= 3) + (difficulty >= 7)])
            part = random_poly(rng, degree, size)
            leading = integer(rng, 1, 1 + difficulty // 4)
            part = primitive(poly([*part[:-1], leading]))
            if irreducible(part):
                parts.append(part)
        content = nonzero(rng, 3) if difficulty >= 4 else 1
        polynomial = scale(product(parts), content)
        answer = factored_text(content, parts)
        return Task(
            prompt=ask(
                f"Factor {poly_text(polynomial)} into irreducible polynomials over the rational numbers.",
                "the product",
                "7(x - 19)^2(x^2 + 17)",
            ),
            answer=answer,
            metadata={
                "degree": len(polynomial) - 1,
                "hardness": sum(len(p) ** 2 for p in parts) + len(answer) / 4,
            },
            solution="\n".join(_steps(polynomial, parts, answer)),
        )


def factored_text(content: int, parts: list[Poly]) -> str:
    """``-2x(x + 1)^2``."""
    text = {1: "", -1: "-"}.get(content, str(content))
    for part, multiplicity in Counter(parts).items():
        body = poly_text(part)
        text += body if part == poly([0, 1]) else f"({body})"
        text += f"^{multiplicity}" if multiplicity > 1 else ""
    return text


def _steps(polynomial: Poly, parts: list[Poly], answer: str) -> list[str]:
    steps, rest = [], polynomial
    for part in parts[:-1]:
        rest = divide(rest, part)[0]
        steps.append(f"Take out {poly_text(part)}: {poly_text(rest)} is left.")
    proofs = [
        f"{poly_text(part)} has no rational root and degree {len(part) - 1}: it is irreducible."
        for part in dict.fromkeys(parts)
        if len(part) > 2
    ]
    return [*steps, *proofs, answer]
