"""Games of lines on a board, with or without gravity: rules, an exact solver, positions and their text.

A position is a pair of bit sets ``(own, other)``: the cells of the player to move and those of the other one. Row 0 is
the top; the bit of a cell is ``1 << (row * columns + column)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from rlvr_gym.envs._authoring import pick

__all__ = ["Position", "Rules", "Solver", "draw_position", "solver_of"]

Position = tuple[int, int]
_MAX_MEMO = 300_000
"""Positions that a shared solver remembers before it begins anew (some 60 MB)."""


@dataclass(frozen=True)
class Rules:
    """A board and what wins on it.

    Attributes:
        rows: number of rows.
        columns: number of columns.
        line: so many of one's marks in a row, column or diagonal win.
        gravity: whether a mark falls to the lowest free cell of its column.
    """

    rows: int
    columns: int
    line: int
    gravity: bool = False

    @property
    def cells(self) -> int:
        """The number of cells."""
        return self.rows * self.columns

    @cached_property
    def _lines(self) -> dict[int, tuple[int, ...]]:
        """The lines through each cell, as bit sets."""
        through: dict[int, list[int]] = {1 << cell: [] for cell in range(self.cells)}
        for line in self._all_lines():
            for cell in line:
                through[1 << cell].append(sum(1 << other for other in line))
        return {cell: tuple(lines) for cell, lines in through.items()}

    def _all_lines(self) -> Iterator[list[int]]:
        for row in range(self.rows):
            for column in range(self.columns):
                for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                    last = (row + down * (self.line - 1), column + right * (self.line - 1))
                    if 0 <= last[0] < self.rows and 0 <= last[1] < self.columns:
                        yield [(row + down * i) * self.columns + column + right * i for i in range(self.line)]

    @cached_property
    def _columns(self) -> tuple[tuple[int, ...], ...]:
        """The cells of each column from the bottom, as bits."""
        return tuple(
            tuple(1 << (row * self.columns + column) for row in reversed(range(self.rows)))
            for column in range(self.columns)
        )

    def moves(self, taken: int) -> list[int]:
        """The cells that may be taken, as bits, in the order of their names."""
        if not self.gravity:
            return [1 << cell for cell in range(self.cells) if not taken >> cell & 1]
        lowest = (next((bit for bit in column if not taken & bit), 0) for column in self._columns)
        return [bit for bit in lowest if bit]

    def wins(self, own: int, move: int) -> bool:
        """Whether ``move`` completes a line for the player who has ``own``."""
        after = own | move
        return any(after & line == line for line in self._lines[move])

    def name(self, move: int) -> str:
        """How a move is written: the column's number, or the column's letter and the row's number."""
        row, column = divmod(move.bit_length() - 1, self.columns)
        return str(column + 1) if self.gravity else f"{'abcdefgh'[column]}{row + 1}"

    def draw(self, first: int, second: int) -> str:
        """The board as text; ``first`` are the marks X, ``second`` the marks O."""
        marks = [
            "X" if first >> cell & 1 else "O" if second >> cell & 1 else "." for cell in range(self.cells)
        ]
        rows = [" ".join(marks[row * self.columns : (row + 1) * self.columns]) for row in range(self.rows)]
        if self.gravity:
            return "\n".join([*rows, " ".join(str(column + 1) for column in range(self.columns))])
        heading = "  " + " ".join("abcdefgh"[: self.columns])
        return "\n".join([heading, *(f"{number} {row}" for number, row in enumerate(rows, 1))])


class Solver:
    """Exact values of positions under best play of both sides, by search with memory.

    A value is 1 if the player to move can force a win, -1 if the other one can, 0 if neither can.

    Attributes:
        nodes: positions that have been looked at, each counted once.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.nodes = 0
        self._memo: dict[Position, int] = {}

    def value(self, position: Position) -> int:
        """The value of a position that nobody has won yet."""
        if len(self._memo) > _MAX_MEMO:
            self._memo.clear()
        return self._value(*position)

    def _value(self, own: int, other: int) -> int:
        known = self._memo.get((own, other))
        if known is not None:
            return known
        self.nodes += 1
        best = -1
        moves = self._sensible(own, other)
        if not moves:
            best = 0
        elif self.rules.wins(own, moves[0]):
            best = 1
        elif not (len(moves) > 1 and self.rules.wins(other, moves[0])):  # two threats cannot be met
            for move in moves:
                best = max(best, -self._value(other, own | move))
                if best == 1:
                    break
        self._memo[own, other] = best
        return best

    def _sensible(self, own: int, other: int) -> list[int]:
        """One winning move; or all moves that stop a threat of the other; or all moves."""
        moves = self.rules.moves(own | other)
        for move in moves:
            if self.rules.wins(own, move):
                return [move]
        return [move for move in moves if self.rules.wins(other, move)] or moves

    def move_value(self, position: Position, move: int) -> int:
        """The value, for the player to move, of making this move."""
        own, other = position
        if self.rules.wins(own, move):
            return 1
        if (own | other | move).bit_count() == self.rules.cells:
            return 0
        return -self.value((other, own | move))

    def best_moves(self, position: Position) -> list[int]:
        """Every move that keeps the value of the position."""
        value = self.value(position)
        moves = self.rules.moves(position[0] | position[1])
        return [move for move in moves if self.move_value(position, move) == value]

    def good_moves(self, position: Position) -> list[int]:
        """Those of the best moves that win at once or stop a threat, if there are any, so that a lost game drags on."""
        best = self.best_moves(position)
        urgent = [move for move in self._sensible(*position) if move in best]
        return urgent or best


@lru_cache(maxsize=16)
def solver_of(rules: Rules) -> Solver:
    """A solver that remembers between tasks; what it says does not depend on that."""
    return Solver(rules)


def draw_position(rng: np.random.Generator, rules: Rules, empty: int) -> Position:
    """A position that nobody has won, with so many empty cells, by random moves of both sides."""
    while True:
        own = other = 0
        for _ in range(rules.cells - empty):
            moves = [move for move in rules.moves(own | other) if not rules.wins(own, move)]
            if not moves:
                break
            own, other = other, own | pick(rng, moves)
        else:
            return own, other
