"""The 2 x 2 x 2 cube: played, and as a plan of face turns."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from operator import itemgetter
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import pick, shuffled
from rlvr_gym.envs.games._puzzle import Drawn, PlanProblem, Puzzle, PuzzleDialogue
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.moves import Illegal, PlanVerifier, find_moves

__all__ = ["RubiksTiny", "RubiksTinyPlan", "RubiksTinyVerifier"]

FACES = "URFDLB"
COLOURS = "wrgyob"
TURNS = tuple(face + amount for face in FACES for amount in ("", "2", "'"))
SEARCH_TURNS = tuple(turn for turn in TURNS if turn[0] in "URF")
"""These leave one corner alone, and with that corner fixed they make every position."""
FIXED_CORNER = "DBL"
LEVELS = ((2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (8, 9), (9, 9), (10, 11))
"""Difficulty: the least and most turns of a shortest solution."""
EXTRA_TURNS = 2
"""Turns that mix the hardest cubes beyond the most that they need: positions that far are few."""
TABLE_DEPTH = 5
"""How far from the solved cube the solver's table goes; no position is farther than 11."""
SPARE = 6
_RUN = re.compile(
    r"(?:[URFDLB](?:2['\u2019\u2032]?|['\u2019\u2032]2?)?){1,100}(?![A-Za-z0-9])", re.IGNORECASE | re.ASCII
)
_QUOTED = re.compile(
    r"(?<![A-Za-z2])'([URFDLB]2?)'(?=\s*(?:[,)\]]|$))|(?<![A-Za-z2])`([^`\n]{1,400})`", re.IGNORECASE
)
_STRAY = re.compile(r"(?<![A-Za-z2])['\u2019\u2032]|(?<=[A-Za-z2])`")
"""A mark that may have been meant to turn the other way, and belongs to no turn."""
_TURN = re.compile(r"([URFDLB])([2'\u2019\u2032]*)", re.IGNORECASE)

Vector = tuple[int, int, int]

