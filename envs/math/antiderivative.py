"""Antiderivatives, verified by differentiating the answer."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick, shuffled
from rlvr_gym.envs.math._algebra import derivative, integral, poly, poly_text, times
from rlvr_gym.envs.math._differentiate import differentiate, judge_function
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["Antiderivative", "AntiderivativeVerifier"]


@register_verifier("antiderivative")
class AntiderivativeVerifier(AnswerVerifier):
    """``task.answer`` is ``{"integrand", "text"}``; whatever has the integrand as its derivative is right."""

    def check(self, answer: str, task: Task) -> Verdict:
        """Differentiates; a constant of integration vanishes by itself, and ln|u| counts as ln(u)."""
        return judge_function(answer, task.answer["integrand"], differentiate)


Term = tuple[str, str, str]
"""A term of the integrand, its antiderivative, and the rule."""


@register("rlvr/Antiderivative-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Antiderivative(Problem):
    """Find an antiderivative.

    Difficulty d gives polynomials (1), sums with sines, exponentials and c/(ax + b) (3), and besides these integration
    by parts (6) and substitution (8).
    """

    verifier: ClassVar[str] = "antiderivative"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws terms of different kinds, which cannot cancel out, with known antiderivatives."""
        easy = shuffled(rng, (_polynomial, _trigonometric, _exponential, _reciprocal))
        kinds = easy[: level(difficulty, 1, 3)] if difficulty >= 3 else [_polynomial]
        kinds += [_parts] * (difficulty >= 6) + [_substitution] * (difficulty >= 8)
        terms = [kind(rng, difficulty) for kind in kinds]
        integrand, text = (_sum([t[i] for t in terms]) for i in (0, 1))
        return Task(
            prompt=ask(
                f"Find an antiderivative of f(x) = {integrand}. The constant of integration does not matter.",
                "the antiderivative",
                "7*x^11 + sin(13*x)",
            ),
            answer={"integrand": integrand, "text": text},
            metadata={"hardness": len(integrand) + len(text) + 20 * len(terms)},
            solution="\n".join([*(f"{rule}: {f} has the antiderivative {F}" for f, F, rule in terms), text]),
        )

    def answer_text(self, task: Task) -> str:
        """The generator's antiderivative."""
        answer: dict[str, Any] = task.answer
        return str(answer["text"])


def _sum(parts: list[str]) -> str:
    return " + ".join(parts).replace("+ -", "- ")


def _polynomial(rng: np.random.Generator, difficulty: int) -> Term:
    p = poly([*(integer(rng, -9, 9) for _ in range(level(difficulty, 2, 5))), nonzero(rng, 9)])
    return poly_text(p), poly_text(integral(p)), "power rule"


def _argument(rng: np.random.Generator) -> tuple[int, str]:
    a = pick(rng, (2, 3, 4, 5))
    return a, poly_text(poly([integer(rng, -3, 3), a]))


def _trigonometric(rng: np.random.Generator, difficulty: int) -> Term:
    (a, u), c = _argument(rng), nonzero(rng, 9)
    if rng.random() < 0.5:
        return times(c, f"sin({u})"), times(Fraction(-c, a), f"cos({u})"), "sine"
    return times(c, f"cos({u})"), times(Fraction(c, a), f"sin({u})"), "cosine"


def _exponential(rng: np.random.Generator, difficulty: int) -> Term:
    (a, u), c = _argument(rng), nonzero(rng, 9)
    return times(c, f"e^({u})"), times(Fraction(c, a), f"e^({u})"), "exponential function"


def _reciprocal(rng: np.random.Generator, difficulty: int) -> Term:
    (a, u), c = _argument(rng), nonzero(rng, 9)
    return f"{c}/({u})", times(Fraction(c, a), f"ln({u})"), "logarithm"


def _parts(rng: np.random.Generator, difficulty: int) -> Term:
    a, c, n = pick(rng, (2, 3, 4, 5)), nonzero(rng, 6), integer(rng, 2, 4)
    b = integer(rng, 1, 6)
    kind = pick(rng, ("exp", "sin", "cos", "ln"))
    rule = "integration by parts"
    u = poly_text(poly([b, c]))
    if kind == "exp":
        whole = poly([Fraction(b, a) - Fraction(c, a * a), Fraction(c, a)])
        return f"({u})*e^({a}x)", f"({poly_text(whole)})*e^({a}x)", rule
    linear, number = poly_text(poly([Fraction(b, a), Fraction(c, a)])), Fraction(c, a * a)
    if kind == "sin":
        return f"({u})*sin({a}x)", f"({number})*sin({a}x) - ({linear})*cos({a}x)", rule
    if kind == "cos":
        return f"({u})*cos({a}x)", f"({linear})*sin({a}x) + ({number})*cos({a}x)", rule
    power = Fraction(c, n + 1)
    return f"{times(c, f'x^{n}')}*ln(x)", f"({power})*x^{n + 1}*ln(x) - ({power / (n + 1)})*x^{n + 1}", rule


def _substitution(rng: np.random.Generator, difficulty: int) -> Term:
    degree, c = integer(rng, 2, 3), nonzero(rng, 4)
    u = poly([integer(rng, 1, 9), *[0] * (degree - 1), integer(rng, 1, 3)])
    text, slope = poly_text(u), poly_text(poly([k * c for k in derivative(u)]))
    kind, n = pick(rng, ("sin", "cos", "exp", "ln", "power")), integer(rng, 2, 5)
    rule = f"substitution u = {text}"
    return {
        "sin": (f"({slope})*sin({text})", times(-c, f"cos({text})"), rule),
        "cos": (f"({slope})*cos({text})", times(c, f"sin({text})"), rule),
        "exp": (f"({slope})*e^({text})", times(c, f"e^({text})"), rule),
        "ln": (f"({slope})/({text})", times(c, f"ln({text})"), rule),
        "power": (f"({slope})*({text})^{n}", times(Fraction(c, n + 1), f"({text})^{n + 1}"), rule),
    }[kind]
