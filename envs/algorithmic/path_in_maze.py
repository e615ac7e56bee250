"""PathInMaze: a shortest way out, as moves that are simulated, or the statement that there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._reading import scan
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["MazePathVerifier", "PathInMaze"]

IMPOSSIBLE_SHARE = 0.15
MOVES = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}
_WORDS = {
    "up": "U",
    "down": "D",
    "left": "L",
    "right": "R",
    "\u2191": "U",
    "\u2193": "D",
    "\u2190": "L",
    "\u2192": "R",
}
_MOVE = re.compile(r"up|down|left|right|[\u2190-\u2193]|[udlr]{1,200}(?![a-z])", re.IGNORECASE)

Cell = tuple[int, int]
Place = int
"""The index of a cell in a framed maze."""


@register_verifier("maze_path")
class MazePathVerifier(RuleVerifier[str]):
    """Any path of the least length; "impossible" only if there is none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> str | None:
        """Moves: ``RRD``, ``R, R, D``, ``right, right, down`` or arrows."""
        found = scan(re.sub(r"([\u2190-\u2193])", r"\1 ", answer), _MOVE) or []
        return "".join(_WORDS.get(match.group().lower(), match.group().upper()) for match in found) or None

    def fault(self, value: str, task: Task) -> str | None:
        """The first rule that is broken."""
        maze = task.answer["maze"]
        row, column = _find(maze, "S")
        for number, move in enumerate(value, 1):
            row, column = row + MOVES[move][0], column + MOVES[move][1]
            if not (0 <= row < len(maze) and 0 <= column < len(maze[0])) or maze[row][column] == "X":
                return f"move {number} hits a wall"
        if maze[row][column] != "E":
            return "it does not end at E"
        least = task.answer["distance"]
        return None if len(value) == least else f"{least} moves are enough"


@register("rlvr/PathInMaze-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class PathInMaze(Problem):
    """Find a shortest path through a maze; every shortest path counts.

    Difficulty 1 has a 4 x 4 grid and each level one more row and column, to 13 x 13; three cells of ten are walls. In
    one task of seven there is no path. The hardness is the number of cells that a breadth-first search visits.
    """

    verifier: ClassVar[str] = "maze_path"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws walls and a goal in the farther half of what can be reached, or outside of it."""
        size = level(difficulty, 4, 13)
        split = rng.random() < IMPOSSIBLE_SHARE
        names = _names(size)
        while True:
            walls = (rng.random((size, size)) < 0.3).tolist()
            maze = _framed(["".join(["X" if wall else "." for wall in row]) for row in walls])
            start = (1 + int(rng.integers(size))) * (size + 1) + int(rng.integers(size))
            maze[start] = "S"
            before, waves = _search(maze, start, size + 1)
            order = list(before)
            others = [place for place in names if maze[place] == "." and place not in before]
            choice = others if split else order[max(2, len(order) // 2) :]
            if choice and len(order) >= size:
                break
        end = choice[int(rng.integers(len(choice)))]
        maze[end] = "E"
        reference, lines = _explain(before, waves, start, end, size)
        rows = ["".join(maze[row : row + size]) for row in range(size + 1, len(maze) - 1 - size, size + 1)]
        return Task(
            prompt=ask(
                "Find a shortest path from S to E in this maze. X is a wall, . is free; a move goes one cell up (U), "
                "down (D), left (L) or right (R):\n\n" + "\n".join(rows) + "\n",
                "the moves, or the word impossible if E cannot be reached,",
                "UDLRUDLR" * 3,
            ),
            answer={"maze": rows, "distance": len(reference) if reference else None, "reference": reference},
            metadata={"size": size, "hardness": len(order) if split else order.index(end) + 1},
            solution="\n".join([*lines, f"So: {reference or MazePathVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The path that the search found."""
        return task.answer["reference"] or MazePathVerifier.impossible


def _find(maze: Sequence[str], mark: str) -> Cell:
    return next((r, row.index(mark)) for r, row in enumerate(maze) if mark in row)


def _framed(rows: Sequence[str]) -> list[str]:
    """The cells one row after the other, with a wall after each and rows of walls around: nothing leads out of it."""
    wall = "X" * (len(rows) + 1)
    return list(wall + "".join([f"{row}X" for row in rows]) + wall)


@cache
def _names(size: int) -> dict[Place, str]:
    """Row and column, from 1, of the cells of a framed maze, in order."""
    return {(r + 1) * (size + 1) + c: f"{r + 1},{c + 1}" for r in range(size) for c in range(size)}


def _steps(width: int) -> dict[str, int]:
    """How far each move leads in a framed maze."""
    return {move: down * width + right for move, (down, right) in MOVES.items()}


def _search(maze: Sequence[str], start: Place, width: int) -> tuple[dict[Place, str], list[list[Place]]]:
    """The last move to every cell that can be reached, in the order of the search; and the cells by distance."""
    moves = list(_steps(width).items())
    before = {start: ""}
    waves = [[start]]
    while waves[-1]:
        wave: list[Place] = []
        for place in waves[-1]:
            for move, step in moves:
                beside = place + step
                if maze[beside] != "X" and beside not in before:
                    before[beside] = move
                    wave.append(beside)
        waves.append(wave)
    return before, waves[:-1]


def _explain(
    before: dict[Place, str], waves: Sequence[Sequence[Place]], start: Place, end: Place, size: int
) -> tuple[str | None, list[str]]:
    names, steps = _names(size), _steps(size + 1)
    lines = ["Cells (row,column) by their distance from S:"]
    for distance, wave in enumerate(waves):
        lines.append(f"{distance}: {' '.join([names[place] for place in wave])}")
        if end in wave:
            break
    if end not in before:
        return None, [*lines, f"E at {names[end]} is not among them."]
    moves = ""
    at = end
    while at != start:
        move = before[at]
        moves = move + moves
        at -= steps[move]
    return moves, lines
