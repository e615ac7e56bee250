"""Sudoku of 4, 6 or 9 rows, with exactly one solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import GridProblem, explain_grid, grid_format
from rlvr_gym.envs.logic._latin import (
    DIGITS,
    LatinVerifier,
    givens_text,
    latin_model,
    latin_rules,
    random_square,
    text_rows,
)
from rlvr_gym.envs.logic._solver import reveal_until_solved, take_back
from rlvr_gym.errors import ConfigError
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["Sudoku"]

BOXES = {4: (2, 2), 6: (2, 3), 9: (3, 3)}
RULES = {size: latin_rules(size, box) for size, box in BOXES.items()}
LEVELS = {
    1: (4, 5), 2: (4, 9), 3: (6, 15), 4: (6, 22), 5: (9, 32), 6: (9, 38), 7: (9, 44), 8: (9, 48), 9: (9, 51),
    10: (9, 56),
}  # fmt: skip
"""Difficulty: size, and how many cells are empty (fewer where no more can be taken away)."""
FIRST_CLUES = {4: 2, 6: 5, 9: 15}
"""Clues of which too few to solve anything (4, 8 and 17 are known to be needed) are drawn at once."""
SMALLEST_SHARE, LARGEST_SHARE = 0.25, 0.75
EXTRA_CHECKS = 8
"""Searches spent on taking away cells that single steps need."""


@register_verifier("sudoku")
class SudokuVerifier(LatinVerifier):
    """Rows, columns, boxes and given cells."""

    def broken_clue(self, grid: list[list[int]], puzzle: dict[str, Any]) -> str | None:
        """No box holds a number twice."""
        size = puzzle["size"]
        height, width = BOXES[size]
        corners = [(top, left) for top in range(0, size, height) for left in range(0, size, width)]
        for number, (top, left) in enumerate(corners, 1):
            values = [value for row in grid[top : top + height] for value in row[left : left + width]]
            if len(set(values)) < size:
                return f"box {number} repeats a number"
        return None


@register("rlvr/Sudoku-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Sudoku(GridProblem):
    """Fill a Sudoku of 4, 6 or 9 rows; exactly one solution.

    Difficulty 1-2 is 4x4, 3-4 is 6x6, 5-10 is 9x9 with 32 to 56 empty cells. With a fixed ``size`` it is the share
    of empty cells, from a quarter to three quarters. Hardness is the number of values that follow directly, plus
    four for every value that has to be ruled out by trying it.

    Attributes:
        size: 4, 6 or 9; 0 leaves it to the difficulty.
        empty: how many cells to leave empty, or fewer if the solution would not be unique; 0 leaves it to the
            difficulty.
    """

    verifier: ClassVar[str] = "sudoku"
    sizes = tuple(BOXES)
    empty: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.empty < 0:
            raise ConfigError(
                f"empty is a number of cells, or 0 for the difficulty's own; got {self.empty!r}."
            )

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Reveals cells of a random square until single steps solve it, then adds or takes away cells."""
        size, empty = LEVELS[difficulty]
        if self.size:
            share = SMALLEST_SHARE + (LARGEST_SHARE - SMALLEST_SHARE) * (difficulty - 1) / 9
            size, empty = self.size, round(share * self.size**2)
        square = random_square(rng, size, BOXES[size])
        revealed = _reveal(square, size, size**2 - (self.empty or empty), rng)
        givens = givens_text(square, revealed, size)
        solution, told = explain_grid(latin_model(size, RULES[size], square, revealed), size, DIGITS)
        box = BOXES[size]
        prompt = (
            f"Solve this {size}x{size} Sudoku: fill the empty cells (.) so that every row, every column and every "
            f"{box[0]}x{box[1]} box ({box[0]} rows, {box[1]} columns) holds each number from 1 to {size} exactly "
            f"once. There is exactly one solution.\n\n{grid_text(givens)}\n\n{grid_format(size, size, ('12', '21'))}"
        )
        return Task(
            prompt=prompt,
            answer={"size": size, "givens": givens, "reference": text_rows(square, size)},
            metadata={
                "size": size,
                "clues": len(revealed),
                "assumptions": told.assumptions,
                "hardness": told.effort,
            },
            solution=solution,
        )


def _reveal(square: list[int], size: int, clues: int, rng: np.random.Generator) -> list[int]:
    """Cells to reveal, ``clues`` of them if uniqueness allows."""
    model = latin_model(size, RULES[size])
    at_once = max(
        FIRST_CLUES[size], clues - 4 * size // 3
    )  # with so many clues to give, some are spare anyway
    revealed = reveal_until_solved(model, square, rng, at_once=at_once)
    if len(revealed) < clues:
        hidden = sorted(set(range(size**2)) - set(revealed))
        return [*revealed, *rng.permutation(hidden)[: clues - len(revealed)].tolist()]
    return take_back(model, square, revealed, max_nodes=60, least=clues, tries=EXTRA_CHECKS)


register("rlvr/MiniSudoku-v0", Sudoku, family="logic", defaults={"size": 4})
