"""Partial fraction decomposition."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero
from rlvr_gym.envs.math._algebra import (
    Poly,
    add,
    divide,
    irreducible,
    monic,
    multiply,
    poly,
    poly_text,
    product,
)
from rlvr_gym.envs.math._expressions import Ratio, as_ratio, read, same_ratio, terms
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier

__all__ = ["PartialFractions", "PartialFractionsVerifier"]

Decomposition = tuple[Ratio, list[Ratio]]
_ONE = poly([1])


@register_verifier("partial_fractions")
class PartialFractionsVerifier(ParsedVerifier[Decomposition]):
    """``task.answer`` is ``{"text", "factors"}`` with the irreducible factors of the denominator.

    The answer has to be the same function, and each term a numerator over a power of one factor, of lower degree
    than the factor, each power at most once; a polynomial part has no denominator.
    """

    def read(self, answer: str, task: Task) -> Decomposition | None:
        """The sum and its terms."""
        node = read(answer)
        total = as_ratio(node) if node is not None else None
        parts = [as_ratio(term) for term in terms(node)] if node is not None else []
        found = [part for part in parts if part is not None]
        return (total, found) if total is not None and len(found) == len(parts) else None

    def holds(self, value: Decomposition, task: Task) -> bool:
        """Equivalent, and decomposed."""
        gold = read(task.answer["text"])
        ratio = as_ratio(gold) if gold is not None else None
        if ratio is None or not same_ratio(value[0], ratio):
            return False
        factors = [poly(map(Fraction, coefficients)) for coefficients in task.answer["factors"]]
        kinds = [_kind(part, factors) for part in value[1]]
        return None not in kinds and len({kind for kind in kinds if kind}) == len(
            [kind for kind in kinds if kind]
        )


def _kind(part: Ratio, factors: list[Poly]) -> tuple[Poly, int] | tuple[()] | None:
    """Which power of which factor a term has below; () for a polynomial, None for no part of a decomposition."""
    above, below = part[0], monic(part[1])
    if below == _ONE:
        return ()
    for factor in factors:
        power, rest = 0, below
        while len(rest) >= len(factor):
            quotient, remainder = divide(rest, factor)
            if remainder:
                break
            power, rest = power + 1, quotient
        if rest == _ONE:
            return (factor, power) if len(above) < len(factor) else None
    return None


@register("rlvr/PartialFractions-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class PartialFractions(Problem):
    """Write a rational function as a sum of partial fractions.

    Difficulty d gives denominators of degree 2 to 5; repeated factors come in at 4, irreducible quadratic ones at
    6, and from 5 on the denominator is not given in factors.
    """

    verifier: ClassVar[str] = "partial_fractions"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the parts and adds them up."""
        degree, size = level(difficulty, 2, 5), level(difficulty, 4, 9)
        powers = _denominator(rng, degree, difficulty)
        whole = product(factor for factor, k in powers for _ in range(k))
        parts: list[tuple[Poly, Poly, int]] = []
        above = poly([])
        for factor, most in powers:
            for k in range(1, most + 1):
                top = poly([nonzero(rng, size), *(integer(rng, -size, size) for _ in range(len(factor) - 2))])
                parts.append((top, factor, k))
                above = add(above, multiply(top, divide(whole, product([factor] * k))[0]))
        answer = " + ".join(_part_text(*part) for part in parts).replace("+ -", "- ")
        shown = poly_text(whole)
        factored = "".join(f"({poly_text(f)}){f'^{k}' if k > 1 else ''}" for f, k in powers)
        return Task(
            prompt=ask(
                f"Find the partial fraction decomposition of ({poly_text(above)})/({factored if difficulty < 5 else shown}) "
                "over the rational numbers.",
                "the sum",
                "3/(x - 31) - 5/(x + 37)^2",
            ),
            answer={"text": answer, "factors": [[str(c) for c in factor] for factor, _ in powers]},
            metadata={
                "degree": degree,
                "hardness": degree * (3 + len(parts)) + len(poly_text(above)) / 2 + 5 * (difficulty >= 5),
            },
            solution="\n".join(
                [
                    f"The denominator is {factored}.",
                    "Multiplying with it and comparing coefficients gives the numerators:",
                    *(f"{poly_text(top)} over ({poly_text(f)})^{k}" for top, f, k in parts),
                    answer,
                ]
            ),
        )

    def answer_text(self, task: Task) -> str:
        """The generator's sum."""
        return str(task.answer["text"])


def _part_text(top: Poly, factor: Poly, power: int) -> str:
    above = poly_text(top) if len(top) == 1 else f"({poly_text(top)})"
    below = poly_text(factor) if factor == poly([0, 1]) else f"({poly_text(factor)})"
    return f"{above}/{below}{f'^{power}' if power > 1 else ''}"


def _denominator(rng: np.random.Generator, degree: int, difficulty: int) -> list[tuple[Poly, int]]:
    """Different monic irreducible factors with their multiplicities; two or more parts in all."""
    powers: list[tuple[Poly, int]] = []
    left = degree
    while left:
        quadratic = difficulty >= 6 and left >= 2 and rng.random() < 0.4
        factor = poly([nonzero(rng, 6), integer(rng, -3, 3), 1] if quadratic else [integer(rng, -7, 7), 1])
        power = 2 if difficulty >= 4 and left >= 2 * len(factor) - 2 and rng.random() < 0.3 else 1
        used = power * (len(factor) - 1)
        alone = used == degree and power == 1
        if irreducible(factor) and all(factor != f for f, _ in powers) and not alone:
            powers.append((factor, power))
            left -= used
    return powers
