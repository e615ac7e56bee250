"""Derivatives of elementary functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.math._authoring import ask, pick
from rlvr_gym.envs.math._calculus import Function, atom, chain, product_of, quotient_of, sum_of
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Derivative"]


@register("rlvr/Derivative-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Derivative(Problem):
    """Differentiate a function of x.

    Difficulty d gives sums of powers (1), chains (2), products (4), quotients (6) and functions of those (8), with
    powers, sines, exponentials, logarithms, roots and tangents.
    """

    verifier: ClassVar[str] = "math"

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
    f, g = atom(rng, difficulty), atom(rng, difficulty)
    if difficulty < 4:
        return f if difficulty == 2 and rng.random() < 0.5 else sum_of(f, g)
    if difficulty >= 9:
        return pick(rng, (product_of, quotient_of))(chain(rng, f), g)
    if difficulty >= 8:
        return chain(rng, product_of(f, g))
    if difficulty >= 6:
        return sum_of(pick(rng, (product_of, quotient_of))(f, g), atom(rng, difficulty))
    return product_of(f, g)
