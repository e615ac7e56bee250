"""Rush Hour: played, and as a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import pick
from rlvr_gym.envs.games._puzzle import Drawn, PlanProblem, Puzzle, PuzzleDialogue
from rlvr_gym.envs.games._search import search
from rlvr_gym.envs.games._traffic import Car, Lot, Places, Slide, distances, reachable, way_out
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.moves import Illegal, PlanVerifier, find_moves

__all__ = ["RushHour", "RushHourPlan", "RushHourVerifier"]

LEVELS = (
    (4, 4, 2, 2), (4, 5, 3, 3), (5, 9, 3, 4), (5, 10, 4, 4), (5, 10, 5, 5), (5, 10, 6, 6), (5, 10, 6, 7), (6, 14, 7, 8),
    (6, 14, 8, 9), (6, 14, 9, 50),
)  # fmt: skip
"""Difficulty: size, cars, and the least and most moves of a shortest solution."""
DRAWS = 60
"""Car parks that are drawn before the hardest one so far has to do."""
LONG_SHARE = {4: 0.15, 5: 0.15, 6: 0.3}
"""How many cars have three cells, by size."""
MOST_POSITIONS = {4: 300, 5: 300, 6: 500}
"""A car park in which more can be reached takes too long to be searched, by size."""
MOST_CHOICES = 6
"""Where more slides are possible at the exit, there is so much room that the way there tends to be short."""
MOST_VISITS = 30_000
SPARE = 6
NAMES = "XABCDEFGHIJKLMNO"
_MOVE = re.compile(
    r"(?:(?:move|slide|car)\s{1,3}){0,2}\b([a-z])\b\s{0,2}:?\s{0,2}"
    r"(?:([+\u2212-])\s{0,2}|(?:to\s{1,3}the\s{1,3})?\b(up|down|left|right)\b\s{0,2}(?:by\s{1,3})?)(\d)\b(?!\.\d)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Traffic:
    """A car park and where its cars are; the cars are named ``NAMES`` in their order."""

    lot: Lot
    places: Places


@dataclass(frozen=True, slots=True)
class Drive:
    """A car goes by ``cells`` to the right or down, or back if that is negative; ``axis`` if it was said which."""

    car: str
    cells: int
    axis: str = ""


class RushHourRules(Puzzle[Traffic, Drive]):
    """Cars go along their lines; X has to reach the right edge."""

    form = "moves such as A+2 or B-1, separated by commas"
    examples = ("Z+2, Y-1",)  # there are no such cars

    def position(self, board: Mapping[str, Any]) -> Traffic:
        """Rows of letters."""
        grid = board["grid"]
        cars, offsets = [], []
        for name in NAMES:
            cells = [(r, c) for r, row in enumerate(grid) for c, letter in enumerate(row) if letter == name]
            if cells:
                row, column = cells[0]
                vertical = cells[1][0] != row
                cars.append(Car(column if vertical else row, len(cells), vertical))
                offsets.append(row if vertical else column)
        lot = Lot(len(grid), tuple(cars))
        return Traffic(lot, lot.pack(offsets))

    def parse(self, text: str) -> list[Drive] | None:
        """``A+2``, ``a + 2``, ``A right 2``, ``move car A to the right by 2``."""
        return [_read(match) for match in find_moves(text, _MOVE) or []] or None

    def make(self, position: Traffic, move: Drive) -> Traffic | Illegal:
        """Drives a car; all cells on the way have to be free."""
        lot, index = position.lot, NAMES.find(move.car)
        if not 0 <= index < len(lot.cars):
            return Illegal(f"there is no car {move.car}")
        if move.axis and (move.axis == "vertical") != lot.cars[index].vertical:
            return Illegal(
                f"car {move.car} only goes {'up and down' if lot.cars[index].vertical else 'left and right'}"
            )
        if move.cells == 0:
            return Illegal("a car has to go by a cell at least")
        target = lot.offsets(position.places)[index] + move.cells
        if not 0 <= target <= lot.size - lot.cars[index].length:
            return Illegal("it would leave the grid")
        for after in lot.after(position.places):
            if lot.slide(position.places, after) == (index, move.cells):
                return Traffic(lot, after)
        return Illegal("another car is in the way")

    def solved(self, position: Traffic) -> bool:
        """X is at the right edge."""
        return position.lot.solved(position.places)

    def solve(self, position: Traffic) -> list[Drive] | None:
        """A shortest way."""
        lot = position.lot

        def successors(places: Places) -> list[tuple[Slide, Places]]:
            return [(lot.slide(places, after), after) for after in lot.after(places)]

        found = search(position.places, successors, lot.solved, most=MOST_VISITS)
        return list(map(_drive, found.plan)) if found else None

    def write(self, move: Drive) -> str:
        """``A+2``."""
        return f"{move.car}{move.cells:+d}"

    def show(self, position: Traffic) -> str:
        """The grid."""
        return "\n".join(" ".join(row) for row in _grid(position))

    def describe(self, position: Traffic) -> str:
        """The rules and the grid."""
        return (
            "This is a car park seen from above; equal letters are one car, a dot is a free cell.\n\n"
            f"{self.show(position)}\n\nA car moves along its own row or column, through free cells only. A move is the "
            "car's letter, + (to the right, or down) or - (to the left, or up), and the number of cells. The goal is that "
            "car X reaches the right edge."
        )

    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[Drive]:
        """Draws car parks until one has positions that are as far from the exit as they should be."""
        size, cars, least, far = LEVELS[difficulty - 1]
        best: tuple[int, Lot, list[Slide], Places] | None = None
        draws = 0
        while best is None or (best[0] < least and draws < DRAWS):
            lot, out = _fill(rng, size, cars)
            if len(lot.after(out)) > MOST_CHOICES:
                continue
            draws += 1
            links = reachable(lot, out, MOST_POSITIONS[size])
            distance = distances(lot, links) if links else {}
            longest = min(far, max(distance.values(), default=0))
            if links and longest > (best[0] if best else 1):
                fit = [places for places, steps in distance.items() if min(least, longest) <= steps <= far]
                start = pick(rng, fit)
                best = (longest, lot, way_out(lot, links, distance, start), start)
        _, lot, plan, start = best
        return Drawn(
            board={"grid": _grid(Traffic(lot, start))},
            plan=list(map(_drive, plan)),
            limit=2 * len(plan) + SPARE,
            facts={"size": size, "cars": len(lot.cars), "hardness": len(plan)},
        )


@register_verifier("rush_hour_plan")
class RushHourVerifier(PlanVerifier[Drive]):
    """Any moves that bring X to the right edge."""

    rules = RushHourRules()


@register("rlvr/RushHour-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class RushHour(PuzzleDialogue):
    """Play Rush Hour.

    Difficulty 1 has 4 cars on 4 x 4 cells and needs 2 moves; 7 has up to 10 cars on 5 x 5 and needs 6 or 7; 10 has up to 14
    cars on 6 x 6 and needs 9 or more, if such a car park is found in time. The hardness is the least number of moves,
    any number of cells being one; twice as many and six more may be tried.
    """

    verifier: ClassVar[str] = "rush_hour_plan"
    puzzle = RushHourVerifier.rules


@register("rlvr/RushHourPlan-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class RushHourPlan(PlanProblem):
    """Give all moves that bring the car X to the exit; every way counts.

    Difficulty and hardness are those of ``rlvr/RushHour-v0``.
    """

    verifier: ClassVar[str] = "rush_hour_plan"
    puzzle = RushHourVerifier.rules


def _read(match: re.Match[str]) -> Drive:
    sign, way, cells = match[2], (match[3] or "").lower(), int(match[4])
    back = way in ("up", "left") if way else sign != "+"
    axis = "" if not way else "vertical" if way in ("up", "down") else "horizontal"
    return Drive(match[1].upper(), -cells if back else cells, axis)


def _drive(slide: Slide) -> Drive:
    return Drive(NAMES[slide[0]], slide[1])


def _grid(position: Traffic) -> list[str]:
    lot = position.lot
    letters = ["."] * lot.size**2
    for name, masks, offset in zip(NAMES, lot.masks, lot.offsets(position.places), strict=False):
        for cell in range(len(letters)):
            if masks[offset] >> cell & 1:
                letters[cell] = name
    return ["".join(letters[i : i + lot.size]) for i in range(0, len(letters), lot.size)]


def _fill(rng: np.random.Generator, size: int, count: int) -> tuple[Lot, Places]:
    """X at the exit of a middle row, and other cars where there is room.

    None lies in X's row, where it could never let X pass.
    """
    row = (size - 1) // 2
    cars, offsets = [Car(row, 2, False)], [size - 2]
    taken = cars[0].cells(size, offsets[0])
    draws = 8 * count
    for vertical, long, line, place in zip(
        (rng.random(draws) < 0.5).tolist(),
        (rng.random(draws) < LONG_SHARE[size]).tolist(),
        rng.integers(size, size=draws).tolist(),
        rng.random(draws).tolist(),
        strict=True,
    ):
        car = Car(line, 3 if long else 2, vertical)
        offset = int(place * (size - car.length + 1))
        cells = car.cells(size, offset)
        if cells & taken or (not vertical and line == row):
            continue
        taken |= cells
        cars.append(car)
        offsets.append(offset)
        if len(cars) == count:
            break
    lot = Lot(size, tuple(cars))
    return lot, lot.pack(offsets)
