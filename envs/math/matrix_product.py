"""Products of matrices of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.math._algebra import matrix_text
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["MatrixProduct"]


@register("rlvr/MatrixProduct-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class MatrixProduct(Problem):
    """Multiply two matrices.

    Difficulty d gives 2 to 5 rows and columns with entries up to 4 to 22.
    """

    verifier: ClassVar[str] = "matrix"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws two matrices that fit."""
        side, size = level(difficulty, 2, 5), 2 + 2 * difficulty
        rows, inner, columns = (max(2, side - integer(rng, 0, 1)) for _ in range(3))
        a = rng.integers(-size, size + 1, size=(rows, inner)).tolist()
        b = rng.integers(-size, size + 1, size=(inner, columns)).tolist()
        steps: list[str] = []
        result: list[list[int]] = []
        for i, row in enumerate(a, 1):
            result.append([])
            for j, column in enumerate(zip(*b, strict=True), 1):
                value = sum(x * y for x, y in zip(row, column, strict=True))
                terms = " + ".join(f"({x})*({y})" for x, y in zip(row, column, strict=True))
                steps.append(f"Row {i}, column {j}: {terms} = {value}")
                result[-1].append(value)
        return Task(
            prompt=ask(
                f"Multiply the matrices A * B with A = {matrix_text(a)} and B = {matrix_text(b)}.",
                "the product as a list of rows",
                "[[1, -2], [0, 5]]",
                "[[1, -3], [0, 5]]",
                answer=matrix_text(result),
            ),
            answer=matrix_text(result),
            metadata={"shape": [rows, inner, columns], "hardness": sum(map(len, steps))},
            solution="\n".join([*steps, matrix_text(result)]),
        )
