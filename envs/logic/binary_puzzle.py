"""Binary puzzles (Takuzu): noughts and ones, balanced, never three in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import BLANK, GridProblem, GridVerifier, explain_grid, grid_format, grid_rows
from rlvr_gym.envs.logic._solver import Constraint, Model, Relation, Table, reveal_until_solved
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["BinaryPuzzle"]

LEVELS = {
    1: (4, 0.25), 2: (4, 0.0), 3: (6, 0.25), 4: (6, 0.0), 5: (8, 0.25), 6: (8, 0.0), 7: (10, 0.25), 8: (10, 0.0),
    9: (12, 0.25), 10: (12, 0.0),
}  # fmt: skip
"""Difficulty: size, and the share of the cells that are not needed but told nevertheless."""


@register_verifier("binary_puzzle")
class BinaryPuzzleVerifier(GridVerifier):
    """Given cells, and every row and column balanced, without three in a row, and different from the others."""

    def symbols(self, puzzle: dict[str, Any]) -> str:
        """Nought and one."""
        return "01"

    def broken_rule(self, grid: list[str], puzzle: dict[str, Any]) -> str | None:
        """Rows first, then columns."""
        return _broken_line(grid, "row") or _broken_line(
            ["".join(c) for c in zip(*grid, strict=True)], "column"
        )


def _broken_line(lines: Sequence[str], kind: str) -> str | None:
    for number, line in enumerate(lines, 1):
        if line.count("0") != line.count("1"):
            return f"{kind} {number} is not balanced"
        if "000" in line or "111" in line:
            return f"{kind} {number} has three in a row"
        if line in lines[: number - 1]:
            return f"{kind} {number} is the same as {kind} {lines.index(line) + 1}"
    return None


@register("rlvr/BinaryPuzzle-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class BinaryPuzzle(GridProblem):
    """Fill a grid with 0 and 1: balanced lines, never three in a row, no two lines alike; exactly one solution.

    Difficulty 1-2 is 4x4 and two more levels go two rows up each, to 12x12; on even levels no given cell can be
    derived from those before it. Hardness is the number of values that follow directly, plus four for every value
    ruled out by trying it.

    Attributes:
        size: an even number from 4 to 12; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "binary_puzzle"
    sizes = (4, 6, 8, 10, 12)

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a full grid and gives away cells until single steps find the others."""
        size, spare = LEVELS[difficulty]
        size = self.size or size
        rules = _rules(size)
        grid = _random_grid(size, rules, rng)
        revealed = reveal_until_solved(Model([3] * size**2, rules), grid, rng)
        hidden = sorted(set(range(size**2)) - set(revealed))
        shown = {*revealed, *rng.permutation(hidden)[: round(spare * len(hidden))].tolist()}
        domains = [1 << value if cell in shown else 3 for cell, value in enumerate(grid)]
        solution, told = explain_grid(Model(domains, rules), size, "01")
        givens = grid_rows([str(v) if cell in shown else BLANK for cell, v in enumerate(grid)], size)
        prompt = (
            f"Solve this {size}x{size} binary puzzle: fill the empty cells (.) with 0 and 1 so that every row and every "
            f"column has as many 0s as 1s, no row and no column has three equal cells next to each other, no two rows "
            f"are the same and no two columns are the same. There is exactly one solution.\n\n{grid_text(givens)}\n\n"
            f"{grid_format(size, size, ('01', '10'), 'cells')}"
        )
        reference = grid_rows([str(value) for value in grid], size)
        return Task(
            prompt=prompt,
            answer={"size": size, "givens": givens, "reference": reference},
            metadata={"size": size, "clues": len(shown), "hardness": told.effort},
            solution=solution,
        )


@cache
def _lines(size: int) -> Relation:
    """The lines that are balanced and have no three equal cells together."""
    rows = product((0, 1), repeat=size)
    return Relation(row for row in rows if _broken_line(["".join(map(str, row))], "row") is None)


@cache
def _rules(size: int) -> list[Constraint]:
    """Rows and columns; that they differ from each other is a rule that the puzzles can be solved without."""
    cells = range(size * size)
    rules: list[Constraint] = []
    for i in range(size):
        rules.append(Table(cells[i * size : (i + 1) * size], _lines(size), f"row {i + 1}"))
        rules.append(Table(cells[i::size], _lines(size), f"column {i + 1}"))
    return rules


def _random_grid(size: int, rules: list[Constraint], rng: np.random.Generator) -> list[int]:
    """A full grid that obeys all rules; a dead end or two equal lines start afresh."""
    while True:
        found = Model([3] * size**2, rules).search(limit=1, max_nodes=4 * size**2, rng=rng)
        for grid in found.solutions:
            lines = grid_rows([str(value) for value in grid], size)
            if not (
                _broken_line(lines, "row")
                or _broken_line(["".join(c) for c in zip(*lines, strict=True)], "column")
            ):
                return grid
