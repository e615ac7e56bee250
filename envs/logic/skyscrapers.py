"""Skyscrapers: a Latin square of heights, and how many are seen from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import grid_format
from rlvr_gym.envs.logic._latin import LatinPuzzle, LatinVerifier
from rlvr_gym.envs.logic._solver import Constraint, Relation, Table
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier

__all__ = ["Skyscrapers"]

LEVELS = {
    1: (3, 0.5), 2: (4, 0.4), 3: (4, 0.7), 4: (4, 1.0), 5: (5, 0.4), 6: (5, 0.7), 7: (5, 1.0), 8: (6, 0.4),
    9: (6, 0.7), 10: (6, 1.0),
}  # fmt: skip
"""Difficulty: size, and the share of the border's clues that are told."""
SIDES = ("left", "right", "top", "bottom")


@register_verifier("skyscrapers")
class SkyscrapersVerifier(LatinVerifier):
    """A Latin square that looks right from every told place on the border."""

    def broken_clue(self, grid: list[list[int]], puzzle: dict[str, Any]) -> str | None:
        """0 stands for a clue that is not told."""
        seen = _border(grid)
        for side in SIDES:
            for line, (told, is_seen) in enumerate(zip(puzzle["clues"][side], seen[side], strict=True), 1):
                if told not in (0, is_seen):
                    return f"{side} clue {line} says {told}, and {is_seen} are seen"
        return None


@register("rlvr/Skyscrapers-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Skyscrapers(LatinPuzzle):
    """Place towers of all heights so that the right number is seen from each side; exactly one solution.

    Difficulty 1 is 3x3, 2-4 is 4x4, 5-7 is 5x5, 8-10 is 6x6; more clues on the border mean fewer given heights.
    Hardness is the number of values that follow directly, plus four for every value ruled out by trying it.

    Attributes:
        size: from 3 to 7; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "skyscrapers"
    sizes = range(3, 8)
    levels = LEVELS

    def draw_clues(
        self, rng: np.random.Generator, square: list[int], size: int, amount: float
    ) -> tuple[list[Constraint], dict[str, Any]]:
        """What is seen from some places on the border."""
        seen = _border([square[start : start + size] for start in range(0, size * size, size)])
        told = set(rng.permutation(4 * size)[: round(amount * 4 * size)].tolist())
        clues = {
            side: [count if number * size + i in told else 0 for i, count in enumerate(seen[side])]
            for number, side in enumerate(SIDES)
        }
        return _view_rules(clues, size), {"clues": clues}

    def tell(self, puzzle: dict[str, Any]) -> str:
        """The rules, and the grid with the clues around it."""
        size, givens, clues = puzzle["size"], puzzle["givens"], puzzle["clues"]
        rows = "\n".join(
            f"{clues['left'][r] or '-'} | {' '.join(givens[r])} | {clues['right'][r] or '-'}"
            for r in range(size)
        )
        top, bottom = (" ".join(str(count or "-") for count in clues[side]) for side in ("top", "bottom"))
        return (
            f"Solve this {size}x{size} Skyscrapers puzzle: fill the empty cells (.) with the heights of towers so that "
            f"every row and every column holds each height from 1 to {size} exactly once. A number outside the grid "
            f"tells how many towers are seen from there along the row or column; a tower hides all lower ones behind "
            f"it; - tells nothing. There is exactly one solution.\n\n    {top}\n{rows}\n    {bottom}\n\n"
            f"Leave out the numbers of the border. {grid_format(size, size, ('12', '21'))}"
        )


def visible(line: Sequence[int]) -> int:
    """How many towers are seen from before the first one."""
    count = tallest = 0
    for height in line:
        if height >= tallest:
            count, tallest = count + 1, height + 1
    return count


def _border(grid: Sequence[Sequence[int]]) -> dict[str, list[int]]:
    columns = list(zip(*grid, strict=True))
    return {
        "left": [visible(row) for row in grid],
        "right": [visible(row[::-1]) for row in grid],
        "top": [visible(column) for column in columns],
        "bottom": [visible(column[::-1]) for column in columns],
    }


@cache
def _views(size: int, front: int, back: int) -> Relation:
    """The lines that look right from both ends; 0 allows any number."""
    lines = permutations(range(size))
    return Relation(p for p in lines if front in (0, visible(p)) and back in (0, visible(p[::-1])))


def _view_rules(clues: dict[str, list[int]], size: int) -> list[Constraint]:
    rules: list[Constraint] = []
    for i in range(size):
        row, column = range(i * size, (i + 1) * size), range(i, size * size, size)
        for cells, front, back, name in (
            (row, clues["left"][i], clues["right"][i], f"the view along row {i + 1}"),
            (column, clues["top"][i], clues["bottom"][i], f"the view along column {i + 1}"),
        ):
            if front or back:
                rules.append(Table(cells, _views(size, front, back), name))
    return rules
