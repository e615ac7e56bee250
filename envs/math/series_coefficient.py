"""Coefficients of power series."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import poly, poly_text, times
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["SeriesCoefficient"]

Series = tuple[str, list[Fraction]]


@register("rlvr/SeriesCoefficient-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class SeriesCoefficient(Problem):
    """Find the coefficient of x^n in the power series of a product of functions at 0.

    Difficulty d gives n from 2 to 8 and 1 to 3 factors; exponentials, logarithms and roots come in at 3.
    """

    verifier: ClassVar[str] = "rational"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws different factors until the coefficient is none of 0, 1 and -1."""
        n, count = level(difficulty, 2, 8), level(difficulty, 1, 3)
        kinds = [_geometric, _power, _polynomial, _exponential, _logarithm, _root]
        value = Fraction(0)
        while value in (0, 1, -1):
            chosen = rng.permutation(3 if difficulty < 3 else len(kinds))[:count]
            factors = [kinds[i](rng, n, 2 + difficulty // 3) for i in chosen]
            steps = [f"{text} = {_series_text(series)}" for text, series in factors]
            series = factors[0][1]
            for _, other in factors[1:]:
                series = [
                    sum((series[i] * other[k - i] for i in range(k + 1)), Fraction(0)) for k in range(n + 1)
                ]
                steps.append(f"Multiplied: {_series_text(series)}")
            value = series[n]
        function = " * ".join(text for text, _ in factors)
        return Task(
            prompt=ask(
                f"What is the coefficient of x^{n} in the power series of {function} at x = 0?",
                "it as a whole number or an exact fraction",
                "-5/7",
                "9/13",
                answer=str(value),
            ),
            answer=str(value),
            metadata={"order": n, "hardness": sum(map(len, steps))},
            solution="\n".join([*steps, f"The coefficient of x^{n} is {value}."]),
        )


def _series_text(series: list[Fraction]) -> str:
    terms = [times(c, "" if i == 0 else "x" if i == 1 else f"x^{i}") for i, c in enumerate(series) if c]
    return " + ".join(terms).replace("+ -", "- ") + " + ..."


def _geometric(rng: np.random.Generator, n: int, size: int) -> Series:
    a = nonzero(rng, size)
    text = f"1/({poly_text(poly([1, -a]))})"
    if rng.random() < 0.5:
        return text, [Fraction(a) ** k for k in range(n + 1)]
    return f"{text}^2", [(k + 1) * Fraction(a) ** k for k in range(n + 1)]


def _power(rng: np.random.Generator, n: int, size: int) -> Series:
    a, exponent = nonzero(rng, size), integer(rng, n, n + 3)
    return f"({poly_text(poly([1, a]))})^{exponent}", _binomial(Fraction(exponent), a, n)


def _root(rng: np.random.Generator, n: int, size: int) -> Series:
    a = 2 * nonzero(rng, 2)
    exponent = pick(rng, (Fraction(1, 2), Fraction(-1, 2)))
    return f"({poly_text(poly([1, a]))})^({exponent})", _binomial(exponent, a, n)


def _binomial(exponent: Fraction, a: int, n: int) -> list[Fraction]:
    """The coefficients of ``(1 + a x)^exponent``."""
    series = [Fraction(1)]
    for k in range(1, n + 1):
        series.append(series[-1] * (exponent - k + 1) / k * a)
    return series


def _polynomial(rng: np.random.Generator, n: int, size: int) -> Series:
    coefficients = [Fraction(nonzero(rng, 2 * size)) for _ in range(3)]
    return f"({poly_text(poly(coefficients))})", [*coefficients, *[Fraction(0)] * (n - 2)]


def _exponential(rng: np.random.Generator, n: int, size: int) -> Series:
    a = nonzero(rng, size)
    return f"e^({times(a, 'x')})", [Fraction(a**k, factorial(k)) for k in range(n + 1)]


def _logarithm(rng: np.random.Generator, n: int, size: int) -> Series:
    a = nonzero(rng, size)
    series = [Fraction(0), *(Fraction(-((-a) ** k), k) for k in range(1, n + 1))]
    return f"ln({poly_text(poly([1, a]))})", series
