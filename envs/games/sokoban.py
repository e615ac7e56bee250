"""Sokoban: played, and as a plan."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import pick
from rlvr_gym.envs.games._puzzle import Drawn, PlanProblem, Puzzle, PuzzleDialogue
from rlvr_gym.envs.games._warehouse import Push, Room, bits, draw_room, pull_apart, push_together
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.moves import Illegal, PlanVerifier, parse_directions

__all__ = ["Sokoban", "SokobanPlan", "SokobanVerifier"]

LEVELS = (
    (3, 8, 1, 2, 2), (4, 12, 1, 3, 4), (4, 13, 2, 4, 5), (5, 17, 2, 6, 7), (5, 18, 2, 8, 9), (6, 22, 2, 10, 11),
    (6, 23, 3, 12, 13), (6, 24, 3, 14, 15), (7, 28, 3, 16, 18), (7, 30, 3, 19, 30),
)  # fmt: skip
"""Difficulty: rows and columns, floor cells, boxes, and the least and most pushes of a solution."""
DRAWS = 4
"""Rooms that are drawn before the one that needs the most pushes has to do."""
MOST_PULLED = 1_500
MOST_VISITS = 20_000
SPARE = 10
LETTERS = "UDLR"
WALL = "X"
"""Not the usual #: in an answer, a line that begins with four of them marks the final answer."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A room, the boxes in it as bits, and the player's cell."""

    room: Room
    boxes: int
    player: int


class SokobanRules(Puzzle[Warehouse, str]):
    """The player walks, and pushes one box at a time."""

    form = "the steps in their order, such as U, D, L, R"
    examples = ("U, D, L, R", "L, R, D, U", "R, L, U, D", "D, U, R, L", ", ".join("U" * 9))

    def position(self, board: Mapping[str, Any]) -> Warehouse:
        """Rows in the usual notation, with ``_`` for free floor and another letter for walls."""
        rows = board["rows"]
        cells = dict(enumerate("".join(rows)))
        mask = {
            kind: sum(1 << i for i, cell in cells.items() if cell in kind) for kind in (WALL, ".*+", "$*")
        }
        floor = (1 << len(cells)) - 1 & ~mask[WALL]
        player = next(i for i, cell in cells.items() if cell in "@+")
        return Warehouse(Room(len(rows[0]), floor, mask[".*+"]), mask["$*"], player)

    def parse(self, text: str) -> list[str] | None:
        """``UDLR``, ``u, d``, ``up, down``, arrows."""
        return parse_directions(text)

    def make(self, position: Warehouse, move: str) -> Warehouse | Illegal:
        """Walks a step, and pushes the box that stands there."""
        room, boxes = position.room, position.boxes
        step = room.steps[LETTERS.index(move)]
        at, beyond = position.player + step, position.player + 2 * step
        if not room.floor >> at & 1:
            return Illegal("a wall is in the way")
        if boxes >> at & 1:
            if not (room.floor & ~boxes) >> beyond & 1:
                return Illegal("the box cannot be pushed there")
            boxes ^= 1 << at | 1 << beyond
        return Warehouse(room, boxes, at)

    def solved(self, position: Warehouse) -> bool:
        """Every box is on a goal."""
        return position.boxes == position.room.goals

    def solve(self, position: Warehouse) -> list[str] | None:
        """The fewest pushes, with shortest walks between them."""
        pushes = push_together(position.room, position.boxes, position.player, MOST_VISITS)
        return None if pushes is None else _walk_all(position, pushes)

    def write(self, move: str) -> str:
        """The letter."""
        return move

    def show(self, position: Warehouse) -> str:
        """The room."""
        return "\n".join(_rows(position))

    def work(self, position: Warehouse, plan: list[str]) -> list[str]:
        """The room after every push."""
        lines = [f"Start:\n{self.show(position)}"]
        walked = ""
        for move in plan:
            boxes = position.boxes
            position = self.follow(position, move)
            walked += move
            if position.boxes != boxes:
                lines.append(f"{walked} (the last step pushes a box):\n{self.show(position)}")
                walked = ""
        return lines

    def describe(self, position: Warehouse) -> str:
        """The rules and the room."""
        return (
            f"This is a warehouse: {WALL} wall, _ floor, . goal, $ box, * box on a goal, @ you, + you on a goal.\n\n"
            f"{self.show(position)}\n\nA step goes up (U), down (D), left (L) or right (R). Stepping against a box pushes "
            "it on by one cell, if the cell behind it is free; a box cannot be pulled, and two cannot be pushed at once. "
            "The goal is that every box is on a goal."
        )

    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[str]:
        """Draws a room with all boxes on goals, and pulls them apart."""
        size, cells, boxes, least, far = LEVELS[difficulty - 1]
        best, pulled = None, None
        draws = 0
        while pulled is None or (len(pulled.waves) <= least and draws < DRAWS):
            draws += 1
            room = draw_room(rng, size, cells, boxes)
            apart = pull_apart(room, far, MOST_PULLED)
            if len(apart.waves) > (2 if pulled is None else len(pulled.waves)):
                best, pulled = room, apart
        assert best is not None
        longest = len(pulled.waves) - 1
        wave = [p for pushes in range(min(least, longest), longest + 1) for p in pulled.waves[pushes]]
        at = pick(rng, wave)
        position = Warehouse(best, at[0], pick(rng, bits(best.reach(*at))))
        pushes = []
        while at in pulled.push:
            push, at = pulled.push[at]
            pushes.append(push)
        plan = _walk_all(position, pushes)
        return Drawn(
            board={"rows": _rows(position)},
            plan=plan,
            limit=2 * len(plan) + SPARE,
            facts={"boxes": boxes, "pushes": len(pushes), "hardness": len(plan)},
        )


