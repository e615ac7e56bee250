"""Minesweeper: the first cell is always safe, and nobody ever has to guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.games._mines import Field, bits, deduce, flood, lay, numbers
from rlvr_gym.envs.games._puzzle import Drawn, Play, Puzzle, PuzzleDialogue
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text
from rlvr_gym.verifiers.moves import Illegal, PlanVerifier, parse_cells

__all__ = ["Minesweeper", "MinesweeperVerifier"]

LEVELS = (
    (4, 4, 2), (5, 5, 4), (5, 5, 5), (5, 6, 6), (6, 6, 7), (6, 7, 8), (7, 7, 10), (7, 8, 12), (8, 8, 14), (8, 9, 16),
)  # fmt: skip
"""Difficulty: rows, columns and mines."""
SPARE = 5

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A game.

    Attributes:
        field: its size, and what its mines follow from.
        mines: where they are; 0 before the first cell is opened.
        opened: the open cells.
    """

    field: Field
    mines: int = 0
    opened: int = 0


class MinesweeperRules(Puzzle[Sweep, Cell]):
    """Open all cells without a mine."""

    form = "the cells to open as (row, column) pairs, separated by commas"
    examples = ("(99, 1), (99, 2)",)  # there are no such cells

    def position(self, board: Mapping[str, Any]) -> Sweep:
        """A field of which no cell is open."""
        return Sweep(Field(board["rows"], board["columns"], board["mines"], board["seed"]))

    def parse(self, text: str) -> list[Cell] | None:
        """Pairs of numbers from 1."""
        return parse_cells(text)

    def make(self, position: Sweep, move: Cell) -> Sweep | Illegal:
        """Opens a cell, and those around it if there is no mine beside it, and so on."""
        field = position.field
        row, column = move
        if not (0 <= row < field.rows and 0 <= column < field.columns):
            return Illegal("there is no such cell")
        cell = row * field.columns + column
        mines = position.mines or lay(field, cell)
        if mines >> cell & 1:
            return Sweep(field, mines, position.opened | 1 << cell)
        return Sweep(field, mines, flood(field, mines, position.opened, cell))

    def solved(self, position: Sweep) -> bool:
        """All cells but the mines are open."""
        return position.mines > 0 and position.opened ^ position.mines == position.field.cells

    def lost(self, position: Sweep) -> bool:
        """A mine is open."""
        return bool(position.opened & position.mines)

    def solve(self, position: Sweep) -> list[Cell] | None:
        """Safe cells that follow from what is seen, to be opened next; not all of them until the end."""
        field = position.field
        if not position.opened:
            return [(field.rows // 2, field.columns // 2)]
        safe = deduce(field, position.opened, numbers(field, position.mines, position.opened)).safe
        return [divmod(cell, field.columns) for cell in bits(safe)] or None

    def write(self, move: Cell) -> str:
        """``(row, column)``, from 1."""
        return f"({move[0] + 1}, {move[1] + 1})"

    def show(self, position: Sweep) -> str:
        """Numbers on open cells, ``.`` on the others, ``*`` on a mine that was opened."""
        field = position.field
        shown: dict[int, object] = dict(numbers(field, position.mines, position.opened))
        shown |= dict.fromkeys(bits(position.opened & position.mines), "*")
        cells = [shown.get(i, ".") for i in range(field.rows * field.columns)]
        return grid_text([cells[i : i + field.columns] for i in range(0, len(cells), field.columns)])

    def describe(self, position: Sweep) -> str:
        """The rules and the size."""
        field = position.field
        return (
            f"This is Minesweeper with {field.rows} rows, {field.columns} columns and {field.mines} mines; rows count from "
            "1 at the top, columns from 1 on the left. An open cell shows how many of the up to eight cells around it have "
            "a mine; a closed one is a dot. Opening a cell with 0 also opens all cells around it. The mines are laid when "
            "you open the first cell: neither it nor a cell around it has one, and from then on it is always possible to "
            f"find a safe cell by reasoning.\n\n{self.show(position)}\n\nOpening a mine loses the game. The goal is to open "
            "all cells that have no mine. Opening an open cell changes nothing, but counts."
        )

    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[Cell]:
        """Draws a seed, and plays."""
        rows, columns, mines = LEVELS[difficulty - 1]
        board = {"rows": rows, "columns": columns, "mines": mines, "seed": int(rng.integers(2**32))}
        position = self.position(board)
        plan: list[Cell] = []
        hardness = 0
        while not self.solved(position):
            seen = numbers(position.field, position.mines, position.opened)
            hardness += 1 + deduce(position.field, position.opened, seen).rounds
            for move in self.solve(position) or []:
                position = self.follow(position, move)
                plan.append(move)
        limit = rows * columns - mines + SPARE
        return Drawn(board, plan, limit, {"mines": mines, "hardness": hardness})


@register_verifier("minesweeper")
class MinesweeperVerifier(PlanVerifier[Cell]):
    """Any cells after which all are open but the mines."""

    rules = MinesweeperRules()


@register("rlvr/Minesweeper-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Minesweeper(PuzzleDialogue):
    """Play Minesweeper; the first cell is safe, and it can always be won without a guess.

    Difficulty 1 has 4 x 4 cells with 2 mines, 5 has 6 x 6 with 7, 10 has 8 x 9 with 16. The mines are laid when the first
    cell is opened, as a function of the task and that cell, so that a reasoner that compares facts in pairs can open all
    the rest. Opening a mine loses. The hardness is the number of turns of that reasoner (who opens all cells that it
    knows to be safe in one turn), and how many times facts had to be compared in pairs.
    """

    verifier: ClassVar[str] = "minesweeper"
    puzzle = MinesweeperVerifier.rules

    def start(self, task: Task) -> Play:
        """The oracle knows no more than a player."""
        return replace(super().start(task), plan=[])

    def oracle(self, task: Task, state: Any) -> str:
        """Opens the cells that are safe for certain."""
        safe = self.puzzle.solve(state.position)
        if not safe:
            return "No cell is safe for certain. <answer>none</answer>"
        return f"These cells are safe for certain. <answer>{self.puzzle.write_all(safe)}</answer>"
