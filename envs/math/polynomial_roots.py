"""All rational roots of a polynomial that splits, with their multiplicities."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import divide, from_roots, poly, poly_text, primitive
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["PolynomialRoots"]


@register("rlvr/PolynomialRoots-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class PolynomialRoots(Problem):
    """Find all roots of a polynomial with their multiplicities; all of them are rational.

    Difficulty d gives degree 2 to 6 and roots up to 5 to 12; fractions come in at 4.
    """

    verifier: ClassVar[str] = "number_multiset"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the roots, one in four times one that is there already, and multiplies out."""
        degree, size = level(difficulty, 2, 6), level(difficulty, 5, 12)
        roots: list[Fraction] = []
        while len(roots) < degree:
            if roots and rng.random() < 0.25:
                roots.append(pick(rng, roots))
            else:
                below = integer(rng, 2, 3) if difficulty >= 4 and rng.random() < 0.3 else 1
                roots.append(Fraction(nonzero(rng, size), below))
        roots.sort()
        polynomial = primitive(from_roots(roots))
        answer = ", ".join(map(str, roots))
        rest, steps = polynomial, []
        for root in roots[:-1]:
            rest = divide(rest, poly([-root, 1]))[0]
            steps.append(f"{root} is a root; dividing by it leaves {poly_text(rest)}")
        steps += [f"and that has the root {roots[-1]}.", f"The roots are {answer}"]
        return Task(
            prompt=ask(
                f"All roots of {poly_text(polynomial)} are rational numbers. Find them.",
                "the list of roots, each as often as its multiplicity (fractions as a/b, in any order)",
                "2, 2, -1/17",
            ),
            answer=answer,
            metadata={"degree": degree, "hardness": degree**2 + sum(len(str(c)) for c in polynomial)},
            solution="\n".join(steps),
        )