@register_verifier("sokoban_plan")
class SokobanVerifier(PlanVerifier[str]):
    """Any steps that bring every box to a goal."""

    rules = SokobanRules()


@register("rlvr/Sokoban-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Sokoban(PuzzleDialogue):
    """Play Sokoban.

    Difficulty 1 has one box in a room of 3 x 3 cells and needs 2 pushes; 5 has two in 5 x 5 and needs 8; 10 has three in
    7 x 7 and needs 19 or more, if such a room is found in time. The hardness is the number of steps of a solution with
    the fewest pushes; twice as many and ten more may be tried.
    """

    verifier: ClassVar[str] = "sokoban_plan"
    puzzle = SokobanVerifier.rules


@register("rlvr/SokobanPlan-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class SokobanPlan(PlanProblem):
    """Give all steps that solve a Sokoban; every way counts.

    Difficulty and hardness are those of ``rlvr/Sokoban-v0``.
    """

    verifier: ClassVar[str] = "sokoban_plan"
    puzzle = SokobanVerifier.rules


def _rows(position: Warehouse) -> list[str]:
    room = position.room
    # the wall below the floor has no bits; there are as many rows as columns
    cells = [
        WALL if not room.floor >> i & 1 else "_.$*"[(room.goals >> i & 1) + 2 * (position.boxes >> i & 1)]
        for i in range(room.width**2)
    ]
    cells[position.player] = "+" if room.goals >> position.player & 1 else "@"
    return ["".join(cells[i : i + room.width]) for i in range(0, len(cells), room.width)]


def _walk_all(position: Warehouse, pushes: Sequence[Push]) -> list[str]:
    """The steps of these pushes, with a shortest walk before each."""
    room, boxes, player = position.room, position.boxes, position.player
    plan: list[str] = []
    for box, step in pushes:
        plan += [*_walk(room, boxes, player, box - step), LETTERS[room.steps.index(step)]]
        boxes ^= 1 << box | 1 << (box + step)
        player = box
    return plan


def _walk(room: Room, boxes: int, start: int, end: int) -> str:
    """The steps of a shortest walk around the boxes."""
    free = room.floor & ~boxes
    way = {start: ""}
    queue = deque([start])
    while end not in way:
        at = queue.popleft()
        for letter, step in zip(LETTERS, room.steps, strict=True):
            if free >> (at + step) & 1 and at + step not in way:
                way[at + step] = way[at] + letter
                queue.append(at + step)
    return way[end]
