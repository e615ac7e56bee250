"""What Latin-square puzzles share: random squares, the model of rows and columns, and the verifier's rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from rlvr_gym.envs.logic._grids import BLANK, GridVerifier, grid_rows
from rlvr_gym.envs.logic._solver import (
    AllDifferent,
    Constraint,
    Model,
    bits_of,
    reveal_until_solved,
    take_back,
)

__all__ = [
    "DIGITS",
    "LatinVerifier",
    "box_of",
    "givens_text",
    "latin_model",
    "latin_rules",
    "random_square",
    "reveal_needed",
    "text_rows",
]

DIGITS = "123456789"

Box = tuple[int, int]
"""Rows and columns of a box."""


def box_of(row: int, column: int, size: int, box: Box) -> int:
    """Which box a cell lies in, counted along the rows."""
    return row // box[0] * (size // box[1]) + column // box[1]


def random_square(rng: np.random.Generator, size: int, box: Box | None = None) -> list[int]:
    """A random Latin square, with boxes if given, as a flat list of values from 0.

    A fill of the cell with the fewest candidates, values at random; every square can come out, though not all
    with the same chance. A dead end starts afresh, which is cheaper than to go back.
    """
    square = None
    while square is None:
        square = _fill(rng, size, box)
    return square


def _fill(rng: np.random.Generator, size: int, box: Box | None) -> list[int] | None:
    everything = (1 << size) - 1
    # One list of used values for rows, columns and boxes; without boxes, the last index is a spare one.
    free = [everything] * (3 * size + 1)
    units = [
        (r, size + c, 2 * size + (box_of(r, c, size, box) if box else size))
        for r in range(size)
        for c in range(size)
    ]
    luck = rng.random(size * size).tolist()
    square = [0] * (size * size)
    todo = list(range(size * size))
    while todo:
        best, options, fewest = -1, 0, size + 1
        for position, cell in enumerate(todo):
            row, column, block = units[cell]
            mask = free[row] & free[column] & free[block]
            count = mask.bit_count()
            if count < fewest:
                best, options, fewest = position, mask, count
                if count <= 1:
                    break
        if not options:
            return None
        cell = todo.pop(best)
        values = bits_of(options)
        square[cell] = values[int(luck[cell] * len(values))]
        for unit in units[cell][: 3 if box else 2]:
            free[unit] &= ~(1 << square[cell])
    return square


def latin_rules(size: int, box: Box | None = None) -> list[Constraint]:
    """Every value once in each row, column and, if given, box."""
    values = (1 << size) - 1
    cells = range(size * size)
    rules: list[Constraint] = []
    for i in range(size):
        rules.append(AllDifferent([c for c in cells if c // size == i], f"row {i + 1}", values))
        rules.append(AllDifferent([c for c in cells if c % size == i], f"column {i + 1}", values))
        if box:
            scope = [c for c in cells if box_of(c // size, c % size, size, box) == i]
            rules.append(AllDifferent(scope, f"box {i + 1}", values))
    return rules


def latin_model(
    size: int,
    rules: Sequence[Constraint],
    square: Sequence[int] = (),
    revealed: Collection[int] = (),
) -> Model:
    """The model of a square of ``size`` under ``rules``, with the revealed cells of ``square`` filled in."""
    domains = [(1 << size) - 1] * (size * size)
    for cell in revealed:
        domains[cell] = 1 << square[cell]
    return Model(domains, rules)


def reveal_needed(
    size: int,
    rules: Sequence[Constraint],
    square: Sequence[int],
    rng: np.random.Generator,
    *,
    tricky: bool = False,
) -> list[int]:
    """Cells to give away so that ``square`` is the only solution.

    Args:
        size: rows of the square.
        rules: all rules of the puzzle.
        square: the solution.
        rng: draws the order.
        tricky: takes cells back as long as a search proves uniqueness; else single steps solve the puzzle.
    """
    model = latin_model(size, rules)
    revealed = reveal_until_solved(model, square, rng)
    return take_back(model, square, revealed) if tricky else revealed


def text_rows(square: Sequence[int], size: int) -> list[str]:
    """A flat square of values from 0 as rows of digits from 1."""
    return grid_rows([DIGITS[value] for value in square], size)


def givens_text(square: Sequence[int], revealed: Collection[int], size: int) -> list[str]:
    """The rows with only the revealed cells filled in."""
    shown = set(revealed)
    return grid_rows([DIGITS[value] if cell in shown else BLANK for cell, value in enumerate(square)], size)


class LatinVerifier(GridVerifier):
    """Every digit once in each row and column; subclasses add their own rules in :meth:`broken_clue`."""

    def symbols(self, puzzle: dict[str, Any]) -> str:
        """The digits from 1 to the size."""
        return DIGITS[: puzzle["size"]]

    def broken_rule(self, grid: list[str], puzzle: dict[str, Any]) -> str | None:
        """Rows, columns, then the puzzle's own clues."""
        for i, row in enumerate(grid):
            if len(set(row)) < len(row):
                return f"row {i + 1} repeats a number"
        for i, column in enumerate(zip(*grid, strict=True)):
            if len(set(column)) < len(column):
                return f"column {i + 1} repeats a number"
        return self.broken_clue([[int(cell) for cell in row] for row in grid], puzzle)

    def broken_clue(self, grid: list[list[int]], puzzle: dict[str, Any]) -> str | None:
        """The first clue that a Latin square breaks, or None."""
        return None
