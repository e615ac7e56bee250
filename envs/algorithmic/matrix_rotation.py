"""MatrixRotation: a matrix after rotations and reflections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["MatrixRotation"]

Matrix = list[list[int]]

MOVES: dict[str, Callable[[Matrix], Matrix]] = {
    "rotate it by 90 degrees clockwise": lambda m: [list(row) for row in zip(*m[::-1], strict=True)],
    "rotate it by 90 degrees counterclockwise": lambda m: [list(row) for row in zip(*m, strict=True)][::-1],
    "rotate it by 180 degrees": lambda m: [row[::-1] for row in m[::-1]],
    "transpose it": lambda m: [list(row) for row in zip(*m, strict=True)],
    "mirror it left to right": lambda m: [row[::-1] for row in m],
    "mirror it top to bottom": lambda m: m[::-1],
}


@register("rlvr/MatrixRotation-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class MatrixRotation(Problem):
    """Rotate, transpose and mirror a matrix.

    Difficulty 1 has a matrix of about 2 x 3 and one move, 10 has about 6 x 7 and four. The hardness is the number of
    entries times the number of moves.
    """

    verifier: ClassVar[str] = "matrix"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a matrix and moves that do not cancel out."""
        rows = level(difficulty, 2, 6)
        columns = rows + integer(rng, 0, 1)
        count = level(difficulty, 1, 4)
        while True:
            matrix: Matrix = rng.integers(10, 100, size=(rows, columns)).tolist()
            names = [pick(rng, list(MOVES)) for _ in range(count)]
            stages = [matrix]
            for name in names:
                stages.append(MOVES[name](stages[-1]))
            if stages[-1] != matrix:
                break
        moves = ", then ".join(names)
        return Task(
            prompt=ask(
                f"Take this matrix and {moves}:\n\n{grid_text(matrix)}\n",
                "the resulting matrix",
                "[[1, 2], [3, 4]]",
            ),
            answer=str(stages[-1]),
            metadata={"rows": rows, "columns": columns, "moves": count, "hardness": rows * columns * count},
            solution="\n".join(
                f"{name.capitalize()}:\n{grid_text(stage)}"
                for name, stage in zip(names, stages[1:], strict=True)
            ),
        )
