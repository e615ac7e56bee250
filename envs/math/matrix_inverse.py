"""Inverses of matrices, with exact fractions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.math._algebra import Matrix, determinant, matrix_text, row_echelon, stage_lines
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["MatrixInverse"]


@register("rlvr/MatrixInverse-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class MatrixInverse(Problem):
    """Find the inverse of a square matrix of whole numbers.

    Difficulty d gives 2 to 4 rows with entries up to 6 to 9.
    """

    verifier: ClassVar[str] = "matrix"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws until there is an inverse with denominators below 10 times the difficulty that is not the matrix."""
        n, size = level(difficulty, 2, 4), level(difficulty, 6, 9)
        while True:
            rows: list[list[int]] = rng.integers(-size, size + 1, size=(n, n)).tolist()
            if not 0 < abs(determinant(rows)) <= 10 + 20 * difficulty:
                continue
            unit = [[int(i == j) for j in range(n)] for i in range(n)]
            stages: list[Matrix] = []
            reduced, pivots = row_echelon([a + b for a, b in zip(rows, unit, strict=True)], stages, columns=n)
            inverse = [row[n:] for row in reduced]
            if inverse != rows:
                break
        steps = stage_lines(pivots, stages)
        answer = matrix_text(inverse)
        return Task(
            prompt=ask(
                f"Find the inverse of the matrix {matrix_text(rows)}.",
                "it as a list of rows, with exact fractions",
                "[[1/31, -2], [0, 5/31]]",
            ),
            answer=answer,
            metadata={"rows": n, "hardness": sum(map(len, steps))},
            solution="\n".join(
                [
                    "Row reduction of the matrix next to the unit matrix:",
                    *steps,
                    f"The right half is {answer}",
                ]
            ),
        )
