"""Kenken: a Latin square cut into cages with a result each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import cell_name, grid_format
from rlvr_gym.envs.logic._latin import LatinPuzzle, LatinVerifier
from rlvr_gym.envs.logic._solver import Constraint, Relation, Table
from rlvr_gym.registration import register
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["Kenken"]

LEVELS = {
    1: (3, 2), 2: (3, 3), 3: (4, 2), 4: (4, 3), 5: (4, 4), 6: (5, 2), 7: (5, 3), 8: (5, 4), 9: (6, 3), 10: (6, 4),
}  # fmt: skip
"""Difficulty: size, and the most cells that a cage has."""
GROW = 0.8
"""How likely a cage that may grow does so."""


def result(operation: str, values: Sequence[int]) -> int | None:
    """The result of a cage, in the order that makes it positive; None if it is no whole number."""
    if operation == "+":
        return sum(values)
    if operation == "*":
        return math.prod(values)
    large, small = max(values), min(values)
    if operation == "-":
        return large - small
    return large // small if large % small == 0 else None


@register_verifier("kenken")
class KenkenVerifier(LatinVerifier):
    """A Latin square in which every cage has its result."""

    def broken_clue(self, grid: list[list[int]], puzzle: dict[str, Any]) -> str | None:
        """A cage is ``[operation, result, cells]``."""
        size = puzzle["size"]
        for operation, target, cells in puzzle["cages"]:
            if result(operation, [grid[c // size][c % size] for c in cells]) != target:
                return f"the cage {_cage_text(operation, target, cells, size)} does not hold"
        return None


@register("rlvr/Kenken-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Kenken(LatinPuzzle):
    """Fill a Latin square so that the numbers of each cage give its result; exactly one solution.

    Difficulty 1-2 is 3x3, 3-5 is 4x4, 6-8 is 5x5, 9-10 is 6x6, with cages of at most 2 to 4 cells. Hardness is the
    number of values that follow directly, plus four for every value ruled out by trying it.

    Attributes:
        size: from 3 to 7; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "kenken"
    sizes = range(3, 8)
    levels = LEVELS

    def draw_clues(
        self, rng: np.random.Generator, square: list[int], size: int, amount: float
    ) -> tuple[list[Constraint], dict[str, Any]]:
        """Cages of at most ``amount`` cells, with their results."""
        rules: list[Constraint] = []
        cages: list[list[Any]] = []
        for cells in _cut(size, int(amount), rng):
            operation, target = _choose_operation([square[c] + 1 for c in cells], rng)
            cages.append([operation, target, cells])
            relation = _cage_relation(size, _conflicts(cells, size), len(cells), operation, target)
            rules.append(Table(cells, relation, f"the cage {_cage_text(operation, target, cells, size)}"))
        return rules, {"cages": cages}

    def tell(self, puzzle: dict[str, Any]) -> str:
        """The rules, the given numbers and a list of the cages."""
        size = puzzle["size"]
        listed = "\n".join(
            f"- {_cage_text(sign, target, cells, size)}" for sign, target, cells in puzzle["cages"]
        )
        return (
            f"Solve this {size}x{size} Kenken: fill the empty cells (.) so that every row and every column holds each "
            f"number from 1 to {size} exactly once, and the numbers in each cage give its result: the sum (+), the "
            f"product (*), the difference (-), or the quotient of the larger by the smaller (/). There is exactly one "
            f"solution.\n\n{grid_text(puzzle['givens'])}\n\nCages (r1c2 is row 1, column 2):\n{listed}\n\n"
            f"{grid_format(size, size, ('12', '21'))}"
        )


def _cage_text(operation: str, target: int, cells: Sequence[int], size: int) -> str:
    names = " ".join(cell_name(cell, size) for cell in cells)
    return f"{names}: {target}" if len(cells) == 1 else f"{names}: {target}{operation}"


def _cut(size: int, largest: int, rng: np.random.Generator) -> list[list[int]]:
    """Connected cages of 1 to ``largest`` cells that cover the square."""
    free = set(range(size * size))
    cages = []
    for cell in rng.permutation(size * size).tolist():
        if cell not in free:
            continue
        cage = [cell]
        free.discard(cell)
        while len(cage) < largest and (len(cage) == 1 or rng.random() < GROW):
            around = sorted({near for c in cage for near in _beside(c, size)} & free)
            if not around:
                break
            cage.append(around[int(rng.integers(len(around)))])
            free.discard(cage[-1])
        cages.append(sorted(cage))
    return sorted(cages)


def _beside(cell: int, size: int) -> list[int]:
    row, column = divmod(cell, size)
    near = [cell - size] if row else []
    near += [cell + size] if row < size - 1 else []
    near += [cell - 1] if column else []
    return near + ([cell + 1] if column < size - 1 else [])


def _choose_operation(values: list[int], rng: np.random.Generator) -> tuple[str, int]:
    options = ["+", "*"] if len(values) != 2 else ["+", "*", "-", "-", "/", "/"]
    possible = [(o, r) for o in options if (r := result(o, values)) is not None]
    return ("+", values[0]) if len(values) == 1 else possible[int(rng.integers(len(possible)))]


def _conflicts(cells: Sequence[int], size: int) -> tuple[tuple[int, int], ...]:
    """The pairs of positions in a cage that share a row or column, and so differ."""
    count = range(len(cells))
    return tuple(
        (i, j)
        for i in count
        for j in count
        if i < j and (cells[i] // size == cells[j] // size or cells[i] % size == cells[j] % size)
    )


@lru_cache(maxsize=1024)
def _cage_relation(
    size: int, conflicts: tuple[tuple[int, int], ...], count: int, operation: str, target: int
) -> Relation:
    return Relation(_fillings(size, conflicts, count)[operation, target])


@cache
def _fillings(
    size: int, conflicts: tuple[tuple[int, int], ...], count: int
) -> dict[tuple[str, int], list[tuple[int, ...]]]:
    """All ways to fill a cage of this shape, by operation and result."""
    found: dict[tuple[str, int], list[tuple[int, ...]]] = {}
    for row in product(range(size), repeat=count):
        if any(row[i] == row[j] for i, j in conflicts):
            continue
        values = [value + 1 for value in row]
        for operation in "+*-/" if count == 2 else "+*":
            target = result(operation, values)
            if target is not None:
                found.setdefault((operation, target), []).append(row)
    return found
