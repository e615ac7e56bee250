"""SpiralMatrix: the entries of a matrix in spiral order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["SpiralMatrix"]

Matrix = list[list[int]]


@register("rlvr/SpiralMatrix-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class SpiralMatrix(Problem):
    """Read a matrix along a spiral.

    Difficulty 1 has a matrix of about 2 x 3 and 10 about 8 x 9; the spiral begins at the upper left corner and goes
    clockwise or counterclockwise, inwards or (from difficulty 6 on) outwards. The hardness is the number of entries.
    """

    verifier: ClassVar[str] = "number_tuple"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a matrix and a kind of spiral."""
        rows = level(difficulty, 2, 8)
        columns = rows + integer(rng, 0, 1)
        matrix: Matrix = rng.integers(10, 100, size=(rows, columns)).tolist()
        clockwise, outwards = bool(rng.random() < 0.5), bool(difficulty >= 6 and rng.random() < 0.5)
        pieces = _spiral(matrix if clockwise else [list(column) for column in zip(*matrix, strict=True)])
        lines = [
            f"{_direction(i, clockwise)}: {', '.join(map(str, piece))}" for i, piece in enumerate(pieces)
        ]
        order = [number for piece in pieces for number in piece]
        answer = ", ".join(map(str, order[::-1] if outwards else order))
        turn = (
            "clockwise (right, down, left, up)" if clockwise else "counterclockwise (down, right, up, left)"
        )
        reverse = " Then reverse the list, so that it begins in the middle." if outwards else ""
        return Task(
            prompt=ask(
                f"Read this matrix in a spiral that begins at the upper left corner and goes inwards {turn}.{reverse}"
                f"\n\n{grid_text(matrix)}\n",
                "the numbers in order",
                "1, 2, 3",
            ),
            answer=answer,
            metadata={"rows": rows, "columns": columns, "hardness": rows * columns},
            solution="\n".join([*lines, *(["Reversed, this begins in the middle."] if outwards else [])]),
        )


def _direction(index: int, clockwise: bool) -> str:
    return (("right", "down", "left", "up") if clockwise else ("down", "right", "up", "left"))[index % 4]


def _spiral(matrix: Matrix) -> list[list[int]]:
    """The straight pieces of the clockwise spiral: takes the first row off and turns the rest to the left."""
    pieces = []
    while matrix:
        pieces.append(matrix[0])
        matrix = [list(row) for row in zip(*matrix[1:], strict=True)][::-1]
    return pieces
