"""Futoshiki: a Latin square with signs between neighbouring cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import GridProblem, cell_name, explain_grid, grid_format
from rlvr_gym.envs.logic._latin import (
    DIGITS,
    LatinVerifier,
    givens_text,
    latin_model,
    latin_rules,
    random_square,
    reveal_needed,
    text_rows,
)
from rlvr_gym.envs.logic._solver import Relation, Table
from rlvr_gym.errors import ConfigError
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["Futoshiki"]

LEVELS = {
    1: (3, 0.3), 2: (4, 0.3), 3: (4, 0.5), 4: (5, 0.3), 5: (5, 0.5), 6: (6, 0.3), 7: (6, 0.5), 8: (7, 0.3), 9: (7, 0.5),
    10: (8, 0.5),
}  # fmt: skip
"""Difficulty: size, and the share of neighbouring pairs that have a sign."""
TRICKY_FROM = 7


@register_verifier("futoshiki")
class FutoshikiVerifier(LatinVerifier):
    """A Latin square in which every sign holds."""

    def broken_clue(self, grid: list[list[int]], puzzle: dict[str, Any]) -> str | None:
        """Each sign is a pair of cells, the smaller first."""
        size = puzzle["size"]
        for small, large in puzzle["signs"]:
            if grid[small // size][small % size] >= grid[large // size][large % size]:
                return f"{cell_name(small, size)} < {cell_name(large, size)} does not hold"
        return None


@register("rlvr/Futoshiki-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Futoshiki(GridProblem):
    """Fill a Latin square in which some neighbours are known to be smaller or larger; exactly one solution.

    Difficulty 1 is 3x3, 5 is 5x5, 10 is 8x8; more signs mean fewer given numbers. Hardness is the number of values
    that follow directly, plus four for every value ruled out by trying it.

    Attributes:
        size: from 3 to 9; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "futoshiki"
    size: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size and not 3 <= self.size <= 9:
            raise ConfigError(f"size goes from 3 to 9, or is 0 for the difficulty's own; got {self.size!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a square and signs, then gives away the numbers that are needed."""
        size, share = LEVELS[difficulty]
        size = self.size or size
        square = random_square(rng, size)
        pairs = _neighbours(size)
        chosen = np.sort(rng.permutation(len(pairs))[: round(share * len(pairs))]).tolist()
        signs = [sorted(pairs[i], key=square.__getitem__) for i in chosen]
        rules = latin_rules(size)
        for small, large in signs:
            label = f"{cell_name(small, size)} < {cell_name(large, size)}"
            rules.append(Table((small, large), _less(size), label))
        revealed = reveal_needed(size, rules, square, rng, tricky=difficulty >= TRICKY_FROM)
        solution, told = explain_grid(latin_model(size, rules, square, revealed), size, DIGITS)
        givens = givens_text(square, revealed, size)
        listed = ", ".join(f"{cell_name(small, size)} < {cell_name(large, size)}" for small, large in signs)
        prompt = (
            f"Solve this {size}x{size} Futoshiki: fill the empty cells (.) so that every row and every column holds "
            f"each number from 1 to {size} exactly once and all inequalities hold. There is exactly one solution."
            f"\n\n{grid_text(givens)}\n\nInequalities (r1c2 is row 1, column 2): {listed}.\n\n"
            f"{grid_format(size, size, ('12', '21'))}"
        )
        return Task(
            prompt=prompt,
            answer={"size": size, "givens": givens, "signs": signs, "reference": text_rows(square, size)},
            metadata={"size": size, "signs": len(signs), "clues": len(revealed), "hardness": told.effort},
            solution=solution,
        )


@cache
def _neighbours(size: int) -> list[tuple[int, int]]:
    """Cells beside and below each other."""
    cells = range(size * size)
    beside = [(c, c + 1) for c in cells if c % size < size - 1]
    return beside + [(c, c + size) for c in cells if c < size * (size - 1)]


@cache
def _less(size: int) -> Relation:
    return Relation((a, b) for a in range(size) for b in range(a + 1, size))
