"""What Latin-square puzzles share: random squares, the model of rows and columns, and the verifier's rules."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import BLANK, GridProblem, GridVerifier, explain_grid, grid_rows
from rlvr_gym.envs.logic._solver import (
    AllDifferent,
    Constraint,
    Model,
    bits_of,
    reveal_until_solved,
    take_back,
)
from rlvr_gym.task import Task

__all__ = [
    "DIGITS",
    "LatinPuzzle",
    "LatinVerifier",
    "box_of",
    "givens_text",
    "latin_model",
    "latin_rules",
    "random_square",
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
    options = [(1 << size) - 1] * (size * size)
    sizes = [size] * (size * size)
    luck = rng.random(size * size).tolist()
    todo = set(range(size * size))
    square = [0] * (size * size)
    forced: list[int] = []
    while todo:
        cell = forced.pop() if forced else min(todo, key=sizes.__getitem__)
        if cell not in todo:
            continue
        todo.remove(cell)
        values = bits_of(options[cell])
        if not values:
            return None
        square[cell] = values[int(luck[cell] * len(values))]
        taken = 1 << square[cell]
        for peer in _peers(size, box)[cell]:
            if peer in todo and options[peer] & taken:
                options[peer] ^= taken
                sizes[peer] -= 1
                if sizes[peer] == 1:
                    forced.append(peer)
    return square


@cache
def _peers(size: int, box: Box | None) -> list[list[int]]:
    """For each cell the others of its row, its column and its box."""
    cells = [(r, c, box_of(r, c, size, box) if box else -1) for r in range(size) for c in range(size)]
    return [
        [
            i
            for i, (row, col, b) in enumerate(cells)
            if (row == r or col == c or b == k >= 0) and (row, col) != (r, c)
        ]
        for r, c, k in cells
    ]


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
        return self.broken_clue([list(map(int, row)) for row in grid], puzzle)

    def broken_clue(self, grid: list[list[int]], puzzle: dict[str, Any]) -> str | None:
        """The first clue that a Latin square breaks, or None."""
        return None


@dataclass(frozen=True, kw_only=True)
class LatinPuzzle(GridProblem):
    """A Latin square with clues, and as many given numbers as make the solution unique.

    Subclasses say which clues a square gets, and how the puzzle is told.
    """

    levels: ClassVar[Mapping[int, tuple[int, float]]]
    """Difficulty: size, and how much of the clues there is."""
    tricky_from: ClassVar[int] = 7
    """From this difficulty on, given numbers may be so few that values have to be tried."""

    @abstractmethod
    def draw_clues(
        self, rng: np.random.Generator, square: list[int], size: int, amount: float
    ) -> tuple[list[Constraint], dict[str, Any]]:
        """The clues as rules of the solver, and as JSON for the verifier."""

    @abstractmethod
    def tell(self, puzzle: dict[str, Any]) -> str:
        """The prompt of a puzzle: ``size``, ``givens`` and the clues."""

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a square and its clues, then gives away the numbers that are needed."""
        size, amount = self.levels[difficulty]
        size = self.size or size
        square = random_square(rng, size)
        clue_rules, clues = self.draw_clues(rng, square, size, amount)
        rules = latin_rules(size) + clue_rules
        model = latin_model(size, rules)
        revealed = reveal_until_solved(model, square, rng)
        if difficulty >= self.tricky_from:
            revealed = take_back(model, square, revealed)
        solution, told = explain_grid(latin_model(size, rules, square, revealed), size, DIGITS)
        puzzle = {"size": size, "givens": givens_text(square, revealed, size), **clues}
        return Task(
            prompt=self.tell(puzzle),
            answer={**puzzle, "reference": text_rows(square, size)},
            metadata={
                "size": size,
                "clues": len(clue_rules),
                "givens": len(revealed),
                "assumptions": told.assumptions,
                "hardness": told.effort,
            },
            solution=solution,
        )
