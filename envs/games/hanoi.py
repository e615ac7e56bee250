"""Towers of Hanoi from any position to any other: played, and as a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import pick
from rlvr_gym.envs.games._puzzle import Drawn, PlanProblem, Puzzle, PuzzleDialogue
from rlvr_gym.envs.games._search import search
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.moves import Illegal, PlanVerifier, find_moves

__all__ = ["Hanoi", "HanoiPlan", "HanoiVerifier"]

PEGS = "ABC"
LEVELS = (
    (3, 2, 2), (3, 3, 4), (4, 5, 6), (4, 7, 8), (4, 9, 11), (5, 12, 15), (5, 16, 20), (5, 21, 26), (6, 27, 35),
    (6, 36, 50),
)  # fmt: skip
"""Difficulty: disks, and the least and most moves of a shortest solution."""
SPARE = 6
_MOVE = re.compile(
    r"(?:move\s{1,3})?(?:dis[ck]\s{0,3}(\d{1,2})\s{0,3}[:,]?\s{0,3})?(?:from\s{1,3})?(?:peg\s{1,3})?\b([abc])"
    r"(?:[\s\"',]{0,4}(?:-{0,3}>|=>|\u2192|-|\\to|,|\bto\b)[\s\"',]{0,4}(?:peg\s{1,3})?|\s{0,3})([abc])\b",
    re.IGNORECASE | re.ASCII,
)

Pegs = tuple[int, ...]
"""The peg of every disk, the smallest first."""


@dataclass(frozen=True, slots=True)
class Towers:
    """Where the disks are, and where they have to go."""

    pegs: Pegs
    goal: Pegs


@dataclass(frozen=True, slots=True)
class Carry:
    """The top disk of a peg is put on another; ``disk`` is its number as far as it was said, else 0."""

    source: int
    target: int
    disk: int = 0


class HanoiRules(Puzzle[Towers, Carry]):
    """No disk may lie on a smaller one."""

    form = "moves such as A->B, separated by commas"
    examples = ("A->B, B->A", "C->A, A->C")

    def position(self, board: Mapping[str, Any]) -> Towers:
        """Two lists with the peg of every disk."""
        return Towers(tuple(board["start"]), tuple(board["goal"]))

    def parse(self, text: str) -> list[Carry] | None:
        """``A->B``, ``A to B``, ``AB``, ``Move disk 1 from A to B``, ``["A", "B"]``."""
        found = find_moves(text, _MOVE) or []
        return [Carry(_peg(match[2]), _peg(match[3]), int(match[1] or 0)) for match in found] or None

    def make(self, position: Towers, move: Carry) -> Towers | Illegal:
        """Moves the top disk."""
        pegs = position.pegs
        if move.source == move.target:
            return Illegal("a disk has to go to another peg")
        if move.source not in pegs:
            return Illegal(f"peg {PEGS[move.source]} is empty")
        disk = pegs.index(move.source)
        if move.disk not in (0, disk + 1):
            return Illegal(f"disk {move.disk} is not on top of peg {PEGS[move.source]}")
        if move.target in pegs[:disk]:
            return Illegal(f"the top disk of peg {PEGS[move.target]} is smaller")
        return Towers((*pegs[:disk], move.target, *pegs[disk + 1 :]), position.goal)

    def solved(self, position: Towers) -> bool:
        """Every disk is where it has to go."""
        return position.pegs == position.goal

    def solve(self, position: Towers) -> list[Carry] | None:
        """A shortest way."""
        found = search(position.pegs, _successors, lambda pegs: pegs == position.goal)
        return found.plan if found else None

    def write(self, move: Carry) -> str:
        """``A->B``."""
        return f"{PEGS[move.source]}->{PEGS[move.target]}"

    def show(self, position: Towers) -> str:
        """The pegs."""
        return _show(position.pegs)

    def describe(self, position: Towers) -> str:
        """The rules, the start and the goal."""
        return (
            f"There are {len(position.pegs)} disks, numbered by size from 1 (the smallest), on the pegs A, B and C. A "
            "move takes the top disk of a peg to another peg; no disk may lie on a smaller one. The disks, each peg from "
            f"bottom to top, are now:\n{_show(position.pegs)}\n\nThe goal is:\n{_show(position.goal)}"
        )

    def work(self, position: Towers, plan: list[Carry]) -> list[str]:
        """Which disk goes where."""
        lines = []
        pegs = position.pegs
        for number, move in enumerate(plan, 1):
            disk = pegs.index(move.source)
            pegs = (*pegs[:disk], move.target, *pegs[disk + 1 :])
            lines.append(f"{number}. {self.write(move)} takes disk {disk + 1}. {_in_line(pegs)}")
        return lines

    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[Carry]:
        """A goal at a distance from a start, both out of all positions."""
        disks, least, most = LEVELS[difficulty - 1]
        while True:
            start: Pegs = tuple(rng.integers(3, size=disks).tolist())
            goals = _positions(start, least, most)
            if goals:
                break
        goal = pick(rng, goals)
        plan = _plan(start, goal)
        return Drawn(
            board={"start": list(start), "goal": list(goal)},
            plan=plan,
            limit=2 * len(plan) + SPARE,
            facts={"disks": disks, "hardness": len(plan)},
        )


@register_verifier("hanoi_plan")
class HanoiVerifier(PlanVerifier[Carry]):
    """Any moves that lead from the start to the goal."""

    rules = HanoiRules()


@register("rlvr/Hanoi-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Hanoi(PuzzleDialogue):
    """Play the Towers of Hanoi from any position to any other.

    Difficulty 1 has 3 disks and 2 moves, 10 has 6 disks and 36 to 50 moves; the hardness is the number of moves of
    a shortest solution. Twice as many and six more may be tried.
    """

    verifier: ClassVar[str] = "hanoi_plan"
    puzzle = HanoiVerifier.rules


@register("rlvr/HanoiPlan-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class HanoiPlan(PlanProblem):
    """Give all moves of the Towers of Hanoi from any position to any other; every legal way counts.

    Difficulty and hardness are those of ``rlvr/Hanoi-v0``.
    """

    verifier: ClassVar[str] = "hanoi_plan"
    puzzle = HanoiVerifier.rules


def _peg(letter: str) -> int:
    return PEGS.index(letter.upper())


@lru_cache(maxsize=2048)
def _show(pegs: Pegs) -> str:
    lines = []
    for peg, name in enumerate(PEGS):
        disks = [str(disk + 1) for disk in reversed(range(len(pegs))) if pegs[disk] == peg]
        lines.append(f"{name}: {' '.join(disks) or 'empty'}")
    return "\n".join(lines)


@lru_cache(maxsize=2048)
def _in_line(pegs: Pegs) -> str:
    return _show(pegs).replace("\n", "; ")


@lru_cache(maxsize=2048)
def _successors(pegs: Pegs) -> tuple[tuple[Carry, Pegs], ...]:
    tops = {pegs.index(peg): peg for peg in range(3) if peg in pegs}
    return tuple(
        (Carry(source, target), (*pegs[:disk], target, *pegs[disk + 1 :]))
        for disk, source in tops.items()
        for target in range(3)
        if target not in pegs[: disk + 1]
    )


# There are only 3^n starts for n disks, so what is found from one of them is kept. The two orders below are part of
# what a task is: the first decides which goal a draw means, the second which of two shortest plans is written down.


@lru_cache(maxsize=1024)
def _positions(start: Pegs, least: int, most: int) -> tuple[Pegs, ...]:
    """The positions from ``least`` to ``most`` moves away, as a breadth-first search finds them."""
    seen, wave, found = {start}, [start], []
    for distance in range(most + 1):
        if distance >= least:
            found += wave
        after = []
        for pegs in wave:
            for _, position in _successors(pegs):
                if position not in seen:
                    seen.add(position)
                    after.append(position)
        wave = after
    return tuple(found)


@lru_cache(maxsize=256)
def _before(start: Pegs) -> dict[Pegs, Pegs]:
    """For every other position the one before it on a shortest way from ``start``: that of :meth:`HanoiRules.solve`."""
    before = {start: start}
    wave = [start]
    while wave:
        after = []
        for pegs in reversed(wave):  # as in ``search``: of equal distance, the one found last goes first
            for _, position in _successors(pegs):
                if position not in before:
                    before[position] = pegs
                    after.append(position)
        wave = after
    return before


def _plan(start: Pegs, goal: Pegs) -> list[Carry]:
    before, moves = _before(start), []
    while goal != start:
        earlier = before[goal]
        moves.append(next(move for move, after in _successors(earlier) if after == goal))
        goal = earlier
    return moves[::-1]
