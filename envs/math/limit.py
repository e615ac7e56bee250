"""Limits of functions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import evaluate, multiply, poly, poly_text, times
from rlvr_gym.envs.math.polynomial_product import random_poly
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Limit"]

Found = tuple[str, str, list[str], str]
"""The function, where x goes, steps, and the value (empty if there is none that is wanted)."""


@register("rlvr/Limit-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Limit(Problem):
    """Find a limit: quotients of polynomials, of elementary functions, differences of roots, powers.

    Difficulty d brings in limits at infinity (2), sines and exponentials (4), roots (6) and powers that go to e^k (8).
    """

    verifier: ClassVar[str] = "math"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the value by the way the function is made; values 0, 1 and -1 are drawn again."""
        first = max(0, difficulty // 2 - 2)
        value = ""
        while value in ("", "0", "1", "-1"):
            technique = integer(rng, first, min(difficulty // 2 + 1, len(_TECHNIQUES) - 1))
            function, place, steps, value = _TECHNIQUES[technique](rng, difficulty)
        return Task(
            prompt=ask(
                f"Find the limit of {function} as x goes to {place}.",
                "the exact value",
                "-5/17",
                "11/19",
                answer=value,
            ),
            answer=value,
            metadata={"technique": technique, "hardness": 25 * technique + len(function)},
            solution="\n".join([*steps, f"The limit is {value}."]),
        )


def _cancel(rng: np.random.Generator, difficulty: int) -> Found:
    a, degree = nonzero(rng, 4), level(difficulty, 1, 3)
    p, q = random_poly(rng, degree, 6), random_poly(rng, degree, 6)
    below = evaluate(q, a)
    value = str(evaluate(p, a) / below) if below else ""
    zero = poly([-a, 1])
    steps = [
        f"Numerator and denominator are 0 at x = {a}; without the factor {poly_text(zero)} they are",
        f"{poly_text(p)} and {poly_text(q)}.",
    ]
    return f"({poly_text(multiply(p, zero))})/({poly_text(multiply(q, zero))})", str(a), steps, value


def _at_infinity(rng: np.random.Generator, difficulty: int) -> Found:
    degree = level(difficulty, 2, 5)
    p, q = random_poly(rng, degree, 9), random_poly(rng, degree, 9)
    steps = [f"The highest powers decide: {p[-1]} over {q[-1]}."]
    return f"({poly_text(p)})/({poly_text(q)})", "infinity", steps, str(p[-1] / q[-1])


def _elementary(rng: np.random.Generator, difficulty: int) -> Found:
    a, b = nonzero(rng, 9), nonzero(rng, 9)
    ax = times(a, "x")
    above = pick(rng, (f"sin({ax})", f"e^({ax}) - 1", f"ln(1 + {ax})".replace("+ -", "- "), f"tan({ax})"))
    return (
        f"({above})/({times(b, 'x')})",
        "0",
        [f"Near 0, {above} is {ax} and terms of higher order."],
        str(Fraction(a, b)),
    )


def _second_order(rng: np.random.Generator, difficulty: int) -> Found:
    a, b = integer(rng, 2, 9), nonzero(rng, 9)
    half = Fraction(a * a, 2)
    ax = f"{a}x"
    above, rule = pick(
        rng,
        (
            (f"1 - cos({ax})", f"1 - cos(u) is u^2/2: {half}x^2"),
            (f"e^({ax}) - 1 - {ax}", f"e^u - 1 - u is u^2/2: {half}x^2"),
            (f"{ax} - ln(1 + {ax})", f"u - ln(1 + u) is u^2/2: {half}x^2"),
        ),
    )
    return (
        f"({above})/({times(b, 'x^2')})",
        "0",
        [f"Near 0, {rule}, and terms of higher order."],
        str(half / b),
    )


def _root_difference(rng: np.random.Generator, difficulty: int) -> Found:
    a, b, k = nonzero(rng, 9), integer(rng, 0, 9), integer(rng, 1, 5)
    inside = poly_text(poly([b, a, k * k]))
    rest = poly_text(poly([b, a]))
    steps = [
        f"Multiplying with the sum: ({rest})/(sqrt({inside}) + {times(k, 'x')})",
        f"Dividing by x: {a} over {k} + {k}",
    ]
    return f"sqrt({inside}) - {times(k, 'x')}", "infinity", steps, str(Fraction(a, 2 * k))


def _power(rng: np.random.Generator, difficulty: int) -> Found:
    a, b, c = nonzero(rng, 9), integer(rng, 1, 4), integer(rng, 1, 6)
    base = f"(1 {'-' if a < 0 else '+'} {abs(a)}/{f'({b}x)' if b > 1 else 'x'})"
    power = poly_text(poly([integer(rng, -5, 5), c]))
    value = Fraction(a * c, b)
    steps = [f"The logarithm is ({power}) * ln{base}, and that goes to {c} * ({Fraction(a, b)}) = {value}."]
    return f"{base}^({power})", "infinity", steps, "e" if value == 1 else f"e^({value})"


_TECHNIQUES = (_cancel, _at_infinity, _elementary, _second_order, _root_difference, _power)
"""From the first that is taught to the last."""
