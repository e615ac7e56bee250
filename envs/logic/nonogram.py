"""Nonograms: a picture out of the lengths of its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import GridProblem, GridVerifier, explain_grid, grid_format, grid_rows
from rlvr_gym.envs.logic._solver import Model, Relation, Table
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["Nonogram"]

LEVELS = {1: 4, 2: 5, 3: 5, 4: 6, 5: 7, 6: 8, 7: 9, 8: 10, 9: 11, 10: 12}
"""Difficulty: rows and columns."""
FILLED = 0.55

Clues = dict[str, list[list[int]]]


@register_verifier("nonogram")
class NonogramVerifier(GridVerifier):
    """Every row and column has the blocks that its clue tells."""

    def symbols(self, puzzle: dict[str, Any]) -> str:
        """1 is filled, 0 is empty."""
        return "01"

    def broken_rule(self, grid: list[str], puzzle: dict[str, Any]) -> str | None:
        """Rows first, then columns."""
        for kind, lines in (("rows", grid), ("columns", ["".join(c) for c in zip(*grid, strict=True)])):
            for number, (line, clue) in enumerate(zip(lines, puzzle[kind], strict=True), 1):
                if blocks(line) != clue:
                    return f"number {number} of the {kind} does not have the blocks {clue}"
        return None


@register("rlvr/Nonogram-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Nonogram(GridProblem):
    """Paint a picture whose blocks have given lengths; exactly one solution.

    Difficulty 1 is 4x4, 5 is 7x7, 10 is 12x12. Single steps in rows and columns are
    enough. Hardness is the number of cells that they settle.

    Attributes:
        size: from 3 to 15; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "nonogram"
    sizes = range(3, 16)

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a picture and fills what its clues leave open, until they leave nothing open."""
        size = self.size or LEVELS[difficulty]
        picture = (rng.random(size * size) < FILLED).astype(int).tolist()
        model = _model(picture, size)
        open_cells = _open_cells(model)
        while open_cells:
            # more ink means fewer ways to shift a block; an all-black picture leaves nothing open
            for cell in open_cells:
                picture[cell] = int(picture[cell] == 0 or rng.random() < FILLED)
            if not any(not picture[cell] for cell in open_cells):
                picture = [int(ink or rng.random() < 1 / size) for ink in picture]
            model = _model(picture, size)
            open_cells = _open_cells(model)
        reference = grid_rows([str(cell) for cell in picture], size)
        clues = _clues(reference)
        solution, told = explain_grid(model, size, "01")
        return Task(
            prompt=_prompt(clues, size),
            answer={"size": size, **clues, "reference": reference},
            metadata={"size": size, "filled": sum(picture), "hardness": told.effort},
            solution=solution,
        )


def blocks(line: str) -> list[int]:
    """The lengths of the blocks of ones, in order."""
    return [len(block) for block in line.split("0") if block]


def _clues(rows: Sequence[str]) -> Clues:
    columns = ["".join(column) for column in zip(*rows, strict=True)]
    return {"rows": [blocks(row) for row in rows], "columns": [blocks(column) for column in columns]}


@lru_cache(maxsize=2048)
def _lines(clue: tuple[int, ...], size: int) -> Relation:
    """All lines with these blocks: choose where the blocks lie among the gaps."""
    slack = size - sum(clue)
    found = []
    for starts in combinations(range(slack + 1), len(clue)):
        line = [0] * size
        for index, (gap, length) in enumerate(zip(starts, clue, strict=True)):
            begin = gap + sum(clue[:index])
            line[begin : begin + length] = [1] * length
        found.append(line)
    return Relation(found)


def _model(picture: Sequence[int], size: int) -> Model:
    clues = _clues(grid_rows([str(cell) for cell in picture], size))
    cells = range(size * size)
    rows = [
        Table(cells[i * size : (i + 1) * size], _lines(tuple(c), size), f"row {i + 1}")
        for i, c in enumerate(clues["rows"])
    ]
    columns = [
        Table(cells[i::size], _lines(tuple(c), size), f"column {i + 1}")
        for i, c in enumerate(clues["columns"])
    ]
    return Model([3] * size**2, [*rows, *columns])


def _open_cells(model: Model) -> list[int]:
    domains = list(model.domains)
    model.propagate(domains)
    return [cell for cell, domain in enumerate(domains) if domain == 3]


def _prompt(clues: Clues, size: int) -> str:
    def listed(kind: str, name: str) -> str:
        return "\n".join(
            f"{name} {i}: {' '.join(map(str, c)) or 'none'}" for i, c in enumerate(clues[kind], 1)
        )

    return (
        f"Solve this {size}x{size} nonogram: fill cells so that each row and column has blocks of filled cells of exactly "
        f"these lengths, in this order (rows from left to right, columns from top to bottom), with at least one empty "
        f"cell between two blocks. There is exactly one solution.\n\n{listed('rows', 'Row')}\n{listed('columns', 'Column')}"
        f"\n\nWrite 1 for a filled cell and 0 for an empty one. {grid_format(size, size, ('01', '11'), 'cells')}"
    )
