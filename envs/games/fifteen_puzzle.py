"""The fifteen puzzle and its smaller relatives, from any arrangement to any other: played, and as a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import pick
from rlvr_gym.envs.games._puzzle import IMPOSSIBLE, Drawn, PlanProblem, Puzzle, PuzzleDialogue
from rlvr_gym.envs.games._search import Found, search
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.moves import Illegal, PlanVerifier, find_moves

__all__ = ["FifteenPuzzle", "FifteenPuzzlePlan", "FifteenPuzzleVerifier"]

LEVELS = (
    (2, 3, 3), (2, 3, 6), (2, 3, 10), (3, 3, 12), (3, 3, 16), (3, 3, 20), (3, 3, 26), (4, 4, 26), (4, 4, 31), (4, 4, 36),
)  # fmt: skip
"""Difficulty: rows, columns and slides that mix the goal, none of which undoes the one before it."""
SPARE = 8
EXACT_VISITS = 4_000
"""Positions that the search for a shortest plan may visit."""
GREEDY_VISITS = 100_000
GREEDY_WEIGHT = 4
_TILE = re.compile(
    r"(?:(?:move|slide)\s{1,3})?(?:tile\s{0,3})?(?<![\d.-])\b(\d{1,2})\b(?!\.\d)", re.IGNORECASE | re.ASCII
)

Tiles = tuple[int, ...]
"""The tiles row by row; 0 is the gap."""


@dataclass(frozen=True, slots=True)
class Sliding:
    """An arrangement of tiles, and the one that is wanted."""

    rows: int
    columns: int
    tiles: Tiles
    goal: Tiles


class SlidingRules(Puzzle[Sliding, int]):
    """A tile beside the gap slides into it; a move is the tile's number."""

    form = "the numbers of the tiles in the order in which they slide, separated by commas"
    examples = ("99, 98, 97",)  # there are no such tiles

    def position(self, board: Mapping[str, Any]) -> Sliding:
        """Two lists of rows."""
        start, goal = (tuple(tile for row in board[name] for tile in row) for name in ("start", "goal"))
        return Sliding(len(board["start"]), len(board["start"][0]), start, goal)

    def parse(self, text: str) -> list[int] | None:
        """``5, 8, 2``, ``5 8 2``, ``[5, 8, 2]``, ``5 -> 8 -> 2``, ``slide tile 5, slide tile 8``."""
        return [int(match[1]) for match in find_moves(text, _TILE) or []] or None

    def make(self, position: Sliding, move: int) -> Sliding | Illegal:
        """Slides a tile."""
        if move == 0 or move not in position.tiles:
            return Illegal("there is no such tile")
        gap, tile = position.tiles.index(0), position.tiles.index(move)
        if tile not in _neighbours(position.rows, position.columns)[gap]:
            return Illegal("the tile is not beside the gap")
        return Sliding(position.rows, position.columns, _slide(position.tiles, gap, tile), position.goal)

    def solved(self, position: Sliding) -> bool:
        """Every tile is where it is wanted."""
        return position.tiles == position.goal

    def solve(self, position: Sliding) -> list[int] | None:
        """A shortest plan if it is found soon, else a short one."""
        found = _search(position, most=EXACT_VISITS)
        found = found or _search(position, weight=GREEDY_WEIGHT, most=GREEDY_VISITS)
        return found.plan if found else None

    def write(self, move: int) -> str:
        """The tile's number."""
        return str(move)

    def show(self, position: Sliding) -> str:
        """The tiles; the gap is an underscore."""
        return _show(position.tiles, position.columns)

    def describe(self, position: Sliding) -> str:
        """The rules, the start and the goal."""
        return (
            "In this sliding puzzle a move slides a tile that is above, below, left or right of the gap (_) into it; it is "
            f"named by the tile's number. The tiles are now:\n\n{self.show(position)}\n\n"
            f"The goal is:\n\n{_show(position.goal, position.columns)}"
        )

    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[int]:
        """Draws a goal and mixes it."""
        rows, columns, slides = LEVELS[difficulty - 1]
        while True:
            goal: Tiles = tuple(rng.permutation(rows * columns).tolist())
            tiles, back = _mix(rng, goal, rows, columns, slides)
            position = Sliding(rows, columns, tiles, goal)
            found = _search(position, most=EXACT_VISITS)
            plan = found.plan if found else back
            if len(plan) >= 2:
                return Drawn(
                    board=_board(position),
                    plan=plan,
                    limit=2 * len(plan) + SPARE,
                    facts={"rows": rows, "columns": columns, "hardness": len(plan)},
                )


@register_verifier("fifteen_puzzle_plan")
class FifteenPuzzleVerifier(PlanVerifier[int]):
    """Any slides that lead to the goal."""

    rules = SlidingRules()
    impossible = IMPOSSIBLE


