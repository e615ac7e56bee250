"""Determinants of matrices of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.math._algebra import matrix_text
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Determinant"]


@register("rlvr/Determinant-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Determinant(Problem):
    """Find the determinant of a square matrix.

    Difficulty d gives 2 to 4 rows with entries up to 7 to 13.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws until the determinant is none of 0, 1 and -1."""
        n, size = level(difficulty, 2, 4), level(difficulty, 7, 13)
        value = 0
        while abs(value) < 2:
            rows = rng.integers(-size, size + 1, size=(n, n)).tolist()
            steps: list[str] = []
            value = _expand(rows, steps)
        return Task(
            prompt=ask(
                f"What is the determinant of {matrix_text(rows)}?",
                "it as a whole number",
                "-42",
                "35",
                answer=str(value),
            ),
            answer=str(value),
            metadata={"rows": n, "hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


def _expand(rows: list[list[int]], steps: list[str]) -> int:
    """Expansion along the first row; every minor becomes a line of ``steps``."""
    if len(rows) == 2:
        (a, b), (c, d) = rows
        value = a * d - b * c
        steps.append(f"det {matrix_text(rows)} = ({a})*({d}) - ({b})*({c}) = {value}")
        return value
    total, terms = 0, []
    for j, entry in enumerate(rows[0]):
        if not entry:
            continue
        minor = _expand([row[:j] + row[j + 1 :] for row in rows[1:]], steps)
        total += (-1) ** j * entry * minor
        terms.append(f"{'-' if j % 2 else '+'} ({entry})*({minor})")
    steps.append(f"det {matrix_text(rows)} = {' '.join(terms)} = {total}")
    return total
