"""Simplification: an expression that is the same and no longer than it has to be."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import (
    Poly,
    add,
    multiply,
    poly,
    poly_gcd,
    poly_text,
    primitive,
    scale,
    signed_sum,
)
from rlvr_gym.envs.math._expressions import Ratio, as_ratio, read, same_ratio, size
from rlvr_gym.envs.math.polynomial_product import random_poly
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier

__all__ = ["Simplification", "SimplificationVerifier"]


@register_verifier("simplified")
class SimplificationVerifier(ParsedVerifier[tuple[Ratio, int]]):
    """``task.answer`` is ``{"text", "longest"}``: equivalent to the text, with no more parts than ``longest``."""

    def read(self, answer: str, task: Task) -> tuple[Ratio, int] | None:
        """What the expression is, and how long."""
        node = read(answer)
        ratio = as_ratio(node) if node is not None else None
        return (ratio, size(node)) if node is not None and ratio is not None else None

    def holds(self, value: tuple[Ratio, int], task: Task) -> bool:
        """The same function, and short."""
        gold = self.read(task.answer["text"], task)
        return gold is not None and same_ratio(value[0], gold[0]) and _short(value, task)


def _short(value: tuple[Ratio, int], task: Task) -> bool:
    """No longer than needed, and without a common divisor above and below the fraction line."""
    (above, below), length = value
    whole = all(c.denominator == 1 for c in (*above, *below))
    number = gcd(*(int(c) for c in (*above, *below))) if whole else 1
    return length <= task.answer["longest"] and number == len(poly_gcd(above, below)) == 1


@register("rlvr/Simplification-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Simplification(Problem):
    """Simplify an expression in x.

    Up to difficulty 3 powers and sums with brackets, from 3 on fractions whose numerator and denominator have a
    common divisor of degree 1 to 2. An answer has to be in lowest terms and no longer than the expanded or the
    factored simple form.
    """

    verifier: ClassVar[str] = "simplified"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Starts from the simple form; questions that are no longer than it are drawn again."""
        kinds = (
            [_powers, _brackets]
            if difficulty < 3
            else [_brackets, _fraction]
            if difficulty < 6
            else [_fraction]
        )
        while True:
            question, steps, forms = pick(rng, kinds)(rng, difficulty)
            sizes = [size(node) for node in map(read, forms) if node is not None]
            longest = max(sizes)
            asked = read(question)
            if asked is not None and size(asked) > longest:
                break
        return Task(
            prompt=ask(
                f"Simplify {question} as far as possible (where it is defined).",
                "the simplified expression",
                "(x + 19)/(7x^5)",
            ),
            answer={"text": forms[0], "longest": longest},
            metadata={"hardness": size(asked) + sum(map(len, steps)) / 4 + 10 * (kinds == [_fraction])},
            solution="\n".join([*steps, forms[0]]),
        )

    def answer_text(self, task: Task) -> str:
        """The reference form."""
        answer: dict[str, Any] = task.answer
        return str(answer["text"])


Simple = tuple[str, list[str], list[str]]
"""A question, steps, and the forms that count as simplified, the reference first."""


def _powers(rng: np.random.Generator, difficulty: int) -> Simple:
    a, b, c = nonzero(rng, 9), integer(rng, 2, 9), integer(rng, 2, 5)
    p, q = integer(rng, 2, 4 + difficulty), integer(rng, 2, 4 + difficulty)
    r = integer(rng, 2, p + q - 2)
    result = poly([*[0] * (p + q - r), a * b])
    question = f"(({poly_text(poly([*[0] * p, a * c]))}) * ({poly_text(poly([*[0] * q, b]))}))/({c}x^{r})"
    steps = [f"Numbers: {a * c} * {b} / {c} = {a * b}", f"Powers of x: {p} + {q} - {r} = {p + q - r}"]
    return question, steps, [poly_text(result)]


def _brackets(rng: np.random.Generator, difficulty: int) -> Simple:
    total: Poly = poly([])
    text = ""
    steps: list[str] = []
    while len(total) < 2:
        total, text, steps = poly([]), "", []
        for _ in range(level(difficulty, 2, 4)):
            factor, inner = nonzero(rng, 9), random_poly(rng, 1 + (difficulty > 3), 9)
            total = add(total, scale(inner, factor))
            steps.append(f"{factor} times ({poly_text(inner)}) is {poly_text(scale(inner, factor))}")
            piece = signed_sum([(abs(factor), f"({poly_text(inner)})")])
            text += (
                f" {'-' if factor < 0 else '+'} {piece}"
                if text
                else signed_sum([(factor, f"({poly_text(inner)})")])
            )
    short = primitive(total)
    content = total[-1] / short[-1]
    factored = f"{content}({poly_text(short)})" if abs(content) != 1 else poly_text(total)
    return text, steps, [poly_text(total), factored]


def _fraction(rng: np.random.Generator, difficulty: int) -> Simple:
    degree = 1 + (difficulty >= 8)
    while True:
        p, q, common = (primitive(random_poly(rng, 1, 5)) for _ in range(3))
        if degree == 2:
            common = multiply(common, primitive(random_poly(rng, 1, 4)))
        factored = f"({poly_text(p)})"
        if difficulty >= 6:
            second = primitive(random_poly(rng, 1, 4))
            p, factored = multiply(p, second), f"{factored}({poly_text(second)})"
        if len(poly_gcd(p, q)) == 1 and len(poly_gcd(common, q)) == len(poly_gcd(common, p)) == 1:
            break
    above, below = multiply(p, common), multiply(q, common)
    question = f"({poly_text(above)})/({poly_text(below)})"
    steps = [f"Numerator and denominator have the divisor {poly_text(common)}."]
    steps += [f"Without it they are {poly_text(p)} and {poly_text(q)}."]
    return question, steps, [f"({poly_text(p)})/({poly_text(q)})", f"{factored}/({poly_text(q)})"]
