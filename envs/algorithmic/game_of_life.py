"""GameOfLife: a board after some generations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["GameOfLife"]


@register("rlvr/GameOfLife-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class GameOfLife(Problem):
    """Compute Conway's Game of Life.

    Difficulty 1 has a 4 x 4 board and one generation, 10 has 9 x 9 and four. The hardness is the number of cells times
    the number of generations.
    """

    verifier: ClassVar[str] = "exact_grid"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws boards until one is neither dead nor still at the end."""
        size, generations = level(difficulty, 4, 9), level(difficulty, 1, 4)
        while True:
            boards = [(rng.random((size, size)) < 0.4).astype(np.int8)]
            for _ in range(generations):
                boards.append(_next(boards[-1]))
            if boards[-1].sum() > 2 and (boards[-1] != boards[-2]).any():
                break
        texts = [grid_text(board.tolist()) for board in boards]
        after = "one generation" if generations == 1 else f"{generations} generations"
        return Task(
            prompt=ask(
                f"This is a board of Conway's Game of Life (1 is a live cell, 0 a dead one; cells beyond the edge are "
                f"dead):\n\n{texts[0]}\n\nA live cell with two or three live neighbours (of eight) stays alive, a dead "
                f"one with exactly three becomes alive, all others are dead. What is the board after {after}?",
                "the rows as lines",
                "0 1\n1 0",
            ),
            answer=["".join(map(str, row)) for row in boards[-1].tolist()],
            metadata={"size": size, "generations": generations, "hardness": size * size * generations},
            solution="\n".join(f"Generation {i}:\n{text}" for i, text in enumerate(texts) if i),
        )

    def answer_text(self, task: Task) -> str:
        """The rows."""
        return grid_text(task.answer)


def _next(board: NDArray[np.int8]) -> NDArray[np.int8]:
    padded = np.pad(board, 1)
    rows, columns = board.shape
    neighbours = -board
    for i in range(3):
        for j in range(3):
            neighbours = neighbours + padded[i : i + rows, j : j + columns]
    after: NDArray[np.int8] = ((neighbours == 3) | ((neighbours == 2) & (board == 1))).astype(np.int8)
    return after
