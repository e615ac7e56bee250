"""Eigenvalues of matrices of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import from_roots, matrix_text, poly_text
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Eigenvalues"]


@register("rlvr/Eigenvalues-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Eigenvalues(Problem):
    """Find the eigenvalues of a matrix, with their multiplicities; all of them are whole numbers.

    Difficulty d gives 2 to 4 rows, eigenvalues up to 4 to 9 and 2 to 7 mixing steps.
    """

    verifier: ClassVar[str] = "number_multiset"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Conjugates a triangular matrix with elementary ones, so that it does not show its eigenvalues."""
        n, size = level(difficulty, 2, 4), level(difficulty, 4, 9)
        values: list[int] = []
        while len(values) < n:
            again = values and rng.random() < 0.2
            values.append(pick(rng, values) if again else nonzero(rng, size))
        matrix = np.triu(rng.integers(-2, 3, size=(n, n)), 1) + np.diag(values)
        for _ in range(level(difficulty, 2, 7)):
            i = integer(rng, 0, n - 1)
            j = (i + integer(rng, 1, n - 1)) % n
            factor = pick(rng, (-2, -1, 1, 2) if difficulty > 5 else (-1, 1))
            matrix[i] += factor * matrix[j]
            matrix[:, j] -= factor * matrix[:, i]
        rows: list[list[int]] = matrix.tolist()
        values.sort()
        answer = ", ".join(map(str, values))
        steps = [
            f"The trace is {sum(values)}, the determinant {prod(values)}.",
            f"det(xI - A) = {poly_text(from_roots(values))}",
            *(f"It vanishes at x = {value}." for value in sorted(set(values))),
            f"With multiplicities: {answer}",
        ]
        return Task(
            prompt=ask(
                f"All eigenvalues of the matrix A = {matrix_text(rows)} are whole numbers. Find them.",
                "the list of eigenvalues, each as often as its multiplicity, in any order",
                "-11, 13, 13",
            ),
            answer=answer,
            metadata={"rows": n, "hardness": n**3 + sum(len(str(x)) for row in rows for x in row)},
            solution="\n".join(steps),
        )