@register("rlvr/FifteenPuzzle-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class FifteenPuzzle(PuzzleDialogue):
    """Play a sliding puzzle.

    Difficulty 1 has a grid of 2 x 3, mixed by 3 slides; 4 has 3 x 3, mixed by 12; 10 has 4 x 4, mixed by 36. The goal is
    any arrangement. The hardness is the number of slides of the reference: a shortest plan, or the slides that mixed it,
    undone, where the search for a shortest one would take too long. Twice as many and eight more may be tried.
    """

    verifier: ClassVar[str] = "fifteen_puzzle_plan"
    puzzle = FifteenPuzzleVerifier.rules


@register("rlvr/FifteenPuzzlePlan-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class FifteenPuzzlePlan(PlanProblem):
    """Give all slides that solve a sliding puzzle, or say that none do; every way counts.

    Difficulty is that of ``rlvr/FifteenPuzzle-v0``. One task of eight has no solution: two tiles of one that has are
    swapped, so that the parity is wrong. The hardness is the number of slides of the reference (before the swap).
    """

    verifier: ClassVar[str] = "fifteen_puzzle_plan"
    puzzle = FifteenPuzzleVerifier.rules
    impossible_share: ClassVar[float] = 0.125

    def draw_impossible(self, rng: np.random.Generator, difficulty: int) -> Drawn[int]:
        """Swaps two tiles of a puzzle that can be solved."""
        drawn = self.puzzle.draw(rng, difficulty)
        position = self.puzzle.position(drawn.board)
        tiles = list(position.tiles)
        first, second = (
            tiles.index(i) for i in rng.choice(np.arange(1, len(tiles)), 2, replace=False).tolist()
        )
        tiles[first], tiles[second] = tiles[second], tiles[first]
        swapped = Sliding(position.rows, position.columns, tuple(tiles), position.goal)
        return Drawn(_board(swapped), None, drawn.limit, drawn.facts, _proof(swapped))


def _show(tiles: Tiles, columns: int) -> str:
    width = len(str(max(tiles)))
    texts = [("_" if tile == 0 else str(tile)).rjust(width) for tile in tiles]
    return "\n".join(" ".join(texts[i : i + columns]) for i in range(0, len(texts), columns))


@cache
def _neighbours(rows: int, columns: int) -> tuple[tuple[int, ...], ...]:
    """The places beside each place."""
    places = range(rows * columns)
    return tuple(
        tuple(b for b in places if abs(a // columns - b // columns) + abs(a % columns - b % columns) == 1)
        for a in places
    )


def _slide(tiles: Tiles, gap: int, tile: int) -> Tiles:
    after = list(tiles)
    after[gap], after[tile] = after[tile], 0
    return tuple(after)


def _mix(
    rng: np.random.Generator, goal: Tiles, rows: int, columns: int, slides: int
) -> tuple[Tiles, list[int]]:
    """The goal after random slides, none of which undoes the one before it; and the way back."""
    tiles, previous = goal, -1
    back: list[int] = []
    for _ in range(slides):
        gap = tiles.index(0)
        tile = pick(rng, [place for place in _neighbours(rows, columns)[gap] if place != previous])
        back.append(tiles[tile])
        tiles, previous = _slide(tiles, gap, tile), gap
    return tiles, back[::-1]


def _search(position: Sliding, *, weight: int = 1, most: int) -> Found[int] | None:
    neighbours = _neighbours(position.rows, position.columns)
    estimate = _distance(position.goal, position.columns)

    def successors(tiles: Tiles) -> Iterator[tuple[int, Tiles]]:
        gap = tiles.index(0)
        for tile in neighbours[gap]:
            yield tiles[tile], _slide(tiles, gap, tile)

    def is_goal(tiles: Tiles) -> bool:
        return tiles == position.goal

    return search(position.tiles, successors, is_goal, estimate, weight=weight, most=most)


def _distance(goal: Tiles, columns: int) -> Callable[[Tiles], int]:
    """How far all tiles together are from where they are wanted: at most the number of slides."""
    places = range(len(goal))
    table = [[0] * len(goal) for _ in goal]
    for end, tile in enumerate(goal):
        if tile:
            table[tile] = [
                abs(p // columns - end // columns) + abs(p % columns - end % columns) for p in places
            ]

    def estimate(tiles: Tiles) -> int:
        return sum([row[place] for row, place in zip(map(table.__getitem__, tiles), places, strict=True)])

    return estimate


def _board(position: Sliding) -> dict[str, Any]:
    columns = position.columns
    starts = range(0, len(position.tiles), columns)
    return {
        "start": [list(position.tiles[i : i + columns]) for i in starts],
        "goal": [list(position.goal[i : i + columns]) for i in starts],
    }


def _proof(position: Sliding) -> tuple[str, ...]:
    """Every slide swaps a tile with the gap and moves the gap by one place."""
    wanted = [position.goal.index(tile) for tile in position.tiles]
    cycles, seen = [], set()
    for start in range(len(wanted)):
        place, cycle = start, []
        while place not in seen:
            seen.add(place)
            cycle.append(position.tiles[place])
            place = wanted[place]
        if len(cycle) > 1:
            cycles.append(cycle)
    swaps = sum(len(cycle) - 1 for cycle in cycles)
    gap, end = position.tiles.index(0), position.goal.index(0)
    steps = abs(gap // position.columns - end // position.columns)
    steps += abs(gap % position.columns - end % position.columns)
    told = "; ".join(" ".join("gap" if tile == 0 else str(tile) for tile in cycle) for cycle in cycles)
    return (
        "Every slide swaps a tile with the gap, and moves the gap by one place.",
        f"The gap is {steps} places away from where it is wanted, so the number of slides is {_parity(steps)}.",
        f"Each piece has to go where the next one of its cycle is: {told}. That takes an {_parity(swaps)} number of swaps "
        f"({swaps}).",
        f"No number is both {_parity(steps)} and {_parity(swaps)}.",
    )


def _parity(number: int) -> str:
    return "odd" if number % 2 else "even"
