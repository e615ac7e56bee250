"""Floors of cells with walls, hazards and ice: what a step does, and how a floor is told in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rlvr_gym.envs._authoring import shuffled

__all__ = ["SIDES", "STEPS", "Cell", "Floor", "draw_floor", "parse_step", "say_floor"]

Cell = tuple[int, int]
STEPS: dict[str, Cell] = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
SIDES = {"up": ("left", "right"), "down": ("left", "right"), "left": ("up", "down"), "right": ("up", "down")}
"""Where one who slips may go instead."""
_NAMES = {name: name for name in STEPS} | {name[0]: name for name in STEPS}


@dataclass(frozen=True)
class Floor:
    """A square of cells, counted from 1.

    Attributes:
        size: rows and columns.
        walls: cells that cannot be entered.
        hazards: cells that end the game.
        ice: cells on which one slides on in the same direction.
    """

    size: int
    walls: frozenset[Cell]
    hazards: frozenset[Cell]
    ice: frozenset[Cell] = frozenset()

    def step(self, cell: Cell, direction: str) -> Cell:
        """The next cell; the same one if a wall or the edge is in the way."""
        row, column = cell[0] + STEPS[direction][0], cell[1] + STEPS[direction][1]
        inside = 1 <= row <= self.size and 1 <= column <= self.size
        return (row, column) if inside and (row, column) not in self.walls else cell

    def slide(self, cell: Cell, direction: str) -> list[Cell]:
        """The cells that are entered, one after the other: several over ice, none before a wall."""
        entered: list[Cell] = []
        while (after := self.step(cell, direction)) != cell:
            entered.append(after)
            cell = after
            if cell not in self.ice:
                break
        return entered


def draw_floor(
    rng: np.random.Generator, size: int, walls: int, hazards: int, ice: int, free: int
) -> tuple[Floor, list[Cell]]:
    """A floor, and ``free`` cells of it that are none of these."""
    cells = [(row, column) for row in range(1, size + 1) for column in range(1, size + 1)]
    order = shuffled(rng, cells)
    parts = np.cumsum([0, walls, hazards, ice, free]).tolist()
    wall, hazard, frozen, left = (order[a:b] for a, b in pairwise(parts))
    return Floor(size, frozenset(wall), frozenset(hazard), frozenset(frozen)), left


def say_cells(cells: Iterable[Cell]) -> str:
    """Cells in the order of rows."""
    return ", ".join(f"({row}, {column})" for row, column in sorted(cells)) or "none"


def say_floor(floor: Floor, hazard: str) -> str:
    """The floor in words."""
    ice = f"Ice is at {say_cells(floor.ice)}. " if floor.ice else ""
    return (
        f"You are on a floor of {floor.size} rows and {floor.size} columns; a cell is written (row, column), and (1, 1) is "
        "at the top left, so that up makes the row smaller and left the column. "
        f"Walls are at {say_cells(floor.walls)}. {hazard} is at {say_cells(floor.hazards)}. {ice}"
        "A step against a wall or the edge leaves you where you are."
    )


def parse_step(words: str) -> str | None:
    """The direction that one word, or its first letter, names."""
    return _NAMES.get(words.removeprefix("go ").removeprefix("move "))