# each face's outward normal, and the directions right and down on it in the net that is shown; x goes to the right, y up
# and z to the front
_FRAMES: dict[str, tuple[Vector, Vector, Vector]] = {
    "U": ((0, 1, 0), (1, 0, 0), (0, 0, 1)),
    "R": ((1, 0, 0), (0, 0, -1), (0, -1, 0)),
    "F": ((0, 0, 1), (1, 0, 0), (0, -1, 0)),
    "D": ((0, -1, 0), (1, 0, 0), (0, 0, -1)),
    "L": ((-1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "B": ((0, 0, -1), (-1, 0, 0), (0, -1, 0)),
}


class CubeRules(Puzzle[str, str]):
    """A position is the 24 stickers: faces in the order U R F D L B, each by rows as it is seen in the net."""

    form = "face turns in their order, separated by spaces"
    examples = ("U U'",)  # changes nothing

    def position(self, board: Mapping[str, Any]) -> str:
        """The stickers."""
        return str(board["stickers"])

    def parse(self, text: str) -> list[str] | None:
        """``R U2 F'``, ``RU2F'``, ``r, u2, f'``, ``["R", "F'"]``."""
        text = _QUOTED.sub(r"\1\2", text)
        turns = []
        for run in () if _STRAY.search(text) else find_moves(text, _RUN) or ():
            for face, amount in _TURN.findall(run.group()):
                turns.append(face.upper() + ("2" if "2" in amount else "'" if amount else ""))
        return turns or None

    def make(self, position: str, move: str) -> str | Illegal:
        """Turns a face; that is always possible."""
        return _turn(position, move)

    def solved(self, position: str) -> bool:
        """Every face has one colour, however the cube as a whole is held."""
        return all(len(set(position[i : i + 4])) == 1 for i in range(0, 24, 4))

    def solve(self, position: str) -> list[str] | None:
        """A shortest way: breadth-first to the table of positions near the solved cube."""
        return _solve(_named(position))

    def write(self, move: str) -> str:
        """The turn."""
        return move

    def write_all(self, moves: list[str]) -> str:
        """Turns with spaces, as is usual."""
        return " ".join(moves)

    def show(self, position: str) -> str:
        """The net."""
        up, right, front, down, left, back = (position[i : i + 4] for i in range(0, 24, 4))
        middle = ["  ".join(cells) for cells in zip(*map(_rows, (left, front, right, back)), strict=True)]
        above, below = ([f"     {row}" for row in _rows(face)] for face in (up, down))
        return "\n".join([*above, *middle, *below])

    def describe(self, position: str) -> str:
        """The notation and the net."""
        return (
            "This is the net of a 2x2x2 cube; letters are colours. The middle row shows the faces L (left), F (front), R "
            "(right) and B (back); above F is U (up), below it D (down). A turn is a face's letter, which turns that face "
            "clockwise by 90 degrees as seen from outside in front of it, or the letter and ' (counter-clockwise), or the "
            f"letter and 2 (by 180 degrees).\n\n{self.show(position)}\n\nThe goal is that every face has one colour."
        )

    def draw(self, rng: np.random.Generator, difficulty: int) -> Drawn[str]:
        """Draws turns until the cube is as far from solved as it should be."""
        least, most = LEVELS[difficulty - 1]
        solved = "".join(colour * 4 for colour in shuffled(rng, COLOURS))
        while True:
            position = _mix(rng, solved, most + (EXTRA_TURNS if difficulty == 10 else 0))
            plan = self.solve(position) or []
            if least <= len(plan) <= most:
                return Drawn(
                    board={"stickers": position},
                    plan=plan,
                    limit=2 * len(plan) + SPARE,
                    facts={"hardness": len(plan)},
                )


@register_verifier("rubiks_tiny_plan")
class RubiksTinyVerifier(PlanVerifier[str]):
    """Any turns after which every face has one colour."""

    rules = CubeRules()


@register("rlvr/RubiksTiny-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class RubiksTiny(PuzzleDialogue):
    """Play the 2 x 2 x 2 cube.

    Difficulty 1 needs 2 turns and each level to 7 one more; 8 needs 8 or 9 turns, 9 needs 9, and 10 needs 10 or 11. The
    hardness is the least number of turns (a half turn is one); twice as many and six more may be tried.
    """

    verifier: ClassVar[str] = "rubiks_tiny_plan"
    puzzle = RubiksTinyVerifier.rules


@register("rlvr/RubiksTinyPlan-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class RubiksTinyPlan(PlanProblem):
    """Give the turns that solve a 2 x 2 x 2 cube; every way counts.

    Difficulty and hardness are those of ``rlvr/RubiksTiny-v0``.
    """

    verifier: ClassVar[str] = "rubiks_tiny_plan"
    puzzle = RubiksTinyVerifier.rules


def _mix(rng: np.random.Generator, position: str, turns: int) -> str:
    """The position after random turns, none of them of the face before it or the one opposite that."""
    previous = ""
    for _ in range(turns):
        turn = pick(rng, [t for t in TURNS if t[0] not in previous])
        position, previous = _turn(position, turn), turn[0] + _opposite(turn[0])
    return position


def _opposite(face: str) -> str:
    return FACES[(FACES.index(face) + 3) % 6]


def _rows(face: str) -> tuple[str, str]:
    return f"{face[0]} {face[1]}", f"{face[2]} {face[3]}"


def _sticker_places() -> list[tuple[Vector, Vector]]:
    """The cubie and the outward normal of each of the 24 stickers."""
    places = []
    for face in FACES:
        normal, right, down = _FRAMES[face]
        for vertical, horizontal in product((-1, 1), repeat=2):
            cubie = tuple(
                n + horizontal * r + vertical * d for n, r, d in zip(normal, right, down, strict=True)
            )
            places.append(((cubie[0], cubie[1], cubie[2]), normal))
    return places


def _dot(a: Vector, b: Vector) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _clockwise(vector: Vector, axis: Vector) -> Vector:
    """``vector`` turned by 90 degrees around ``axis``, clockwise for who looks at the axis' tip."""
    along = _dot(vector, axis)
    (x, y, z), (a, b, c) = vector, axis
    cross = (y * c - z * b, z * a - x * c, x * b - y * a)
    return (along * a + cross[0], along * b + cross[1], along * c + cross[2])


@cache
def _permutations() -> dict[str, Callable[[str], tuple[str, ...]]]:
    """Turn -> what picks the stickers of the position after it out of the one before."""
    places = _sticker_places()
    index = {place: i for i, place in enumerate(places)}
    getters: dict[str, Callable[[str], tuple[str, ...]]] = {}
    for face in FACES:
        axis = _FRAMES[face][0]
        source = list(range(24))
        for i, (cubie, normal) in enumerate(places):
            if _dot(cubie, axis) > 0:
                source[index[_clockwise(cubie, axis), _clockwise(normal, axis)]] = i
        twice = [source[i] for i in source]
        thrice = [source[i] for i in twice]
        for amount, order in (("", source), ("2", twice), ("'", thrice)):
            getters[face + amount] = itemgetter(*order)
    return getters


def _turn(position: str, turn: str) -> str:
    return "".join(_permutations()[turn](position))


def _inverse(turn: str) -> str:
    return {"": f"{turn[0]}'", "'": turn[0], "2": turn}[turn[1:]]


@cache
def _table() -> dict[str, str]:
    """Every position near the solved cube -> the turn that brings it one nearer. Takes 0.05 s, once."""
    solved = "".join(face * 4 for face in FACES)
    nearer = {solved: ""}
    wave = [solved]
    for _ in range(TABLE_DEPTH):
        found = {after: _inverse(turn) for _, turn, after in _next_wave(wave, nearer)}
        nearer |= found
        wave = list(found)
    return nearer


def _next_wave(wave: Iterable[str], known: Container[str]) -> Iterator[tuple[str, str, str]]:
    """Positions that are one turn away and not known yet, with where they come from and by which turn."""
    turns = [(turn, _permutations()[turn]) for turn in SEARCH_TURNS]
    for position in wave:
        for turn, order in turns:
            after = "".join(order(position))
            if after not in known:
                yield position, turn, after


def _named(position: str) -> str:
    """The position with its colours named after the faces on which they have to be, as the fixed corner tells."""
    corners: dict[Vector, dict[str, str]] = {}
    for colour, (cubie, normal) in zip(position, _sticker_places(), strict=True):
        face = next(face for face in FACES if _FRAMES[face][0] == normal)
        corners.setdefault(cubie, {})[face] = colour
    fixed = next(corner for corner in corners.values() if corner.keys() == set(FIXED_CORNER))
    names: dict[str, str] = {}
    for face, colour in fixed.items():
        # the opposite colour is the one that shares no corner with this one
        together = {c for corner in corners.values() if colour in corner.values() for c in corner.values()}
        (other,) = set(position) - together
        names |= {colour: face, other: _opposite(face)}
    return "".join(names[colour] for colour in position)


def _solve(start: str) -> list[str]:
    """The turns of a shortest way to the solved cube, of a position whose stickers are named after faces."""
    table = _table()
    before: dict[str, tuple[str, str]] = {start: ("", "")}
    wave = [start]
    while not (near := next((position for position in wave if position in table), "")):
        found: dict[str, tuple[str, str]] = {}
        for position, turn, after in _next_wave(wave, before):
            found.setdefault(after, (position, turn))
        before |= found
        wave = list(found)
    plan: list[str] = []
    at = near
    while at != start:
        at, turn = before[at]
        plan.append(turn)
    plan.reverse()
    while turn := table[near]:
        plan.append(turn)
        near = _turn(near, turn)
    return plan
