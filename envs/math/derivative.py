"""Derivatives of elementary functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, nonzero, pick
from rlvr_gym.envs.math._calculus import Function, atom, chain, power_term, product_of, quotient_of, sum_of
from rlvr_gym.envs.math._differentiate import judge_function
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["Derivative", "FunctionVerifier"]


@register_verifier("function")
class FunctionVerifier(AnswerVerifier):
    """``task.answer`` is a function of x as text; every equivalent form is right."""

    def check(self, answer: str, task: Task) -> Verdict:
        """Exact normal forms first, then interval arithmetic at random points."""
        return judge_function(answer, str(task.answer))


@register("rlvr/Derivative-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Derivative(Problem):
    """Differentiate a function of x.

    Difficulty d gives sums of powers (1), chains (2), products (4), quotients (6) and functions of functions (8),
    with powers, sines, exponentials, logarithms, roots and tangents.
    """

    verifier: ClassVar[str] = "function"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Builds the function and its derivative side by side, by the rules."""
        function = _function(rng, difficulty)
        return Task(
            prompt=ask(
                f"Differentiate f(x) = {function.text} with respect to x.",
                "the derivative (any equivalent form)",
                "7*x^11 + sin(13*x)",
            ),
            answer=function.slope,
            metadata={"hardness": len(function.slope) + 10 * len(function.rules)},
            solution="\n".join(function.rules),
        )


def _function(rng: np.random.Generator, difficulty: int) -> Function:
    f, g, h = _different_atoms(rng, difficulty)
    combine = pick(rng, (product_of, quotient_of))
    if difficulty < 4:
        return sum_of(f, g)
    if difficulty < 6:
        return product_of(f, g) if difficulty == 4 else sum_of(product_of(f, g), h)
    if difficulty < 8:
        return combine(f, g) if difficulty == 6 else sum_of(combine(f, g), h)
    if difficulty == 8:
        return product_of(chain(rng, f), g)
    if difficulty == 9:
        return sum_of(combine(chain(rng, f), g), h)
    return sum_of(product_of(chain(rng, f), chain(rng, g)), h)


def _different_atoms(rng: np.random.Generator, difficulty: int) -> list[Function]:
    """Three of them, of different kinds: two of one kind could cancel out, as in e^(2x - 6) / e^(2x - 1)."""
    if difficulty == 1:
        return [power_term(nonzero(rng, 9), exponent) for exponent in (2, 3, 4)]
    atoms: dict[str, Function] = {}
    while len(atoms) < 3:
        new = atom(rng, difficulty)
        kind = "power of x" if new.rules[0].startswith("power rule") else new.text.partition("(")[0]
        atoms.setdefault(kind, new)
    return list(atoms.values())
