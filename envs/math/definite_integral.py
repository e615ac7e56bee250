"""Definite integrals with exact values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import evaluate, integral, poly, poly_text, signed_sum, times
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["DefiniteIntegral"]

Terms = list[tuple[Fraction, str]]
Piece = tuple[str, Terms, str]
"""A term of the integrand, the value of its integral as a sum, and a line of explanation."""


@register("rlvr/DefiniteIntegral-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class DefiniteIntegral(Problem):
    """Work out a definite integral exactly.

    Difficulty d gives polynomials of degree 1 to 5, and from 4 on also exponentials, from 6 on reciprocals, from 8
    on products of x and an exponential.
    """

    verifier: ClassVar[str] = "math"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Adds up pieces whose values are known; values 0, 1 and -1 are drawn again."""
        while True:
            low = integer(rng, 0, 2)
            high = low + integer(rng, 1, 2 + difficulty // 3)
            pieces = [_polynomial(rng, difficulty, low, high)]
            others = [_exponential, _reciprocal, _by_parts][: max(0, difficulty // 2 - 1)]
            pieces += [kind(rng, difficulty, low, high) for kind in others[-level(difficulty, 1, 2) :]]
            total: dict[str, Fraction] = {}
            for _, terms, _ in pieces:
                for value, body in terms:
                    total[body] = total.get(body, Fraction(0)) + value
            answer = signed_sum((value, body) for body, value in total.items())
            if answer not in ("0", "1", "-1"):
                break
        integrand = " + ".join(text for text, _, _ in pieces).replace("+ -", "- ")
        return Task(
            prompt=ask(
                f"Work out the definite integral of f(x) = {integrand} from x = {low} to x = {high}.",
                "the exact value",
                "7/3 - e^13",
            ),
            answer=answer,
            metadata={"hardness": len(integrand) + 15 * len(pieces) + len(answer)},
            solution="\n".join([*(line for _, _, line in pieces), f"Together: {answer}"]),
        )


def _polynomial(rng: np.random.Generator, difficulty: int, low: int, high: int) -> Piece:
    degree = level(difficulty, 1, 5)
    p = poly([*(integer(rng, -9, 9) for _ in range(degree)), nonzero(rng, 9)])
    whole = integral(p)
    value = evaluate(whole, high) - evaluate(whole, low)
    line = f"{poly_text(p)} has the antiderivative {poly_text(whole)}: {value}"
    return poly_text(p), [(value, "")], line


def _power_of_e(k: int) -> str:
    return "" if k == 0 else "e" if k == 1 else f"e^{k}"


def _exponential(rng: np.random.Generator, difficulty: int, low: int, high: int) -> Piece:
    a, c = pick(rng, (1, 2, 3)), nonzero(rng, 6)
    terms = [(Fraction(c, a), _power_of_e(a * high)), (Fraction(-c, a), _power_of_e(a * low))]
    body = f"e^({times(a, 'x')})"
    line = f"{times(c, body)} has the antiderivative {times(Fraction(c, a), body)}: {signed_sum(terms)}"
    return times(c, body), terms, line


def _reciprocal(rng: np.random.Generator, difficulty: int, low: int, high: int) -> Piece:
    a, b, c = integer(rng, 1, 4), integer(rng, 1, 6), nonzero(rng, 6)
    u = poly_text(poly([b, a]))
    ratio = Fraction(a * high + b, a * low + b)
    terms = [(Fraction(c, a), f"ln({ratio})")]
    line = f"{c}/({u}) has the antiderivative {times(Fraction(c, a), f'ln({u})')}: {signed_sum(terms)}"
    return f"{c}/({u})", terms, line


def _by_parts(rng: np.random.Generator, difficulty: int, low: int, high: int) -> Piece:
    a, c = pick(rng, (1, 2, 3)), nonzero(rng, 6)
    # the antiderivative is (c/a) x e^(ax) - (c/a^2) e^(ax)
    terms = [
        (sign * (Fraction(c * x, a) - Fraction(c, a * a)), _power_of_e(a * x))
        for sign, x in ((1, high), (-1, low))
    ]
    body = f"e^({times(a, 'x')})"
    whole = f"({poly_text(poly([Fraction(-c, a * a), Fraction(c, a)]))})*{body}"
    text = f"{times(c, 'x')}*{body}"
    return text, terms, f"{text} has the antiderivative {whole}: {signed_sum(terms)}"
