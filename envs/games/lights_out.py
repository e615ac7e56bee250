"""Lights Out: played, and as a set of presses; solved, or proved unsolvable, by linear algebra over GF(2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.games._puzzle import IMPOSSIBLE, Drawn, PlanProblem, Puzzle, PuzzleDialogue
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text
from rlvr_gym.verifiers.moves import Illegal, PlanVerifier, parse_cells

__all__ = ["LightsOut", "LightsOutPlan", "LightsOutVerifier"]

LEVELS = (
    (3, 3, 2), (3, 4, 3), (3, 4, 4), (4, 4, 3), (4, 4, 0), (4, 5, 0), (5, 5, 0), (5, 6, 0), (6, 6, 0), (6, 7, 0),
)  # fmt: skip
"""Difficulty: rows, columns, and cells that are pressed to mix the lights; 0 for about half of all."""
LEAST_PRESSES = 2
SPARE = 4

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lights:
    """A grid of lights; bit ``row * columns + column`` of ``lit`` tells whether one is on."""

    rows: int
    columns: int
    lit: int


@dataclass(frozen=True, slots=True)
class Equations:
    """The solved linear system of a grid: which presses turn which lights off.

    Attributes:
        rows: pairs of a reduced vector of lights, whose highest bit is in no other one, and the presses that make it.
        quiet: a basis of the sets of presses that change nothing.
    """

    rows: tuple[tuple[int, int], ...]
    quiet: tuple[int, ...]


class LightsOutRules(Puzzle[Lights, Cell]):
    """A press switches a light and its neighbours."""

    form = "the cells to press as (row, column) pairs, separated by commas"
    examples = ("(1, 2), (1, 2)",)  # twice the same changes nothing

    def position(self, board: Mapping[str, Any]) -> Lights:
        """Rows of 0 and 1."""
        rows = board["lights"]
        lit = sum(1 << i for i, light in enumerate("".join(rows)) if light == "1")
        return Lights(len(rows), len(rows[0]), lit)

    def parse(self, text: str) -> list[Cell] | None:
        """Pairs of numbers from 1."""
        return parse_cells(text)

    def make(self, position: Lights, move: Cell) -> Lights | Illegal:
        """Presses one cell."""
        row, column = move
        if not (0 <= row < position.rows and 0 <= column < position.columns):
            return Illegal("there is no such cell")
        pressed = _press(position.rows, position.columns)[row * position.columns + column]
        return Lights(position.rows, position.columns, position.lit ^ pressed)

    def solved(self, position: Lights) -> bool:
        """All lights are off."""
        return position.lit == 0

    def solve(self, position: Lights) -> list[Cell] | None:
        """As few presses as can be."""
        presses = _least_presses(position)
        return None if presses is None else [divmod(i, position.columns) for i in _bits(presses)]

    def write(self, move: Cell) -> str:
        """``(row, column)``, from 1."""
        return f"({move[0] + 1}, {move[1] + 1})"

    def show(self, position: Lights) -> str:
        """Rows of 0 and 1."""
        return grid_text(_grid(position, position.lit))

    def describe(self, position: Lights) -> str:
        """The rules and the lights."""
        return (
            "In this grid 1 is a light that is on and 0 one that is off. Pressing a cell switches it and its neighbours "
            "above, below, left and right (on becomes off, off becomes on). Rows count from 1 at the top, columns from 1 "
            f"on the left.\n\n{self.show(position)}\n\nThe goal is to have all lights off."
        )

    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[Cell]:
        """Draws presses, which can be undone."""
        rows, columns, presses = LEVELS[difficulty - 1]
        while True:
            lit = 0
            count = presses or int(rng.binomial(rows * columns, 0.5))
            for i in rng.permutation(rows * columns)[:count].tolist():
                lit ^= _press(rows, columns)[i]
            position = Lights(rows, columns, lit)
            plan = self.solve(position) or []
            if len(plan) >= LEAST_PRESSES:
                return _drawn(position, plan)


@register_verifier("lights_out_plan")
class LightsOutVerifier(PlanVerifier[Cell]):
    """Any presses after which all lights are off."""

    rules = LightsOutRules()
    impossible = IMPOSSIBLE


@register("rlvr/LightsOut-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class LightsOut(PuzzleDialogue):
    """Play Lights Out.

    Difficulty 1 has a grid of 3 x 3 mixed by 2 presses, 5 has 4 x 4, 10 has 6 x 7; the hardness is the number of lights
    and the least number of presses together. Four more presses may be tried than there are lights.
    """

    verifier: ClassVar[str] = "lights_out_plan"
    puzzle = LightsOutVerifier.rules


@register("rlvr/LightsOutPlan-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class LightsOutPlan(PlanProblem):
    """Say which cells to press to turn all lights off, or that it cannot be done; every set that works counts.

    Difficulty and hardness are those of ``rlvr/LightsOut-v0``. On grids of 4 x 4 and 5 x 5 (difficulty 4, 5 and 7) one
    task of four has no solution: there is a set of cells of which every press switches an even number, and an odd number
    of them is on. There the number of these cells counts in place of presses.
    """

    verifier: ClassVar[str] = "lights_out_plan"
    puzzle = LightsOutVerifier.rules
    impossible_share: ClassVar[float] = 0.25

    def draw_impossible(self, rng: np.random.Generator, difficulty: int) -> Drawn[Cell]:
        """Draws lights until they are out of reach."""
        rows, columns, _ = LEVELS[difficulty - 1]
        if not _equations(rows, columns).quiet:
            return self.puzzle.draw(rng, difficulty)
        while True:
            drawn = rng.integers(2, size=rows * columns).tolist()
            position = Lights(rows, columns, sum(light << i for i, light in enumerate(drawn)))
            if _least_presses(position) is None:
                return _drawn(position, None)


def _bits(mask: int) -> list[int]:
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


def _grid(position: Lights, mask: int) -> list[list[int]]:
    rows, columns = position.rows, position.columns
    return [[mask >> (row * columns + column) & 1 for column in range(columns)] for row in range(rows)]


@cache
def _press(rows: int, columns: int) -> tuple[int, ...]:
    """The lights that each cell's press switches."""
    masks = []
    for row in range(rows):
        for column in range(columns):
            near = ((row, column), (row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
            inside = [(r, c) for r, c in near if 0 <= r < rows and 0 <= c < columns]
            masks.append(sum(1 << (r * columns + c) for r, c in inside))
    return tuple(masks)


@cache
def _equations(rows: int, columns: int) -> Equations:
    """Gauss-Jordan elimination over GF(2)."""
    reduced: list[tuple[int, int]] = []
    quiet: list[int] = []
    for i, lights in enumerate(_press(rows, columns)):
        lights, presses = _reduce(lights, 1 << i, reduced)
        if not lights:
            quiet.append(presses)
            continue
        top = 1 << (lights.bit_length() - 1)
        reduced = [(a ^ lights, b ^ presses) if a & top else (a, b) for a, b in reduced]
        reduced.append((lights, presses))
    return Equations(tuple(reduced), tuple(quiet))


def _reduce(
    lights: int, presses: int, rows: list[tuple[int, int]] | tuple[tuple[int, int], ...]
) -> tuple[int, int]:
    for row_lights, row_presses in rows:
        if lights >> (row_lights.bit_length() - 1) & 1:
            lights, presses = lights ^ row_lights, presses ^ row_presses
    return lights, presses


def _least_presses(position: Lights) -> int | None:
    """The smallest set of presses that turns all off; None if there is none."""
    equations = _equations(position.rows, position.columns)
    rest, presses = _reduce(position.lit, 0, equations.rows)
    if rest:
        return None
    options = [presses]
    for quiet in equations.quiet:
        options += [option ^ quiet for option in options]
    return min(options, key=lambda option: (option.bit_count(), option))


def _drawn(position: Lights, plan: list[Cell] | None) -> Drawn[Cell]:
    cells = position.rows * position.columns
    effort = len(plan) if plan is not None else _odd_cells(position).bit_count()
    return Drawn(
        board={"lights": ["".join(map(str, row)) for row in _grid(position, position.lit)]},
        plan=plan,
        limit=cells + SPARE,
        facts={"rows": position.rows, "columns": position.columns, "hardness": cells + effort},
        proof=_proof(position) if plan is None else (),
    )


def _odd_cells(position: Lights) -> int:
    """A set of cells of which every press switches an even number, while an odd number of them is on.

    Presses that change nothing are such a set, because a cell switches another just if that one switches it.
    """
    quiet = _equations(position.rows, position.columns).quiet
    return next(mask for mask in quiet if (mask & position.lit).bit_count() % 2)


def _proof(position: Lights) -> tuple[str, ...]:
    odd = _odd_cells(position)
    return (
        f"Look at the cells that are marked by 1 here:\n{grid_text(_grid(position, odd))}",
        "Every press switches an even number of them (0, 2 or 4), as can be checked cell by cell.",
        f"Now {(odd & position.lit).bit_count()} of them are on, an odd number, and it stays odd whatever is pressed.",
        "So they are never all off.",
    )
