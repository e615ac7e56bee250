"""Futoshiki: a Latin square with signs between neighbouring cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import cell_name, grid_format
from rlvr_gym.envs.logic._latin import LatinPuzzle, LatinVerifier
from rlvr_gym.envs.logic._solver import Constraint, Relation, Table
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["Futoshiki"]

LEVELS = {
    1: (3, 0.3), 2: (4, 0.3), 3: (4, 0.5), 4: (5, 0.3), 5: (5, 0.5), 6: (6, 0.3), 7: (6, 0.5), 8: (7, 0.3), 9: (7, 0.5),
    10: (8, 0.5),
}  # fmt: skip
"""Difficulty: size, and the share of neighbouring pairs that have a sign."""


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
class Futoshiki(LatinPuzzle):
    """Fill a Latin square in which some neighbours are known to be smaller or larger; exactly one solution.

    Difficulty 1 is 3x3, 5 is 5x5, 10 is 8x8; more signs mean fewer given numbers. Hardness is the number of values
    that follow directly, plus four for every value ruled out by trying it.

    Attributes:
        size: from 3 to 9; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "futoshiki"
    sizes = range(3, 10)
    levels = LEVELS

    def draw_clues(
        self, rng: np.random.Generator, square: list[int], size: int, amount: float
    ) -> tuple[list[Constraint], dict[str, Any]]:
        """Signs between some neighbours."""
        pairs = _neighbours(size)
        chosen = np.sort(rng.permutation(len(pairs))[: round(amount * len(pairs))]).tolist()
        signs = [sorted(pairs[i], key=square.__getitem__) for i in chosen]
        return [Table(pair, _less(size), _sign_text(pair, size)) for pair in signs], {"signs": signs}

    def tell(self, puzzle: dict[str, Any]) -> str:
        """The rules, the given numbers and a list of the signs."""
        size = puzzle["size"]
        listed = ", ".join(_sign_text(pair, size) for pair in puzzle["signs"])
        return (
            f"Solve this {size}x{size} Futoshiki: fill the empty cells (.) so that every row and every column holds "
            f"each number from 1 to {size} exactly once and all inequalities hold. There is exactly one solution."
            f"\n\n{grid_text(puzzle['givens'])}\n\nInequalities (r1c2 is row 1, column 2): {listed}.\n\n"
            f"{grid_format(size, size, ('12', '21'))}"
        )


def _sign_text(pair: Sequence[int], size: int) -> str:
    return f"{cell_name(pair[0], size)} < {cell_name(pair[1], size)}"


@cache
def _neighbours(size: int) -> list[tuple[int, int]]:
    """Cells beside and below each other."""
    cells = range(size * size)
    beside = [(c, c + 1) for c in cells if c % size < size - 1]
    return beside + [(c, c + size) for c in cells if c < size * (size - 1)]


@cache
def _less(size: int) -> Relation:
    return Relation((a, b) for a in range(size) for b in range(a + 1, size))
